r"""The magnet as an engine that carries entropy between a heat bath and a spin current, [II].

At constant field and spin torque the bath gains entropy at the rate :math:`\dot S_B` and the
current at :math:`\dot S_P`; their sum is the entropy production :math:`\Sigma \ge 0`. A
refrigerator cools the bath, :math:`\dot S_B < 0 < \dot S_P`; a heat pump warms it with entropy from
the current, :math:`\dot S_P < 0 < \dot S_B`. Figures of merit:

* power :math:`\dot S_P`, [II] 7; cooling power :math:`\dot Q = -T\dot S_B`;
* dissipation :math:`\Sigma`; noise :math:`\Delta_P = \lim \mathrm{Var}\,S_P/\tau`, [II] 9;
* coefficient of performance: entropy taken from one side per entropy given to the other,
  :math:`-\dot S_B/\dot S_P` of a refrigerator and :math:`-\dot S_P/\dot S_B` of a heat pump. The
  second law allows at most 1, [II] below 8; a dud has none (zero);
* uncertainty ratio :math:`\Delta_P\Sigma/2\dot S_P^2`, which overdamped engines keep above 1.

The rates depend on the strengths of H and P and on the angle between them only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import display, validation
from spintherm.fokker_planck.batch import steady_rates, steady_states
from spintherm.fokker_planck.steady import SteadyState, steady_state
from spintherm.progress import Progress

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

Floats = NDArray[np.float64]

OBJECTIVES = ("cooling_power", "power", "heat_pump_power", "coefficient_of_performance")
SCAN_TORQUES, SCAN_ANGLES = 33, 19


@dataclass(frozen=True)
class FiguresOfMerit:
    """What the engine delivers at what cost, at one working point.

    Attributes
    ----------
    power : float
        Mean rate of pumped entropy (1/time), negative in a heat pump.
    cooling_power : float
        Heat absorbed from the bath per time (energy/time), negative if the bath is warmed.
    dissipation : float
        Mean entropy production rate (1/time).
    noise : float
        Delta_P (1/time).
    coefficient_of_performance : float
        Between 0 and 1.
    uncertainty_ratio : float
        Delta_P Sigma/(2 power²).
    phase : str
    """

    power: float
    cooling_power: float
    dissipation: float
    noise: float
    coefficient_of_performance: float
    uncertainty_ratio: float
    phase: str

    def _repr_html_(self) -> str:
        return display.engine_card(self)


def figures_of_merit(state: SteadyState) -> FiguresOfMerit:
    """Return the figures of merit of a steady state."""
    pumped, bath = state.pumped_entropy_rate, state.bath_entropy_rate
    return FiguresOfMerit(
        power=pumped,
        cooling_power=state.heat_rate,
        dissipation=state.entropy_production_rate,
        noise=state.pumped_entropy_noise,
        coefficient_of_performance=float(coefficient_of_performance(pumped, bath)),
        uncertainty_ratio=state.uncertainty_ratio,
        phase=state.phase,
    )


def coefficient_of_performance(
    pumped_entropy_rate: ArrayLike, bath_entropy_rate: ArrayLike
) -> Floats:
    """Return the entropy taken from one side per entropy given to the other.

    Parameters
    ----------
    pumped_entropy_rate, bath_entropy_rate : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
        Between 0 and 1 by the second law; 0 where both sides gain entropy (a dud).
    """
    pumped = np.asarray(pumped_entropy_rate, dtype=float)
    bath = np.asarray(bath_entropy_rate, dtype=float)
    given, taken = np.maximum(pumped, bath), -np.minimum(pumped, bath)
    useful = (given > 0.0) & (taken > 0.0)
    return np.where(useful, taken / np.where(useful, given, 1.0), 0.0)


def torque_vectors(field: ArrayLike, torques: ArrayLike, angles: ArrayLike) -> Floats:
    """Return spin torques of given strengths at given angles to a field.

    Parameters
    ----------
    field : array_like, shape (3,)
    torques, angles : array_like, shape (...)
        |P| >= 0 and the angle to the field in radians; they broadcast.

    Returns
    -------
    ndarray, shape (..., 3)
        In one plane with the field; where the field vanishes angles refer to z.
    """
    H = validation.vector("field", field)
    size = np.linalg.norm(H)
    along = H / size if size > 0.0 else np.array([0.0, 0.0, 1.0])
    across = np.eye(3)[np.argmin(np.abs(along))]
    across = across - along * (across @ along)
    across = across / np.linalg.norm(across)
    P, theta = np.broadcast_arrays(np.asarray(torques, float), np.asarray(angles, float))
    parts = np.cos(theta)[..., None] * along + np.sin(theta)[..., None] * across
    return np.asarray(P[..., None] * parts)


@dataclass(frozen=True)
class Optimum:
    """Best working point of an engine at a given field.

    Attributes
    ----------
    value : float
        Of the objective.
    torque, angle : float
        |P| and its angle to the field in radians.
    state : SteadyState
    """

    value: float
    torque: float
    angle: float
    state: SteadyState

    def _repr_html_(self) -> str:
        return display.optimum_card(self)


def optimal_torque(
    magnet: Magnet,
    field: ArrayLike,
    objective: str = "cooling_power",
    *,
    angle: float | None = None,
    torque: float | None = None,
    largest_torque: float | None = None,
) -> Optimum:
    """Find the spin torque that makes a figure of merit largest at a given field.

    A coarse scan finds the basin, a derivative-free search the optimum to about 1e-6 of the
    torque and angle (the value is better, being stationary there).

    Parameters
    ----------
    magnet : Magnet
    field : array_like, shape (3,)
        H, not zero.
    objective : {"cooling_power", "power", "heat_pump_power", "coefficient_of_performance"}
        "heat_pump_power" is the rate at which entropy is taken from the current.
    angle : float, optional
        Fixed angle between P and H in radians; free by default.
    torque : float, optional
        Fixed |P|; free by default, and then not allowed for "coefficient_of_performance", which
        approaches 1 as the torque vanishes.
    largest_torque : float, optional
        Upper end of the search in |P|; required for "power", which has no maximum. By default
        four times H/(m delta) for cooling and four times H delta/m for heat pumps, where these
        phases end at P parallel to H, with delta = m eta/gamma_0.

    Returns
    -------
    Optimum

    Raises
    ------
    ValueError
        For an unknown objective or bad or missing bounds.
    """
    H = validation.vector("field", field)
    strength = float(np.linalg.norm(H))
    if objective not in OBJECTIVES:
        expected = " or ".join(repr(name) for name in OBJECTIVES)
        raise ValueError(validation.complaint("objective", objective, expected))
    if strength == 0.0:
        raise ValueError(validation.complaint("field", field, "a vector that is not zero"))
    torques = _torque_range(magnet, strength, objective, torque, largest_torque)
    angles = (0.0, np.pi) if angle is None else (_angle(angle),) * 2

    def merit(strengths: Any, thetas: Any) -> Floats:
        vectors = torque_vectors(H, strengths, thetas)
        return _objective(objective, magnet, *steady_rates(magnet, H, vectors, workers=1))

    best_torque, best_angle = _search(merit, torques, angles)
    state = steady_state(magnet, H, torque_vectors(H, best_torque, best_angle))
    value = _objective(objective, magnet, state.pumped_entropy_rate, state.bath_entropy_rate)
    return Optimum(float(value), best_torque, best_angle, state)


def maximum_cooling_power(
    magnet: Magnet, field: ArrayLike, *, angle: float | None = None
) -> Optimum:
    """Find the largest rate at which heat can be drawn from the bath at a given field.

    Parameters
    ----------
    magnet, field, angle
        As in `optimal_torque`.
    """
    return optimal_torque(magnet, field, "cooling_power", angle=angle)


def pareto_front(
    magnet: Magnet,
    field: ArrayLike,
    *,
    torques: ArrayLike,
    angles: ArrayLike = (0.0,),
    objectives: tuple[str, ...] = ("power", "dissipation", "noise"),
    workers: int | None = None,
    progress: Progress = None,
) -> Any:
    """Return the working points that no other one beats in all objectives at once.

    Parameters
    ----------
    magnet : Magnet
    field : array_like, shape (3,)
    torques, angles : array_like, shape (n,), (k,)
        |P| and angles to the field in radians; all combinations are computed.
    objectives : tuple of str
        Any of "power" and "cooling_power" (to be large), "dissipation", "noise" and
        "uncertainty_ratio" (to be small).
    workers, progress
        As in `steady_states`.

    Returns
    -------
    xarray.Dataset
        Along ``point``, by rising power: torque, angle, power, cooling_power, dissipation, noise,
        coefficient_of_performance, uncertainty_ratio, phase.
    """
    import xarray as xr

    H = validation.vector("field", field)
    P, theta = validation.real_array("torques", torques), validation.real_array("angles", angles)
    strengths, thetas = (x.ravel() for x in np.meshgrid(P.ravel(), theta.ravel(), indexing="ij"))
    states = steady_states(
        magnet, H, torque_vectors(H, strengths, thetas), workers=workers, progress=progress
    )
    columns = {
        "torque": strengths,
        "angle": thetas,
        "power": states.pumped_entropy_rate.values,
        "cooling_power": states.heat_rate.values,
        "dissipation": states.entropy_production_rate.values,
        "noise": states.pumped_entropy_noise.values,
        "coefficient_of_performance": coefficient_of_performance(
            states.pumped_entropy_rate.values, states.bath_entropy_rate.values
        ),
        "uncertainty_ratio": states.uncertainty_ratio.values,
        "phase": states.phase.values,
    }
    keep = not_dominated(_costs(columns, objectives))
    order = np.flatnonzero(keep)[np.argsort(columns["power"][keep], kind="stable")]
    return xr.Dataset(
        {name: ("point", values[order]) for name, values in columns.items()},
        attrs={"objectives": ", ".join(objectives)},
    )


def not_dominated(costs: ArrayLike) -> NDArray[np.bool_]:
    """Mark the points that no other point beats.

    Parameters
    ----------
    costs : array_like, shape (n, k)
        To be small. A point is beaten by one that is nowhere worse and somewhere better.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    c = np.asarray(costs, dtype=float)
    keep = np.ones(len(c), dtype=bool)
    for i in range(len(c)):
        better = np.all(c <= c[i], axis=1) & np.any(c < c[i], axis=1)
        keep[i] = not np.any(better)
    return keep


