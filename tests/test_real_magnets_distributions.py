"""Joint densities, conditional averages and correlations with anisotropy and polarisers.

Witnesses are the theorems, which relate two separate computations, the moments, trajectories, and
the matrix exponential of a generator that neither engine has.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import RegularGridInterpolator
from scipy.linalg import expm

from real_magnets_oracle import TiltedGenerator
from spintherm import (
    Anisotropy,
    Magnet,
    Polariser,
    Protocol,
    Pulse,
    Ramp,
    TorqueEfficiency,
    Triangle,
    simulate,
)
from spintherm.fokker_planck import (
    conditional_average,
    distribution,
    joint_distribution,
    moments,
    steady_state,
)
from spintherm.fokker_planck.exponents import line
from spintherm.fokker_planck.process import process
from spintherm.fokker_planck.propagator import Limits
from spintherm.fokker_planck.turns import turns
from spintherm.trajectories.thermodynamics import free_energy_change

LINE = np.array([2.0, -3.0, 6.0]) / 7.0
MAGNET = Magnet(
    moment=1.2,
    gyromagnetic_ratio=0.7,
    damping=1.0,
    temperature=1.4,
    anisotropy=Anisotropy.uniaxial(0.9, LINE),
    polarisers=Polariser(LINE, TorqueEfficiency.slonczewski(1.5), field_like=0.2),
)
PROTOCOL = Protocol(2.0, Ramp(0.7 * LINE, -0.4 * LINE, 2.0), Triangle(1.2 * LINE, 2.0))
Z = 4.5


@cache
def paths():
    """The other engine; at 60 steps its bias is below its error."""
    return simulate(MAGNET, PROTOCOL, trajectories=40_000, seed=2, steps=60, progress=False)


@cache
def joint():
    return joint_distribution(MAGNET, PROTOCOL, tolerance=1e-3, progress=False)


@pytest.mark.slow
def test_joint_density_of_a_driven_barrier_against_moments_and_paths():
    """Normalisation, <W S_P>, and shares of paths in 16 cells, false alarms 1e-4 in all."""
    w, s = joint()["work"].values, joint()["pumped_entropy"].values
    p = joint()["density"].values
    assert np.trapezoid(np.trapezoid(p, s, axis=1), w) == pytest.approx(1.0, abs=2e-3)
    exact = moments(MAGNET, PROTOCOL, order=2)["raw_moment"].values
    both = np.trapezoid(np.trapezoid(p * s, s, axis=1) * w, w)
    assert both == pytest.approx(exact[1, 1], abs=5e-3)
    below = cumulative_trapezoid(
        cumulative_trapezoid(p, s, axis=1, initial=0), w, axis=0, initial=0
    )
    W, S = paths()["work"].values, paths()["pumped_entropy"].values
    inner = [np.quantile(x, [0.15, 0.5, 0.85]) for x in (W, S)]
    edges = [np.concatenate(([x[0]], e, [x[-1]])) for x, e in zip((w, s), inner, strict=True)]
    corners = np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1)
    at = RegularGridInterpolator((w, s), below)(corners)
    share = np.diff(np.diff(at, axis=0), axis=1)
    cells = [np.searchsorted(e, x) for e, x in zip(inner, (W, S), strict=True)]
    found = np.zeros((4, 4))
    np.add.at(found, tuple(cells), 1.0 / W.size)
    error = np.sqrt(share * (1.0 - share) / W.size)
    assert np.all(np.abs(found - share) < Z * error + 2e-3)  # linear interpolation: 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("given", ["work", "pumped_entropy"])
def test_conditional_theorems_and_sampled_averages(given):
    """[I] 4.24, 4.25 against the density of the reversed process; then means of bins of paths."""
    out = conditional_average(
        MAGNET, PROTOCOL, given=given, tolerance=1e-4, floor=1e-5, progress=False
    )
    x, p = out[given].values, out["density"].values
    backward = distribution(
        MAGNET.reversed(),
        PROTOCOL.reversed(),
        of=given,
        points=-x[::-1],
        tolerance=1e-4,
        progress=False,
    )
    q = backward["density"].values[::-1]
    beta, change = MAGNET.beta, free_energy_change(MAGNET, PROTOCOL)
    left = p * np.exp(-beta * (x - change) if given == "work" else -x + beta * change)
    weight = left / p
    allowed = weight * out["weighted_density_error"].values + backward["error"].values[::-1]
    assert np.all(np.abs(left * out["conditional_average"].values - q) <= allowed + 1e-12)
    # the range of S_P is not symmetric: beyond its end the stated errors exceed the values
    seen = allowed < 3e-4 * q
    assert np.sum(seen) > 20
    ratio = (left * out["conditional_average"].values / q)[seen]
    assert ratio == pytest.approx(np.ones(ratio.size), abs=1e-3)
    assert np.max(np.abs(left[seen] / q[seen] - 1.0)) > 0.1

    W, S = beta * paths()["work"].values, paths()["pumped_entropy"].values
    at, weight = (W / beta, np.exp(-S)) if given == "work" else (S, np.exp(-W))
    edges = np.quantile(at, [0.1, 0.3, 0.5, 0.7, 0.9])
    weighted = out["weighted_density"].values
    for low, high in pairwise(edges):
        grid = np.linspace(low, high, 201)
        exact = np.trapezoid(np.interp(grid, x, weighted), grid)
        terms = np.where((at >= low) & (at < high), weight, 0.0)
        allowed = Z * terms.std() / np.sqrt(terms.size) + 2e-3 * exact
        assert terms.mean() == pytest.approx(exact, abs=allowed)


POLARISER = np.array([2.0, 1.0, 2.0]) / 3.0
LEANING = Magnet(
    1.2,
    0.7,
    1.1,
    1.4,
    polarisers=Polariser(POLARISER, TorqueEfficiency.slonczewski(1.5), 0.8),
)
TURNING = Protocol(
    2.0, Ramp((0.3, 0.0, 0.8), (0.7, 0.2, -0.5), 2.0), Ramp(1.5 * POLARISER, -0.6 * POLARISER, 2.0)
)
"""An asymmetric torque that changes its sign, in a field that turns."""


def extremes_of_the_rate(magnet):
    """Of S_P for a torque of size one on a fine grid of the sphere, from the magnet's own words."""
    z, phi = np.meshgrid(np.linspace(-1.0, 1.0, 801), np.linspace(0.0, 2.0 * np.pi, 401))
    r = np.sqrt(1.0 - z**2)
    n = np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=-1).reshape(-1, 3)
    rate = magnet.pumped_entropy_rate(magnet.moment * n, magnet.polarisers[0].vector)
    return float(rate.min()), float(rate.max())


