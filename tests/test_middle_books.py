"""Work and pumped entropy as the fast arithmetic books them, between two noises (`kernels.merged`).

The rule is written out in plain NumPy, from the step's constants, in `scheme_operators`: what the
kernel adds up is compared with it path by path, and its weak order is measured by quadrature,
without a random number, against the density engine.
"""

import numba
import numpy as np
import pytest

from one_step_operators import NAMES, Sphere, exact_observables, slopes
from scheme_operators import between_noises, node, noise_frame, noise_work
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
        frame = noise_frame(row[21:24])
        _noise(raw[k], row[16], row[17], row[18], n @ frame.T, p, versine, sign)
        p = p @ frame
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


@pytest.mark.parametrize("name", PROTOCOLS)
def test_booked_between_two_noises_the_order_is_two(name):
    steps = (16, 32)
    exact = exact_observables(MAGNET, PROTOCOLS[name])
    bias = np.array([between_noises(MAGNET, PROTOCOLS[name], n, SPHERE) - exact for n in steps])
    assert np.all(np.abs(bias) > 2e-5), "the bias must stand far above the quadrature's error"
    found = dict(zip(NAMES, slopes(steps, bias), strict=True))
    assert all(abs(slope - ORDER) < MARGIN for slope in found.values()), found
