"""The steady state on the sphere: probability density and currents, seen from two sides.

The reversible and the irreversible current are those of [I] 2.16 per unit solid angle. Each sphere
is seen from far away, along the mean moment and from behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm.plot.style import (
    COLOURS,
    ONE_COLUMN,
    axes_or_new,
    figure,
    in_style,
    several,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spintherm.fokker_planck import SteadyState

Floats = NDArray[np.float64]

_PIXELS = 161
_ARROWS = 15
KINDS = ("reversible", "irreversible")


@in_style
def sphere(
    state: SteadyState,
    view: ArrayLike,
    current: str = "reversible",
    top: float | None = None,
    *,
    axes: Axes | None = None,
) -> Axes:
    """Draw the density as shades and a current as arrows on one half of the sphere.

    Parameters
    ----------
    state : SteadyState
        What to draw.
    view : array_like, shape (3,)
        Direction from which the sphere is seen.
    current : {"reversible", "irreversible"}
        Which current.
    top : float, optional
        Density of the darkest shade; a little above the largest one if not given.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given, and the frame is taken away.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; their first image is the density.
    """
    axes = axes_or_new(axes, height=ONE_COLUMN)
    from matplotlib.patches import Circle

    frame = _frame(np.asarray(view, dtype=float))
    grid = np.linspace(-1.0, 1.0, _PIXELS)
    x, y = np.meshgrid(grid, grid)
    inside = x**2 + y**2 <= 1.0
    density = np.full(x.shape, np.nan)
    density[inside] = state.density(_lifted(x[inside], y[inside], frame))
    highest = 1.25 * float(np.nanmax(density)) if top is None else top
    picture = axes.imshow(
        density, extent=(-1, 1, -1, 1), origin="lower", cmap="Blues", vmin=0.0, vmax=highest
    )
    disc = Circle((0.0, 0.0), 1.0, facecolor="none", edgecolor="0.3", linewidth=0.8)
    axes.add_patch(disc)
    picture.set_clip_path(disc)
    _arrows(axes, state, frame, current)
    _directions(axes, state, frame)
    axes.set_xlim(-1.25, 1.25)
    axes.set_ylim(-1.25, 1.25)
    axes.set_axis_off()
    return axes


@in_style
def steady_figure(
    state: SteadyState, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw density and both currents, from the side of the mean moment and from behind.

    Parameters
    ----------
    state : SteadyState
    axes : sequence of 4 matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (4,)
        The axes.
    """
    from matplotlib.ticker import MaxNLocator

    axes = several(axes, 4, lambda: figure(2, 1.9).subplots(1, 4))
    view = _side(state)
    top = 1.25 * float(np.max(state.density(_everywhere())))
    for place, kind in enumerate(KINDS):
        for side, sign in enumerate((1.0, -1.0)):
            one = sphere(state, sign * view, kind, top, axes=axes[2 * place + side])
            where = "front" if side == 0 else "back"
            one.set_title(f"{kind} current, {where}", fontsize=8.5)
    bar = axes[0].figure.colorbar(axes[0].images[0], ax=list(axes), shrink=0.7, pad=0.01, aspect=14)
    bar.set_label("probability density", fontsize=8.0)
    bar.ax.tick_params(labelsize=7.5)
    bar.locator = MaxNLocator(4)
    bar.update_ticks()
    return axes


def _everywhere() -> Floats:
    """Directions all over the sphere, a few degrees apart."""
    count = 4000
    z = 1.0 - (2.0 * np.arange(count) + 1.0) / count
    phi = np.pi * (3.0 - np.sqrt(5.0)) * np.arange(count)
    radius = np.sqrt(1.0 - z**2)
    return np.asarray(np.stack([radius * np.cos(phi), radius * np.sin(phi), z], axis=-1))


def _side(state: SteadyState) -> Floats:
    """Direction of the mean moment; that of H, P or z where it vanishes."""
    for vector in (state.mean_moment, state.field, state.spin_torque):
        length = float(np.linalg.norm(vector))
        if length > 1e-9:
            return np.asarray(vector / length)
    return np.array([0.0, 0.0, 1.0])


def _frame(view: Floats) -> Floats:
    """Rows: to the right, upwards and towards the eye; z points upwards where it can."""
    eye = view / np.linalg.norm(view)
    up = np.array([0.0, 0.0, 1.0]) if abs(eye[2]) < 0.95 else np.array([0.0, 1.0, 0.0])
    up = up - eye * (up @ eye)
    up = up / np.linalg.norm(up)
    return np.stack([np.cross(up, eye), up, eye])


def _lifted(x: Floats, y: Floats, frame: Floats) -> Floats:
    """Directions of the points (x, y) of the picture."""
    height = np.sqrt(np.maximum(1.0 - x**2 - y**2, 0.0))
    return np.asarray(np.stack([x, y, height], axis=-1) @ frame)


def _arrows(axes: Axes, state: SteadyState, frame: Floats, current: str) -> None:
    """Arrows of one current, the longest one as long as their spacing."""
    grid = np.linspace(-0.96, 0.96, _ARROWS)
    x, y = (one.ravel() for one in np.meshgrid(grid, grid))
    inside = x**2 + y**2 < 0.96
    x, y = x[inside], y[inside]
    flow = state.currents(_lifted(x, y, frame))[KINDS.index(current)] @ frame.T
    longest = float(np.max(np.linalg.norm(flow, axis=-1)))
    if longest == 0.0:
        return
    axes.quiver(
        x,
        y,
        flow[:, 0],
        flow[:, 1],
        scale=longest / 0.2,
        scale_units="xy",
        angles="xy",
        width=0.012,
        color="0.1",
    )


def _directions(axes: Axes, state: SteadyState, frame: Floats) -> None:
    """Where H and P pierce the sphere, if they do so on this side."""
    from matplotlib.patheffects import withStroke

    shift = {"H": (5, 5), "P": (5, -11)}
    for name, vector, colour in (
        ("H", state.field, COLOURS["vermillion"]),
        ("P", state.spin_torque, COLOURS["orange"]),
    ):
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            continue
        x, y, towards = frame @ vector / length
        if towards >= -1e-9:
            axes.plot([x], [y], "o", color=colour, markersize=4.0)
            text = axes.annotate(
                f"${name}$", (x, y), shift[name], textcoords="offset points", color=colour
            )
            text.set_path_effects([withStroke(linewidth=2.0, foreground="white")])