def _costs(columns: dict[str, Any], objectives: tuple[str, ...]) -> Floats:
    signs = {
        "power": -1.0,
        "cooling_power": -1.0,
        "dissipation": 1.0,
        "noise": 1.0,
        "uncertainty_ratio": 1.0,
    }
    if not objectives or any(name not in signs for name in objectives):
        expected = "some of " + ", ".join(signs)
        raise ValueError(validation.complaint("objectives", objectives, expected))
    return np.stack([signs[name] * columns[name] for name in objectives], axis=-1)


def _objective(name: str, magnet: Magnet, pumped: ArrayLike, bath: ArrayLike) -> Floats:
    pumped, bath = np.asarray(pumped, dtype=float), np.asarray(bath, dtype=float)
    if name == "cooling_power":
        return np.asarray(-magnet.temperature * bath)
    if name == "coefficient_of_performance":
        return coefficient_of_performance(pumped, bath)
    return pumped if name == "power" else -pumped


def _torque_range(
    magnet: Magnet, strength: float, objective: str, torque: float | None, largest: float | None
) -> tuple[float, float]:
    if torque is not None:
        fixed = validation.finite_scalar("torque", torque, positive=True)
        return fixed, fixed
    if objective == "coefficient_of_performance":
        raise ValueError(validation.complaint("torque", torque, "a fixed |P| for this objective"))
    if largest is not None:
        return 0.0, validation.finite_scalar("largest_torque", largest, positive=True)
    if objective == "power":
        expected = "a bound: the power grows with the torque for ever"
        raise ValueError(validation.complaint("largest_torque", largest, expected))
    delta = abs(magnet.moment * magnet.damping / magnet.gyromagnetic_ratio)
    end = delta if objective == "heat_pump_power" else 1.0 / delta
    return 0.0, 4.0 * end * strength / magnet.moment


