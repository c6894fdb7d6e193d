"""Numbers with errors: estimates, averages that few samples may carry, fits."""

from __future__ import annotations

from typing import Any

import numpy as np

from spintherm.display.card import Row, card, number, shown, spread
from spintherm.display.charts import Interval, ellipses, intervals
from spintherm.display.svg import panels


def estimate_card(estimate: Any) -> str:
    """Return an estimate as a table.

    Parameters
    ----------
    estimate : Estimate or WeightedEstimate

    Returns
    -------
    str
        HTML.
    """
    rows: list[Row] = [("value", shown(estimate), "± one standard error")]
    if hasattr(estimate, "effective_samples"):
        rows.append(("effective samples", number(estimate.effective_samples), ""))
    return card(type(estimate).__name__, "", rows)


def chi_squared_card(found: Any) -> str:
    """Return a sum of squared deviations as a table.

    Parameters
    ----------
    found : ChiSquared

    Returns
    -------
    str
        HTML.
    """
    rows: list[Row] = [
        ("chi²", number(found.value), ""),
        ("degrees of freedom", str(found.degrees_of_freedom), "expected of chi²"),
        ("as rare as a normal deviation of", number(found.z), "standard errors"),
    ]
    return card("ChiSquared", "", rows)


def exponential_average_card(average: Any) -> str:
    """Return an average of exp(-x) with the errors of either side.

    Parameters
    ----------
    average : ExponentialAverage

    Returns
    -------
    str
        HTML.
    """
    above = max(average.standard_error, average.upper_error)
    drawn = [Interval("⟨exp(−x)⟩", average.value, average.standard_error, above)]
    rows: list[Row] = [
        ("average of exp(−x)", number(average.value), ""),
        ("error below", number(average.standard_error), "standard error"),
        ("error above", number(average.upper_error), "with weights not seen"),
        ("effective samples", f"{average.effective_samples:.4g} of {average.samples}", ""),
        ("largest share of one", number(average.largest_share), ""),
        ("index of the tail", number(average.tail_index), "no variance from 1/2, no mean from 1"),
        ("carried by few", "yes: do not use the standard error" if average.dominated else "no", ""),
    ]
    note = "bar: the errors below and above; broken line: 1, where x is an entropy production"
    return card("ExponentialAverage", intervals(drawn, 1.0, "average"), rows, note)


def line_card(fit: Any) -> str:
    """Return a straight line: the errors of intercept and slope, and a table.

    Parameters
    ----------
    fit : LineFit

    Returns
    -------
    str
        HTML.
    """
    rows: list[Row] = [
        ("intercept", shown(fit.intercept), ""),
        ("slope", shown(fit.slope), ""),
        ("scatter about the line", shown(fit.residual), ""),
    ]
    centre = [fit.intercept.value, fit.slope.value]
    return card("LineFit", _errors(centre, fit.covariance, ("intercept", "slope")), rows, _ELLIPSES)


def logistic_card(fit: Any) -> str:
    """Return a logistic regression: the errors of intercept and first slope, and a table.

    Parameters
    ----------
    fit : LogisticFit

    Returns
    -------
    str
        HTML.
    """
    count = len(fit.coefficients)
    names = ["intercept", *(f"slope {k}" if count > 2 else "slope" for k in range(1, count))]
    rows: list[Row] = [(name, shown(fit.estimate(k)), "") for k, name in enumerate(names)]
    rows.append(("overlap", number(fit.overlap), "of samples that are equal"))
    if count == 1:
        return card("LogisticFit", "", rows)
    picture = _errors(fit.coefficients[:2], fit.covariance[:2, :2], (names[0], "slope"))
    return card("LogisticFit", picture, rows, _ELLIPSES)


def parameters_card(parameters: Any) -> str:
    """Return the numbers that decide a steady state for P ∥ H as a table.

    Parameters
    ----------
    parameters : ReducedParameters

    Returns
    -------
    str
        HTML.
    """
    rows: list[Row] = [
        ("α = mP/H", spread(parameters.alpha), "torque over field"),
        ("δ = ηm/γ₀", spread(parameters.delta), "damping"),
        ("ν = βmH", spread(parameters.nu), "field over temperature"),
        ("ξ = ν(1 + α/δ)", spread(parameters.xi), "the effective field, signed"),
        ("u = αν/δ", spread(parameters.drive), "torque over temperature"),
        ("ηT", spread(parameters.diffusion), "rotational diffusion, per time"),
    ]
    return card("ReducedParameters", "", rows)


_ELLIPSES = "ellipses: one and two standard errors"


def _errors(centre: Any, covariance: Any, names: tuple[str, str]) -> str:
    drawn = ellipses(np.asarray(centre), covariance)
    return panels([(names[1], drawn)], names[0], zero=False, height=120.0)
