"""Schemes with anisotropy and polarisers by quadrature, and what they should give.

The exact values come from the tilted generator of `real_magnets_oracle`; what advances n is the
compiled kernel. The tests and the pages of the documentation measure weak orders with it.
"""

from __future__ import annotations

import numba
import numpy as np

from one_step_operators import Outcomes, Sphere, noise_nodes, one_step
from real_magnets_oracle import TiltedGenerator, equilibrium_weights
from spintherm.kernels import local_reversible, local_schemes
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma
from spintherm.kernels.local_fields import pumping
from spintherm.tabulate import tabulate, with_field_of_current
from spintherm.trajectories.axial_terms import axial_terms
from spintherm.trajectories.engine import table
from spintherm.trajectories.local import Local, scheme_for
from spintherm.trajectories.thermodynamics import free_energy_change

RADIAL, AZIMUTHAL = 4, 12  # nodes of the noise: enough for harmonics to degree 9


def exact_observables(magnet, protocol, top=13):
    """What `one_step_operators.NAMES` says, from the tilted generator in harmonics to `top`."""
    return central(magnet, protocol, TiltedGenerator(magnet, top).moments_of(protocol))


def central(magnet, protocol, raw):
    """What `NAMES` says from <W>, <S_P>, <W^2>, <W S_P>, <e^(-beta W)>."""
    W, S, WW, WS, J = raw
    change = free_energy_change(magnet, protocol)
    sigma = magnet.beta * (W - change) + S
    return np.array([W, sigma, WW - W * W, WS - W * S, J * np.exp(magnet.beta * change)])


# --- `splitting` ----------------------------------------------------------------------------------


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
def _splitting_outcomes(
    nodes, places, torques, u, azimuth, constants, k, energy, polarisers, leave, *outcomes
):
    """One step of `splitting` from every node with every noise and both signs.

    leave: what multiplies (1 - s/3) - 1 and the Levy area.
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


def splitting_observables(
    magnet, protocol, steps, sphere, leave=(1.0, 1.0), radial=RADIAL, azimuthal=AZIMUTHAL
):
    """What `NAMES` says, as `splitting` with that many steps has it; protocols without jumps."""
    scheme, local = scheme_for(magnet, "splitting"), Local.for_splitting(magnet)
    tabulation = with_field_of_current(magnet, protocol, tabulate(protocol, steps))
    cut = table(magnet, tabulation, scheme)
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
        _splitting_outcomes(
            *(nodes, places, torques, u, turns, cut.constants, k),
            *(local.energy, local.polarisers, leave, direction, work, pumped),
        )
        outcomes = Outcomes(direction, probability, np.full(work.shape, 0.5), work, pumped)
        functions = one_step(sphere, outcomes, functions, magnet.beta)
    start = equilibrium_weights(magnet, tabulation.initial_field, nodes, sphere.weights)
    return central(magnet, protocol, start @ functions)


# --- `exact-ft` -----------------------------------------------------------------------------------


def exact_ft_table(magnet, protocol, steps):
    """Tabulation and constants of a process for `exact-ft`."""
    tabulation = with_field_of_current(magnet, protocol, tabulate(protocol, steps))
    return tabulation, table(magnet, tabulation, scheme_for(magnet, "exact-ft"))


@numba.njit(error_model="numpy")
def _exact_ft_outcomes(nodes, u, azimuth, constants, k, energy, inverse_degree, axes, *outcomes):
    direction, chance, work, pumped, shadow = outcomes
    c = local_reversible.load_local_exact_ft(constants, k)
    (floor, span, inverse), levy, share = c[0][2], c[0][4], c[1][4]
    terms, polarisers = axes
    for i in range(nodes.shape[0]):
        o = nodes[i, 0], nodes[i, 1], nodes[i, 2]
        u_at, _ = local_reversible.reversible_in(o, c, terms, polarisers)
        n = local_reversible.damped_in(u_at, c, terms, polarisers)
        frame = -1.0 / (np.copysign(1.0, n[2]) + n[2])
        for j in range(u.size):
            versine = -log(fma(span, u[j], floor)) * inverse
            cosine, sine = cos_sin_turn(azimuth[j])
            d = local_reversible.tangent(n[0], n[1], n[2], frame, cosine, sine)
            wide = np.sqrt(versine * (2.0 - versine))
            p = (
                wide * d[0] + (1.0 - versine) * n[0],
                wide * d[1] + (1.0 - versine) * n[1],
                wide * d[2] + (1.0 - versine) * n[2],
            )
            v_at, _ = local_reversible.damped_out(p, c, terms, polarisers)
            a = 0.0
            for one in (u_at, v_at):
                along = 2.0 * (levy[0] * one[0] + levy[1] * one[1] + levy[2] * one[2])
                a += 0.5 * pumping(along, one, share, polarisers)
            for v in range(2):
                f, w, _, s, excess = local_reversible.local_exact_ft(
                    o, versine, cosine, sine, 1.0 - 2.0 * v, c, energy, inverse_degree, axes
                )
                direction[i, j, 0], direction[i, j, 1], direction[i, j, 2] = f
                chance[i, j, v] = 0.5 + (v - 0.5) * a / np.sqrt(1.0 + a * a)
                work[i, j, v], pumped[i, j, v], shadow[i, j, v] = w, s, excess


def _outcomes_of(magnet, nodes, cut, k, radial, azimuthal):
    local = Local.of(magnet)
    axes = axial_terms(magnet.anisotropy), local.polarisers
    u, turns, probability = noise_nodes(*cut.constants[k, 32:35], radial, azimuthal)
    direction = np.empty((len(nodes), u.size, 3))
    chance, work, pumped, shadow = np.empty((4, len(nodes), u.size, 2))
    _exact_ft_outcomes(
        *(nodes, u, turns, cut.constants, k, local.energy, local.inverse_degree, axes),
        *(direction, chance, work, pumped, shadow),
    )
    return Outcomes(direction, probability, chance, work, pumped)


def exact_ft_observables(magnet, protocol, steps, leave=slice(0)):
    """What `NAMES` says, as `exact-ft` with that many steps has it, some constants set to zero."""
    tab, cut = exact_ft_table(magnet, protocol, steps)
    cut.constants[:, leave] = 0.0
    sphere = Sphere.of(11)
    functions = np.zeros((len(sphere.nodes), 5))
    functions[:, 4] = 1.0
    for k in reversed(range(steps)):
        outcomes = _outcomes_of(magnet, sphere.nodes, cut, k, 5, 14)
        functions = one_step(sphere, outcomes, functions, magnet.beta)
    start = equilibrium_weights(magnet, tab.initial_field, sphere.nodes, sphere.weights)
    return central(magnet, protocol, start @ functions)


def log_of_the_integral_theorem(magnet, protocol, steps, degree=14, radial=6, azimuthal=16):
    """ln <e^(-beta (W - dF) - S_P)> of `exact-ft`, without a random number."""
    tab, cut = exact_ft_table(magnet, protocol, steps)
    sphere, beta = Sphere.of(degree), magnet.beta
    after = np.ones(len(sphere.nodes))
    for k in reversed(range(cut.steps)):
        outcomes = _outcomes_of(magnet, sphere.nodes, cut, k, radial, azimuthal)
        later = sphere.basis.expand(sphere.project(after[:, None]), outcomes.direction)
        after = outcomes.mean(np.exp(-beta * outcomes.work - outcomes.pumped) * later)
    mean = equilibrium_weights(magnet, tab.initial_field, sphere.nodes, sphere.weights) @ after
    return np.log(mean) + beta * free_energy_change(magnet, protocol)