def _angle(angle: float) -> float:
    value = validation.finite_scalar("angle", angle, nonnegative=True)
    if value > np.pi:
        raise ValueError(validation.complaint("angle", angle, "an angle from 0 to pi"))
    return value


def _search(
    merit: Any, torques: tuple[float, float], angles: tuple[float, float]
) -> tuple[float, float]:
    """Best (torque, angle): a scan, then Nelder-Mead within the bounds from the best point."""
    from scipy.optimize import minimize

    low = torques[1] / 1000.0 if torques[0] == 0.0 else torques[0]
    P = np.geomspace(low, torques[1], SCAN_TORQUES if torques[1] > torques[0] else 1)
    theta = np.linspace(*angles, SCAN_ANGLES if angles[1] > angles[0] else 1)
    values = merit(P[:, None], theta[None, :])
    i, j = np.unravel_index(np.argmax(values), values.shape)
    steps = np.array([0.1 * P[i] * (len(P) > 1), 0.5 * (theta[1] - theta[0]) * (len(theta) > 1)
                      if len(theta) > 1 else 0.0])  # fmt: skip
    free = steps > 0.0
    point, scale = np.array([P[i], theta[j]]), abs(float(values[i, j])) + 1e-300
    limits = np.array([torques, angles])

    def cost(x: Floats) -> float:
        here = point.copy()
        here[free] = np.clip(x, limits[free, 0], limits[free, 1])
        return -float(merit(*here)) / scale

    if np.any(free):
        start = point[free]
        away = np.where(start + steps[free] > limits[free, 1], -1.0, 1.0) * steps[free]
        simplex = np.vstack([start, start + np.diag(away)])
        options = {"xatol": 1e-7 * torques[1], "fatol": 1e-14, "initial_simplex": simplex}
        found = minimize(cost, start, method="Nelder-Mead", options=options)
        point[free] = np.clip(found.x, limits[free, 0], limits[free, 1])
    return float(point[0]), float(point[1])
