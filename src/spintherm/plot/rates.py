"""Rates of the steady state against α, with the phases behind them; [II] Fig. 2."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from spintherm.plot.style import COLOURS, PHASES

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_LOOKS = {
    "entropy_production_rate": (r"$\Sigma$", COLOURS["black"], "o"),
    "bath_entropy_rate": (r"$\dot S_B$", COLOURS["vermillion"], "^"),
    "pumped_entropy_rate": (r"$\dot S_P$", COLOURS["blue"], "s"),
}


def rates(axes: Axes, data: xr.Dataset) -> Axes:
    """Draw the closed forms as curves and the simulated rates as points with error bars.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    data : xarray.Dataset
        `curve` (rate, curve_alpha), `simulated` and `error` (rate, alpha), `phase` (curve_alpha),
        attribute `delta`.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    shade_phases(axes, data)
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
    mark_special_points(axes, data)
    axes.set_xlim(_limits(data))
    axes.set_ylabel("rate ($k_B$ per time)")
    return axes


def rate_deviations(axes: Axes, data: xr.Dataset, limit: float = 4.0) -> Axes:
    """Draw (simulated - exact)/error of every point, and the band within which it passes.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    data : xarray.Dataset
        As for `rates`, with `exact` (rate, alpha).
    limit : float
        Half the height of the band.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    shade_phases(axes, data)
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
    mark_special_points(axes, data)
    axes.set_xlim(_limits(data))
    axes.set_ylim(-1.35 * limit, 1.35 * limit)
    axes.set_yticks([-limit, 0.0, limit])
    axes.set_ylabel("deviation\n(errors)")
    return axes


def shade_phases(axes: Axes, data: xr.Dataset) -> Axes:
    """Shade dud, heat pump and refrigerator behind the axes, [II] (a)-(c) below 17."""
    for low, high, phase in phase_intervals(data):
        axes.axvspan(low, high, color=PHASES[phase], linewidth=0.0, zorder=0.0)
    return axes


def mark_special_points(axes: Axes, data: xr.Dataset) -> Axes:
    """Draw lines at α = -δ, 0 and 1/δ."""
    delta = float(data.attrs["delta"])
    for alpha in (-delta, 0.0, 1.0 / delta):
        axes.axvline(alpha, color="0.45", linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=0.5)
    return axes


def phase_intervals(data: xr.Dataset) -> list[tuple[float, float, str]]:
    """Return the intervals of α and their phases, from left to right."""
    delta, alpha = float(data.attrs["delta"]), data["curve_alpha"].values
    edges = [*_limits(data)]
    edges[1:1] = [x for x in (-delta, 0.0, 1.0 / delta) if edges[0] < x < edges[1]]
    phases = data["phase"].values
    return [
        (low, high, str(phases[np.argmin(np.abs(alpha - 0.5 * (low + high)))]))
        for low, high in pairwise(edges)
    ]


def _limits(data: xr.Dataset) -> tuple[float, float]:
    alpha = data["curve_alpha"].values
    return float(alpha[0]), float(alpha[-1])