def test_the_support_of_the_pumped_entropy_is_that_of_its_rate():
    """The torque falls from 1.5 to -0.6 and is positive for 5/7 of the time."""
    here = process(LEANING, TURNING, "equilibrium", 1e-6)
    low, high = here.support(np.array([0.0, 1.0, 0.0, 0.0]))
    least, most = extremes_of_the_rate(LEANING)
    ahead, back = 0.5 * 2.0 * np.array([1.5 * 5.0 / 7.0, 0.6 * 2.0 / 7.0])
    assert low == pytest.approx(least * ahead - most * back, rel=1e-4)
    assert high == pytest.approx(most * ahead - least * back, rel=1e-4)
    assert high < 0.75 * -low  # not symmetric
    run = simulate(LEANING, TURNING, trajectories=20_000, seed=3, steps=60, progress=False)
    S = run["pumped_entropy"].values
    assert low < S.min() < 0.6 * low
    assert high > S.max() > 0.6 * high
    mirrored = process(LEANING.reversed(), TURNING.reversed(), "equilibrium", 1e-6)
    assert mirrored.support(np.array([0.0, -1.0, 0.0, 0.0])) == pytest.approx((low, high))


def test_the_support_with_two_polarisers_is_that_of_their_sum():
    here = process(TILTED, Protocol(0.5, (0.0, 0.0, 1.0), 0.9 * P_TILTED), "equilibrium", 1e-6)
    found = here.support(np.array([0.0, 1.0, 0.0, 0.0]))
    assert found == pytest.approx(0.45 * np.array(extremes_of_the_rate(TILTED)), rel=1e-4)


