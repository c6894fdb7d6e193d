"""Rates of the steady state against α, with the phases behind them; [II] Fig. 2."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from spintherm.plot.style import COLOURS, PHASES, axes_or_new, in_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_LOOKS = {
    "entropy_production_rate": (r"$\Sigma$", COLOURS["black"], "o"),
    "bath_entropy_rate": (r"$\dot S_B$", COLOURS["vermillion"], "^"),
    "pumped_entropy_rate": (r"$\dot S_P$", COLOURS["blue"], "s"),
}


@in_style
def rates(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw the closed forms as curves and the simulated rates as points with error bars.

    Parameters
    ----------
    data : xarray.Dataset
        `curve` (rate, curve_alpha), `simulated` and `error` (rate, alpha), `phase` (curve_alpha),
        attribute `delta`, and `boundaries` where phases do not end at -δ, 0 and 1/δ.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes, columns=2, height=3.0)
    shade_phases(data, axes=axes)
    axes.axhline(0.0, color="black", linewidth=0.6)
    for rate, (symbol, colour, marker) in _LOOKS.items():
        one = data.sel(rate=rate)
        axes.plot(data["curve_alpha"], one["curve"], color=colour, label=symbol)
        axes.errorbar(
            data["alpha"],
            one["simulated"],
            one["error"],
            color=colour,
            marker=marker,
            markersize=3.6,
            markerfacecolor="white",
            linestyle="none",
            elinewidth=0.9,
        )
    mark_special_points(data, axes=axes)
    axes.set_xlim(_limits(data))
    axes.set_xlabel(r"$\alpha = mP/H$")
    axes.set_ylabel("rate ($k_B$ per time)")
    return axes


@in_style
def rate_deviations(data: xr.Dataset, limit: float = 4.0, *, axes: Axes | None = None) -> Axes:
    """Draw (simulated - exact)/error of every point, and the band within which it passes.

    Parameters
    ----------
    data : xarray.Dataset
        As for `rates`, with `exact` (rate, alpha).
    limit : float
        Half the height of the band.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes, columns=2, height=1.2)
    shade_phases(data, axes=axes)
    axes.axhline(0.0, color="black", linewidth=0.6)
    for sign in (-limit, limit):
        axes.axhline(sign, color="black", linewidth=0.6, linestyle=(0, (4, 2)))
    error = data["error"].where(data["error"] > 0.0)
    deviation = (data["simulated"] - data["exact"]) / error
    for offset, (rate, (_, colour, marker)) in zip((-1, 0, 1), _LOOKS.items(), strict=True):
        axes.plot(
            data["alpha"] + 0.015 * offset,
            deviation.sel(rate=rate),
            color=colour,
            marker=marker,
            markersize=3.0,
            markerfacecolor="white",
            linestyle="none",
        )
    mark_special_points(data, axes=axes)
    axes.set_xlim(_limits(data))
    axes.set_ylim(-1.35 * limit, 1.35 * limit)
    axes.set_yticks([-limit, 0.0, limit])
    axes.set_xlabel(r"$\alpha = mP/H$")
    axes.set_ylabel("deviation\n(errors)")
    return axes


@in_style
def shade_phases(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Shade dud, heat pump and refrigerator behind the axes, [II] (a)-(c) below 17."""
    axes = axes_or_new(axes)
    for low, high, phase in phase_intervals(data):
        axes.axvspan(low, high, color=PHASES[phase], linewidth=0.0, zorder=0.0)
    return axes


@in_style
def mark_special_points(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw lines at α = -δ, 0 and 1/δ, or at `special_points`."""
    axes = axes_or_new(axes)
    for alpha in special_points(data):
        axes.axvline(alpha, color="0.45", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0.5)
    return axes


def special_points(data: xr.Dataset) -> list[float]:
    """Return the values of α at which a phase ends, from left to right."""
    if "boundaries" in data.attrs:
        return [float(x) for x in np.atleast_1d(data.attrs["boundaries"])]
    delta = float(data.attrs["delta"])
    return [-delta, 0.0, 1.0 / delta]


def phase_intervals(data: xr.Dataset) -> list[tuple[float, float, str]]:
    """Return the intervals of α and their phases, from left to right."""
    alpha = data["curve_alpha"].values
    edges = [*_limits(data)]
    edges[1:1] = [x for x in special_points(data) if edges[0] < x < edges[1]]
    phases = data["phase"].values
    return [
        (low, high, str(phases[np.argmin(np.abs(alpha - 0.5 * (low + high)))]))
        for low, high in pairwise(edges)
    ]


def _limits(data: xr.Dataset) -> tuple[float, float]:
    alpha = data["curve_alpha"].values
    return float(alpha[0]), float(alpha[-1])
