"""Whole figures, laid out like those of the papers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintherm import theory
from spintherm.magnet import Magnet
from spintherm.plot.fluctuation import (
    crooks_distances,
    detailed_ratios,
    entropy_histograms,
    fitted_slopes,
    work_ratios,
)
from spintherm.plot.precession import precession
from spintherm.plot.rates import phase_intervals, rate_deviations, rates, special_points
from spintherm.plot.style import COLOURS, MARKERS, figure, in_style, several

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_RATIO_WINDOW = 5.9
_WORK_WINDOW = 9.0


@in_style
def entropy_production_figure(
    data: xr.Dataset, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw [I] Fig. 1: histograms of Σ in (a), (b), (c), and the detailed theorem in (d).

    Parameters
    ----------
    data : xarray.Dataset
        The nine processes of Table I, as `experiments` saves them.
    axes : sequence of 4 matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (4,)
        The axes.
    """
    from matplotlib.ticker import MultipleLocator

    axes = several(axes, 4, lambda: figure(2, 5.0).subplots(2, 2))
    windows = {
        "(a)": ((-6.0, 13.0), 0.45),
        "(b)": ((-5.0, 14.0), 0.25),
        "(c)": ((-6.0, 14.0), 0.32),
    }
    for place, (panel, (window, top)) in enumerate(windows.items()):
        entropy_histograms(_panel(data, panel), axes=axes[place])
        axes[place].set_xlim(window)
        axes[place].set_ylim(0.0, max(top, 1.05 * _highest(_panel(data, panel))))
        axes[place].xaxis.set_major_locator(MultipleLocator(5.0))
        axes[place].yaxis.set_major_locator(MultipleLocator(0.1))
        axes[place].legend(ncols=1, loc="upper right")
        _letter(axes[place], panel)
    detailed_ratios(data, axes=axes[3])
    _window(axes[3], _RATIO_WINDOW)
    _panel_legend(axes[3], data, "theory, [I] 4.19")
    _letter(axes[3], "(d)", y=0.98)
    _slope_insets(axes[3], data)
    return axes


