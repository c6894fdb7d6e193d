"""[II] Fig. 2: the three rates of the steady state for P parallel to H, against α = mP/H.

    Ṡ_P = S_P/τ,    Ṡ_B = -βQ/τ,    Σ = entropy production/τ,

averages over trajectories that begin in the steady state of constant H and P, against the closed
forms [II] 16. H is fixed, so that ν = βmH is; α goes through the phases, with the points α = -δ,
where the effective field vanishes, and α = 1/δ, where precession stops.

For other magnets α = -δ and 1/δ are points only if they are in the range. Magnets with anisotropy
or polarisers have no closed forms: the rates are then those of the Fokker-Planck equation, and the
special points are where these vanish. Judged are there also the first law on every path, Σ >= 0,
and the symmetry of the counting statistics of the steady state, [I] 2.18.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintherm import theory
from spintherm.experiments.driven import first_law
from spintherm.experiments.geometry import EXACT_TOLERANCE, PAPER, Geometry
from spintherm.experiments.seeds import derived_seed
from spintherm.experiments.sizes import Size
from spintherm.experiments.watch import Watch, work
from spintherm.fokker_planck import ResolutionError, steady_rates, symmetry_residual
from spintherm.protocol import Protocol
from spintherm.report import Verdict, agrees, at_least, at_most
from spintherm.schema import magnet_attributes
from spintherm.statistics import Estimate, mean
from spintherm.trajectories import simulate
from spintherm.trajectories.run import default_steps
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

MAGNET = PAPER.magnet
FIELD = (0.0, 0.0, 1.0)
STRENGTH = 1.0
DURATION = 0.5
ALPHA_RANGE = (-1.5, 2.0)
RATES = ("pumped_entropy_rate", "bath_entropy_rate", "entropy_production_rate")
SYMBOLS = {
    "pumped_entropy_rate": "Ṡ_P",
    "bath_entropy_rate": "Ṡ_B",
    "entropy_production_rate": "Σ",
}
_CURVE = 401
_SOLVED_CURVE = 71  # where every point is a Fokker-Planck equation
_EXPONENTS = ((-0.5, -0.3), (0.4, -1.2), (-1.3, 0.2))
_SYMMETRY = 1e-8
_FIRST_LAW = 1e-9


@dataclass(frozen=True)
class Steady:
    """What is kept: verdicts of every point, and a dataset of points and curves."""

    verdicts: tuple[Verdict, ...]
    data: xr.Dataset


def steady(
    size: Size,
    seed: int,
    threads: int,
    watch: Watch,
    *,
    geometry: Geometry = PAPER,
    label: str = "[II]",
) -> Steady:
    """Simulate the steady state at every α and compare its rates with the exact ones.

    Parameters
    ----------
    size : Size
        How much.
    seed : int
        The one seed.
    threads : int
        Number of threads.
    watch : Watch
        Where progress goes.
    geometry : Geometry
        The magnet, and where H and P point.
    label : str
        What precedes the name in the verdicts.

    Returns
    -------
    Steady
        Verdicts, points and curves.
    """
    curve, rates, special = _known(geometry)
    points = alphas(size, geometry)
    rows, imbalances = [], []
    for alpha in points.tolist():
        ensemble = _simulated(geometry, alpha, size, seed, threads, watch)
        rows.append(_rates(ensemble))
        imbalances.append(first_law(ensemble))
    exact = _exact(geometry, points)
    name = f"{label} Fig. 2, rates against α"
    verdicts = [*_verdicts(name, points, rows, exact)]
    data = _dataset(geometry, points, rows, exact, curve, rates)
    if not geometry.is_paper:
        verdicts += _laws(name, geometry, rates, max(imbalances))
        data.attrs["boundaries"] = special
    return Steady(tuple(verdicts), data)


def alphas(size: Size, geometry: Geometry = PAPER) -> FloatArray:
    """Return the values of α: a grid, which contains 0, and the special points."""
    special = _known(geometry)[2]
    return np.unique(np.concatenate((np.linspace(*ALPHA_RANGE, size.alphas), special)))


def protocol_at(alpha: float, geometry: Geometry = PAPER) -> Protocol:
    """Return the constant protocol with P = αH/m."""
    H = STRENGTH * geometry.along
    return Protocol(DURATION, H, alpha / geometry.magnet.moment * H)


def work_of(size: Size, geometry: Geometry = PAPER) -> int:
    """Return the work that `steady` does, as a `Watch` counts it."""
    steps = (_steps(geometry, alpha, size) for alpha in alphas(size, geometry).tolist())
    return sum(work(size.steady_trajectories, one) for one in steps)


def _steps(geometry: Geometry, alpha: float, size: Size) -> int:
    protocol = protocol_at(alpha, geometry)
    return size.steps(protocol) or default_steps(geometry.magnet, protocol, size.scheme)


def _simulated(
    geometry: Geometry, alpha: float, size: Size, seed: int, threads: int, watch: Watch
) -> xr.Dataset:
    """Return the ensemble at one α."""
    steps = _steps(geometry, alpha, size)
    return simulate(
        geometry.magnet,
        protocol_at(alpha, geometry),
        trajectories=size.steady_trajectories,
        seed=derived_seed(seed, "steady state", f"{alpha:.6f}"),
        steps=steps,
        scheme=size.scheme,
        initial="steady_state",
        threads=threads,
        progress=watch.ensemble(steps),
    )


def _rates(ensemble: xr.Dataset) -> dict[str, tuple[Estimate, Estimate]]:
    """Return the rates of an ensemble, each with its step bias."""
    factors = {
        "pumped_entropy": 1.0,
        "heat": -1.0 / float(ensemble.attrs["temperature"]),
        "entropy_production": 1.0,
    }
    return {
        rate: _rate(ensemble, name, factor / DURATION)
        for rate, (name, factor) in zip(RATES, factors.items(), strict=True)
    }


def _rate(ensemble: xr.Dataset, name: str, scale: float) -> tuple[Estimate, Estimate]:
    row = ensemble.sel(estimate=name)
    ours = mean(ensemble[name].values)
    bias = Estimate(float(row["step_bias"]), float(row["step_bias_error"]))
    return _scaled(ours, scale), _scaled(bias, scale)


def _scaled(estimate: Estimate, scale: float) -> Estimate:
    return Estimate(scale * estimate.value, abs(scale) * estimate.error)


@cache
def _known(geometry: Geometry) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return α of the curves, the exact rates there, and the special points."""
    count = _CURVE if geometry.has_closed_forms else _SOLVED_CURVE
    curve = np.linspace(ALPHA_RANGE[0] - 0.15, ALPHA_RANGE[1] + 0.15, count)
    try:
        rates = _exact(geometry, curve)
    except ResolutionError as error:
        raise ResolutionError(
            f"steady states of the magnet for α = mP/H from {curve[0]:.3g} to {curve[-1]:.3g} at "
            f"H = {STRENGTH:g}: {error}; its δ = mη/γ₀ is {geometry.delta:.3g}, and torques pull "
            "like fields of α/δ: expected stronger damping, or weaker anisotropy"
        ) from error
    return curve, rates, _special(geometry, curve, rates)


