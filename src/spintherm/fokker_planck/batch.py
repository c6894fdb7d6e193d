"""Steady states over arrays of fields and spin torques, on all cores.

Every point is an independent small linear problem of about a millisecond, mostly of Python and
NumPy calls that hold the interpreter's lock: two threads take as long as one, so the points are
dealt out in blocks to worker processes. The frames and generators of a block are
made in one vectorised go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.fokker_planck.generator import polynomials
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.resolution import TOLERANCE, resolve
from spintherm.fokker_planck.setting import settings
from spintherm.fokker_planck.steady import (
    SteadyState,
    check_bath,
    landscape_rates,
    rates,
    state_of,
)
from spintherm.progress import Progress, Report, reporting
from spintherm.workers import cores, worker_processes

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

RATES_TOLERANCE = 1e-9  # of the density's tail; the rates see l <= 2 only and are better
BLOCK = 250
SMALLEST_POOL = 400  # points below which starting workers costs more than it gains

COLUMNS: dict[str, tuple[str, str]] = {
    "pumped_entropy_rate": ("1/time", "mean rate of pumped entropy"),
    "bath_entropy_rate": ("1/time", "mean rate of bath entropy"),
    "entropy_production_rate": ("1/time", "mean rate of entropy production"),
    "work_rate": ("energy/time", "mean work of the spin torque on the magnet"),
    "heat_rate": ("energy/time", "mean heat absorbed from the bath"),
    "pumped_entropy_noise": ("1/time", "long-time variance of pumped entropy per time"),
    "work_noise": ("energy^2/time", "long-time variance of work per time"),
    "heat_noise": ("energy^2/time", "long-time variance of heat per time"),
    "entropy_production_noise": ("1/time", "long-time variance of entropy production per time"),
    "uncertainty_ratio": ("1", "noise times dissipation over twice the squared rate"),
    "l_max": ("1", "largest degree of the harmonics"),
    "m_max": ("1", "largest order of the harmonics"),
    "noise_error": ("1", "relative rounding error of the noises"),
    "tail": ("1", "largest relative coefficient at the truncation's edge"),
}
VECTORS = {
    "mean_moment": ("moment", "mean moment"),
    "covariance": ("mixed", "long-time covariance per time of work, heat and pumped entropy"),
}


def steady_rates(
    magnet: Magnet,
    fields: ArrayLike,
    spin_torques: ArrayLike,
    *,
    tolerance: float = RATES_TOLERANCE,
    workers: int | None = None,
    progress: Progress = None,
) -> tuple[Floats, Floats]:
    """Return the mean rates of pumped and bath entropy at many points, without noises.

    Parameters
    ----------
    magnet : Magnet
    fields, spin_torques : array_like, shape (..., 3)
        H and P; the leading shapes broadcast.
    tolerance : float
        Of the density's tail.
    workers : int, optional
        Processes; by default all cores for many points and none for few. 1 stays in this process.
    progress : bool, callable or None
        A callable receives (done, total); True and None show a bar on a terminal, False nothing.

    Returns
    -------
    pumped, bath : ndarray, shape (...)

    Raises
    ------
    ValueError, ResolutionError
        As in `steady_state`.
    """
    H, P, shape = _points(magnet, fields, spin_torques)
    blocks = _map(_rates_block, magnet, H, P, tolerance, workers, progress)
    out = np.concatenate([*blocks, np.empty((0, 2))])
    return out[:, 0].reshape(shape), out[:, 1].reshape(shape)


def steady_states(
    magnet: Magnet,
    fields: ArrayLike,
    spin_torques: ArrayLike,
    *,
    tolerance: float = TOLERANCE,
    workers: int | None = None,
    progress: Progress = None,
) -> Any:
    """Solve for the steady states at many points.

    Parameters
    ----------
    magnet, fields, spin_torques, tolerance, workers, progress
        As in `steady_rates`.

    Returns
    -------
    xarray.Dataset
        One variable per scalar of `SteadyState` over the dimensions ``point_0, point_1, ...`` of
        the broadcast leading shape, with ``mean_moment (..., component)``,
        ``covariance (..., functional, functional_2)`` and ``phase``.
    """
    H, P, shape = _points(magnet, fields, spin_torques)
    rows = _map(_states_block, magnet, H, P, tolerance, workers, progress)
    records = [record for block in rows for record in block]
    return _dataset(magnet, H, P, records, shape)


def dataset_of(state: SteadyState) -> Any:
    """Return an xarray.Dataset of one steady state, without point dimensions."""
    return _dataset(state.magnet, state.field[None], state.spin_torque[None], [_record(state)], ())


def _points(
    magnet: Magnet, fields: ArrayLike, spin_torques: ArrayLike
) -> tuple[Floats, Floats, tuple[int, ...]]:
    check_bath(magnet)
    H = validation.vectors("fields", fields)
    P = validation.vectors("spin_torques", spin_torques)
    shape = np.broadcast_shapes(H.shape[:-1], P.shape[:-1])
    H = np.broadcast_to(H, (*shape, 3)).reshape(-1, 3)
    return H, np.broadcast_to(P, (*shape, 3)).reshape(-1, 3), shape


def _rates_block(magnet: Magnet, fields: Floats, spin_torques: Floats, tolerance: float) -> Floats:
    out = np.empty((len(fields), 2))
    scale = np.sqrt(np.log(tolerance) / np.log(TOLERANCE))
    for row, setting in zip(out, settings(magnet, fields, spin_torques, scale), strict=True):
        solution = resolve(setting, tolerance=tolerance)
        if setting.landscape is None:
            mean = rates(magnet, setting, polynomials(solution.basis) @ solution.density)
        else:
            mean = landscape_rates(setting, solution)
        row[:] = mean.pumped_entropy, mean.bath_entropy
    return out


def _states_block(
    magnet: Magnet, fields: Floats, spin_torques: Floats, tolerance: float
) -> list[dict[str, Any]]:
    here = settings(magnet, fields, spin_torques)
    points = zip(fields, spin_torques, here, strict=True)
    return [_record(state_of(magnet, *point, tolerance=tolerance)) for point in points]


def _record(state: SteadyState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in (*COLUMNS, *VECTORS, "phase")}


def _map(
    task: Callable[..., Any],
    magnet: Magnet,
    fields: Floats,
    spin_torques: Floats,
    tolerance: float,
    workers: int | None,
    progress: Progress,
) -> Iterator[Any]:
    """Run a task over blocks of points, in order."""
    total = len(fields)
    if workers is not None:
        validation.positive_integer("workers", workers)
    count = workers or (1 if total < SMALLEST_POOL else cores())
    cuts = range(0, total, BLOCK)
    blocks = [(magnet, fields[i : i + BLOCK], spin_torques[i : i + BLOCK], tolerance) for i in cuts]
    with (
        reporting(progress, "steady states", "points") as report,
        worker_processes(max(1, min(count, len(blocks)))) as run,
    ):
        yield from _told(run([(task, *b) for b in blocks]), total, report)


def _told(results: Iterator[Any], total: int, report: Report) -> Iterator[Any]:
    done = 0
    for result in results:
        done += len(result)
        report(done, total)
        yield result


def _dataset(
    magnet: Magnet,
    fields: Floats,
    spin_torques: Floats,
    records: list[dict[str, Any]],
    shape: tuple[int, ...],
) -> Any:
    import xarray as xr

    points = tuple(f"point_{i}" for i in range(len(shape)))
    extra = {"mean_moment": ("component",), "covariance": ("functional", "functional_2")}
    variables: dict[str, Any] = {}
    for name, (unit, meaning) in (COLUMNS | VECTORS).items():
        inner = {"mean_moment": (3,), "covariance": (3, 3)}.get(name, ())
        values = np.array([r[name] for r in records]).reshape((*shape, *inner))
        attrs = {"units": unit, "long_name": meaning}
        variables[name] = ((*points, *extra.get(name, ())), values, attrs)
    names = np.array([r["phase"] for r in records], dtype="U12").reshape(shape)
    variables["phase"] = (points, names, {"long_name": "what the magnet does"})
    functionals = ["work", "heat", "pumped_entropy"]
    coords = {
        "component": ["x", "y", "z"],
        "functional": functionals,
        "functional_2": functionals,
        "field": ((*points, "component"), fields.reshape((*shape, 3))),
        "spin_torque": ((*points, "component"), spin_torques.reshape((*shape, 3))),
    }
    attrs = {
        name: getattr(magnet, name)
        for name in ("moment", "gyromagnetic_ratio", "damping", "temperature")
    }
    return xr.Dataset(variables, coords=coords, attrs=attrs)
