"""Weak order of `splitting` with anisotropy and polarisers, jointly in n, W and S_P, by quadrature.

The exact values come from the tilted generator of `real_magnets_oracle`; what advances n is the
compiled kernel. m, gamma0 and T differ from one, fields, polarisers and crystal axes are tilted.
"""

from functools import cache

import numba
import numpy as np
import pytest

from one_step_operators import NAMES, Outcomes, Sphere, noise_nodes, one_step, slopes
from real_magnets_oracle import TiltedGenerator, equilibrium_weights
from spintherm import Anisotropy, Magnet, Polariser, Protocol, Ramp, TorqueEfficiency
from spintherm.kernels import local_schemes
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma
from spintherm.tabulate import tabulate, with_field_of_current
from spintherm.trajectories.engine import table
from spintherm.trajectories.local import Local, scheme_for
from spintherm.trajectories.thermodynamics import free_energy_change

MAGNET = Magnet(
    moment=1.3,
    gyromagnetic_ratio=1.7,
    damping=0.4,
    temperature=0.8,
    anisotropy=Anisotropy.uniaxial(-1.2, (1.0, 2.0, 3.0)),
    polarisers=(
        Polariser((0.3, 0.2, 1.0), TorqueEfficiency.slonczewski(1.3), 1.0, 0.3),
        Polariser((1.0, -0.4, 0.1), TorqueEfficiency.polynomial((0.6, 0.5)), -0.7, 0.1),
    ),
)
AXIS = MAGNET.polarisers[0].vector
TAU = 0.8
PROTOCOL = Protocol(
    TAU, Ramp((0.8, -0.6, 1.8), (-1.3, 1.2, -0.8), TAU), Ramp(0.5 * AXIS, 1.2 * AXIS, TAU)
)
STEPS = (10, 20, 40)
SPHERE = Sphere.of(9)
RADIAL, AZIMUTHAL = 4, 12
ORDER, MARGIN = 2.0, 0.15


@numba.njit(error_model="numpy")
def _places(nodes, constants, k, energy, polarisers, places, torques):
    """Where step k begins and y at the nodes, if the noise of step k - 1 ended at the nodes."""
    for i in range(nodes.shape[0]):
        p = nodes[i, 0], nodes[i, 1], nodes[i, 2]
        if k > 0:
            own, _, _, _, _ = local_schemes.load_splitting(constants, k - 1, energy, polarisers)
            u, y = local_schemes.drifting(p, own)
            p = local_schemes.turned(p, u)
            torques[i, 0], torques[i, 1], torques[i, 2] = y
        places[i, 0], places[i, 1], places[i, 2] = p


@numba.njit(error_model="numpy")
def _drive(nodes, places, torques, u, azimuth, constants, k, energy, polarisers, leave, *outcomes):
    """One step of `splitting` from every node with every noise and both signs.

    leave: what multiplies (1 - s/3) - 1, the Levy area, and the mean of P along the noise.
    """
    direction, work, pumped = outcomes
    own, across, law, weights, books = local_schemes.load_splitting(
        constants, k, energy, polarisers
    )
    shrink = 0.5 + leave[0] * (weights[0] - 0.5)
    c = (own, across, law, (shrink, weights[1], leave[1] * weights[2]), books)
    floor, span, inverse = law
    for i in range(nodes.shape[0]):
        o = places[i, 0], places[i, 1], places[i, 2]
        before = nodes[i, 0], nodes[i, 1], nodes[i, 2]
        y = torques[i, 0], torques[i, 1], torques[i, 2]
        turn, there = local_schemes.drift_past(o, y, c)
        n, shrinking = local_schemes.turned_with_shrink(before, turn)
        for j in range(u.size):
            versine = -log(fma(span, u[j], floor)) * inverse
            cosine, sine = cos_sin_turn(azimuth[j])
            p = local_schemes.thrown(n, shrinking, versine, cosine, sine)
            for v in range(2):
                _, _, w, _, s = local_schemes.finish_splitting(
                    o, n, there, p, versine, 2.0 * v - 1.0, c
                )
                direction[i, j, 0], direction[i, j, 1], direction[i, j, 2] = p
                work[i, j, v], pumped[i, j, v] = w, s


def in_steps(steps, leave=(1.0, 1.0), sphere=SPHERE, radial=RADIAL, azimuthal=AZIMUTHAL):
    """What `NAMES` says, as the scheme with that many steps has it."""
    scheme, local = scheme_for(MAGNET, "splitting"), Local.of(MAGNET)
    tabulation = with_field_of_current(MAGNET, PROTOCOL, tabulate(PROTOCOL, steps))
    cut = table(MAGNET, tabulation, scheme)
    assert not cut.jumps.any()
    nodes = sphere.nodes
    functions = np.zeros((len(nodes), 5))
    functions[:, 4] = 1.0
    for k in reversed(range(steps)):
        places, torques = np.empty_like(nodes), np.zeros_like(nodes)
        _places(nodes, cut.constants, k, local.energy, local.polarisers, places, torques)
        u, turns, probability = noise_nodes(*cut.constants[k, 17:20], radial, azimuthal)
        direction = np.empty((len(nodes), u.size, 3))
        work, pumped = np.empty((2, len(nodes), u.size, 2))
        _drive(
            *(nodes, places, torques, u, turns, cut.constants, k),
            *(local.energy, local.polarisers, leave, direction, work, pumped),
        )
        outcomes = Outcomes(direction, probability, np.full(work.shape, 0.5), work, pumped)
        functions = one_step(sphere, outcomes, functions, MAGNET.beta)
    start = equilibrium_weights(MAGNET, tabulation.initial_field, nodes, sphere.weights)
    return observables(start @ functions)


def observables(raw):
    W, S, WW, WS, J = raw
    change = free_energy_change(MAGNET, PROTOCOL)
    sigma = MAGNET.beta * (W - change) + S
    return np.array([W, sigma, WW - W * W, WS - W * S, J * np.exp(MAGNET.beta * change)])


@cache
def exact():
    return observables(TiltedGenerator(MAGNET, 13).moments_of(PROTOCOL))


def measured_slopes(steps, **options):
    bias = np.array([in_steps(n, **options) for n in steps]) - exact()
    assert np.all(np.abs(bias) > 2e-5), "the bias must stand far above the quadrature's error"
    return dict(zip(NAMES, slopes(steps, bias), strict=True))


def test_second_order_of_work_and_pumped_entropy_together():
    found = measured_slopes(STEPS)
    assert all(abs(slope - ORDER) < MARGIN for slope in found.values()), found


@pytest.mark.parametrize(
    ("leave", "lost"),
    [
        ((1.0, 0.0), ["Var W", "<exp(-beta (W - dF))>"]),
        ((0.0, 1.0), ["Var W", "<exp(-beta (W - dF))>"]),
    ],
    ids=["no Levy area", "no 1 - s/3"],
)
def test_the_order_is_lost_without(leave, lost):
    """The same measurement on a scheme that lacks a term must not find the second order."""
    found = measured_slopes(STEPS[1:], leave=leave)
    for observable in lost:
        assert abs(found[observable] - ORDER) > 3.0 * MARGIN, found


def test_quadrature_is_converged():
    """More harmonics and more nodes of the noise change nothing that the slopes could see."""
    fine = in_steps(10, sphere=Sphere.of(11), radial=RADIAL + 2, azimuthal=AZIMUTHAL + 4)
    assert np.all(np.abs(fine - in_steps(10)) < 2e-5)
