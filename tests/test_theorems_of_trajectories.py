"""The fluctuation theorems on simulated ensembles, for processes of the papers and others.

Deviations are allowed Z = 4.5 standard errors (a false alarm in 150 000 comparisons, fixed seeds).
The step bias of the slopes, measured at five times these steps and scaled by 1/25, is below 2e-4, a
tenth of their errors.
"""

import numpy as np
import pytest

from spintherm import Constant, Magnet, Protocol, Pulse, Ramp, Sine, Triangle, fluctuation, simulate

Z = 4.5
TRAJECTORIES = 300_000
PAPER = Magnet(moment=np.sqrt(3.0), gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)


def _paper(final_field, peak):
    return PAPER, Protocol(1.0, Ramp((0, 0, 1), final_field, 1.0), Triangle(peak, 1.0))


CASES = {
    "b blue": _paper((0, 0, -1), (0, 1, 1)),
    "b green": _paper((0, 1, 1), (0, 1, 1)),
    "c orange": _paper((0, 0, -1), (0, 1, 0)),
    "tilted, m, gamma0, eta, T unlike one": (
        Magnet(1.3, 1.7, 0.4, 0.8),
        Protocol(
            0.9,
            Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), 0.9),
            Triangle((0.4, 0.8, -0.7), 0.9) + Pulse((-0.3, 0.1, 0.2), 0.5, 1.2),
        ),
    ),
    "jumps of field and torque, warm": (
        Magnet(0.8, 0.6, 0.9, 1.7),
        Protocol(
            1.2,
            Constant((0.4, 0.1, -0.6)) + Pulse((-0.9, 0.7, 1.1), 0.37, 1.2),
            Pulse((1.1, -0.4, 0.5), 0.2, 0.8),
        ),
    ),
    "oscillating field, negative ratio, cold": (
        Magnet(1.1, -1.4, 0.3, 0.6),
        Protocol(
            1.0,
            Constant((0.3, 0, 0.5)) + Sine((0.2, 0.5, 0.1), 0.8, 0.4),
            Constant((0.3, 0.3, -0.4)),
        ),
    ),
}


@pytest.fixture(scope="module", params=CASES)
def ensembles(request):
    magnet, protocol = CASES[request.param]
    forward = simulate(magnet, protocol, trajectories=TRAJECTORIES, seed=101)
    backward = simulate(magnet, protocol.reversed(), trajectories=TRAJECTORIES, seed=202)
    return forward, backward


def test_integral_theorem(ensembles):
    for ensemble in ensembles:
        theorem = fluctuation.integral_theorem(ensemble)
        assert abs(theorem.deviation) < Z, theorem


def test_detailed_theorem(ensembles):
    theorem = fluctuation.detailed_theorem(*ensembles)
    assert abs(theorem.slope.deviation(1.0)) < Z, theorem
    assert abs(theorem.intercept.deviation(0.0)) < Z, theorem
    assert theorem.slope.error < 0.01
    assert theorem.chi_squared.z < Z, theorem


def test_joint_theorem(ensembles):
    theorem = fluctuation.joint_theorem(*ensembles)
    assert theorem.work.error < 0.02
    assert theorem.pumped_entropy.error < 0.02
    assert abs(theorem.work.deviation(1.0)) < Z, theorem
    assert abs(theorem.pumped_entropy.deviation(1.0)) < Z, theorem
    assert theorem.chi_squared.z < Z, theorem


def test_conditional_theorems(ensembles):
    assert fluctuation.conditional_theorem_work(*ensembles).chi_squared.z < Z
    assert fluctuation.conditional_theorem_pumped_entropy(*ensembles).chi_squared.z < Z


def test_free_energy_difference(ensembles):
    """Bennett's ratio, with the pumped entropy as part of the work, finds the exact dF."""
    found = fluctuation.free_energy_difference(*ensembles)
    assert abs(found.deviation) < Z, found
    assert found.estimate.error < 0.02


def test_crooks_form_fails(ensembles):
    """[I] 4.26: without the pumped entropy the theorem is rejected beyond doubt."""
    assert fluctuation.crooks_work(*ensembles).z > 10.0


def test_crooks_form_holds_without_torque():
    """... and is restored when nothing is pumped, with conservative driving alone."""
    magnet = Magnet(1.3, 1.7, 0.4, 0.8)
    protocol = Protocol(0.7, Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), 0.7), None)
    forward = simulate(magnet, protocol, trajectories=TRAJECTORIES, seed=1)
    backward = simulate(magnet, protocol.reversed(), trajectories=TRAJECTORIES, seed=2)
    assert fluctuation.crooks_work(forward, backward).z < Z
    assert abs(fluctuation.integral_theorem(forward).deviation) < Z
