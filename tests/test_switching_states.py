"""Limit cycles of a magnet without noise: means over whole turns, against finer integrations."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from spintherm import Anisotropy, Magnet
from spintherm.switching import state_diagram, states

A = np.array([1.0, 0.0, 0.0])
M, GAMMA, ETA = 1.3, 0.9, 0.1 * 0.9 / 1.3
HK = 2.0 / M
FLAT = Magnet(M, GAMMA, ETA, 0.5, anisotropy=Anisotropy.biaxial(1.0, 8.0, A, (0, 0, 1)))
FIELD, TORQUES = 0.2 * HK, 0.1 * HK / M * np.linspace(0.3, 6, 12)[[4, 9]]
"""A hard axis z, field and torque along it: ellipses about z beside two states at rest."""


def velocity(n, P):
    """dn/dt of [I] 2.6 without noise, with H_eff = H - grad E_a / m written out."""
    field = np.array([2 * n[0] / M, 0.0, FIELD - 2 * 8.0 * n[2] / M])
    turn = np.cross(n, field + M * np.cross(n, [0.0, 0.0, P]))
    return -GAMMA * turn - ETA * M * np.cross(n, turn)


def cycle(P, axis=A):
    """A point of the limit cycle, its period and the mean of n·axis over one turn, by DOP853.

    Forty damping times come first; a turn ends where n_y = 0 from below.
    """
    accurate = {"method": "DOP853", "rtol": 1e-11, "atol": 1e-13}

    def crossing(_, y):
        return y[1]

    crossing.direction, crossing.terminal = 1.0, True

    def both(_, y):
        return np.append(velocity(y[:3] / np.linalg.norm(y[:3]), P), y[:3] @ axis)

    start = np.array([0.0, np.sqrt(1 - 0.3**2), 0.3, 0.0])
    late = solve_ivp(both, (0.0, 40 / (ETA * 8.0)), start, method="DOP853", rtol=1e-8).y[:, -1]
    late = solve_ivp(both, (0.0, 100.0), late, events=crossing, **accurate).y[:, -1]
    late[[1, 3]] = 1e-12, 0.0  # on the far side of the crossing
    turn = solve_ivp(both, (0.0, 100.0), late, events=crossing, **accurate)
    np.testing.assert_allclose(turn.y[:3, -1], late[:3], atol=1e-6)  # it is a cycle
    assert np.ptp(turn.y[2]) > 0.01  # and no circle
    return late[:3], turn.t[-1], turn.y[3, -1] / turn.t[-1]


def mean_over_turns(flow, start, axis, steps):
    turns = states._Turns(start, axis, flow.step)
    flow.followed(start, steps, turns)
    return turns.mean


@pytest.mark.parametrize("steps", [130, 137, 150, 171])
def test_the_mean_of_a_precession_is_its_component_along_the_field(steps):
    """Without damping n turns about H: the mean of n·a is (n·h)(h·a), after whole turns.

    2π/0.15 = 42 steps are a turn. Over so few the share of a turn left over weighs up to 0.06; the
    scheme damps by h⁵/72 a step, some 2e-6 in all.
    """
    h = np.array([0.48, -0.6, 0.64])
    flow = states._Flow(Magnet(1.4, 0.7, 0.0, 0.0), 1.3 * h[None], np.zeros((1, 3)))
    n, a = np.array([[0.6, 0.0, 0.8]]), np.array([0.8, 0.0, 0.6])
    found = mean_over_turns(flow, n, a, steps)
    assert found == pytest.approx((n @ h) * (h @ a), abs=1e-5)


def test_the_mean_of_an_ellipse_is_that_of_one_turn():
    """When a path is left makes no difference; steps of 0.15 move the cycle by 2e-5."""
    P, axis = TORQUES[0], np.array([0.6, 0.0, 0.8])
    start, period, mean = cycle(P, axis)
    flow = states._Flow(FLAT, np.array([[0.0, 0.0, FIELD]]), np.array([[0.0, 0.0, P]]))
    first = int(period / flow.step[0])
    for steps in (int(2.3 * first), int(2.8 * first), int(3.6 * first)):
        found = mean_over_turns(flow, start[None], axis, steps)
        assert found == pytest.approx(mean, abs=5e-5)


def test_cycles_of_few_turns_in_a_time_of_damping_are_seen():
    """Each of these is a limit cycle of the flow as integrated above, beside two rests.

    While the time was cut anywhere in a turn, means moved by more than the 0.01 that is allowed.
    """
    for P in TORQUES:
        cycle(P)
    z = (0, 0, 1)
    found = state_diagram(
        FLAT, [FIELD], TORQUES, axis=A, field_direction=z, torque_direction=z, times_of_damping=15.0
    )
    assert found["states"].values.tolist() == [[7, 7]]