def _exact(geometry: Geometry, points: FloatArray) -> FloatArray:
    """Return the exact rates, shape (rate, point)."""
    magnet = geometry.magnet
    H = np.tile(STRENGTH * geometry.along, (points.size, 1))
    P = points[:, None] / magnet.moment * H
    if geometry.has_closed_forms:
        return np.stack([getattr(theory, rate)(magnet, H, P) for rate in RATES])
    options: dict[str, Any] = {"tolerance": EXACT_TOLERANCE, "workers": 1, "progress": False}
    pumped, bath = steady_rates(magnet, H, P, **options)
    return np.stack((pumped, bath, pumped + bath))


def _special(geometry: Geometry, curve: FloatArray, rates: FloatArray) -> FloatArray:
    """Return 0 and the values of α inside the range at which a phase ends, rising."""
    found = [0.0]
    if geometry.has_closed_forms:
        found += [-geometry.delta, 1.0 / geometry.delta]
    else:
        for line in (0, 1):
            found += _zeros(geometry, line, curve, rates[line])
    low, high = ALPHA_RANGE
    return np.array(sorted(alpha for alpha in found if low <= alpha <= high))


def _zeros(geometry: Geometry, line: int, curve: FloatArray, rate: FloatArray) -> Iterator[float]:
    """Yield where a rate over α, which is smooth at α = 0 and not zero there, changes its sign."""
    from scipy.optimize import brentq

    away = np.abs(curve) > 1e-9
    alpha, scaled = curve[away], rate[away] / curve[away]

    def value(at: float) -> float:
        return float(_exact(geometry, np.array([at]))[line, 0]) / at

    for k in np.flatnonzero(np.signbit(scaled[1:]) != np.signbit(scaled[:-1])):
        yield float(brentq(value, alpha[k], alpha[k + 1], xtol=1e-9))


