"""Kernels of magnets in their crystal's frame: separable energies, loops of a step, `fast=True`.

m, gamma0 and T differ from one, fields and torque are tilted and driven, with a jump. Statistical
tests allow Z = 4.5 standard errors, a false alarm in 150 000 comparisons; seeds are fixed.
"""

from functools import cache

import numba
import numpy as np
import pytest

from real_magnets_oracle import TiltedGenerator
from spintherm import Anisotropy, Magnet, Polariser, Protocol, Pulse, Ramp, TorqueEfficiency
from spintherm.kernels import elementary, local_schemes, noise
from spintherm.tabulate import tabulate, with_field_of_current
from spintherm.trajectories.engine import Keys, advance, generators, table
from spintherm.trajectories.local import Local, scheme_for, separable
from test_real_magnets_trajectories import solution

Z = 4.5
AXIS = np.array([0.3, 0.2, 1.0]) / np.linalg.norm([0.3, 0.2, 1.0])
POLARISER = Polariser(tuple(AXIS), TorqueEfficiency.slonczewski(1.6), 1.0, 0.3)
CRYSTAL = Anisotropy.cubic(0.8, -0.5) + Anisotropy.uniaxial(0.6, (0.0, 1.0, 0.0))
MAGNET = Magnet(1.3, 1.7, 0.4, 0.8, CRYSTAL, (POLARISER,))
COLD = Magnet(1.3, 1.7, 0.4, 0.0, CRYSTAL, (POLARISER,))
TAU = 0.7
SMOOTH = Protocol(
    TAU, Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), TAU), Ramp(0.9 * AXIS, -0.5 * AXIS, TAU)
)
JUMPS = Protocol(
    TAU, SMOOTH.field + Pulse((-0.6, 0.7, -0.8), 0.3 * TAU, 0.8 * TAU), SMOOTH.spin_torque
)


def cut(magnet, protocol, steps, fast=False):
    """Scheme and table, and where the energy is counted from and to."""
    scheme = scheme_for(magnet, "splitting", fast)
    tab = with_field_of_current(magnet, protocol, tabulate(protocol, steps))
    return scheme, table(magnet, tab, scheme), (tab.initial_field, tab.final_field)


def walk(magnet, protocol, steps, start, fast=False, stops=()):
    """Ends (12, n) of paths from directions (3, n), in calls that end at `stops` too."""
    scheme, rows, _ = cut(magnet, protocol, steps, fast)
    state = np.zeros((scheme.rows, start.shape[1]))
    state[:3] = start
    streams = generators(Keys.from_seed(5).dynamics, 0, start.shape[1])
    ends = [*stops, rows.steps]
    for first, last in zip([0, *stops], ends, strict=True):
        advance(scheme, state, streams, rows, first, last)
    return state


def directions(count, seed=1):
    n = np.random.default_rng(seed).normal(size=(3, count))
    return n / np.linalg.norm(n, axis=0)


# --- separable energies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "energy",
    [
        Anisotropy.uniaxial(2.0),
        Anisotropy.cubic(2.0),
        CRYSTAL,
        Anisotropy.polynomial({(8, 0, 0): 1.0, (0, 4, 0): -2.0, (0, 0, 2): 0.4}),
    ],
    ids=["diagonal", "quartic", "sextic", "octic"],
)
def test_separable_gradients_are_the_energys(energy):
    """Along the sphere by differences of the energy itself; the radial part has no mean."""
    n, other = directions(400), directions(400, seed=2)
    parts = separable(energy)
    gradient = np.stack(
        [x * np.polynomial.polynomial.polyval(x * x, a) for x, a in zip(n, parts, strict=True)]
    )
    along = np.cross(n.T, other.T).T
    step = 1e-5
    ahead, behind = (
        energy((moved / np.linalg.norm(moved, axis=0)).T)
        for moved in (n + step * along, n - step * along)
    )
    slope = (ahead - behind) / (2.0 * step)
    # differences: step^2 times third derivatives of some tens, and rounding over step
    assert np.max(np.abs(np.sum(gradient * along, axis=0) - slope)) < 1e-8
    if energy.degree > 2:
        power = 2.0 * np.arange(1, len(parts[0]) + 1)
        assert abs(np.sum(np.array(parts) / (power + 1.0))) < 1e-13


def test_what_is_not_separable_is_left_as_it_is():
    for energy in (
        Anisotropy.uniaxial(1.0, (1.0, 2.0, 3.0)),
        Anisotropy.polynomial({(4, 2, 0): 1.0}),
        Anisotropy.polynomial({(3, 1, 0): 1.0}),
        Anisotropy(),
    ):
        assert separable(energy) == ()


# --- the loops of a step --------------------------------------------------------------------------


