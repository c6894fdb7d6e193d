"""[II] Fig. 4: power, dissipation and noise of the engine against the field, at several angles.

    |Ṡ_P|,    Σ,    Δ_P = lim Var S_P/τ,    Var S_P/τ at τ = 0.5,    Δ_P Σ/(2 Ṡ_P²)

at P = 1 and |m| = √3, so that να = 3, from the density engine; beside them the closed forms at
θ = 0, the limits [II] 18a-c for H → ∞, the slower law H⁻² of the noise at θ ≠ 0, and trajectories.
The last quantity is at least one where the thermodynamic uncertainty relation holds.

Trajectories begin in the steady state and last for twenty relaxation times of the drift or of free
diffusion, whichever is shorter. From S_P at τ and at τ/2 the long-time noise follows as
[Var S_P(τ) - Var S_P(τ/2)]/(τ/2), whose bias is of the order e^{-10}. They use the splitting scheme
at half its usual step whatever the size, because the step bias of a variance is not measured.

Magnets with anisotropy or polarisers have no closed forms, and every point of a strong field is a
large Fokker-Planck equation: fields then end earlier, and trajectories, which may be slow to leave
a minimum of the energy, are compared with the exact variances at the same times. In a strong field
the moment lies along H, so that Ṡ_P tends to the rate of pumped entropy there, which is 18a for
uniform torques.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm import theory
from spintherm.experiments.geometry import EXACT_TOLERANCE, PAPER, Geometry
from spintherm.experiments.seeds import derived_seed
from spintherm.experiments.sizes import Resolution, Size
from spintherm.experiments.watch import Watch, work
from spintherm.fokker_planck import ResolutionError, steady_state, steady_states
from spintherm.fokker_planck.setting import fixed_point
from spintherm.protocol import Protocol
from spintherm.report import Verdict, agrees, at_least, at_most
from spintherm.schema import magnet_attributes
from spintherm.statistics import Estimate, mean
from spintherm.trajectories import simulate
from spintherm.trajectories.run import default_steps
from spintherm.trajectories.steady import slowest_rate
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

    from spintherm.fokker_planck import SteadyState
    from spintherm.magnet import Magnet

MAGNET = PAPER.magnet
TORQUE = 1.0
ANGLES = (0, 30, 60, 120, 180)
"""Angles between H and P in degrees."""
FIELDS = (0.7, 1.5, 3.0, 6.0, 12.0, 25.0, 50.0)
"""Fields of the simulated points."""
CURVE_RANGE = (0.5, 60.0)
SOLVED_FIELDS = (0.7, 1.5, 3.0, 6.0, 10.0)
SOLVED_CURVE_RANGE = (0.5, 12.0)
"""Where there are no closed forms."""
SHORT = 0.5
"""The paper's duration of a trajectory."""
STRONG = 1e4
"""Field that counts as infinite when limits are compared."""
QUANTITIES = {
    "pumped_entropy_rate": "Ṡ_P",
    "entropy_production_rate": "Σ",
    "pumped_entropy_noise": "Δ_P",
    "finite_time_noise": "Var S_P/τ at τ = 0.5",
    "uncertainty_ratio": "Δ_P Σ/(2 Ṡ_P²)",
}
_RELAXATIONS = 20.0
_SHARE = 5
_NUS = (1.0, 3.0, 10.0, 30.0)
_ALPHA_CURVE = 241
_LEAST_SIGNAL = 30.0
_SOLVED_ALPHA_CURVE = 41
_MAP_ALPHA = (0.02, 3.0)
_SOLVED_MAP_ALPHA = (0.2, 3.0)
_LARGEST_SOLVED_MAP = 21
_LONGEST = 10.0  # times the time of free diffusion, of trajectories that are slow to relax


@dataclass(frozen=True)
class IdealEngine:
    """What is kept: verdicts, and a dataset of curves, points, limits and the uncertainty map."""

    verdicts: tuple[Verdict, ...]
    data: xr.Dataset


