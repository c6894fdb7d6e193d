"""Fluctuation theorems: log ratios against what theory puts them on, and the fitted numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from spintherm.display.card import Row, card, shown
from spintherm.display.charts import Interval, ellipses, intervals
from spintherm.display.svg import BLUE, VERMILLION, Curve, panels

_PARTS = {"work": ("W", "4.24"), "pumped_entropy": ("S_P", "4.25")}


def ratio_card(theorem: Any, title: str, abscissa: Any, label: str) -> str:
    """Return a theorem with slope and intercept as a picture and a table.

    Parameters
    ----------
    theorem : DetailedTheorem or CrooksWork
    title : str
        What it is.
    abscissa : ndarray, shape (n,)
        Of the used bins.
    label : str
        Its symbol.

    Returns
    -------
    str
        HTML.
    """
    x = np.asarray(abscissa)
    ends = np.array([x.min(), x.max()])
    curves = [
        Curve(ends, ends, colour="currentColor"),
        Curve(x, np.asarray(theorem.log_ratio), "", BLUE, np.asarray(theorem.error)),
    ]
    rows: list[Row] = [
        ("slope, without bins", shown(theorem.slope), "expected 1"),
        ("intercept, without bins", shown(theorem.intercept), "expected 0"),
        ("both together", shown(theorem.chi_squared), ""),
        (f"line through {x.size} bins, slope", shown(theorem.line.slope), ""),
        ("its intercept", shown(theorem.line.intercept), ""),
        ("bins against it", shown(theorem.balance.chi_squared), ""),
    ]
    note = "points: log ratio forward to backward in bins; line: what is tested"
    return card(title, panels([("ln", curves)], label), rows, note)


def joint_card(theorem: Any) -> str:
    """Return the joint theorem: errors of both slopes about (1, 1), or of the only one about 1.

    Parameters
    ----------
    theorem : JointTheorem

    Returns
    -------
    str
        HTML.
    """
    slopes = {"β(W − ΔF)": theorem.work, "S_P": theorem.pumped_entropy}
    rows: list[Row] = [
        (f"slope in {name}", "none, constant" if one is None else shown(one), "expected 1")
        for name, one in slopes.items()
    ]
    rows += [
        ("intercept", shown(theorem.intercept), "expected 0"),
        ("all together", shown(theorem.chi_squared), ""),
        ("overlap", f"{theorem.overlap:.3g}", "of ensembles that are equal"),
    ]
    there = [(name, one) for name, one in slopes.items() if one is not None]
    if len(there) == 2:
        expected = Curve(np.ones(1), np.ones(1), "", VERMILLION, np.zeros(1))
        drawn = [*ellipses([one.value for _, one in there], theorem.covariance[1:, 1:]), expected]
        picture = panels([("in S_P", drawn)], "slope in β(W − ΔF)", zero=False, height=120.0)
        note = "ellipses: one and two standard errors; the other colour: (1, 1)"
    else:
        picture = intervals([_interval(name, one) for name, one in there], 1.0, "slope")
        note = "bars: one standard error"
    return card("joint theorem [I] 4.16, without bins", picture, rows, note)


def integral_card(theorem: Any) -> str:
    """Return the integral theorem: both averages with the errors of either side, about 1.

    Parameters
    ----------
    theorem : IntegralTheorem

    Returns
    -------
    str
        HTML.
    """
    first, second = theorem.entropy_production, theorem.functionals
    rows: list[Row] = [
        ("⟨exp(−Σ)⟩", _plain(first), "expected 1"),
        ("⟨exp(−βW − S_P + βΔF)⟩", _plain(second), "expected 1"),
        ("deviation", f"{theorem.deviation:+.2f}", "standard errors"),
        ("effective trajectories", f"{first.effective_samples:.4g} of {first.samples}", ""),
    ]
    if theorem.dominated:
        rows.append(("carried by few", "yes: do not trust the standard error", ""))
    drawn = [
        Interval(name, one.value, one.standard_error, max(one.standard_error, one.upper_error))
        for name, one in (("from Σ", first), ("W and S_P", second))
    ]
    note = "bars: one standard error, upwards with what trajectories not seen may add"
    return card("integral theorem [I] 4.17", intervals(drawn, 1.0, "average"), rows, note)


def conditional_card(theorem: Any) -> str:
    """Return a conditional theorem: both sides in bins, and their difference about 0.

    Parameters
    ----------
    theorem : ConditionalTheorem

    Returns
    -------
    str
        HTML.
    """
    symbol, number = _PARTS[theorem.variable]
    name = theorem.variable.replace("_", " ")
    title = f"conditional theorem [I] {number} for {name}"
    return _sides(theorem.balance, title, symbol)


def balance_card(balance: Any) -> str:
    """Return both sides of a theorem in bins, and their difference about 0.

    Parameters
    ----------
    balance : Balance

    Returns
    -------
    str
        HTML.
    """
    return _sides(balance, "both sides of a theorem in bins", "X")


def free_energy_card(difference: Any) -> str:
    """Return a measured free energy difference about the exact one.

    Parameters
    ----------
    difference : FreeEnergyDifference

    Returns
    -------
    str
        HTML.
    """
    rows: list[Row] = [
        ("estimate of ΔF", shown(difference.estimate), "energy"),
        ("exact ΔF", f"{difference.exact:.6g}", "energy"),
        ("deviation", f"{difference.deviation:+.2f}", "standard errors"),
        ("overlap", f"{difference.overlap:.3g}", "of ensembles that are equal"),
    ]
    drawn = [_interval("estimate", difference.estimate)]
    picture = intervals(drawn, difference.exact, "ΔF")
    note = "bar: one standard error; broken line: exact"
    return card("free energy difference by Bennett's ratio", picture, rows, note)


def _sides(balance: Any, title: str, symbol: str) -> str:
    used = balance.used
    x = balance.centres[used]
    left, right, off = (
        Curve(x, values[used], label, colour, error[used])
        for values, label, colour, error in (
            (balance.log_left, "F", BLUE, balance.left_error),
            (balance.log_right, "B", VERMILLION, balance.right_error),
            (balance.difference, "", BLUE, balance.error),
        )
    )
    picture = panels([("ln", [left, right]), ("F − B", [off])], symbol, zero=False)
    rows: list[Row] = [
        ("both sides in bins", shown(balance.chi_squared), ""),
        ("bins used", f"{used.sum()} of {used.size}", ""),
        ("trajectories", f"{balance.sizes[0]} forward, {balance.sizes[1]} backward", ""),
    ]
    note = f"F: ln p_F({symbol})⟨exp(−Σ)⟩ at {symbol}; B: ln p_B(−{symbol}); below their difference"
    return card(title, picture, rows, note)


def _plain(average: Any) -> str:
    """Return value and standard error, without what else the average says of itself."""
    return shown(average).partition(" (")[0]


def _interval(name: str, estimate: Any) -> Interval:
    return Interval(name, estimate.value, estimate.error, estimate.error)
