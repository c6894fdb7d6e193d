"""[II] Fig. 2: the three rates of the steady state for P parallel to H, against α = mP/H.

    Ṡ_P = S_P/τ,    Ṡ_B = -βQ/τ,    Σ = entropy production/τ,

averages over trajectories that begin in the steady state of constant H and P, against the closed
forms [II] 16. H is fixed, so that ν = βmH is; α goes through the phases, with the points α = -δ,
where the effective field vanishes, and α = 1/δ, where precession stops.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spintherm import theory
from spintherm.experiments.processes import PAPER_MAGNET
from spintherm.experiments.seeds import derived_seed
from spintherm.experiments.sizes import Size
from spintherm.experiments.watch import Watch, work
from spintherm.protocol import Protocol
from spintherm.report import Verdict, agrees
from spintherm.statistics import Estimate, mean
from spintherm.trajectories import simulate
from spintherm.trajectories.run import default_steps
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

MAGNET = PAPER_MAGNET
FIELD = (0.0, 0.0, 1.0)
DURATION = 0.5
ALPHA_RANGE = (-1.5, 2.0)
RATES = ("pumped_entropy_rate", "bath_entropy_rate", "entropy_production_rate")
SYMBOLS = {
    "pumped_entropy_rate": "Ṡ_P",
    "bath_entropy_rate": "Ṡ_B",
    "entropy_production_rate": "Σ",
}
_CURVE = 401


@dataclass(frozen=True)
class Steady:
    """What is kept: verdicts of every point, and a dataset of points and curves."""

    verdicts: tuple[Verdict, ...]
    data: xr.Dataset


def steady(size: Size, seed: int, threads: int, watch: Watch, *, label: str = "[II]") -> Steady:
    """Simulate the steady state at every α and compare its rates with the closed forms.

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
    label : str
        What precedes the name in the verdicts.

    Returns
    -------
    Steady
        Verdicts, points and curves.
    """
    points = alphas(size)
    rows = [_point(float(alpha), size, seed, threads, watch) for alpha in points]
    exact = _exact(points)
    verdicts = tuple(_verdicts(f"{label} Fig. 2, rates against α", points, rows, exact))
    return Steady(verdicts, _dataset(points, rows, exact))


def alphas(size: Size) -> FloatArray:
    """Return the values of α: a grid, which contains 0, and the two special points."""
    delta = float(MAGNET.damping * MAGNET.moment / MAGNET.gyromagnetic_ratio)
    low, high = ALPHA_RANGE
    grid = np.linspace(low, high, size.alphas)
    return np.unique(np.concatenate((grid, (-delta, 0.0, 1.0 / delta))))


def protocol_at(alpha: float) -> Protocol:
    """Return the constant protocol with P = αH/m."""
    return Protocol(DURATION, FIELD, alpha / MAGNET.moment * np.asarray(FIELD))


def work_of(size: Size) -> int:
    """Return the work that `steady` does, as a `Watch` counts it."""
    return sum(work(size.steady_trajectories, _steps(float(alpha), size)) for alpha in alphas(size))


def _steps(alpha: float, size: Size) -> int:
    protocol = protocol_at(alpha)
    return size.steps(protocol) or default_steps(MAGNET, protocol, size.scheme)


def _point(
    alpha: float, size: Size, seed: int, threads: int, watch: Watch
) -> dict[str, tuple[Estimate, Estimate]]:
    """Return the rates at one α, each with its step bias."""
    steps = _steps(alpha, size)
    ensemble = simulate(
        MAGNET,
        protocol_at(alpha),
        trajectories=size.steady_trajectories,
        seed=derived_seed(seed, "steady state", f"{alpha:.6f}"),
        steps=steps,
        scheme=size.scheme,
        initial="steady_state",
        threads=threads,
        progress=watch.ensemble(steps),
    )
    factors = {
        "pumped_entropy": 1.0,
        "heat": -MAGNET.beta,
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


def _exact(points: FloatArray) -> FloatArray:
    """Return the closed forms, shape (rate, point)."""
    H = np.tile(FIELD, (points.size, 1))
    P = points[:, None] / MAGNET.moment * H
    return np.stack([getattr(theory, rate)(MAGNET, H, P) for rate in RATES])


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
    points: FloatArray, rows: list[dict[str, tuple[Estimate, Estimate]]], exact: FloatArray
) -> xr.Dataset:
    import xarray as xr

    curve = np.linspace(ALPHA_RANGE[0] - 0.15, ALPHA_RANGE[1] + 0.15, _CURVE)
    per_time = {"units": "k_B per time"}
    at_points = ("rate", "alpha")
    delta = MAGNET.damping * MAGNET.moment / MAGNET.gyromagnetic_ratio
    variables = {
        "simulated": (at_points, _table(rows, 0, "value"), per_time),
        "error": (at_points, _table(rows, 0, "error"), per_time),
        "step_bias": (at_points, _table(rows, 1, "value"), per_time),
        "exact": (at_points, exact, per_time | {"long_name": "closed form, [II] 16"}),
        "curve": (("rate", "curve_alpha"), _exact(curve), per_time),
        "phase": ("curve_alpha", theory.phase(curve, delta).astype(str)),
    }
    attributes = {
        **MAGNET.to_dict(),
        "field": FIELD,
        "duration": DURATION,
        "delta": delta,
        "nu": MAGNET.beta * MAGNET.moment * float(np.linalg.norm(FIELD)),
    }
    coordinates = {"rate": list(RATES), "alpha": points, "curve_alpha": curve}
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _table(rows: list[dict[str, tuple[Estimate, Estimate]]], place: int, name: str) -> FloatArray:
    return np.array([[getattr(row[rate][place], name) for row in rows] for rate in RATES])
