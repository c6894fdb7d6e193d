"""What was judged: one verdict, and all of a reproduction with their deviations."""

from __future__ import annotations

from typing import Any

import numpy as np

from spintherm.display.card import Row, card, number
from spintherm.display.charts import Interval, intervals
from spintherm.display.svg import BLUE, Curve, panels

_FEWEST = 8


def verdict_card(verdict: Any) -> str:
    """Return a verdict: the number with its error about what was expected, and the outcome.

    Parameters
    ----------
    verdict : Verdict

    Returns
    -------
    str
        HTML.
    """
    sign = {"=": "", "<=": "≤ ", ">=": "≥ "}[verdict.relation]
    rows: list[Row] = [
        ("verdict", verdict.outcome, ""),
        ("ours", f"{number(verdict.ours)} ± {number(verdict.error)}", ""),
        ("expected", f"{sign}{number(verdict.expected)}", ""),
        ("passes", verdict.criterion, ""),
    ]
    drawn = [Interval("ours", verdict.ours, verdict.error, verdict.error)]
    picture = intervals(drawn, verdict.expected, "value")
    note = verdict.note or "bar: one standard error; broken line: expected, or the limit"
    return card(f"{verdict.experiment}: {verdict.quantity}", picture, rows, note)


def reproduction_card(found: Any) -> str:
    """Return a reproduction: deviations of all estimates in order of size, failures by name.

    Parameters
    ----------
    found : Reproduction

    Returns
    -------
    str
        HTML.
    """
    outcomes = [verdict.outcome for verdict in found.verdicts]
    rows: list[Row] = [
        (name, str(outcomes.count(name)), f"of {len(outcomes)}")
        for name in ("pass", "fail", "open")
    ]
    failed = [one for one in found.verdicts if one.outcome == "fail"]
    rows += [
        ("failed", f"{one.experiment}: {one.quantity}", f"{number(one.ours)}")
        for one in failed[:_FEWEST]
    ]
    if len(failed) > _FEWEST:
        rows.append(("failed", f"and {len(failed) - _FEWEST} more", ""))
    rows += [("folder", str(found.folder), ""), ("wall time", number(found.wall_time), "s")]
    given = [one.deviation for one in found.verdicts if one.error > 0.0]
    off = np.sort([z for z in given if z is not None and np.isfinite(z)])
    if off.size == 0:
        return card("Reproduction", "", rows)
    place = (np.arange(off.size) + 0.5) / off.size
    picture = panels([("share", [Curve(off, place, "", BLUE, np.zeros(off.size))])], "deviation")
    note = "points: deviations in standard errors, and the share of estimates below each"
    return card("Reproduction", picture, rows, note)


def provenance_card(origin: Any) -> str:
    """Return where results come from as a table.

    Parameters
    ----------
    origin : Provenance

    Returns
    -------
    str
        HTML.
    """
    return card("Provenance", "", [(name, value, "") for name, value in origin.rows()])


def cost_card(cost: Any) -> str:
    """Return what a study will take as a table.

    Parameters
    ----------
    cost : Cost

    Returns
    -------
    str
        HTML.
    """
    rows: list[Row] = [("points", f"{cost.points:,}", ""), ("tasks", f"{cost.tasks:,}", "")]
    if cost.spin_steps:
        low, high = cost.steps
        rows += [
            ("steps of a trajectory", f"{low:,}" if low == high else f"{low:,} … {high:,}", ""),
            ("spin-steps", f"{cost.spin_steps:.3g}", f"at {cost.speed:.3g} per second"),
        ]
    rows += [
        ("on disk, before compression", f"{cost.bytes / 1e6:,.3g}", "MB"),
        ("time of one core", f"{cost.seconds:,.3g}", "s"),
    ]
    return card("Cost", "", rows)