def test_density_of_the_pumped_entropy_fills_its_unsymmetric_support():
    """Normalisation, mean and variance to the stated error; then shares of paths in 12 cells.

    An error e of the density everywhere is an error of at most (width) e of the integral and
    (width)³ e of the second moment. 4.5 standard errors in 12 cells: false alarms 1e-4 in all.
    """
    out = distribution(
        LEANING, TURNING, of="pumped_entropy", tolerance=1e-4, floor=1e-6, progress=False
    )
    s, p, e = (out[name].values for name in ("pumped_entropy", "density", "error"))
    here = process(LEANING, TURNING, "equilibrium", 1e-6)
    low, high = here.support(np.array([0.0, 1.0, 0.0, 0.0]))
    assert s[-1] == pytest.approx(high, rel=1e-12)
    assert low < s[0] < 0.75 * low  # there the density has fallen below the floor before
    assert abs(p[-1]) <= e[-1]
    total = np.trapezoid(e, s)
    assert total < 1e-5
    exact = moments(LEANING, TURNING, order=2)["raw_moment"].values[0]
    width = s[-1] - s[0]
    for power in range(3):
        found = np.trapezoid(p * s**power, s)
        assert found == pytest.approx(exact[power], abs=total * (0.5 * width) ** power)
    run = simulate(LEANING, TURNING, trajectories=40_000, seed=5, steps=60, progress=False)
    below = cumulative_trapezoid(p, s, initial=0.0)
    edges = np.interp(np.linspace(0.0, 1.0, 13)[1:-1], np.maximum.accumulate(below), s)
    share = np.diff(np.concatenate([[0.0], np.interp(edges, s, below), [1.0]]))
    cell = np.searchsorted(edges, run["pumped_entropy"].values)
    found = np.bincount(cell, minlength=12) / cell.size
    assert np.all(np.abs(found - share) < Z * np.sqrt(share / cell.size) + 1e-3)


TWO = Magnet(
    1.3,
    1.7,
    0.6,
    0.8,
    anisotropy=Anisotropy.biaxial(0.5, 0.3, (1.0, 2.0, 3.0), (3.0, 0.0, -1.0)),
    polarisers=(
        Polariser((0.3, 0.2, 1.0), TorqueEfficiency.slonczewski(1.4), 0.6, 0.3),
        Polariser((1.0, -0.4, 0.1), TorqueEfficiency.polynomial((0.6, 0.5)), -0.4, 0.1),
    ),
)
JUMPING = Protocol(
    0.9,
    Ramp((0.4, -0.3, 0.5), (-0.2, 0.3, 0.1), 0.9) + Pulse((0.3, 0.5, -0.4), 0.2, 0.55),
    Triangle(1.3 * np.array([0.3, 0.2, 1.0]) / np.sqrt(1.13), 0.9),
)


