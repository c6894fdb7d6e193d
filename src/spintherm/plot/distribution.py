"""Exact probability densities of a process and its reverse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spintherm.plot.style import COLOURS, ONE_COLUMN, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SYMBOLS = {
    "work": "$W$",
    "pumped_entropy": "$S_P$",
    "environment_entropy": r"$S_\mathrm{env}$",
    "entropy_production": r"$\Sigma$",
    "heat": "$Q$",
}
_LOWEST = 1e-8


def densities(axes: Axes, both: dict[str, xr.Dataset], of: str, *, log: bool = False) -> Axes:
    """Draw the densities of the forward and the backward process.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Where to draw.
    both : dict of xarray.Dataset
        `density` along the dimension `of`, of "forward" and "backward".
    of : str
        Which functional.
    log : bool
        Whether the scale is logarithmic, down to 1e-8 of the maximum.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    looks = {"forward": ("-", COLOURS["blue"]), "backward": ((0, (4, 2)), COLOURS["vermillion"])}
    top = max(float(one["density"].max()) for one in both.values())
    for name, one in both.items():
        line, colour = looks[name]
        x, p = one[of].values, one["density"].values
        shown = p > (_LOWEST if log else 1e-4) * top
        axes.plot(x[shown], p[shown], linestyle=line, color=colour, label=name)
    if log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0.0, 1.08 * top)
    axes.set_xlabel(SYMBOLS[of])
    axes.set_ylabel("probability density")
    return axes


@style()
def distribution_figure(both: dict[str, xr.Dataset], of: str) -> Figure:
    """Draw the densities on a linear and on a logarithmic scale.

    Parameters
    ----------
    both, of
        As for `densities`.

    Returns
    -------
    matplotlib.figure.Figure
        Two journal columns wide.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.0 * ONE_COLUMN, 2.7), layout="constrained")
    left, right = figure.subplots(1, 2)
    densities(left, both, of).legend(loc="upper right")
    densities(right, both, of, log=True)
    return figure
