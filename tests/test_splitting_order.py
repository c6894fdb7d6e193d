"""Weak order of `splitting`, jointly in n, W and S_P: by quadrature, then once by sampling.

Fields and torques are tilted, unequal and driven; m, gamma0 and T differ from one. The exact values
come from the density engine, which shares nothing with the kernels.
"""

from functools import cache

import numpy as np
import pytest

from one_step_operators import (
    NAMES,
    Sphere,
    exact_observables,
    observables,
    slopes,
    steady_means,
)
from scheme_operators import AZIMUTHAL, RADIAL, splitting_step
from spintherm import Constant, Magnet, Protocol, Pulse, Ramp, simulate
from spintherm.fokker_planck import steady_state

MAGNET = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)
STEPS = (6, 12, 24)
TAU = 0.8
TORQUE = Ramp((0.2, -0.6, -0.5), (0.6, 0.4, -0.3), TAU)
PROTOCOLS = {
    "ramp": Protocol(TAU, Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), TAU), TORQUE),
    "jump": Protocol(
        TAU, Constant((0.3, -0.2, 0.9)) + Pulse((-0.6, 0.7, -0.8), 0.5 * TAU, 9.0), TORQUE
    ),
}
SPHERE = Sphere.of(7)
ORDER, MARGIN = 2.0, 0.1


@cache
def exact(name):
    return exact_observables(MAGNET, PROTOCOLS[name])


def in_steps(name, steps, sphere=SPHERE, **options):
    return observables(
        MAGNET, PROTOCOLS[name], "splitting", splitting_step(**options), steps, sphere
    )


def measured_slopes(name, steps, **options):
    bias = np.array([in_steps(name, n, **options) for n in steps]) - exact(name)
    assert np.all(np.abs(bias) > 2e-5), "the bias must stand far above the quadrature's error"
    return dict(zip(NAMES, slopes(steps, bias), strict=True))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_second_order_of_work_and_pumped_entropy_together(name):
    found = measured_slopes(name, STEPS)
    assert all(abs(slope - ORDER) < MARGIN for slope in found.values()), found


@pytest.mark.parametrize(
    ("left_out", "lost"),
    [
        ({"with_area": False}, ["Var W", "<exp(-beta (W - dF))>"]),
        ({"with_factor": False}, ["Var W", "Cov(W, S_P)", "<exp(-beta (W - dF))>"]),
    ],
    ids=["no Levy area", "no 1 - s/3"],
)
def test_the_order_is_lost_without(left_out, lost):
    """The same measurement on a scheme that lacks a term must not find the second order."""
    found = measured_slopes("ramp", STEPS[:2], **left_out)
    for observable, slope in found.items():
        assert (abs(slope - ORDER) > 3.0 * MARGIN) == (observable in lost), found


def test_quadrature_is_converged():
    """More harmonics and more nodes of the noise change nothing that the slopes could see."""
    fine = in_steps("ramp", 6, Sphere.of(9), radial=RADIAL + 2, azimuthal=AZIMUTHAL + 4)
    assert np.all(np.abs(fine - in_steps("ramp", 6)) < 1e-6)


def test_second_order_in_the_steady_state():
    """Constant tilted fields: <n>, the power of the torque and the rate of pumped entropy."""
    field, torque = np.array([0.7, 0.2, -0.6]), np.array([0.1, -0.6, -0.5])
    state = steady_state(MAGNET, field, torque)
    power = MAGNET.temperature * state.bath_entropy_rate
    right = np.append(state.mean_moment / MAGNET.moment, [power, state.pumped_entropy_rate])
    counts = (4, 8, 16)
    errors = [
        steady_means(MAGNET, field, torque, 1.0 / n, "splitting", splitting_step(), SPHERE) - right
        for n in counts
    ]
    assert np.all(np.abs(errors) > 1e-5)
    assert np.all(np.abs(slopes(counts, np.array(errors)) - ORDER) < MARGIN)


def test_second_order_by_sampling():
    """Means over simulated paths are off as the quadrature says, and their bias falls by four.

    Z = 4.5: a false alarm in 150 000 comparisons; the seeds are fixed.
    """
    biases, errors = np.empty((2, 2))
    for place, steps in enumerate((3, 6)):
        run = simulate(
            MAGNET, PROTOCOLS["ramp"], trajectories=2_000_000, seed=1, steps=steps, progress=False
        )
        W, S, sigma = (run[n].values for n in ("work", "pumped_entropy", "entropy_production"))
        dW, dS = W - W.mean(), S - S.mean()
        weights = np.exp(-MAGNET.beta * (W - run.free_energy_change.item()))
        for samples, value in zip(
            (W, sigma, dW * dW, dW * dS, weights), in_steps("ramp", steps), strict=True
        ):
            assert abs(samples.mean() - value) < 4.5 * samples.std() / np.sqrt(W.size)
        biases[place] = sigma.mean() - exact("ramp")[1]
        errors[place] = sigma.std() / np.sqrt(W.size)
    assert np.all(np.abs(biases) > 8.0 * errors)
    slope = np.log2(biases[0] / biases[1])
    assert abs(slope - ORDER) < 4.5 * np.linalg.norm(errors / biases) / np.log(2.0)