def _laws(name: str, geometry: Geometry, rates: FloatArray, imbalance: float) -> Iterator[Verdict]:
    """Yield what must hold for every magnet."""
    yield at_most(name, "first law, largest |W + Q - ΔE|", imbalance, _FIRST_LAW)
    yield at_least(name, "smallest exact Σ, the second law", float(rates[2].min()), -1e-12)
    work, pumped = np.array(_EXPONENTS).T
    protocol = protocol_at(1.0, geometry)
    H, P = protocol.initial_field, protocol.initial_spin_torque
    off = symmetry_residual(geometry.magnet, H, P, work=work, pumped_entropy=pumped)
    yield at_most(
        name,
        "exact: |λ_H(k_W, k_S) - λ_-H(-1 - k_W, -1 - k_S)| at α = 1",
        float(np.abs(off).max()),
        _SYMMETRY,
        note="scaled cumulant generating function at three pairs of exponents",
    )


def _verdicts(
    name: str,
    points: FloatArray,
    rows: list[dict[str, tuple[Estimate, Estimate]]],
    exact: FloatArray,
) -> Iterator[Verdict]:
    for column, (alpha, row) in enumerate(zip(points, rows, strict=True)):
        for line, rate in enumerate(RATES):
            ours, bias = row[rate]
            expected = float(exact[line, column])
            yield agrees(name, f"{SYMBOLS[rate]} at α = {alpha:.4g}", ours, expected, bias=bias)


def _dataset(
    geometry: Geometry,
    points: FloatArray,
    rows: list[dict[str, tuple[Estimate, Estimate]]],
    exact: FloatArray,
    curve: FloatArray,
    rates: FloatArray,
) -> xr.Dataset:
    import xarray as xr

    magnet = geometry.magnet
    source = "closed form, [II] 16" if geometry.has_closed_forms else "Fokker-Planck equation"
    per_time = {"units": "k_B per time"}
    at_points = ("rate", "alpha")
    variables = {
        "simulated": (at_points, _table(rows, 0, "value"), per_time),
        "error": (at_points, _table(rows, 0, "error"), per_time),
        "step_bias": (at_points, _table(rows, 1, "value"), per_time),
        "exact": (at_points, exact, per_time | {"long_name": source}),
        "curve": (("rate", "curve_alpha"), rates, per_time),
        "phase": ("curve_alpha", _phases(geometry, curve, rates)),
    }
    attributes = {
        **magnet_attributes(magnet),
        "field": tuple((STRENGTH * geometry.along).tolist()),
        "duration": DURATION,
        "delta": geometry.delta,
        "nu": magnet.beta * magnet.moment * STRENGTH,
    }
    coordinates = {"rate": list(RATES), "alpha": points, "curve_alpha": curve}
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _phases(geometry: Geometry, curve: FloatArray, rates: FloatArray) -> NDArray[np.str_]:
    if geometry.has_closed_forms:
        return theory.phase(curve, geometry.delta).astype(str)
    return np.asarray(theory.phase_of_rates(rates[0], rates[1])).astype(str)


def _table(rows: list[dict[str, tuple[Estimate, Estimate]]], place: int, name: str) -> FloatArray:
    return np.array([[getattr(row[rate][place], name) for row in rows] for rate in RATES])
