"""A density over many decades: the exact line, a plain histogram, reweighted points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spintherm.plot.style import COLOURS, axes_or_new, in_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

FEWEST = 10.0  # effective samples below which an error bar means nothing


@in_style
def rare_density(
    exact: xr.Dataset, weighted: xr.Dataset, plain: xr.Dataset, *, axes: Axes | None = None
) -> Axes:
    """Draw the density of the entropy production on a logarithmic scale.

    Parameters
    ----------
    exact : xarray.Dataset
        `density` along `entropy_production`, from the density engine.
    weighted : xarray.Dataset
        `density`, `error` and `effective_samples` along `entropy_production`, from
        `rare.density`; points with fewer than ten effective samples are left out.
    plain : xarray.Dataset
        `density` along `entropy_production` at the middles of equal bins; zero where empty.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    name = "entropy_production"
    axes.plot(exact[name].values, exact["density"].values, color="black", label="exact")
    centres, heights = plain[name].values, plain["density"].values
    half = 0.5 * (centres[1] - centres[0])
    edges = np.append(centres - half, centres[-1] + half)
    bottom = 0.3 * float(exact["density"].min())
    filled = np.where(heights > 0.0, heights, bottom)
    axes.stairs(
        filled,
        edges,
        fill=True,
        baseline=bottom,
        color=COLOURS["sky"],
        alpha=0.45,
        label="plain sampling",
    )
    seen = weighted.isel({name: np.flatnonzero(weighted["effective_samples"].values >= FEWEST)})
    axes.errorbar(
        seen[name].values,
        seen["density"].values,
        seen["error"].values,
        color=COLOURS["vermillion"],
        marker="o",
        markersize=3.0,
        markerfacecolor="none",
        linestyle="none",
        elinewidth=0.8,
        capsize=0.0,
        label="importance sampling",
    )
    axes.set_yscale("log")
    axes.set_ylim(bottom=bottom)
    axes.set_xlabel(r"$\Sigma$")
    axes.set_ylabel(r"$p(\Sigma)$")
    axes.legend(loc="lower center")
    return axes