@pytest.mark.parametrize(
    ("magnet", "protocol", "base"),
    [
        (LEANING, TURNING, (0.0, 0.0, 0.0, 0.0)),
        (TWO, JUMPING, (0.0, 0.3, 0.0, 0.0)),
    ],
    ids=["one polariser", "two and a barrier"],
)
def test_motion_and_counting_in_turns_agree_with_the_propagator(magnet, protocol, base):
    """The same G by two ways to integrate, and the order of the new one."""
    here = process(magnet, protocol, "equilibrium", 1e-4)
    base, direction = np.array(base), np.array([0.0, 1.0, 0.0, 0.0])
    tilts, omega = np.array([-1.2, 0.7]), np.array([0.0, 0.8, 4.0, 14.0])
    steps = tilts[:, None] + 1j * omega
    two = turns(here, base, direction)
    found = two.run(steps, 1e-10, 1e-4, here.basis).integrals
    flat = steps.ravel()
    slow = here.run(line(base, direction, flat, 4 * (np.arange(8) // 4)), 1e-10, tail=1e-4)
    scale = np.repeat(np.abs(slow.integrals[::4]), 4)
    np.testing.assert_allclose(found / scale, slow.integrals / scale, rtol=0.0, atol=1e-8)
    assert np.max(np.abs(slow.integrals[[3, 7]]) / scale[::4]) < 0.5  # not the trivial part
    # of order 8: half as many steps, which the doubling of steps has refused, err 2^8 times more
    limits = Limits(1e-10, np.inf)
    few, many, most = (
        two._through(steps, n, limits, slow.basis).integrals / scale for n in (16, 32, 64)
    )
    assert 60.0 * np.max(np.abs(many - most)) < np.max(np.abs(few - most)) < 1e-3


def test_what_cannot_be_counted_in_turns():
    """A uniform magnet keeps its way and its bits; work and turning torques are not a factor."""
    pumped, none = np.array([0.0, 1.0, 0.0, 0.0]), np.zeros(4)
    uniform = process(
        Magnet(1.2, 0.7, 0.5, 1.4), Protocol(1.0, (0, 0, 1), (0, 0.2, 0)), "equilibrium", 1e-6
    )
    assert turns(uniform, none, pumped) is None
    here = process(LEANING, TURNING, "equilibrium", 1e-6)
    assert turns(here, none, pumped) is not None
    assert turns(here, none, np.array([1.0, 1.0, 0.0, 0.0])) is None
    assert turns(here, np.array([-1.0, 0.0, 0.0, 0.0]), pumped) is None
    easy = Magnet(1.2, 0.7, 0.5, 1.4, Anisotropy.uniaxial(0.5, (1.0, 2.0, 2.0)))
    straight = Protocol(1.0, (0.0, 0.1, 1.0), Triangle((0.3, 0.4, 0.0), 1.0))
    assert turns(process(easy, straight, "equilibrium", 1e-6), none, pumped) is not None
    bent = Protocol(1.0, (0.0, 0.1, 1.0), Ramp((0.3, 0.4, 0.0), (0.3, 0.0, 0.1), 1.0))
    assert turns(process(easy, bent, "equilibrium", 1e-6), none, pumped) is None


def test_the_support_of_work_and_heat_without_a_torque():
    """W = -int m·dH within m times the path of H; -Q = W + E0 - E1 with the energies' extremes."""
    magnet = Magnet(1.2, 0.7, 0.6, 1.4, Anisotropy.uniaxial(1.1, (1.0, 2.0, 0.5)))
    protocol = Protocol(0.4, Ramp((0.0, 0.1, 0.6), (0.3, 0.1, -0.6), 0.4))
    here = process(magnet, protocol, "equilibrium", 1e-6)
    most = magnet.beta * 1.2 * np.hypot(0.3, 1.2)
    work = here.support(np.array([1.0, 0.0, 0.0, 0.0]))
    assert work == pytest.approx((-most, most), rel=1e-12)
    low, high = here.support(np.array([-1.0, 0.0, -1.0, 1.0]))
    run = simulate(magnet, protocol, trajectories=20_000, seed=4, steps=40, progress=False)
    W, Q = magnet.beta * run["work"].values, magnet.beta * run["heat"].values
    assert -most < W.min() < W.max() < most
    assert low < Q.min() < 0.2 * low
    assert high > Q.max() > 0.2 * high
    pushed = Protocol(0.4, protocol.field, Triangle((0.0, 0.0, 0.3), 0.4))
    both = process(magnet, pushed, "equilibrium", 1e-6).support(np.array([1.0, 0.0, 0.0, 0.0]))
    assert both == (-np.inf, np.inf)


P_TILTED = np.array([0.3, 0.2, 1.0]) / np.sqrt(1.13)
TILTED = Magnet(
    1.3,
    1.7,
    0.4,
    0.8,
    anisotropy=Anisotropy.biaxial(0.6, 0.4, (1.0, 2.0, 3.0), (3.0, 0.0, -1.0)),
    polarisers=(
        Polariser((0.3, 0.2, 1.0), TorqueEfficiency.slonczewski(1.4), 1.0, 0.3),
        Polariser((1.0, -0.4, 0.1), TorqueEfficiency.polynomial((0.6, 0.5)), -0.7, 0.1),
    ),
)


@pytest.mark.parametrize(
    ("magnet", "field"), [(TILTED, (0.4, -0.3, 0.5)), (MAGNET, 0.5 * LINE)], ids=["tilted", "axial"]
)
def test_correlation_of_the_pumping_rate_against_the_matrix_exponential(magnet, field):
    oracle, amplitude = TiltedGenerator(magnet, 13), 0.9
    L, _, _, rate = oracle.at(np.array(field), amplitude, np.zeros(3))
    one = oracle.unit
    values, vectors = np.linalg.eig(L.T)
    density = vectors[:, np.argmin(np.abs(values))]
    density = density / (density @ one)
    f = rate @ one
    mean = density @ f
    times = np.array([0.0, 0.05, 0.4, 2.0])
    expected = [
        (density @ ((rate - mean * np.eye(len(L))) @ expm(L * t) @ (f - mean * one))).real
        for t in times
    ]
    state = steady_state(magnet, field, amplitude * magnet.polarisers[0].vector)
    ours = state.pumped_entropy_correlation(times)
    # the truncation of the oracle leaves 1e-6
    np.testing.assert_allclose(ours, expected, rtol=0.0, atol=3e-6 * expected[0])
    assert state.pumped_entropy_rate == pytest.approx(mean.real, rel=3e-6)
