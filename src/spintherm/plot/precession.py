"""The pattern of precession on the sphere, with the directions of H, P and H'; below [II] Fig. 2.

dn/dt = b - n (n·b) + r×n: the moment turns about r with its sense and relaxes towards b, the
direction of H' = H + (γ₀/η) P. For P parallel to H, γ₀'H' = r ([II] 13): precession about H' is
left-handed where γ₀' < 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import theory
from spintherm.magnet import Magnet
from spintherm.plot.style import COLOURS, ONE_COLUMN, axes_or_new, in_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_TILT = np.deg2rad(18.0)
_LATITUDE = 0.62
_ARROWS = (("H", "black", -1.28), ("P", "vermillion", 1.26), ("H'", "blue", 1.80))
_FLAT = 1e-9


@in_style
def precession(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    title: str = "",
    *,
    axes: Axes | None = None,
) -> Axes:
    """Draw the sphere, the orbit of precession with its sense, and the arrows H, P and H'.

    Parameters
    ----------
    magnet : Magnet
        With damping above zero.
    field, spin_torque : array_like, shape (3,)
        H and P along the z axis.
    title : str
        What stands above.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given, and the frame is taken away.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes, height=0.9 * ONE_COLUMN)
    turn = float(magnet.rotation_vector(field, spin_torque)[2])
    effective = float(theory.effective_field(magnet, field, spin_torque)[2])
    _sphere(axes)
    _orbit(axes, turn, effective)
    lengths = float(np.asarray(field)[2]), float(np.asarray(spin_torque)[2]), effective
    for (name, colour, x), length in zip(_ARROWS, lengths, strict=True):
        _arrow(axes, name, COLOURS[colour], x, length)
    axes.set_title(title, pad=2.0)
    axes.set_xlim(-1.5, 2.1)
    axes.set_ylim(-1.12, 1.32)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return axes


def _sphere(axes: Axes) -> None:
    from matplotlib.patches import Circle

    for radius, shift, shade in ((1.0, 0.0, "0.93"), (0.80, 0.08, "0.955"), (0.5, 0.18, "0.98")):
        axes.add_patch(Circle((-shift, shift), radius, facecolor=shade, edgecolor="none"))
    axes.add_patch(Circle((0.0, 0.0), 1.0, facecolor="none", edgecolor="0.35", linewidth=0.7))
    _ring(axes, 0.0, "0.75", 0.5)


def _orbit(axes: Axes, turn: float, effective: float) -> None:
    """Orbit about H', in its hemisphere; arrow heads tell the sense, none if it stands still."""
    colour = COLOURS["green"]
    if abs(effective) < _FLAT:
        _random_walk(axes, colour)
        return
    height = np.copysign(_LATITUDE, effective)
    _ring(axes, height, colour, 1.2)
    angle = np.deg2rad(-52.0)
    tip = _project(_on_sphere(height, np.array([angle])))[0]
    axes.annotate("", tip, (0.0, 0.0), arrowprops=_arrow_style(colour, 1.1))
    if abs(turn) < _FLAT:
        return
    for start in (-115.0, -75.0):
        ahead = np.deg2rad(start + np.copysign(9.0, turn) * np.array([-1.0, 1.0]))
        tail, head = _project(_on_sphere(height, ahead))
        axes.annotate("", head, tail, arrowprops=_arrow_style(colour, 1.2))


def _random_walk(axes: Axes, colour: str) -> None:
    """A walk on the sphere without direction, seen from the front."""
    rng = np.random.default_rng(5)
    n = np.array([0.2, -0.9, 0.3])
    path = []
    for _ in range(70):
        n = n + 0.16 * rng.standard_normal(3)
        n[1] = min(n[1], -0.15)
        n /= np.linalg.norm(n)
        path.append(n)
    x, y = _project(np.array(path)).T
    axes.plot(x, y, color=colour, linewidth=0.7)


def _ring(axes: Axes, height: float, colour: str, width: float) -> None:
    """A circle of latitude: what is in front solid, what is behind dotted."""
    angle = np.linspace(-np.pi, np.pi, 361)
    points = _on_sphere(height, angle)
    x, y = _project(points).T
    front = points @ np.array([0.0, -np.cos(_TILT), np.sin(_TILT)]) >= 0.0
    for visible, line in ((front, "-"), (~front, (0, (1, 1.6)))):
        axes.plot(
            np.where(visible, x, np.nan),
            np.where(visible, y, np.nan),
            color=colour,
            linewidth=width,
            linestyle=line,
        )


def _arrow(axes: Axes, name: str, colour: str, x: float, length: float) -> None:
    """An arrow beside the sphere that tells a direction, not a size; a dot for zero."""
    if abs(length) < _FLAT:
        axes.plot([x], [0.0], marker="o", markersize=2.2, color=colour)
    else:
        tip = 0.72 * np.copysign(1.0, length)
        axes.annotate("", (x, tip), (x, -tip), arrowprops=_arrow_style(colour, 1.3))
    axes.text(x, 0.82, f"${name}$", ha="center", va="bottom", color=colour)


def _arrow_style(colour: str, width: float) -> dict[str, object]:
    return {
        "arrowstyle": "-|>,head_width=0.16,head_length=0.34",
        "color": colour,
        "linewidth": width,
        "shrinkA": 0.0,
        "shrinkB": 0.0,
    }


def _on_sphere(height: float, angle: NDArray[np.float64]) -> NDArray[np.float64]:
    radius = np.sqrt(1.0 - height**2)
    return np.column_stack(
        (radius * np.cos(angle), radius * np.sin(angle), np.full_like(angle, height))
    )


def _project(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Look along +y, a little from above: x to the right, z up."""
    up = points[:, 2] * np.cos(_TILT) + points[:, 1] * np.sin(_TILT)
    return np.column_stack((points[:, 0], up))