def ideal_engine(
    size: Size,
    seed: int,
    threads: int,
    watch: Watch,
    *,
    geometry: Geometry = PAPER,
    label: str = "[II]",
) -> IdealEngine:
    """Compute the curves of Fig. 4, simulate its points and compare.

    Parameters
    ----------
    size : Size
        How much; a fifth of its steady trajectories at every point. Curves and the map of the
        uncertainty ratio have the size's resolution.
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
    IdealEngine
    """
    rows = {
        (angle, field): _simulated(geometry, angle, field, size, seed, threads, watch)
        for angle in ANGLES
        for field in fields_of(geometry)
    }
    data = _dataset(geometry, rows, size.resolution, threads)
    name = f"{label} Fig. 4"
    verdicts = [*_point_verdicts(name, geometry, rows)]
    if geometry.has_closed_forms:
        verdicts += _closed_verdicts(name, geometry, size.resolution.curve)
    if geometry.is_paper:
        verdicts += _limit_verdicts(name)
        verdicts += _uncertainty_verdicts(f"{label} uncertainty ratio")
    else:
        least = float(data["curve"].sel(quantity="entropy_production_rate").min())
        verdicts.append(at_least(name, "smallest exact Σ, the second law", least, 0.0))
    return IdealEngine(tuple(verdicts), data)


def work_of(size: Size, geometry: Geometry = PAPER) -> int:
    """Return the work that `ideal_engine` does, as a `Watch` counts it."""
    fields = fields_of(geometry)
    steps = (_plan(geometry, angle, field)[1] for angle in ANGLES for field in fields)
    return sum(work(trajectories_of(size), one) for one in steps)


