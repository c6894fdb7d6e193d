"""Curves that are results: rate functions, boundaries of phases, histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from spintherm.display.card import Row, card, number, spread
from spintherm.display.svg import Curve, panels


def rate_function_card(found: Any) -> str:
    """Return a rate function: I(a) and its slope, the exponent, against the time average a.

    Parameters
    ----------
    found : RateFunction

    Returns
    -------
    str
        HTML.
    """
    a, rates, exponents = (
        np.ravel(np.asarray(one, dtype=float))
        for one in (found.values, found.rates, found.exponents)
    )
    order = np.argsort(a)
    reached = np.isfinite(rates)
    rows: list[Row] = [("time averages a", spread(a), f"{a.size} values")]
    if reached.any():
        least = int(np.argmin(np.where(reached, rates, np.inf)))
        rows += [
            ("rates I(a)", spread(rates[reached]), "per time"),
            ("smallest at a =", number(a[least]), f"I = {number(rates[least])}"),
            ("exponents I′(a)", spread(exponents[reached]), ""),
        ]
    rows.append(("out of reach", str(int((~reached).sum())), "values, I = ∞"))
    drawn = [
        (name, [Curve(a[order], values[order])])
        for name, values in (("I", np.where(reached, rates, np.nan)), ("I′", exponents))
    ]
    note = "the density of a falls like exp(−τ I(a))"
    return card("RateFunction", panels(drawn, "a"), rows, note)


def boundary_card(boundary: Any) -> str:
    """Return a boundary between phases as a curve in the plane of the diagram.

    Parameters
    ----------
    boundary : Boundary

    Returns
    -------
    str
        HTML.
    """
    rows: list[Row] = [
        ("vanishes", boundary.rate.replace("_", " "), ""),
        ("points", str(boundary.x.size), ""),
        ("x", spread(boundary.x), ""),
        ("y", spread(boundary.y), ""),
        ("closed", "yes" if boundary.closed else "no", ""),
        ("complete", "yes" if boundary.complete else "no", ""),
    ]
    picture = panels([("y", [Curve(boundary.x, boundary.y)])], "x", zero=False, height=120.0)
    return card("Boundary", picture, rows)


def histogram_card(histogram: Any) -> str:
    """Return a histogram as the density that it estimates.

    Parameters
    ----------
    histogram : Histogram

    Returns
    -------
    str
        HTML.
    """
    counts, edges = histogram.counts, histogram.edges
    rows: list[Row] = [
        ("bins", str(counts.size), ""),
        ("edges", spread(edges), ""),
        ("samples within", str(int(counts.sum())), ""),
        ("share of all", number(float(histogram.density @ np.diff(edges))), ""),
    ]
    x = np.repeat(edges, 2)
    y = np.concatenate([[0.0], np.repeat(histogram.density, 2), [0.0]])
    return card("Histogram", panels([("density", [Curve(x, y)])], "x"), rows)
