"""[II] Fig. 3: the phases over α = mP/H and the angle θ between H and P, at να = 3.

The paper's |m| = √3, P = 1: H = mP/α. For α < 0 the paper draws |α| at π - θ: computed are α from
0.02 to 3 and angles from 0 to π. The boundaries are zero sets of the exact rates; on the axis θ = 0
they are α = -δ (heat pump | dud) and α = 1/δ (refrigerator | dud), and α = 0 is H = ∞.

Trajectories that begin in the steady state give the same rates, along cuts of constant α and close
to both boundaries.

Magnets with anisotropy or polarisers begin at a larger α, because every point of a strong field is
a large Fokker-Planck equation, and the symmetry α -> -α, θ -> π - θ does not hold for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.experiments.geometry import EXACT_TOLERANCE, PAPER, Geometry
from spintherm.experiments.seeds import derived_seed
from spintherm.experiments.sizes import Size
from spintherm.experiments.watch import Watch, work
from spintherm.fokker_planck.diagram import Boundary, boundaries_of, phase_diagram
from spintherm.fokker_planck.plane import Axis, Plane
from spintherm.protocol import Protocol
from spintherm.report import Verdict, agrees, at_least, at_most
from spintherm.statistics import Estimate, mean
from spintherm.theory import phase_of_rates
from spintherm.trajectories import simulate
from spintherm.trajectories.run import default_steps
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

MAGNET = PAPER.magnet
TORQUE = 1.0
ALPHA_RANGE = (0.02, 3.0)
SOLVED_ALPHA_RANGE = (0.3, 3.0)
"""Where there are no closed forms."""
CUTS = (0.5, 0.8, 1.1)
"""Values of α of the simulated points."""
RATES = ("pumped_entropy_rate", "bath_entropy_rate")
SYMBOLS = {"pumped_entropy_rate": "Ṡ_P", "bath_entropy_rate": "Ṡ_B"}
BESIDE = np.deg2rad(3.0)
"""Distance from the boundaries of the points beside them."""
DURATION = 2.0
_SHARE = 5
_ANGLES = 11
_CUT_POINTS = 91
_SOLVED_CUT_POINTS = 31
_LARGEST_SOLVED_DIAGRAM = 40


@dataclass(frozen=True)
class Phases:
    """What is kept: verdicts, and a dataset of the diagram, cuts and points."""

    verdicts: tuple[Verdict, ...]
    data: xr.Dataset


def phases(
    size: Size,
    seed: int,
    threads: int,
    watch: Watch,
    *,
    geometry: Geometry = PAPER,
    label: str = "[II]",
) -> Phases:
    """Compute the diagram, follow its boundaries, simulate points and compare.

    Parameters
    ----------
    size : Size
        How much; a fifth of its steady trajectories at every point. The grid has the size's
        resolution, at most 40 points along each axis for magnets without closed forms.
    seed : int
        The one seed.
    threads : int
        Number of threads and of processes.
    watch : Watch
        Where progress goes.
    geometry : Geometry
        The magnet, and where H and P point.
    label : str
        What precedes the name in the verdicts.

    Returns
    -------
    Phases
    """
    grid = size.resolution.diagram
    alpha = Axis("alpha", *ALPHA_RANGE, grid)
    if not geometry.has_closed_forms:
        grid = min(grid, _LARGEST_SOLVED_DIAGRAM)
        alpha = Axis("alpha", *SOLVED_ALPHA_RANGE, grid, "log")
    angle = Axis("angle", 0.0, np.pi, grid)
    diagram = phase_diagram(
        geometry.magnet, alpha, angle, spin_torque=TORQUE, workers=threads, progress=False
    )
    points = points_of_cuts(geometry)
    rows = [_simulated(geometry, *point, size, seed, threads, watch) for point in points]
    places = np.array(points)
    exact = exact_rates(places[:, 0], places[:, 1], geometry)
    name = f"{label} Fig. 3"
    verdicts = (
        *_boundary_verdicts(name, geometry, diagram),
        *_point_verdicts(name, points, rows, exact),
    )
    return Phases(verdicts, _dataset(geometry, diagram, points, rows, exact))


def work_of(size: Size, geometry: Geometry = PAPER) -> int:
    """Return the work that `phases` does, as a `Watch` counts it."""
    count = trajectories_of(size)
    return sum(work(count, _steps(geometry, *point)) for point in points_of_cuts(geometry))


def trajectories_of(size: Size) -> int:
    """Return the number of trajectories at one point."""
    return max(size.steady_trajectories // _SHARE, 4)


def exact_rates(alpha: FloatArray, angle: FloatArray, geometry: Geometry = PAPER) -> FloatArray:
    """Return Ṡ_P and Ṡ_B at points (n,), shape (2, n)."""
    plane = _plane(geometry)
    tolerance = 1e-12 if geometry.has_closed_forms else EXACT_TOLERANCE
    scaled = plane.scaled_rates(alpha, angle, tolerance=tolerance)
    return np.asarray((scaled * plane.scale(alpha, angle)[:, None]).T)


def points_of_cuts(geometry: Geometry = PAPER) -> list[tuple[float, float]]:
    """Return (α, angle) of the simulated points: along the cuts, and beside the boundaries."""
    along = np.linspace(0.0, np.pi, _ANGLES + 2)[1:-1]
    out = []
    for alpha in CUTS:
        crossings = _crossings(alpha, geometry)
        beside = [edge + side for edge in crossings for side in (-BESIDE, BESIDE)]
        angles = np.unique(np.concatenate([along, beside]))
        out += [(alpha, float(angle)) for angle in angles[(angles > 0.0) & (angles < np.pi)]]
    return out


def _plane(geometry: Geometry) -> Plane:
    axes = Axis("alpha", *ALPHA_RANGE), Axis("angle", 0.0, np.pi)
    return Plane(geometry.magnet, *axes, (("spin_torque", TORQUE),))


@cache
def _cut(alpha: float, geometry: Geometry, count: int) -> tuple[FloatArray, FloatArray]:
    """Return angles of a cut, shape (count,), and Ṡ_P and Ṡ_B there, shape (2, count)."""
    angles = np.linspace(0.0, np.pi, count)
    return angles, exact_rates(np.full_like(angles, alpha), angles, geometry)


def _crossings(alpha: float, geometry: Geometry = PAPER) -> list[float]:
    """Angles at which either rate changes sign at constant α, to a hundredth of a degree.

    Where there are no closed forms to half a degree.
    """
    angles, values = _cut(alpha, geometry, 181 if geometry.has_closed_forms else _SOLVED_CUT_POINTS)
    out = []
    for row in values:
        here = np.flatnonzero(np.signbit(row[1:]) != np.signbit(row[:-1]))
        part = row[here] / (row[here] - row[here + 1])
        out += [float(x) for x in angles[here] + part * (angles[1] - angles[0])]
    return sorted(out)


def _protocol(geometry: Geometry, alpha: float, angle: float) -> Protocol:
    field = geometry.magnet.moment * TORQUE / alpha
    return Protocol(DURATION, *geometry.vectors(field, TORQUE, angle))


def _steps(geometry: Geometry, alpha: float, angle: float) -> int:
    return default_steps(geometry.magnet, _protocol(geometry, alpha, angle))


def _simulated(
    geometry: Geometry,
    alpha: float,
    angle: float,
    size: Size,
    seed: int,
    threads: int,
    watch: Watch,
) -> dict[str, tuple[Estimate, Estimate]]:
    """Return the two rates at one point, each with its step bias."""
    steps = _steps(geometry, alpha, angle)
    ensemble = simulate(
        geometry.magnet,
        _protocol(geometry, alpha, angle),
        trajectories=trajectories_of(size),
        seed=derived_seed(seed, "phases", f"{alpha:.6f}, {angle:.6f}"),
        steps=steps,
        initial="steady_state",
        threads=threads,
        progress=watch.ensemble(steps),
    )
    return {
        "pumped_entropy_rate": _rate(ensemble, "pumped_entropy", 1.0 / DURATION),
        "bath_entropy_rate": _rate(ensemble, "heat", -geometry.magnet.beta / DURATION),
    }


def _rate(ensemble: xr.Dataset, name: str, factor: float) -> tuple[Estimate, Estimate]:
    ours, row = mean(ensemble[name].values), ensemble.sel(estimate=name)
    bias = factor * float(row["step_bias"]), abs(factor) * float(row["step_bias_error"])
    return Estimate(factor * ours.value, abs(factor) * ours.error), Estimate(*bias)


Rows = list[dict[str, tuple[Estimate, Estimate]]]


def _boundary_verdicts(name: str, geometry: Geometry, diagram: xr.Dataset) -> Iterator[Verdict]:
    """Judge the boundaries: on the axis θ = 0, their accuracy, and that each was followed."""
    found = boundaries_of(diagram)
    if geometry.has_closed_forms:
        yield from _axis_verdicts(name, geometry.delta, found)
    off = float(diagram["boundary_distance"].max()) * np.pi if found else 0.0
    yield at_most(
        name, "largest distance of a boundary's point from the exact zero, in angle", off, 1e-8
    )
    complete = sum(b.complete for b in found)
    yield at_least(name, "boundaries followed from edge to edge or closed", complete, len(found))
    if not geometry.is_paper:
        least = float(diagram["entropy_production_rate"].min())
        yield at_least(name, "smallest exact Σ of the diagram, the second law", least, 0.0)


def _axis_verdicts(name: str, delta: float, found: list[Boundary]) -> Iterator[Verdict]:
    """Judge where the boundaries meet the axis θ = 0, if the range of α holds these points."""
    low, high = ALPHA_RANGE
    for rate, angle, expected, text in (
        ("pumped_entropy_rate", np.pi, delta, "boundary Ṡ_P = 0 on the axis θ = 0, -α against δ"),
        ("bath_entropy_rate", 0.0, 1.0 / delta, "boundary Ṡ_B = 0 on the axis θ = 0, α"),
    ):
        if low < expected < high:
            ends = [x for b in found if b.rate == rate for x, y in _ends(b) if y == angle]
            ours = ends[0] if len(ends) == 1 else np.nan
            yield Verdict(name, text, ours, 0.0, expected, "=", 1e-8, "within 1e-08")


def _ends(boundary: Boundary) -> list[tuple[float, float]]:
    ends = (0, -1)
    return [(float(boundary.x[k]), float(boundary.y[k])) for k in ends]


def _point_verdicts(
    name: str, points: list[tuple[float, float]], rows: Rows, exact: FloatArray
) -> Iterator[Verdict]:
    for column, ((alpha, angle), row) in enumerate(zip(points, rows, strict=True)):
        for line, rate in enumerate(RATES):
            ours, bias = row[rate]
            text = f"{SYMBOLS[rate]} at α = {alpha:g}, θ = {np.degrees(angle):.2f}°"
            yield agrees(name, text, ours, float(exact[line, column]), bias=bias)
    sure = [(row, exact[:, k]) for k, row in enumerate(rows) if _certain(row)]
    same = sum(_phase(row) == str(phase_of_rates(*values)) for row, values in sure)
    text = f"points with the phase of the exact rates, of {len(sure)} with both signs certain"
    yield at_least(name, text, same, len(sure))


def _certain(row: dict[str, tuple[Estimate, Estimate]]) -> bool:
    """Whether both signs are beyond four errors."""
    return all(abs(one.value) > 4.0 * one.error for one, _ in row.values())


def _phase(row: dict[str, tuple[Estimate, Estimate]]) -> str:
    pumped, bath = (row[rate][0].value for rate in RATES)
    if pumped < 0.0 and bath < 0.0:  # an error has made both negative: the smaller one is at fault
        return "heat pump" if pumped < bath else "refrigerator"
    return str(phase_of_rates(pumped, bath))


def _dataset(
    geometry: Geometry,
    diagram: xr.Dataset,
    points: list[tuple[float, float]],
    rows: Rows,
    exact: FloatArray,
) -> xr.Dataset:
    per_time = {"units": "k_B per time"}
    count = _CUT_POINTS if geometry.has_closed_forms else _SOLVED_CUT_POINTS
    cuts = [_cut(alpha, geometry, count) for alpha in CUTS]
    angles, cut = cuts[0][0], np.stack([rates for _, rates in cuts], axis=1)
    at_points = ("rate", "point")
    variables: dict[str, Any] = {
        "cut": (("rate", "cut_alpha", "cut_angle"), cut, per_time),
        "simulated": (at_points, _table(rows, 0, "value"), per_time),
        "error": (at_points, _table(rows, 0, "error"), per_time),
        "step_bias": (at_points, _table(rows, 1, "value"), per_time),
        "exact": (at_points, exact, per_time),
        "point_alpha": ("point", [a for a, _ in points]),
        "point_angle": ("point", [t for _, t in points], {"units": "rad"}),
        "simulated_phase": ("point", np.array([_phase(row) for row in rows], dtype="U12")),
        "certain": ("point", np.array([_certain(row) for row in rows], dtype=bool)),
    }
    coordinates = {"rate": list(RATES), "cut_alpha": list(CUTS), "cut_angle": angles}
    return diagram.assign(variables).assign_coords(coordinates)


def _table(rows: Rows, place: int, name: str) -> FloatArray:
    return np.array([[getattr(row[rate][place], name) for row in rows] for rate in RATES])