def trajectories_of(size: Size) -> int:
    """Return the number of trajectories at one point."""
    return max(size.steady_trajectories // _SHARE, 4)


def fields_of(geometry: Geometry) -> tuple[float, ...]:
    """Return the fields of the simulated points."""
    return FIELDS if geometry.has_closed_forms else SOLVED_FIELDS


def state_at(angle: float, field: float, geometry: Geometry = PAPER) -> SteadyState:
    """Return the exact steady state at an angle in degrees between P and H, at |P| = 1."""
    vectors = vectors_at(angle, field, geometry)
    if geometry.has_closed_forms:
        return steady_state(geometry.magnet, *vectors)
    return steady_state(geometry.magnet, *vectors, tolerance=EXACT_TOLERANCE)


def vectors_at(angle: float, field: float, geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """Return H and P at an angle in degrees; exactly parallel for 0 and 180."""
    return geometry.vectors(field, TORQUE, np.pi if angle == 180 else float(np.deg2rad(angle)))


def torque_at(angle: float) -> FloatArray:
    """Return the paper's P at an angle in degrees to z; exactly parallel to it for 0 and 180."""
    return vectors_at(angle, 1.0, PAPER)[1]


@cache
def _exact(angle: float, field: float, geometry: Geometry = PAPER) -> dict[str, float]:
    state = state_at(angle, field, geometry)
    values = {name: getattr(state, name) for name in QUANTITIES if name != "finite_time_noise"}
    return values | {"finite_time_noise": float(state.pumped_entropy_variance(SHORT)) / SHORT}


@cache
def _expected(geometry: Geometry, angle: float, field: float) -> dict[str, float]:
    """Return what trajectories are compared with: without closed forms at their own times."""
    exact = _exact(angle, field, geometry)
    if geometry.has_closed_forms:
        return exact
    duration = _plan(geometry, angle, field)[0]
    state = state_at(angle, field, geometry)
    half, whole = state.pumped_entropy_variance([0.5 * duration, duration])
    noise = 2.0 * float(whole - half) / duration
    ratio = noise * exact["entropy_production_rate"] / (2.0 * exact["pumped_entropy_rate"] ** 2)
    return exact | {"pumped_entropy_noise": noise, "uncertainty_ratio": ratio}


@cache
def _plan(geometry: Geometry, angle: float, field: float) -> tuple[float, int]:
    """Return duration and number of steps of a simulated point."""
    magnet = geometry.magnet
    H, P = vectors_at(angle, field, geometry)
    diffusion = 2.0 * magnet.damping * magnet.temperature
    if geometry.has_closed_forms:
        attraction = fixed_point(magnet.relaxation_vector(H, P), magnet.rotation_vector(H, P))[1]
        slowest = max(float(attraction), diffusion)
    else:
        slowest = max(slowest_rate(magnet, H, P), diffusion / _LONGEST)
    duration = max(_RELAXATIONS / slowest, 3.0 * SHORT)
    return duration, 2 * default_steps(magnet, _protocol(geometry, angle, field, duration))


def _protocol(geometry: Geometry, angle: float, field: float, duration: float) -> Protocol:
    return Protocol(duration, *vectors_at(angle, field, geometry))


def _simulated(
    geometry: Geometry,
    angle: float,
    field: float,
    size: Size,
    seed: int,
    threads: int,
    watch: Watch,
) -> dict[str, tuple[Estimate, Estimate]]:
    """Return the estimates of one point, each with its step bias where that is known."""
    duration, steps = _plan(geometry, angle, field)
    ensemble = simulate(
        geometry.magnet,
        _protocol(geometry, angle, field, duration),
        trajectories=trajectories_of(size),
        seed=derived_seed(seed, "ideal engine", f"{angle}, {field:g}"),
        steps=steps,
        initial="steady_state",
        save_at=[SHORT, 0.5 * duration],
        threads=threads,
        progress=watch.ensemble(steps),
    )
    return _estimates(ensemble, duration)


def _estimates(ensemble: xr.Dataset, duration: float) -> dict[str, tuple[Estimate, Estimate]]:
    pumped = ensemble["pumped_entropy"].values
    running = ensemble["running_pumped_entropy"].values.T
    noise = 2.0 * (_squares(pumped) - _squares(running[1])) / duration
    power, produced = pumped / duration, ensemble["entropy_production"].values / duration
    none = Estimate(0.0, 0.0)
    return {
        "pumped_entropy_rate": (mean(power), _bias(ensemble, "pumped_entropy", duration)),
        "entropy_production_rate": (
            mean(produced),
            _bias(ensemble, "entropy_production", duration),
        ),
        "pumped_entropy_noise": (mean(noise), none),
        "finite_time_noise": (mean(_squares(running[0]) / float(ensemble["time"][0])), none),
        "uncertainty_ratio": (_ratio(noise, produced, power), none),
    }


def _squares(values: FloatArray) -> FloatArray:
    """Return squared deviations whose mean is the unbiased variance."""
    squares: FloatArray = (values - values.mean()) ** 2 * (values.size / (values.size - 1))
    return squares


def _ratio(noise: FloatArray, produced: FloatArray, power: FloatArray) -> Estimate:
    """Return <noise> <produced>/(2 <power>²) with its error to first order."""
    n, g, p = noise.mean(), produced.mean(), power.mean()
    value = float(n * g / (2.0 * p**2))
    relative = noise / n + produced / g - 2.0 * power / p
    return Estimate(value, abs(value) * mean(relative).error)


def _bias(ensemble: xr.Dataset, name: str, duration: float) -> Estimate:
    row = ensemble.sel(estimate=name)
    return Estimate(float(row["step_bias"]) / duration, float(row["step_bias_error"]) / duration)


Rows = dict[tuple[int, float], dict[str, tuple[Estimate, Estimate]]]


def _point_verdicts(name: str, geometry: Geometry, rows: Rows) -> Iterator[Verdict]:
    for (angle, field), row in rows.items():
        for quantity in QUANTITIES:
            ours, bias = row[quantity]
            if quantity == "uncertainty_ratio" and not _clear(row):
                continue
            text = f"{QUANTITIES[quantity]} at θ = {angle}°, H = {field:g}"
            expected = _expected(geometry, angle, field)[quantity]
            yield agrees(name, text, ours, expected, bias=bias)


def _clear(row: dict[str, tuple[Estimate, Estimate]]) -> bool:
    """Whether the power is known well enough to be divided by."""
    power = row["pumped_entropy_rate"][0]
    return abs(power.value) > _LEAST_SIGNAL * power.error


def _closed_verdicts(name: str, geometry: Geometry, count: int) -> Iterator[Verdict]:
    """Compare the engine with the closed forms at θ = 0 and 180°."""
    fields = _curve_fields(geometry, count)
    for angle in (0, 180):
        closed = _closed(geometry, fields, angle)
        for quantity, expected in closed.items():
            ours = np.array([_exact(angle, field, geometry)[quantity] for field in fields])
            off = float(np.max(np.abs(ours / expected - 1.0)))
            text = f"{QUANTITIES[quantity]} at θ = {angle}°, largest relative distance to 16 and 56"
            yield at_most(name, text, off, 1e-10)


def _limit_verdicts(name: str) -> Iterator[Verdict]:
    """Compare the limits of [II] 18 with the exact values, and their sizes with known numbers."""
    last = _exact(0, STRONG)
    H = (0.0, 0.0, STRONG)
    power = float(theory.strong_field_pumped_entropy_rate(MAGNET, H, torque_at(0)))
    printed = float(theory.strong_field_entropy_production_rate_as_printed(MAGNET, H, torque_at(0)))
    right = float(theory.strong_field_entropy_production_rate(MAGNET, H, torque_at(0)))
    delta = MAGNET.damping * MAGNET.moment / MAGNET.gyromagnetic_ratio
    low = delta**2 / (1.0 + delta**2)
    produced = last["entropy_production_rate"]
    at = f"at H = {STRONG:g}, θ = 0"
    yield _near(name, f"18a over Ṡ_P {at}", power / last["pumped_entropy_rate"], 1.0, 1e-3)
    yield _near(
        name, f"18b as printed, part missing of Σ {at}", 1.0 - printed / produced, low, 1e-3
    )
    yield _near(name, f"18b with 1 + δ² over Σ {at}", right / produced, 1.0, 1e-3)
    for field, factor in ((5.0, 2.5), (20.0, 1.3)):
        law = _strong_noise(field, 0) / _exact(0, field)["pumped_entropy_noise"]
        yield _near(name, f"18c over Δ_P at H = {field:g}, θ = 0", law, factor, 0.05)
    for field, part in ((1.0, 0.57), (20.0, 0.95)):
        here = _exact(0, field)
        short = here["finite_time_noise"] / here["pumped_entropy_noise"]
        yield _near(name, f"Var S_P/τ at τ = 0.5 over Δ_P at H = {field:g}", short, part, 0.005)
    for angle in ANGLES[1:]:
        here = _exact(angle, STRONG)
        cosine = abs(np.cos(np.deg2rad(angle)))
        text = f"|Ṡ_P| over 2γ₀mP |cos θ| at θ = {angle}°, H = {STRONG:g}"
        yield _near(name, text, abs(here["pumped_entropy_rate"]) / (power * cosine), 1.0, 1e-3)
        text = f"law of Δ_P over Δ_P at θ = {angle}°, H = {STRONG:g}"
        law = _strong_noise(STRONG, angle) / here["pumped_entropy_noise"]
        yield _near(name, text, law, 1.0, 1e-3)


def _uncertainty_verdicts(name: str) -> Iterator[Verdict]:
    for angle in ANGLES:
        value = _exact(angle, FIELDS[-1])["uncertainty_ratio"]
        text = (
            f"Δ_P Σ/(2 Ṡ_P²) at θ = {angle}°, H = {FIELDS[-1]:g}, at least 1 if the relation held"
        )
        yield at_most(name, text, value, 1e-4)


def _near(name: str, quantity: str, ours: float, expected: float, tolerance: float) -> Verdict:
    """Compare two numbers that carry no statistical error."""
    criterion = f"within {tolerance:g}"
    return Verdict(name, quantity, ours, 0.0, expected, "=", tolerance, criterion)


def _strong_noise(field: float, angle: float, magnet: Magnet = MAGNET) -> float:
    H = (0.0, 0.0, field)
    return float(theory.strong_field_pumped_entropy_noise(magnet, H, torque_at(angle)))


def _curve_fields(geometry: Geometry, count: int) -> FloatArray:
    ends = CURVE_RANGE if geometry.has_closed_forms else SOLVED_CURVE_RANGE
    return np.asarray(np.geomspace(*ends, count))


def _along_z(fields: FloatArray) -> FloatArray:
    return np.asarray(fields[:, None] * np.array([0.0, 0.0, 1.0]))


def _closed(geometry: Geometry, fields: FloatArray, angle: float = 0) -> dict[str, FloatArray]:
    """Return the closed forms for P parallel to H, [II] 16 and SI 56."""
    state = geometry.magnet, _along_z(fields), torque_at(angle)
    names = [name for name in QUANTITIES if name != "finite_time_noise"]
    return {name: getattr(theory, name)(*state) for name in names}


def _dataset(geometry: Geometry, rows: Rows, resolution: Resolution, threads: int) -> xr.Dataset:
    import xarray as xr

    fields, curve = fields_of(geometry), _curve_fields(geometry, resolution.curve)
    limits = _uniform_limits if geometry.has_closed_forms else _local_limits
    places = ("quantity", "angle", "field")
    variables: dict[str, Any] = {
        "curve": (("quantity", "angle", "curve_field"), _table_of_exact(geometry, curve)),
        "exact": (places, _table_of_exact(geometry, fields)),
        "simulated": (places, _table(rows, fields, 0, "value")),
        "error": (places, _table(rows, fields, 0, "error")),
        "step_bias": (places, _table(rows, fields, 1, "value")),
        **limits(geometry, curve),
        **_uncertainty_against_alpha(geometry),
        **_uncertainty_map(geometry, resolution.map, threads),
    }
    coordinates = {
        "quantity": list(QUANTITIES),
        "angle": ("angle", list(ANGLES), {"units": "degrees"}),
        "field": list(fields),
        "curve_field": curve,
    }
    attributes = {
        **magnet_attributes(geometry.magnet),
        "spin_torque": TORQUE,
        "short_duration": SHORT,
    }
    return xr.Dataset(variables, coords=coordinates, attrs=attributes)


def _uniform_limits(geometry: Geometry, curve: FloatArray) -> dict[str, Any]:
    """Return the laws for strong fields and the closed forms at θ = 0."""
    magnet, H = geometry.magnet, _along_z(curve)
    limits = {
        "limit_power": theory.strong_field_pumped_entropy_rate(magnet, H, torque_at(0)),
        "limit_dissipation": theory.strong_field_entropy_production_rate(magnet, H, torque_at(0)),
        "limit_dissipation_as_printed": theory.strong_field_entropy_production_rate_as_printed(
            magnet, H, torque_at(0)
        ),
    }
    noise = [[_strong_noise(field, angle, magnet) for field in curve] for angle in ANGLES]
    closed = _closed(geometry, curve)
    return {
        "limit_noise": (("angle", "curve_field"), noise, {"long_name": "law for strong fields"}),
        **{name: ("curve_field", values) for name, values in limits.items()},
        **{f"closed_{name}": ("curve_field", values) for name, values in closed.items()},
    }


def _local_limits(geometry: Geometry, curve: FloatArray) -> dict[str, Any]:
    """Return the rate of pumped entropy of a moment along H."""
    magnet, rates = geometry.magnet, []
    for angle in ANGLES:
        H, P = vectors_at(angle, 1.0, geometry)
        rates.append(float(magnet.pumped_entropy_rate(magnet.moment * H, P)))
    return {"limit_power_at_angle": ("angle", rates, {"long_name": "limit for strong fields"})}


def _table_of_exact(geometry: Geometry, fields: Any) -> FloatArray:
    rows = [
        [[_exact(a, float(h), geometry)[name] for h in fields] for a in ANGLES]
        for name in QUANTITIES
    ]
    return np.asarray(rows, dtype=float)


def _table(rows: Rows, fields: tuple[float, ...], place: int, name: str) -> FloatArray:
    """Return numbers of the points, shape (quantity, angle, field)."""
    return np.array(
        [
            [[_number(rows[a, h], quantity, place, name) for h in fields] for a in ANGLES]
            for quantity in QUANTITIES
        ]
    )


def _number(
    row: dict[str, tuple[Estimate, Estimate]], quantity: str, place: int, name: str
) -> float:
    if quantity == "uncertainty_ratio" and not _clear(row):
        return np.nan
    return float(getattr(row[quantity][place], name))


def _uncertainty_against_alpha(geometry: Geometry) -> dict[str, Any]:
    """Return the ratio for P parallel to H against α at fixed ν."""
    if geometry.has_closed_forms:
        alpha = np.linspace(-3.0, 3.0, _ALPHA_CURVE)
        ratio = [theory.reduced_uncertainty_ratio(alpha, nu, geometry.delta) for nu in _NUS]
    else:
        alpha = np.linspace(-3.0, 3.0, _SOLVED_ALPHA_CURVE)
        ratio = [_solved_ratio(geometry, alpha, nu) for nu in _NUS]
    return {
        "ratio_against_alpha": (("nu", "alpha"), ratio),
        "nu": ("nu", list(_NUS)),
        "alpha": ("alpha", alpha),
    }


def _solved_ratio(geometry: Geometry, alpha: FloatArray, nu: float) -> FloatArray:
    """Return the ratio at values of α and H = νT/m, NaN without torque or beyond the engine."""
    magnet = geometry.magnet
    field = nu * magnet.temperature / magnet.moment
    found = np.full(alpha.shape, np.nan)
    for place in np.flatnonzero(alpha):
        vectors = geometry.vectors(field, alpha[place] * field / magnet.moment, 0.0)
        with suppress(ResolutionError):  # a narrow density, of a strong field or torque
            state = steady_state(magnet, *vectors, tolerance=EXACT_TOLERANCE)
            found[place] = state.uncertainty_ratio
    return found


def _uncertainty_map(geometry: Geometry, points: int, threads: int) -> dict[str, Any]:
    """Return the ratio over the plane of [II] Fig. 3, exact on a grid."""
    ends, options = _MAP_ALPHA, {}
    if not geometry.has_closed_forms:
        ends, options = _SOLVED_MAP_ALPHA, {"tolerance": EXACT_TOLERANCE}
        points = min(points, _LARGEST_SOLVED_MAP)
    alpha, degrees = np.geomspace(*ends, points), np.linspace(0.0, 180.0, points)
    vectors = [
        [vectors_at(angle, TORQUE * geometry.magnet.moment / a, geometry) for angle in degrees]
        for a in alpha
    ]
    H, P = np.moveaxis(np.array(vectors), 2, 0)
    states = steady_states(geometry.magnet, H, P, workers=threads, progress=False, **options)
    return {
        "ratio_map": (("map_alpha", "map_angle"), states["uncertainty_ratio"].values),
        "map_alpha": ("map_alpha", alpha),
        "map_angle": ("map_angle", degrees, {"units": "degrees"}),
    }
