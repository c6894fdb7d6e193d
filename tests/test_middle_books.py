"""Work and pumped entropy as the fast arithmetic books them, between two noises (`kernels.merged`).

The rule is written out below in plain NumPy, from the step's constants: what the kernel adds up is
compared with it path by path, and its weak order is measured by quadrature, without a random
number, against the density engine.
"""

import numba
import numpy as np
import pytest

from one_step_operators import (
    NAMES,
    Sphere,
    equilibrium,
    exact_observables,
    free_energy_change,
    jumped,
    noise_nodes,
    slopes,
)
from spintherm import Constant, Magnet, Protocol, Pulse, Ramp
from spintherm.kernels import elementary, fast, noise, schemes
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, table

MAGNET = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)
TAU = 0.8
PROTOCOLS = {
    "ramp": Protocol(
        TAU,
        Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), TAU),
        Ramp((0.2, -0.6, -0.5), (0.6, 0.4, -0.3), TAU),
    ),
    "jump": Protocol(
        TAU,
        Ramp((0.3, -0.2, 0.9), (0.9, 0.2, 0.1), TAU) + Pulse((-0.6, 0.7, -0.8), 0.5 * TAU, 9.0),
        Ramp((0.9, -0.6, -0.5), (0.1, 0.8, -0.3), TAU) + Constant((0.0, 0.1, 0.2)),
    ),
}
SPHERE = Sphere.of(7)
ORDER, MARGIN = 2.0, 0.1


def _lifted(n):
    return np.concatenate((np.ones((*n.shape[:-1], 1)), n), axis=-1)


def _torque_rate(row):
    """Half a step's torque work -m^2 P.(n x dn) at its rate, a symmetric form in (1, n)."""
    b, r, q = row[33:36], row[36:39], row[21:24]
    form = np.zeros((4, 4))
    form[0, 0] = -q @ r
    form[0, 1:] = -np.cross(b, q)
    form[1:, 1:] = np.outer(q, r)
    return 0.25 * (form + form.T)


def node(rows, jump, k, p):
    """From p (..., 3), before node k, to n after it: (n, work, pumped entropy)."""
    here, there = rows[max(k - 1, 0)] * (k > 0), rows[min(k, len(rows) - 1)] * (k < len(rows))
    before = here[:16].reshape(4, 4) if k > 0 else np.eye(4)
    after = there[:16].reshape(4, 4) if k < len(rows) else np.eye(4)
    f = _lifted(p) @ before.T
    f = f / f[..., :1]
    n = f @ after.T
    n = n / n[..., :1]
    form = _torque_rate(here) + _torque_rate(there)
    work = np.einsum("...i,ij,...j->...", _lifted(p), form, n) - f[..., 1:] @ jump
    work = work - p @ here[24:27] - n[..., 1:] @ there[24:27]
    return n[..., 1:], work, p @ here[30:33] + n[..., 1:] @ there[30:33]


def noise_work(n, p, versine, sign, row):
    """Work of the torque along the great circle from n to p, and its Levy area."""
    y = 0.5 * versine
    arc = 1.0 + y * (2.0 / 3.0 + y * (8.0 / 15.0 + y * (16.0 / 35.0 + y * 128.0 / 315.0)))
    return -(row[19] * arc) * (np.cross(n, p) @ row[21:24]) - sign * row[20] * (n @ row[21:24])


@numba.njit
def _noise(raw, floor, span, inverse, n, p, versine, sign):
    for i in range(raw.size):
        radial, azimuth, sign[i] = noise.polar_draw(raw[i])
        versine[i] = -elementary.log(span * radial + floor) * inverse
        sine = np.sqrt(versine[i] * (2.0 - versine[i]))
        cos_azimuth, sin_azimuth = elementary.cos_sin_turn(azimuth)
        shrink = 1.0 / (1.0 + abs(n[i, 2]))
        x, y, z = n[i, 0], n[i, 1], n[i, 2]
        turned = schemes.reflected(
            x, y, z, shrink, sine * cos_azimuth, sine * sin_azimuth, versine[i]
        )
        p[i, 0], p[i, 1], p[i, 2] = turned


