r"""Phase diagrams of the engine over two parameters, with exact boundaries.

A phase is told by the signs of :math:`\dot S_P` and :math:`\dot S_B`, [II] below 8. It ends where
one of them vanishes:

* :math:`\dot S_P = 0` between heat pump and dud, :math:`\dot S_B = 0` between refrigerator and dud;
  both curves are followed as zero sets of the exact rates (`zero_set`), every branch that the grid
  sees. They cannot meet where :math:`P \ne 0`, because :math:`\dot S_P + \dot S_B = \Sigma > 0`;
* P = 0, equilibrium, where both rates change sign: a straight line, which is known beforehand.

The rates are divided by :math:`2\gamma_0 m P`, which removes the last zero from the first two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display, validation
from spintherm.fokker_planck.batch import RATES_TOLERANCE
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.plane import UNITS, Axis, Plane
from spintherm.fokker_planck.zero_set import Branch, zero_set
from spintherm.progress import Progress, reporting
from spintherm.schema import magnet_attributes
from spintherm.theory.phases import phase_of_rates
from spintherm.workers import Runner, cores, worker_processes

if TYPE_CHECKING:
    import xarray as xr

    from spintherm.magnet import Magnet

BOUNDARIES = ("pumped_entropy_rate", "bath_entropy_rate")
ACCURACY = 1e-8
EXACT_TOLERANCE = 1e-12
BLOCK = 250
SMALLEST_POOL = 400


@dataclass(frozen=True)
class Boundary:
    """One connected boundary between phases.

    Attributes
    ----------
    rate : str
        Which rate vanishes: "pumped_entropy_rate" or "bath_entropy_rate".
    x, y : ndarray, shape (n,)
        The two parameters along the curve.
    closed : bool
    complete : bool
        Whether it is closed or ends on edges of the diagram at both ends.
    """

    rate: str
    x: Floats
    y: Floats
    closed: bool
    complete: bool

    def _repr_html_(self) -> str:
        return display.boundary_card(self)


def phase_diagram(
    magnet: Magnet,
    x: Axis,
    y: Axis,
    *,
    field: float | None = None,
    spin_torque: float | None = None,
    alpha: float | None = None,
    angle: float | None = None,
    reference: ArrayLike | None = None,
    towards: ArrayLike | None = None,
    boundaries: bool = True,
    workers: int | None = None,
    progress: Progress = None,
) -> xr.Dataset:
    """Compute rates and phases on a grid of two parameters, and the boundaries between phases.

    Parameters
    ----------
    magnet : Magnet
        Its parameters hold where they are not on an axis.
    x, y : Axis
        Two of moment, gyromagnetic_ratio, damping, temperature, field, spin_torque, alpha, angle,
        and for a magnet with anisotropy a factor of it, anisotropy.
    field, spin_torque : float, optional
        Strengths H >= 0 and P; a negative P is reversed.
    alpha : float, optional
        mP/H; two of field, spin_torque and alpha must be known. With a negative alpha P is
        reversed, so that alpha < 0 at the angle theta is |alpha| at pi - theta.
    angle : float, optional
        Between P (for positive P or alpha) and H, in radians; 0 if it is not on an axis.
    reference, towards : array_like, shape (3,), optional
        Where H points, and in which half plane P is turned from it by the angle; it matters for
        magnets with directions of their own. By default z and x. With polarisers P points along the
        first of them, the reference is that direction, and H is turned.
    boundaries : bool
        Whether to follow the boundaries.
    workers : int, optional
        Processes; by default all cores for many points and none for few.
    progress : bool, callable or None
        A callable receives (done, total) grid points; True and None show a bar on a terminal.

    Returns
    -------
    xarray.Dataset
        Over the two parameters: ``pumped_entropy_rate``, ``bath_entropy_rate``,
        ``entropy_production_rate``, ``phase``. Along ``boundary_point``: ``boundary_x``,
        ``boundary_y``, ``boundary_distance`` (to the exact zero, to first order, as a fraction of
        the ranges) and ``boundary_branch``; along ``branch``: ``branch_rate``, ``branch_closed``,
        ``branch_complete``. `boundaries_of` reads them.

    Raises
    ------
    ValueError
        If the parameters do not determine a point, or a range is not allowed.
    ResolutionError
        If a density cannot be resolved, or a boundary not be located to 1e-8.
    """
    given = {"field": field, "spin_torque": spin_torque, "alpha": alpha, "angle": angle}
    fixed = {name: value for name, value in given.items() if value is not None}
    if "angle" not in {x.name, y.name, *fixed}:
        fixed["angle"] = 0.0
    given_directions = [
        None if value is None else _triple(name, value)
        for name, value in (("reference", reference), ("towards", towards))
    ]
    plane = Plane(magnet, x, y, tuple(fixed.items()), *given_directions)
    with worker_processes(_count(plane, workers)) as run:
        scaled = _grid(plane, run, progress)
        branches = _boundaries(plane, run, scaled) if boundaries else []
    return _dataset(plane, scaled, branches)


def boundaries_of(diagram: xr.Dataset) -> list[Boundary]:
    """Return the boundaries that `phase_diagram` followed, one by one."""
    out = []
    for k in range(diagram.sizes.get("branch", 0)):
        here = diagram["boundary_branch"].values == k
        row = diagram.isel(branch=k)
        out.append(
            Boundary(
                rate=str(row["branch_rate"].item()),
                x=diagram["boundary_x"].values[here],
                y=diagram["boundary_y"].values[here],
                closed=bool(row["branch_closed"]),
                complete=bool(row["branch_complete"]),
            )
        )
    return out


def _triple(name: str, direction: ArrayLike) -> tuple[float, float, float]:
    x, y, z = validation.vector(name, direction).tolist()
    return x, y, z


def _count(plane: Plane, workers: int | None) -> int:
    if workers is not None:
        return validation.positive_integer("workers", workers)
    return 1 if plane.x.points * plane.y.points < SMALLEST_POOL else cores()


def _grid(plane: Plane, run: Runner, progress: Progress) -> Floats:
    """Scaled rates on the grid, shape (x, y, 2)."""
    # neighbours in y share a magnet where x is one of its parameters, and a truncation often
    x, y = np.meshgrid(plane.x.values, plane.y.values, indexing="ij")
    total, parts = x.size, []
    cuts = range(0, total, BLOCK)
    jobs = [(_block, plane, x.ravel()[i : i + BLOCK], y.ravel()[i : i + BLOCK]) for i in cuts]
    done = 0
    with reporting(progress, "phase diagram", "points") as report:
        for part in run(jobs):
            parts.append(part)
            done += len(part)
            report(done, total)
    return np.concatenate(parts).reshape(*x.shape, 2)


def _block(plane: Plane, x: Floats, y: Floats) -> Floats:
    return plane.scaled_rates(x, y, tolerance=RATES_TOLERANCE)


def _boundaries(plane: Plane, run: Runner, scaled: Floats) -> list[tuple[str, Branch]]:
    jobs = [(_trace, plane, place, scaled[..., place]) for place in range(2)]
    found = zip(BOUNDARIES, run(jobs), strict=True)
    return [(rate, branch) for rate, branches in found for branch in branches]


def _trace(plane: Plane, place: int, values: Floats) -> list[Branch]:
    def rate(u: Floats) -> Floats:
        x, y = plane.x.at(u[:, 0]), plane.y.at(u[:, 1])
        return plane.scaled_rates(x, y, tolerance=EXACT_TOLERANCE)[:, place]

    branches = zero_set(rate, values)
    for branch in branches:
        off = float(np.max(branch.distance))
        if not off <= ACCURACY:
            raise ResolutionError(
                f"a boundary of {BOUNDARIES[place]} near {plane.x.name}="
                f"{float(plane.x.at(branch.points[0, 0])):.4g}, {plane.y.name}="
                f"{float(plane.y.at(branch.points[0, 1])):.4g} is known to {off:.1e} of the ranges"
                f" only, above {ACCURACY:.0e}"
            )
    return branches


def _dataset(plane: Plane, scaled: Floats, branches: list[tuple[str, Branch]]) -> xr.Dataset:
    import xarray as xr

    x, y = np.meshgrid(plane.x.values, plane.y.values, indexing="ij")
    factor = plane.scale(x, y)
    pumped, bath = scaled[..., 0] * factor, scaled[..., 1] * factor
    least = 1e-14 * float(np.max(np.abs(pumped) + np.abs(bath)))
    dims = (plane.x.name, plane.y.name)
    rate = {"units": "k_B per time"}
    variables: dict[str, Any] = {
        "pumped_entropy_rate": (dims, pumped, rate),
        "bath_entropy_rate": (dims, bath, rate),
        "entropy_production_rate": (dims, pumped + bath, rate),
        "phase": (dims, phase_of_rates(pumped, bath, tolerance=least).astype("U12")),
    }
    coordinates = {
        axis.name: (axis.name, axis.values, {"units": UNITS[axis.name]})
        for axis in (plane.x, plane.y)
    }
    held = {
        name: value for name, value in magnet_attributes(plane.magnet).items() if name not in dims
    }
    attributes = {"x": dims[0], "y": dims[1], **held, **dict(plane.fixed)}
    if not plane.magnet.is_uniform:
        attributes["reference"], attributes["towards"] = plane.directions
    for name, axis in (("x", plane.x), ("y", plane.y)):
        attributes[f"{name}_spacing"] = axis.spacing
    variables |= _boundary_variables(plane, branches)
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _boundary_variables(plane: Plane, branches: list[tuple[str, Branch]]) -> dict[str, Any]:
    points = np.concatenate([np.empty((0, 2)), *(b.points for _, b in branches)])
    distance = np.concatenate([np.empty(0), *(b.distance for _, b in branches)])
    sizes = [len(b.points) for _, b in branches]
    which = np.repeat(np.arange(len(branches)), sizes)
    about = {"long_name": "distance to the zero, as a fraction of the ranges"}
    return {
        "boundary_x": ("boundary_point", plane.x.at(points[:, 0])),
        "boundary_y": ("boundary_point", plane.y.at(points[:, 1])),
        "boundary_distance": ("boundary_point", distance, about),
        "boundary_branch": ("boundary_point", which),
        "branch_rate": ("branch", np.array([rate for rate, _ in branches], dtype="U20")),
        "branch_closed": ("branch", np.array([b.closed for _, b in branches], dtype=bool)),
        "branch_complete": ("branch", np.array([b.complete for _, b in branches], dtype=bool)),
    }