@numba.njit(error_model="numpy")
def _step_by_step(start, raw, constants, energy, polarisers, out):
    """`splitting` as `local_schemes` has it: the end of every path, work and pumped entropy."""
    for i in range(start.shape[1]):
        o = start[0, i], start[1, i], start[2, i]
        p, y = o, (0.0, 0.0, 0.0)
        for k in range(constants.shape[0]):
            c = local_schemes.load_splitting(constants, k, energy, polarisers)
            floor, span, inverse = c[2]
            u, there = local_schemes.drift_past(o, y, c)
            n, shrink = local_schemes.turned_with_shrink(p, u)
            radial, azimuth, sign = noise.polar_draw(raw[k, i])
            cosine, sine = elementary.cos_sin_turn(azimuth)
            versine = -elementary.log(span * radial + floor) * inverse
            p = local_schemes.thrown(n, shrink, versine, cosine, sine)
            o, y, work, _, pumped = local_schemes.finish_splitting(o, n, there, p, versine, sign, c)
            out[3, i] += work
            out[5, i] += pumped
        out[0, i], out[1, i], out[2, i] = o


def test_loops_of_a_step_are_the_scheme_step_by_step():
    """`test_real_magnets_order` looks at the scheme's functions, kernels put them together."""
    count, steps = 300, 30
    _, rows, _ = cut(MAGNET, SMOOTH, steps)
    local = Local.for_splitting(MAGNET)
    start = directions(count)
    raw = np.empty((steps, count), np.uint64)
    noise.draw(generators(Keys.from_seed(5).dynamics, 0, count), raw)
    expected = np.zeros((6, count))
    _step_by_step(start, raw, rows.constants, local.energy, local.polarisers, expected)
    for stops in ((), (7, 20)):
        found = walk(MAGNET, SMOOTH, steps, start, stops=stops)
        for row in (0, 1, 2, 3, 5):
            assert np.max(np.abs(found[row] - expected[row])) < 1e-12, row
        assert np.ptp(expected[3]) > 0.5


@pytest.mark.parametrize("fast", [False, True])
def test_heat_is_the_change_of_the_magnets_energy_less_the_work(fast):
    steps, start = 25, directions(300)
    _, _, fields = cut(MAGNET, JUMPS, steps)
    end = walk(MAGNET, JUMPS, steps, start, fast, stops=(8, 9))
    m = MAGNET.moment
    change = MAGNET.energy(m * end[:3].T, fields[1]) - MAGNET.energy(m * start.T, fields[0])
    assert np.max(np.abs(end[3] + end[4] - change)) < 1e-12


def test_second_order_without_noise():
    """Moment, work and pumped entropy in a crystal, against SciPy on the magnet's own drift."""
    start = np.array([0.6, 0.0, 0.8])
    right = solution(COLD, SMOOTH, COLD.moment * start)
    errors = []
    for steps in (64, 128, 256):
        end = walk(COLD, SMOOTH, steps, start[:, None])[:, 0]
        found = np.array([*(COLD.moment * end[:3]), end[3], end[5]])
        errors.append(np.abs(found - right))
    total = np.linalg.norm(np.array(errors)[:, :3], axis=1), *np.array(errors)[:, 3:].T
    for row in total:
        assert row[0] > 1e-7
        orders = np.log2(row[:-1] / row[1:])
        assert np.all(np.abs(orders - 2.0) < 0.3), total


@cache
def equilibrium(count):
    """Directions from equilibrium at the first field, with the field-like torque's."""
    _, _, fields = cut(MAGNET, SMOOTH, 4)
    rng = np.random.default_rng(11)
    return MAGNET.sample_equilibrium(fields[0], count, rng).T / MAGNET.moment


@pytest.mark.parametrize("fast", [False, True])
def test_moments_are_those_of_the_tilted_generator(fast):
    """<W>, <S_P>, <W^2>, <W S_P>, <exp(-beta W)>; the bias at 80 steps is a hundredth of the error.

    Biases of this scheme are some 1e-3 at 20 steps (`test_real_magnets_order`), errors 5e-3.
    """
    exact = TiltedGenerator(MAGNET, 11).moments_of(SMOOTH)
    count = 40_000
    end = walk(MAGNET, SMOOTH, 80, equilibrium(count), fast)
    W, S = end[3], end[5]
    for samples, value in zip((W, S, W * W, W * S, np.exp(-MAGNET.beta * W)), exact, strict=True):
        assert abs(samples.mean() - value) < Z * samples.std() / np.sqrt(count)


# --- fast -----------------------------------------------------------------------------------------


def test_fast_paths_are_the_strict_ones():
    """Each turn is off by 1e-7 of its size rms: 40 steps together by 1e-7, as in uniform fields.

    Once in some 10^7 steps a path parts from the strict one at the seam of the noise's frame.
    """
    start = directions(4000)
    strict, fast = (walk(MAGNET, JUMPS, 40, start, fast) for fast in (False, True))
    off = np.abs(fast - strict)[:6]
    alike = np.max(off[:3], axis=0) < 1e-4
    assert np.sum(~alike) <= 3
    for row in off:
        assert 1e-9 < np.sqrt(np.mean(row[alike] ** 2)) < 5e-7
        assert np.max(row[alike]) < 1e-5
    assert np.all(np.abs(np.linalg.norm(fast[:3], axis=0) - 1.0) < 1e-13)


def test_uniform_magnets_keep_their_own_fast_kernel():
    uniform = Magnet(1.3, 1.7, 0.4, 0.8)
    assert scheme_for(uniform, "splitting", fast=True).magnet is None
    with pytest.raises(ValueError, match="fast=True with scheme='exact-ft': expected scheme"):
        scheme_for(MAGNET, "exact-ft", fast=True)
