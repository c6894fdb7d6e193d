r"""The time-dependent density of a driven magnet, and its thermodynamics.

The density per unit solid angle obeys :math:`\dot p = M^T p`, the Fokker-Planck equation [I] 2.14
with the generator of `generator` at the fields of the moment. A jump of a field leaves the density;
a jump of H does the mean work :math:`-\langle m\rangle\cdot\Delta H`. With the mean moment and
the mean of the work's drift come

.. math:: \dot W = -\langle m\rangle\cdot\dot H + \langle v\cdot(m\times P)\rangle, \quad
   \dot E = \dot W + \dot Q, \quad \dot S_P = 2\gamma_0\langle m\rangle\cdot P, \quad
   \dot S_B = -\beta\dot Q

([I] 3.3, 3.9). The entropy S of the density, its rate and the entropy production
:math:`\Sigma\ge0` are integrals over the sphere, see `entropy`. The balance
:math:`\dot S + \dot S_B + \dot S_P = \Sigma`, [I] 3.11, connects quantities that are computed
independently; what is left of it is reported at each time.

The accumulated mean work and pumped entropy are the first coefficients of the hierarchy of
`moments`, integrated along with the density.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.fokker_planck.entropy import entropies
from spintherm.fokker_planck.exponents import jet
from spintherm.fokker_planck.generator import (
    LINEAR,
    applied_to_one,
    coefficients,
    counting_derivatives,
    forward,
    integrals,
    length_of,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.initial import Initial
from spintherm.fokker_planck.labels import attributes
from spintherm.fokker_planck.landscape import landscape_of
from spintherm.fokker_planck.process import Process, process
from spintherm.fokker_planck.propagator import Columns, Limits, column_norms, propagate
from spintherm.fokker_planck.schedule import Drive
from spintherm.fokker_planck.slots import ENERGY
from spintherm.fokker_planck.transforms import changes, means
from spintherm.progress import Progress, Report, reporting

if TYPE_CHECKING:
    import xarray

    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol

DEFAULT_TIMES = 101


def evolve(
    magnet: Magnet,
    protocol: Protocol,
    *,
    initial: Initial = "equilibrium",
    tolerance: float = 1e-10,
    save_at: ArrayLike | None = None,
    l_max: int | None = None,
    progress: Progress = None,
) -> xarray.Dataset:
    """Solve the Fokker-Planck equation along a protocol.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
    initial
        Initial density, see `initial.initial_density`.
    tolerance : float
        Of the accumulated error of the time steps and of the truncation's tail, relative to the
        norm of the density's coefficients.
    save_at : array_like, shape (times,), optional
        Increasing times within the protocol; by default 101 equally spaced ones. A jump at such a
        time counts as not yet done, but at the very end as done. The rates are those before the
        jump, at time 0 those after it.
    l_max : int, optional
        Fixed truncation instead of an automatic one.
    progress : bool or callable, optional
        See `spintherm.progress`; counts saved times.

    Returns
    -------
    xarray.Dataset
        Along `time`: `mean_moment (time, component)`, `entropy`, `energy`; the rates `work_rate`,
        `heat_rate`, `pumped_entropy_rate`, `bath_entropy_rate`, `entropy_rate` and
        `entropy_production_rate`, and `balance_residual` = entropy_rate + bath_entropy_rate +
        pumped_entropy_rate - entropy_production_rate; the means so far `work`, `heat`,
        `pumped_entropy`; `l_max`, `m_max`, `tail` and `density_error` (estimated, of the
        coefficients' norm). `coefficient (time, harmonic)` holds the density in the axes `frame`:
        evaluate it with `density`.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If the density cannot be resolved.
    """
    accuracy = validation.finite_scalar("tolerance", tolerance, positive=True)
    degree = None if l_max is None else validation.positive_integer("l_max", l_max)
    here = process(magnet, protocol, initial, 0.1 * accuracy)
    times = _times(protocol, save_at)
    with reporting(progress, "density", "times") as report:
        moments = _followed(here, times, Limits(accuracy, accuracy, degree), report)
    return _dataset(here, times, moments)


def density(
    evolution: xarray.Dataset, directions: ArrayLike, time: ArrayLike | None = None
) -> xarray.DataArray:
    """Evaluate the density per unit solid angle.

    Parameters
    ----------
    evolution : xarray.Dataset
        From `evolve`.
    directions : array_like, shape (..., 3)
        Unit vectors m/|m|.
    time : array_like, optional
        Saved times, shape () or (n,); all of them by default.

    Returns
    -------
    xarray.DataArray
        Over `time`, unless it is a single one, and ``direction_0, direction_1, ...``, the leading
        dimensions of `directions`.

    Raises
    ------
    ValueError
        If a time was not saved, or a direction is not a unit vector.
    """
    import xarray

    n = validation.vectors("directions", directions)
    if np.any(np.abs(np.linalg.norm(n, axis=-1) - 1.0) > 1e-6):
        raise ValueError(validation.complaint("directions", directions, "unit vectors (..., 3)"))
    chosen = evolution["coefficient"]
    if time is not None:
        wanted = validation.real_array("time", time)
        saved = evolution["time"].values
        place = np.argmin(np.abs(saved - wanted[..., None]), axis=-1)
        if np.any(np.abs(saved[place] - wanted) > 1e-9 * np.ptp(saved)):
            raise ValueError(validation.complaint("time", time, "times that were saved: save_at"))
        chosen = chosen.isel(
            time=xarray.DataArray(place, dims="time") if place.ndim else int(place)
        )
    basis = Basis(int(evolution["degree"].max()), int(evolution["order"].max()))
    values = basis.expand(chosen.values.T, n @ evolution["frame"].values.T)
    dims = tuple(f"direction_{i}" for i in range(n.ndim - 1))
    values = np.moveaxis(values, -1, 0) if chosen.ndim == 2 else values
    return xarray.DataArray(
        values,
        dims=(*chosen.dims[:-1], *dims),
        coords={"time": chosen["time"]},
        attrs={"units": "1/sr", "long_name": "probability density per solid angle"},
    )


@dataclass(frozen=True)
class _Moment:
    """The state at a saved time: columns, fields for the rates, the field that is on."""

    columns: Columns
    field: Floats
    spin_torque: Floats
    field_rate: Floats
    field_on: Floats


def _times(protocol: Protocol, save_at: ArrayLike | None) -> Floats:
    tau = protocol.duration
    if save_at is None:
        return np.linspace(0.0, tau, DEFAULT_TIMES)
    times = validation.increasing_times("save_at", save_at)
    if times[0] < 0.0 or times[-1] > tau:
        raise ValueError(validation.complaint("save_at", save_at, f"times from 0 to {tau}"))
    return times


def _followed(here: Process, times: Floats, limits: Limits, report: Report) -> list[_Moment]:
    """States at the times, with the density and its derivatives in k_W and k_S as columns."""
    exponents, _ = jet(np.zeros(4), np.eye(4)[:2], 1)
    plan, span = here.schedule, here.protocol.duration
    least = None if limits.l_max is None else Basis(limits.l_max, 0)
    columns = here.columns(exponents, least)
    drive = next(p for p in plan.pieces if isinstance(p, Drive))
    moments: list[_Moment] = []
    for part in plan.cut(times):
        if not isinstance(part, float):
            columns = propagate(columns, [part], exponents, limits, span)
            drive = part if isinstance(part, Drive) else drive
            continue
        H, P, rate = (v[0] for v in drive.at(np.array([part])))
        on = H
        if part <= 0.0:
            on = plan.initial_field
        elif part >= span:
            on = plan.final_field
        moments.append(_Moment(columns, H, P, rate, on))
        report(len(moments), len(times))
    return moments


def _dataset(here: Process, times: Floats, moments: list[_Moment]) -> xarray.Dataset:
    import xarray

    magnet, T = here.schedule.magnet, here.magnet.temperature
    basis = moments[-1].columns.basis
    _, powers = jet(np.zeros(4), np.eye(4)[:2], 1)
    p, counted_W, counted_S = (
        np.stack([s.columns.basis.embed_columns(s.columns.values, basis)[:, i] for s in moments], 1)
        for i in map(powers.index, ((0, 0), (1, 0), (0, 1)))
    )
    fields, torques, slopes, on = (
        np.stack([getattr(s, name) for s in moments])
        for name in ("field", "spin_torque", "field_rate", "field_on")
    )
    change, work_rate = _rates(magnet, basis, p, fields, torques, slopes)
    whole = np.sqrt(4.0 * np.pi)
    n, turning = integrals(basis)[1:] @ p, integrals(basis)[1:] @ change
    energy = -magnet.moment * np.sum(n.T * on, axis=1)
    start = -magnet.moment * float(
        integrals(here.basis)[1:] @ here.density @ here.schedule.initial_field
    )
    energy_rate = -magnet.moment * np.sum(turning.T * fields + n.T * slopes, axis=1)
    if magnet.anisotropy is not None:
        row = anisotropy_row(magnet, basis)
        energy, energy_rate = energy + row @ p, energy_rate + row @ change
        start += float(anisotropy_row(magnet, here.basis) @ here.density)
    work = T * whole * counted_W[0]
    pumped_rate = 2.0 * magnet.gyromagnetic_ratio * magnet.moment * np.sum(n.T * torques, axis=1)
    if magnet.polarisers:
        pumped_rate = _pumped_rate(magnet, basis, p, fields, torques)
    bath_rate = -magnet.beta * (energy_rate - work_rate)
    S, S_rate, production = entropies(magnet, basis, p, change, fields, torques)
    norms = [column_norms(s.columns.values)[0] for s in moments]
    along_time = {
        "entropy": (S, "1", "entropy -int p ln p of the density per solid angle, [I] 3.12"),
        "energy": (energy, "energy", "mean energy -<m>.H"),
        "work_rate": (work_rate, "energy/time", "mean work per time, [I] 3.3a"),
        "heat_rate": (energy_rate - work_rate, "energy/time", "mean heat absorbed per time"),
        "pumped_entropy_rate": (pumped_rate, "1/time", "pumped entropy per time, [I] 3.9"),
        "bath_entropy_rate": (bath_rate, "1/time", "entropy change of the bath per time"),
        "entropy_rate": (S_rate, "1/time", "dS/dt"),
        "entropy_production_rate": (
            production, "1/time", "entropy production, from the irreversible current, [I] 3.14",
        ),
        "balance_residual": (
            S_rate + bath_rate + pumped_rate - production,
            "1/time",
            "entropy_rate + bath_entropy_rate + pumped_entropy_rate - entropy_production_rate",
        ),
        "work": (work, "energy", "mean work so far"),
        "heat": (energy - start - work, "energy", "mean heat absorbed so far"),
        "pumped_entropy": (whole * counted_S[0], "1", "mean entropy pumped so far"),
        "l_max": (np.array([s.columns.basis.l_max for s in moments]), "1", "largest degree used"),
        "m_max": (np.array([s.columns.basis.m_max for s in moments]), "1", "largest order used"),
        "tail": (
            np.array([s.columns.tail[0] / c for s, c in zip(moments, norms, strict=True)]),
            "1",
            "largest coefficient met at the truncation's edge, relative to the norm",
        ),
        "density_error": (
            np.array([s.columns.error[0] / c for s, c in zip(moments, norms, strict=True)]),
            "1",
            "estimated error of the time steps, relative to the norm",
        ),
    }  # fmt: skip
    variables: dict[str, Any] = {
        name: ("time", values, {"units": unit, "long_name": meaning})
        for name, (values, unit, meaning) in along_time.items()
    }
    mean = magnet.moment * n.T @ here.schedule.frame
    variables["mean_moment"] = (
        ("time", "component"), mean, {"units": "moment", "long_name": "mean moment <m>"}
    )  # fmt: skip
    variables["coefficient"] = (
        ("time", "harmonic"), p.T, {"long_name": "density in real harmonics in the axes `frame`"}
    )  # fmt: skip
    variables["frame"] = (("axis", "component"), here.schedule.frame)
    coords = {
        "time": ("time", times, {"units": "time"}),
        "component": ["x", "y", "z"],
        "degree": ("harmonic", basis.degrees),
        "order": ("harmonic", basis.orders),
    }
    return xarray.Dataset(variables, coords=coords, attrs=attributes(here.magnet, here.protocol))


def _rates(
    magnet: Magnet, basis: Basis, p: Floats, fields: Floats, torques: Floats, slopes: Floats
) -> tuple[Floats, Floats]:
    """Return dp/dt, shape (size, times), and the mean work per time, shape (times,)."""
    change, work = np.empty_like(p), np.empty(p.shape[1])
    counted, _, _ = counting_derivatives(magnet, fields, torques)
    counted[:, LINEAR] -= magnet.beta * magnet.moment * slopes
    plain, landscape = coefficients(magnet, fields, torques), landscape_of(magnet)
    if landscape is not None:
        rates = magnet.temperature * means(basis, landscape, counted, p)
        return changes(basis, landscape, plain, p), rates
    for i in range(p.shape[1]):
        change[:, i] = forward(basis, plain[i]) @ p[:, i]
        work[i] = magnet.temperature * float(applied_to_one(basis, counted[i]) @ p[:, i])
    return change, work


def _pumped_rate(
    magnet: Magnet, basis: Basis, p: Floats, fields: Floats, torques: Floats
) -> Floats:
    """Return the mean pumped entropy per time with polarisers, shape (times,)."""
    _, counted, _ = counting_derivatives(magnet, fields, torques)
    landscape = landscape_of(magnet)
    return np.zeros(p.shape[1]) if landscape is None else means(basis, landscape, counted, p)


def anisotropy_row(magnet: Magnet, basis: Basis) -> Floats:
    """Row vector that integrates E_a against coefficients, shape (size,)."""
    function = np.zeros(length_of(magnet))
    function[ENERGY] = 1.0
    return applied_to_one(basis, function, landscape_of(magnet))
