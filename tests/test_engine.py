"""Figures of merit of the magnet as an engine."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from spintherm import Magnet, theory
from spintherm.engine import (
    coefficient_of_performance,
    figures_of_merit,
    maximum_cooling_power,
    not_dominated,
    optimal_torque,
    pareto_front,
    torque_vectors,
)
from spintherm.fokker_planck import steady_rates, steady_state

PAPER = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
BACKWARD = Magnet(moment=0.7, gyromagnetic_ratio=-1.4, damping=0.3, temperature=2.3)
FIELD = np.array([1.2, -0.8, 2.0])


def test_figures_of_a_refrigerator_and_a_heat_pump():
    strength = np.linalg.norm(FIELD)
    for sign, name in ((0.4, "refrigerator"), (-0.4, "heat pump")):
        state = steady_state(PAPER, FIELD, sign * FIELD / strength)
        merit = figures_of_merit(state)
        assert merit.phase == name
        np.testing.assert_allclose(merit.cooling_power, -state.bath_entropy_rate)
        np.testing.assert_allclose(merit.dissipation, state.entropy_production_rate)
        # what is lost is the dissipation, per entropy delivered
        delivered = max(state.pumped_entropy_rate, state.bath_entropy_rate)
        np.testing.assert_allclose(
            merit.coefficient_of_performance, 1.0 - merit.dissipation / delivered, rtol=1e-12
        )
        assert np.sign(merit.cooling_power) == np.sign(sign)
        assert merit.uncertainty_ratio == state.uncertainty_ratio


def test_coefficient_of_performance():
    values = coefficient_of_performance([2.0, -1.0, 1.0, 0.0], [-1.0, 4.0, 1.0, 0.0])
    np.testing.assert_allclose(values, [0.5, 0.25, 0.0, 0.0])


def test_engine_becomes_ideal_in_strong_fields():
    # [II] 18: finite power, vanishing dissipation and noise
    previous = None
    for strength in (5.0, 50.0, 500.0):
        merit = figures_of_merit(steady_state(PAPER, (0, 0, strength), (0.6, 0, 0.8)))
        if previous is not None:
            assert merit.dissipation < 0.2 * previous.dissipation
            assert merit.noise < 0.05 * previous.noise
            assert merit.coefficient_of_performance > previous.coefficient_of_performance
        previous = merit
    np.testing.assert_allclose(previous.power, 2.0 * 3**0.5 * 0.8, rtol=0.01)


@pytest.mark.parametrize("magnet", [PAPER, BACKWARD])
def test_maximum_cooling_power_along_the_field(magnet):
    # the closed form of [II] 16c, maximised on its own
    strength = np.linalg.norm(FIELD)
    delta = magnet.moment * magnet.damping / magnet.gyromagnetic_ratio
    nu = magnet.beta * magnet.moment * strength
    D = magnet.damping * magnet.temperature

    def warming(alpha):
        return float(theory.reduced_bath_entropy_rate(alpha, nu, delta, D))

    ends = sorted((0.0, 1.0 / delta))
    best = minimize_scalar(warming, bounds=ends, method="bounded", options={"xatol": 1e-10})
    angle = 0.0 if delta > 0 else np.pi
    found = maximum_cooling_power(magnet, FIELD, angle=angle)
    np.testing.assert_allclose(found.value, -magnet.temperature * best.fun, rtol=1e-10)
    np.testing.assert_allclose(found.torque, abs(best.x) * strength / magnet.moment, rtol=1e-4)
    assert found.state.phase == "refrigerator"
    free = maximum_cooling_power(magnet, FIELD)
    assert free.value >= found.value * (1.0 - 1e-9)


def test_optimum_over_torque_and_angle_beats_its_surroundings():
    found = optimal_torque(PAPER, FIELD, "heat_pump_power")
    P, theta = np.meshgrid(
        found.torque * np.linspace(0.5, 1.5, 11), np.linspace(0.0, np.pi, 13), indexing="ij"
    )
    pumped, _ = steady_rates(PAPER, FIELD, torque_vectors(FIELD, P, theta))
    assert np.all(-pumped <= found.value * (1.0 + 1e-9))
    assert found.state.phase == "heat pump"


def test_optimum_at_fixed_torque():
    found = optimal_torque(PAPER, FIELD, "coefficient_of_performance", torque=0.7)
    angles = np.linspace(0.0, np.pi, 41)
    pumped, bath = steady_rates(PAPER, FIELD, torque_vectors(FIELD, 0.7, angles))
    assert np.all(coefficient_of_performance(pumped, bath) <= found.value + 1e-9)
    np.testing.assert_allclose(np.linalg.norm(found.state.spin_torque), 0.7)


def test_power_is_bounded_by_the_torque():
    found = optimal_torque(PAPER, FIELD, "power", largest_torque=2.0)
    np.testing.assert_allclose(found.torque, 2.0, rtol=1e-5)


def test_torque_vectors():
    P = torque_vectors(FIELD, [[1.0], [2.0]], [0.0, 1.0, 2.0])
    assert P.shape == (2, 3, 3)
    np.testing.assert_allclose(np.linalg.norm(P, axis=-1), [[1.0] * 3, [2.0] * 3])
    cosine = P @ FIELD / np.linalg.norm(FIELD) / np.linalg.norm(P, axis=-1)
    np.testing.assert_allclose(cosine, np.cos([[0.0, 1.0, 2.0]] * 2), atol=1e-14)
    np.testing.assert_allclose(torque_vectors((0, 0, 0), 1.0, 0.0), (0, 0, 1))


def test_not_dominated():
    costs = [[0.0, 3.0], [1.0, 1.0], [3.0, 0.0], [2.0, 2.0], [1.0, 1.0], [1.0, 4.0]]
    np.testing.assert_array_equal(not_dominated(costs), [True, True, True, False, True, False])


def test_pareto_front():
    front = pareto_front(
        PAPER,
        FIELD,
        torques=np.linspace(0.1, 1.5, 6),
        angles=[0.0, 0.8, 1.6],
        objectives=("power", "dissipation"),
    )
    assert np.all(np.diff(front.power) >= 0.0)
    assert np.all(np.diff(front.dissipation) >= 0.0)
    assert 1 < front.sizes["point"] < 18
    with pytest.raises(ValueError, match="objectives"):
        pareto_front(PAPER, FIELD, torques=[1.0], objectives=("beauty",))


def test_bad_arguments():
    with pytest.raises(ValueError, match="objective"):
        optimal_torque(PAPER, FIELD, "speed")
    with pytest.raises(ValueError, match="largest_torque"):
        optimal_torque(PAPER, FIELD, "power")
    with pytest.raises(ValueError, match="torque"):
        optimal_torque(PAPER, FIELD, "coefficient_of_performance")
    with pytest.raises(ValueError, match="field"):
        optimal_torque(PAPER, (0, 0, 0))
    with pytest.raises(ValueError, match="angle"):
        maximum_cooling_power(PAPER, FIELD, angle=4.0)
