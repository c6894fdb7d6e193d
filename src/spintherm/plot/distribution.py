"""Exact probability densities of a process and its reverse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from spintherm.plot.style import COLOURS, axes_or_new, figure, in_style, several

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

SYMBOLS = {
    "work": "$W$",
    "pumped_entropy": "$S_P$",
    "environment_entropy": r"$S_\mathrm{env}$",
    "entropy_production": r"$\Sigma$",
    "heat": "$Q$",
}
_LOWEST = 1e-8


@in_style
def densities(
    both: dict[str, xr.Dataset], of: str, *, log: bool = False, axes: Axes | None = None
) -> Axes:
    """Draw the densities of the forward and the backward process.

    Parameters
    ----------
    both : dict of xarray.Dataset
        `density` along the dimension `of`, of "forward" and "backward".
    of : str
        Which functional.
    log : bool
        Whether the scale is logarithmic, down to 1e-8 of the maximum.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
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


@in_style
def distribution_figure(
    both: dict[str, xr.Dataset],
    of: str,
    *,
    axes: Sequence[Axes] | NDArray[Any] | None = None,
) -> NDArray[Any]:
    """Draw the densities on a linear and on a logarithmic scale.

    Parameters
    ----------
    both, of
        As for `densities`.
    axes : sequence of 2 matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (2,)
        The axes.
    """
    axes = several(axes, 2, lambda: figure(2, 2.7).subplots(1, 2))
    densities(both, of, axes=axes[0]).legend(loc="upper right")
    densities(both, of, log=True, axes=axes[1])
    return axes
