"""The fluctuation theorems as pictures: histograms of Σ, log ratios against Σ and against work.

They read the dataset of several processes, along `process`, that `experiments` saves: densities,
and log ratios of bins against the abscissa -ln<exp(-X)> at which theory puts them on X itself. No
number of these figures is computed here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.plot.style import COLOURS, MARKERS, axes_or_new, in_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes


@in_style
def entropy_histograms(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw the densities of Σ, forward filled and backward as steps; [I] Fig. 1 (a)-(c).

    Where the exact densities are known they are drawn over the histograms as thin lines, forward
    solid and backward dashed.

    Parameters
    ----------
    data : xarray.Dataset
        Processes with `density` (process, direction, bin) against `entropy_production`, and
        perhaps `exact_density` (process, direction, place) against `exact_entropy_production`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    several = axes is None and data.sizes["process"] > 1
    axes = axes_or_new(axes)
    centres = data["entropy_production"].values
    half = 0.5 * (centres[1] - centres[0])
    edges = np.append(centres - half, centres[-1] + half)
    for one in _each(data):
        colour = COLOURS[str(one["colour"].item())]
        forward, backward = (
            one["density"].sel(direction=name).values for name in ("forward", "backward")
        )
        axes.stairs(forward, edges, fill=True, color=colour, alpha=0.25)
        axes.stairs(backward, edges, color=colour, alpha=0.35)
        lines = (
            zip(one["exact_entropy_production"].values, one["exact_density"].values, strict=True)
            if "exact_density" in one
            else ((centres, forward), (centres, backward))
        )
        for (x, p), look, label in zip(lines, ("-", (0, (2, 1.2))), "FB", strict=True):
            name = f"{one['process'].item()}, {label}" if several else label
            axes.plot(x, p, color=colour, linestyle=look, linewidth=0.9, label=name)
    axes.set_xlabel(r"$\Sigma$")
    axes.set_ylabel(r"$p_\mathrm{F}(\Sigma),\ p_\mathrm{B}(\Sigma)$")
    axes.set_ylim(bottom=0.0)
    return axes


@in_style
def detailed_ratios(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw ln p_F(Σ)/p_B(-Σ) against Σ with the line of [I] 4.19; [I] Fig. 1 (d).

    Parameters
    ----------
    data : xarray.Dataset
        Processes with `detailed_abscissa`, `detailed_log_ratio`, `detailed_error`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _identity(axes, "theory")
    _points(axes, data, "detailed")
    axes.set_xlabel(r"$\Sigma$")
    axes.set_ylabel(r"$\ln\,[\,p_\mathrm{F}(\Sigma)\,/\,p_\mathrm{B}(-\Sigma)\,]$")
    return axes


@in_style
def work_ratios(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw ln p_F(W)/p_B(-W) against β(W - ΔF) with the line of [I] 4.26, which it misses; Fig. 2.

    Parameters
    ----------
    data : xarray.Dataset
        Processes with `crooks_abscissa`, `crooks_log_ratio`, `crooks_error`, and perhaps
        `exact_work_log_ratio` against `exact_dissipated_work`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _identity(axes, "Crooks' usual form")
    if "exact_work_log_ratio" in data:
        for one in _each(data):
            x, ratio = one["exact_dissipated_work"].values, one["exact_work_log_ratio"].values
            axes.plot(x, ratio, color=COLOURS[str(one["colour"].item())], linewidth=0.8, zorder=1.5)
    _points(axes, data, "crooks")
    axes.set_xlabel(r"$\beta(W-\Delta F)$")
    axes.set_ylabel(r"$\ln\,[\,p_\mathrm{F}(W)\,/\,p_\mathrm{B}(-W)\,]$")
    return axes


@in_style
def fitted_slopes(data: xr.Dataset, kind: str = "detailed", *, axes: Axes | None = None) -> Axes:
    """Draw the slopes of the lines through the bins with their errors; inset of [I] Fig. 1 (d).

    Parameters
    ----------
    data : xarray.Dataset
        Processes with `<kind>_line_slope` and `<kind>_line_slope_error`.
    kind : {"detailed", "crooks"}
        Which slopes.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    axes.axhline(1.0, color="black", linewidth=0.8)
    for place, one in enumerate(_each(data)):
        slope = float(one[f"{kind}_line_slope"])
        error = float(one[f"{kind}_line_slope_error"])
        axes.errorbar(place, slope, error, **_marks(one, size=2.4), elinewidth=0.7)
    axes.set_xlim(-0.7, data.sizes["process"] - 0.3)
    axes.set_xticks(
        range(data.sizes["process"]), [str(one["process"].item()) for one in _each(data)]
    )
    axes.tick_params(axis="x", length=0.0)
    axes.set_ylabel("slope")
    return axes


@in_style
def crooks_distances(
    data: xr.Dataset, threshold: float = 10.0, *, axes: Axes | None = None
) -> Axes:
    """Draw by how many standard errors Crooks' form is off, process by process.

    Parameters
    ----------
    data : xarray.Dataset
        Processes with `crooks_z`.
    threshold : float
        Where a line is drawn.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    names = [str(name) for name in np.atleast_1d(data["process"].values)]
    places = np.arange(len(names))
    colours = [COLOURS[str(one["colour"].item())] for one in _each(data)]
    z = np.atleast_1d(data["crooks_z"].values)
    axes.barh(places, z, color=colours, height=0.62)
    for place, value in zip(places, z, strict=True):
        axes.annotate(
            f"{value:.0f}",
            (value, place),
            (3, 0),
            textcoords="offset points",
            va="center",
            fontsize=8.0,
        )
    axes.axvline(threshold, color="black", linewidth=0.8, linestyle=(0, (4, 2)))
    axes.set_xscale("log")
    axes.set_xlim(1.0, 4.0 * max(float(z.max()), threshold))
    axes.set_yticks(places, names)
    axes.tick_params(axis="y", length=0.0)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel("standard errors off")
    return axes


def _points(axes: Axes, data: xr.Dataset, kind: str) -> None:
    for one in _each(data):
        axes.errorbar(
            one[f"{kind}_abscissa"].values,
            one[f"{kind}_log_ratio"].values,
            one[f"{kind}_error"].values,
            **_marks(one),
            elinewidth=0.8,
            label=str(one["process"].item()),
        )


def _marks(one: xr.Dataset, size: float = 4.0) -> dict[str, Any]:
    """Open symbols: the shape tells the panel and the colour the process."""
    return {
        "color": COLOURS[str(one["colour"].item())],
        "marker": MARKERS[str(one["panel"].item())],
        "markersize": size,
        "markerfacecolor": "none",
        "markeredgewidth": 0.9,
        "linestyle": "none",
    }


def _identity(axes: Axes, label: str) -> None:
    axes.axline((0.0, 0.0), slope=1.0, color="black", linewidth=1.0, label=label, zorder=1.0)


def _each(data: xr.Dataset) -> Iterator[xr.Dataset]:
    return (data.isel(process=place) for place in range(data.sizes["process"]))