@pytest.mark.parametrize("steps", [1, 2, 41])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_kernel_adds_up_what_the_rule_says(name, steps):
    cut = table(MAGNET, tabulate(PROTOCOLS[name], steps), SCHEMES["splitting"].fast)
    count = 500
    streams = np.empty((4, count), np.uint64)
    noise.seed_generators(np.uint64(3), np.uint64(4), 0, streams)
    raw = np.empty((cut.steps, count), np.uint64)
    noise.draw(streams.copy(), raw)
    state = np.zeros((6, count))
    state[:3] = np.random.default_rng(1).normal(size=(3, count))
    state[:3] /= np.linalg.norm(state[:3], axis=0)
    p, work, pumped = state[:3].T.copy(), np.zeros(count), np.zeros(count)
    for k in range(cut.steps):
        n, gain, entropy = node(cut.constants, cut.jumps[k], k, p)
        row, versine, sign = cut.constants[k], np.empty(count), np.empty(count)
        _noise(raw[k], row[16], row[17], row[18], n, p, versine, sign)
        work += gain + noise_work(n, p, versine, -sign, row)
        pumped += entropy
    end, gain, entropy = node(cut.constants, np.zeros(3), cut.steps, p)
    fast.advance_fast(state, streams, cut.constants, cut.jumps[:-1])
    # noise in single precision: 1e-7 rms of a turn; see tests/test_fast_mode.py for the seam
    off = np.abs(state - np.vstack((end.T, work + gain, state[4], pumped + entropy)))
    alike = off[:3].max(axis=0) < 1e-4
    assert np.sum(~alike) <= 2
    assert np.max(off[:, alike]) < 1e-5
    assert np.sqrt(np.mean(off[:, alike] ** 2)) < 1e-6
    assert np.std(work) > 0.1
    assert np.std(pumped) > 0.05


def carried(functions, work, pumped):
    """<W>, <S>, <W^2>, <W S>, <e^(-beta W)> as functions of p, carried back over an increment."""
    W, S, WW, WS, J = (functions[..., i] for i in range(5))
    return np.stack(
        [
            work + W,
            pumped + S,
            work * work + 2.0 * work * W + WW,
            work * pumped + work * S + pumped * W + WS,
            np.exp(-MAGNET.beta * work) * J,
        ],
        axis=-1,
    )


def tangents(n):
    """Two unit vectors (k, 3) normal to n and to each other."""
    axis = np.where(np.abs(n[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(axis, n)
    first /= np.linalg.norm(first, axis=1)[:, None]
    return first, np.cross(n, first)


def by_quadrature(protocol, steps):
    """What `one_step_operators.NAMES` says, as the rule has it, for a start in equilibrium."""
    cut = table(MAGNET, tabulate(protocol, steps), SCHEMES["splitting"].fast)
    functions = np.zeros((len(SPHERE.nodes), 5))
    functions[:, 4] = 1.0
    functions = jumped(SPHERE, cut.jumps[-1], functions, MAGNET.beta)
    end, work, pumped = node(cut.constants, np.zeros(3), cut.steps, SPHERE.nodes)
    later = SPHERE.basis.expand(SPHERE.project(functions), end)
    functions = carried(later, work, pumped)
    for k in reversed(range(cut.steps)):
        row = cut.constants[k]
        u, turns, probability = noise_nodes(row[16], row[17], row[18], 4, 10)
        versine = -np.log(row[17] * u + row[16]) * row[18]
        n, work, pumped = node(cut.constants, cut.jumps[k], k, SPHERE.nodes)
        first, second = tangents(n)
        along = np.cos(np.pi * turns)[:, None] * first[:, None]
        along = along + np.sin(np.pi * turns)[:, None] * second[:, None]
        p = (1.0 - versine)[:, None] * n[:, None] + np.sqrt(versine * (2.0 - versine))[
            :, None
        ] * along
        later = SPHERE.basis.expand(SPHERE.project(functions), p)
        functions = np.zeros_like(functions)
        for sign in (-1.0, 1.0):
            gain = work[:, None] + noise_work(n[:, None], p, versine, sign, row)
            outcome = carried(later, gain, np.broadcast_to(pumped[:, None], gain.shape))
            functions += 0.5 * np.einsum("kjf,j->kf", outcome, probability)
    W, S, WW, WS, J = equilibrium(MAGNET, protocol, SPHERE) @ functions
    change = free_energy_change(MAGNET, protocol)
    sigma = MAGNET.beta * (W - change) + S
    return np.array([W, sigma, WW - W * W, WS - W * S, J * np.exp(MAGNET.beta * change)])


@pytest.mark.parametrize("name", PROTOCOLS)
def test_booked_between_two_noises_the_order_is_two(name):
    steps = (16, 32)
    exact = exact_observables(MAGNET, PROTOCOLS[name])
    bias = np.array([by_quadrature(PROTOCOLS[name], n) - exact for n in steps])
    assert np.all(np.abs(bias) > 2e-5), "the bias must stand far above the quadrature's error"
    found = dict(zip(NAMES, slopes(steps, bias), strict=True))
    assert all(abs(slope - ORDER) < MARGIN for slope in found.values()), found