@in_style
def crooks_figure(
    data: xr.Dataset, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw [I] Fig. 2: Crooks' usual form fails; and by how many standard errors.

    Parameters
    ----------
    data : xarray.Dataset
        The nine processes of Table I, as `experiments` saves them.
    axes : sequence of 2 matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (2,)
        The axes.
    """
    axes = several(axes, 2, lambda: figure(2, 3.3).subplots(1, 2, width_ratios=(1.25, 1.0)))
    left, right = axes
    work_ratios(data, axes=left)
    _window(left, _WORK_WINDOW)
    _panel_legend(left, data, "Crooks’ usual form, [I] 4.26")
    crooks_distances(data, axes=right)
    right.set_title("distance from Crooks’ usual form")
    return axes


@in_style
def beyond_figure(
    data: xr.Dataset, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw the detailed theorem and Crooks' failure on processes that are in neither paper.

    Parameters
    ----------
    data : xarray.Dataset
        The processes, as `experiments` saves them.
    axes : sequence of 3 matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (3,)
        The axes.
    """
    axes = several(axes, 3, lambda: figure(2, 2.75).subplots(1, 3))
    entropy_histograms(data, axes=axes[0])
    axes[0].set_xlim(-6.0, 11.0)
    axes[0].set_ylim(0.0, 1.35 * _highest(data))
    axes[0].legend(_process_handles(data), _names(data), loc="upper right", fontsize=7.5)
    detailed_ratios(data, axes=axes[1])
    work_ratios(data, axes=axes[2])
    for one, letter in zip(axes, ("(a)", "(b)", "(c)"), strict=True):
        _letter(one, letter)
    for one, label in ((axes[1], "[I] 4.19"), (axes[2], "[I] 4.26, fails")):
        _window(one, _RATIO_WINDOW)
        one.legend([one.lines[0]], [label], loc="lower right")
    return axes


@in_style
def steady_state_figure(
    data: xr.Dataset, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw [II] Fig. 2: rates against α over the phases, and the pictures of precession.

    Parameters
    ----------
    data : xarray.Dataset
        Points and curves, as `experiments` saves them. The pictures belong to the paper's magnet:
        with `boundaries` among the attributes there are none.
    axes : sequence of 9 (or, without pictures, 2) matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (9,) or (2,)
        The axes.
    """
    pictured = "boundaries" not in data.attrs
    axes = several(axes, 9 if pictured else 2, lambda: _steady_state_axes(pictured))
    top, middle, *pictures = axes
    rates(data, axes=top)
    rate_deviations(data, axes=middle)
    top.tick_params(labelbottom=False)
    top.set_xlabel("")
    top.legend(loc="upper center", bbox_to_anchor=(0.545, 0.88), ncols=3)
    numbers = rf"$\nu={data.attrs['nu']:.3f}$, $\delta={data.attrs['delta']:.3f}$"
    top.text(0.545, 0.70, numbers, transform=top.transAxes, ha="center", va="top")
    _name_phases(top, data)
    _name_special_points(top, data)
    if pictured:
        _pictures(pictures, data)
    return axes


def _steady_state_axes(pictured: bool) -> list[Axes]:
    heights = (3.1, 0.85, 0.95) if pictured else (3.1, 0.85)
    whole = figure(2, 5.5 if pictured else 4.4)
    grid = whole.add_gridspec(len(heights), 7, height_ratios=heights)
    top = whole.add_subplot(grid[0, :])
    middle = whole.add_subplot(grid[1, :], sharex=top)
    places = range(7) if pictured else ()
    return [top, middle, *(whole.add_subplot(grid[2, place]) for place in places)]


def _slope_insets(axes: Axes, data: xr.Dataset) -> None:
    """Show the slopes on the scale of the paper, and so large that the errors are seen."""
    far = np.abs(data["detailed_line_slope"] - 1.0) + 1.2 * data["detailed_line_slope_error"]
    digit = 10.0 ** np.floor(np.log10(float(far.max())))
    near = float(np.ceil(float(far.max()) / digit) * digit)
    for bottom, reach, title in ((0.31, 0.05, "slopes"), (0.07, near, "slopes, magnified")):
        inset = axes.inset_axes((0.61, bottom, 0.36, 0.145))
        fitted_slopes(data, axes=inset)
        inset.set_xticks([])
        inset.set_ylabel("")
        inset.set_ylim(1.0 - 1.2 * reach, 1.0 + 1.2 * reach)
        inset.set_yticks([1.0 - reach, 1.0, 1.0 + reach])
        inset.tick_params(labelsize=7.0)
        inset.set_title(title, fontsize=7.5, pad=2.0)


def _panel(data: xr.Dataset, panel: str) -> xr.Dataset:
    return data.isel(process=np.flatnonzero(data["panel"].values == panel))


def _highest(data: xr.Dataset) -> float:
    """Return the top of the densities, sampled and exact."""
    names = [name for name in ("density", "exact_density") if name in data]
    return max(float(data[name].max()) for name in names)


def _window(axes: Axes, height: float) -> None:
    from matplotlib.ticker import MultipleLocator

    axes.set_xlim(-_RATIO_WINDOW, _RATIO_WINDOW)
    axes.set_ylim(-height, height)
    axes.xaxis.set_major_locator(MultipleLocator(2.0))
    axes.yaxis.set_major_locator(MultipleLocator(2.0))


def _letter(axes: Axes, letter: str, *, x: float = 0.03, y: float = 0.96) -> None:
    axes.text(x, y, letter, transform=axes.transAxes, va="top", ha="left", fontsize=10.0)


def _panel_legend(axes: Axes, data: xr.Dataset, line: str) -> None:
    """Tell which symbol belongs to which panel, and what the line is."""
    from matplotlib.lines import Line2D

    panels = list(dict.fromkeys(str(panel) for panel in data["panel"].values))
    symbols = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=MARKERS[panel],
            color="0.25",
            markerfacecolor="none",
            markeredgewidth=0.9,
        )
        for panel in panels
    ]
    axes.legend(
        [axes.lines[0], *symbols], [line, *panels], loc="upper left", bbox_to_anchor=(0.0, 0.93)
    )


def _process_handles(data: xr.Dataset) -> list[object]:
    from matplotlib.patches import Patch

    return [Patch(facecolor=COLOURS[str(name)], alpha=0.7) for name in data["colour"].values]


def _names(data: xr.Dataset) -> list[str]:
    return [str(name) for name in data["process"].values]


def _name_phases(axes: Axes, data: xr.Dataset) -> None:
    for low, high, phase in phase_intervals(data):
        axes.text(
            0.5 * (low + high),
            0.965,
            phase,
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="top",
            fontsize=9.5,
        )


def _name_special_points(axes: Axes, data: xr.Dataset) -> None:
    names, points = [r"$-\delta$", "0", r"$1/\delta$"], special_points(data)
    if "boundaries" in data.attrs:
        names = [f"{alpha:.3g}" for alpha in points]
    for alpha, name in zip(points, names, strict=True):
        axes.annotate(
            name,
            (alpha, 1.0),
            (0, 2),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            ha="center",
            va="bottom",
        )


def _pictures(axes: list[Axes], data: xr.Dataset) -> None:
    """Draw one picture for each phase and one for each point between them."""
    delta = float(data.attrs["delta"])
    magnet = Magnet.from_dict(
        {
            name: float(data.attrs[name])
            for name in ("moment", "gyromagnetic_ratio", "damping", "temperature")
        }
    )
    field = np.asarray(data.attrs["field"], dtype=float)
    names = (
        (-1.4, r"$\alpha<-\delta$"),
        (-delta, r"$\alpha=-\delta$"),
        (-0.5 * delta, r"$-\delta<\alpha<0$"),
        (0.0, r"$\alpha=0$"),
        (0.5 / delta, r"$0<\alpha<1/\delta$"),
        (1.0 / delta, r"$\alpha=1/\delta$"),
        (1.8, r"$\alpha>1/\delta$"),
    )
    for one, (alpha, name) in zip(axes, names, strict=True):
        torque = alpha / magnet.moment * field
        precession(magnet, field, torque, name, axes=one)
        one.text(
            0.5,
            -0.04,
            _sense(magnet, field, torque),
            transform=one.transAxes,
            ha="center",
            va="top",
            fontsize=8.5,
        )


def _sense(magnet: Magnet, field: np.ndarray, torque: np.ndarray) -> str:
    effective = float(theory.effective_field(magnet, field, torque)[2])
    if abs(effective) < 1e-9:
        return r"$H'=0$"
    ratio = float(theory.effective_gyromagnetic_ratio(magnet, field, torque))
    if abs(ratio) < 1e-9:
        return r"$\gamma_0'=0$"
    return r"$\gamma_0'>0$" if ratio > 0.0 else r"$\gamma_0'<0$"
