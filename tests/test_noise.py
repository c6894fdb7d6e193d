"""Quality of the random numbers: generator, transforms, and what a step makes of them.

Each statistic is compared with its null law at a chance of 1e-6 of a false alarm (z = 4.9, or a
p-value of 1e-6); the seeds are fixed. The report of a standard battery is in docs/noise.md.
"""

import numba
import numpy as np
import pytest
from scipy import stats

from spintherm import Magnet, Protocol, simulate
from spintherm.kernels import constants, elementary, noise
from spintherm.trajectories.engine import Keys, generators

Z, P = 4.9, 1e-6


@numba.njit
def _parts(raw, radial, azimuth, sign, exponential, cosine, sine):
    for i in range(raw.size):
        radial[i], azimuth[i], sign[i] = noise.polar_draw(raw[i])
        exponential[i] = -elementary.log(radial[i])
        cosine[i], sine[i] = elementary.cos_sin_turn(azimuth[i])


@numba.njit
def _normals(raw, x, y):
    for i in range(raw.size):
        x[i], y[i] = noise.normal_pair(raw[i])


@numba.njit
def _uniforms(raw, u, v):
    for i in range(raw.size):
        u[i], v[i] = noise.uniform(raw[i]), noise.symmetric_uniform(raw[i])


@numba.njit
def _single_steps(raw, floor, span, inverse, signed, ux, uy):
    radial = noise.single_radial(floor, span, inverse)
    for i in range(raw.size):
        high, low = np.uint32(raw[i] >> np.uint64(32)), np.uint32(raw[i])
        signed[i], ux[i], uy[i] = noise.single_step(high, low, radial)


def single_steps(raw, s):
    """Signed versine and sin(theta) d in single precision, at s = eta T h, as doubles."""
    law = (float(c[0, 0]) for c in constants.von_mises_fisher_constants(np.array([[s]])))
    out = [np.empty(raw.size, np.float32) for _ in range(3)]
    _single_steps(raw.ravel(), *law, *out)
    return [one.reshape(raw.shape).astype(float) for one in out]


def double_steps(raw, s):
    """The same in NumPy's doubles from the same draws."""
    floor, span, inverse = (c[0, 0] for c in constants.von_mises_fisher_constants(np.array([[s]])))
    radial, azimuth, sign, *_ = parts(raw)
    versine = np.clip(-np.log(floor + span * radial) * inverse, 0.0, 2.0)
    sin_theta = np.sqrt(versine * (2.0 - versine))
    direction = np.pi * azimuth
    return np.copysign(versine, sign), sin_theta * np.cos(direction), sin_theta * np.sin(direction)


def parts(raw):
    out = [np.empty(raw.size) for _ in range(6)]
    _parts(raw.ravel(), *out)
    return [part.reshape(raw.shape) for part in out]


def normals(raw):
    x, y = np.empty(raw.size), np.empty(raw.size)
    _normals(raw.ravel(), x, y)
    return x.reshape(raw.shape), y.reshape(raw.shape)


def raw_numbers(seed, trajectories, steps, first=0):
    """Raw numbers (steps, trajectories) of the dynamics of a seed, as `simulate` draws them."""
    out = np.empty((steps, trajectories), np.uint64)
    noise.draw(generators(Keys.from_seed(seed).dynamics, first, trajectories), out)
    return out


@pytest.fixture(scope="module")
def draws():
    """A million raw numbers: 1000 steps of 1000 trajectories."""
    return raw_numbers(17, 1000, 1000)


def standardised(raw):
    """The four fields of each draw with mean 0 and variance 1, functions that see tails too."""
    radial, azimuth, sign, exponential, cosine, _ = parts(raw)
    return {
        "radial": np.sqrt(12.0) * (radial - 0.5),
        "exponential": exponential - 1.0,
        "azimuth": np.sqrt(3.0) * azimuth,
        "cosine": np.sqrt(2.0) * cosine,
        "sign": sign,
    }


def assert_uncorrelated(a, b, what):
    assert abs(np.mean(a * b)) * np.sqrt(a.size) < Z, what


# --- one draw -----------------------------------------------------------------------------------


def test_the_fields_of_a_draw_are_its_64_bits_and_share_none(draws):
    """From (radial, azimuth, sign) every bit of the raw number is recovered: 40 + 23 + 1."""
    raw = draws[:50].ravel()
    radial, azimuth, sign, *_ = parts(raw)
    high = ((1.0 - radial) * 2.0**40 - 0.5).astype(np.uint64)
    middle = ((azimuth + 1.0) * 2.0**22 - 0.5).astype(np.uint64)
    low = (sign < 0.0).astype(np.uint64)
    assert np.array_equal((high << np.uint64(24)) | (middle << np.uint64(1)) | low, raw)


def test_uniforms_keep_52_bits_and_are_uniform(draws):
    raw = draws[:200].ravel()
    u, v = np.empty(raw.size), np.empty(raw.size)
    _uniforms(raw, u, v)
    assert np.array_equal(((1.0 - u) * 2.0**52).astype(np.uint64), raw >> np.uint64(12))
    assert np.array_equal(((1.0 + v) * 2.0**51).astype(np.uint64), raw >> np.uint64(12))
    assert np.all((u > 0.0) & (u <= 1.0) & (v >= -1.0) & (v < 1.0))
    for power in range(1, 7):
        spread = np.sqrt(1.0 / (2 * power + 1) - 1.0 / (power + 1) ** 2)
        assert abs(np.mean(u**power) - 1.0 / (power + 1)) * np.sqrt(u.size) < Z * spread
    assert stats.kstest(u, "uniform").pvalue > P


def test_exponential_numbers_have_their_distribution_and_moments(draws):
    exponential = parts(draws[:500])[3].ravel()
    assert stats.kstest(exponential, "expon").pvalue > P
    factorial = [1.0, 1.0, 2.0, 6.0, 24.0, 120.0, 720.0, 5040.0, 40320.0]
    for power in range(1, 5):
        spread = np.sqrt(factorial[2 * power] - factorial[power] ** 2)
        error = np.mean(np.prod([exponential] * power, axis=0)) - factorial[power]
        assert abs(error) * np.sqrt(exponential.size) < Z * spread, power
    assert exponential.max() < 41.0 * np.log(2.0)
    beyond, expected = np.sum(exponential > 8.0), exponential.size * np.exp(-8.0)
    assert abs(beyond - expected) < Z * np.sqrt(expected)


def test_normal_numbers_have_their_distribution_and_moments(draws):
    for sample in normals(draws[:, :500]):
        assert stats.kstest(sample.ravel(), "norm").pvalue > P
        for power, mean, square in ((1, 0, 1), (2, 1, 3), (3, 0, 15), (4, 3, 105), (6, 15, 10395)):
            spread = np.sqrt(square - mean**2)
            error = np.mean(sample**power) - mean
            assert abs(error) * np.sqrt(sample.size) < Z * spread, power
    x, y = normals(draws[:, :500])
    for a, b in ((x, y), (x**2 - 1.0, y), (x, y**2 - 1.0), ((x**2 - 1) / 2, y**2 - 1)):
        assert_uncorrelated(a, b, "a normal pair")


def test_all_azimuths_together_have_no_harmonic():
    """The 2^23 azimuths exhaust the circle: means of cos and sin vanish to rounding."""
    raw = np.arange(2**23, dtype=np.uint64) << np.uint64(1)
    _, azimuth, _, _, cosine, sine = parts(raw)
    assert np.all(np.diff(azimuth) == 2.0**-22)
    for value in (cosine, sine, cosine * sine, cosine * cosine - 0.5):
        assert abs(value.mean()) < 1e-15


def test_fields_of_one_draw_fill_their_joint_cells_evenly(draws):
    """Chi squared over 16 x 16 x 2 cells of (radial, azimuth, sign)."""
    radial, azimuth, sign, *_ = parts(draws)
    cell = (radial * 16).astype(int) * 32 + ((azimuth + 1.0) * 8).astype(int) * 2 + (sign > 0)
    counts = np.bincount(cell.ravel(), minlength=512)
    assert counts.size == 512
    assert stats.chisquare(counts).pvalue > P
    assert stats.chisquare(counts).pvalue < 1.0 - P


# --- single precision -----------------------------------------------------------------------------


@pytest.mark.parametrize("s", [1e-6, 1e-3, 0.05, 0.5, 2.0, 6.0])
def test_single_steps_are_the_double_ones_to_1e_7(draws, s):
    """Both read the same bits: errors of 1e-7 of a turn, whose means are below 1.5e-7 of it.

    Rounding averages out; what does not is the rounding of the law's constants, two of them at 6e-8
    at most, and 3e-8 of the polynomials. Comparing draw by draw leaves no chance but that of the
    errors, which is what Z stands for.
    """
    ours, exact = single_steps(draws, s), double_steps(draws, s)
    assert np.array_equal(np.signbit(ours[0]), np.signbit(exact[0]))
    versine = np.abs(exact[0])
    mean = versine.mean()
    pairs = [(mean, np.abs(ours[0]), versine), (2.0 * mean**2, ours[0] ** 2, exact[0] ** 2)]
    pairs += [(mean, ours[i] ** 2, exact[i] ** 2) for i in (1, 2)]
    for size, one, other in pairs:
        off = one - other
        assert abs(off.mean()) < 1.5e-7 * size + Z * off.std() / np.sqrt(off.size)
    near = versine < 1.9  # beyond, sin(theta) goes as the root of what is left to the other pole
    for i in (1, 2):
        off = (ours[i] - exact[i])[near]
        assert np.sqrt(np.mean(off**2)) < 2e-7 * np.sqrt(mean)
        assert np.max(np.abs(off)) < 2e-6 * np.sqrt(mean)
        # the odd harmonics of the azimuth: no direction is preferred
        assert abs(off.mean()) < 1e-8 * np.sqrt(mean) + Z * off.std() / np.sqrt(off.size)
    assert np.max(np.abs(ours[0])) < 2.0 + 1e-6
    assert all(np.all(np.isfinite(one)) for one in ours)


@pytest.mark.parametrize("s", [1e-3, 0.05, 0.5, 2.0])
def test_single_versines_have_the_mean_of_the_heat_kernel(s):
    """By quadrature in place of chance: <1 - cos theta> = 1 - e^(-2s) within 1.5e-7 of it.

    Midpoint rule in y = -ln u on steps of 6e-5 (error 1e-10), the draw being that of the nearest of
    the 2^40 values of u; what lies beyond the last, e^-28, is 1e-11.
    """
    count = 2**19
    width = 40.0 * np.log(2.0) / count
    u = np.exp(-width * (np.arange(count) + 0.5))
    high = np.floor((1.0 - u) * 2.0**40).astype(np.uint64)
    signed, _, _ = single_steps(high << np.uint64(24), s)
    versine = -np.expm1(-2.0 * s)
    mean = width * np.sum(u * signed)
    assert abs(mean - versine) < 1.5e-7 * versine
    # a change of the law in the seventh digit is seen
    assert abs(1.000001 * mean - versine) > 1.5e-7 * versine


def test_all_single_azimuths_together_have_no_harmonic():
    """The 2^23 azimuths are those of `polar_draw`, opposite ones exactly opposite."""
    raw = np.arange(2**23, dtype=np.uint64) << np.uint64(1) | np.uint64(1 << 60)
    _, ux, uy = single_steps(raw, 1e-2)
    half = 2**22
    assert np.array_equal(ux[:half], -ux[half:])
    assert np.array_equal(uy[:half], -uy[half:])
    square = np.mean(ux**2 + uy**2)
    for value in (ux, uy, ux * uy, ux**3, ux * uy**2):
        assert abs(value.mean()) < 1e-9 * square
    # the second harmonic: the error of cosine against that of sine
    assert abs(np.mean(ux**2 - uy**2)) < 1e-7 * square
    # the fourth: <cos^4> = 3/8
    assert abs(np.mean(ux**4) - 0.375 * square**2) < 2e-7 * square**2


def test_tail_of_single_versines_keeps_40_bits():
    """The farthest turns are those of the largest upper 40 bits: x/(2s) = 41 ln 2 at the end."""
    top = np.uint64(2**64 - 1)
    step = np.uint64(1 << 24)
    raw = top - step * np.array([0, 1, 2, 3, 100, 255, 256, 1000, 2**20, 2**30], np.uint64)
    s = 1e-4
    signed, _, _ = single_steps(raw, s)
    u = (((top - raw) >> np.uint64(24)).astype(float) + 0.5) * 2.0**-40
    expected = -np.log(u) * -np.expm1(-2.0 * s)
    assert np.allclose(np.abs(signed), expected, rtol=3e-7, atol=0.0)
    # and the nearest ones keep 32
    raw = np.array([0, 1, 5, 1000, 2**20], np.uint64) << np.uint64(32)
    signed, _, _ = single_steps(raw, s)
    expected = ((raw >> np.uint64(32)).astype(float) + 0.5) * 2.0**-32 * -np.expm1(-2.0 * s)
    assert np.allclose(signed, expected, rtol=1.3e-4, atol=0.0)
    assert np.allclose(signed[:-1], expected[:-1], rtol=5e-7, atol=0.0)


# --- between draws ------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [1, 2, 3, 4, 7, 64])
def test_fields_do_not_correlate_between_steps_and_lanes(draws, lag):
    fields = standardised(draws[:, :600])
    for one, a in fields.items():
        for other, b in fields.items():
            assert_uncorrelated(a[lag:], b[:-lag], ("steps", lag, one, other))
            assert_uncorrelated(a[:, lag:], b[:, :-lag], ("lanes", lag, one, other))


@pytest.mark.parametrize("seeds", [(0, 1), (1, 2), (17, 18), (2**63, 2**63 + 1), (0, 2**63)])
def test_neighbouring_seeds_do_not_correlate(seeds):
    one, other = (standardised(raw_numbers(seed, 400, 400)) for seed in seeds)
    for first, a in one.items():
        for second, b in other.items():
            assert_uncorrelated(a, b, (seeds, first, second))


def test_streams_of_one_seed_do_not_correlate():
    """Initial states, burn-in, dynamics and pilot draw from streams of their own."""
    keys = Keys.from_seed(5)
    fields = []
    for key in (keys.initial, keys.burn_in, keys.dynamics, keys.pilot, keys.pilot ^ keys.dynamics):
        out = np.empty((300, 400), np.uint64)
        noise.draw(generators(key, 0, 400), out)
        fields.append(standardised(out))
    for i, one in enumerate(fields):
        for other in fields[:i]:
            for name in one:
                assert_uncorrelated(one[name], other[name], name)


def test_normals_of_lanes_form_a_white_matrix():
    """Eigenvalues of the correlation matrix of 200 lanes lie within Marchenko and Pastur's edges.

    The largest fluctuates by (1 + sqrt(q))^(4/3) q^(1/6) n^(-2/3) (Tracy-Widom); six of these units
    beyond the edge have a chance below 1e-6.
    """
    n, lanes = 4000, 200
    x, _ = normals(raw_numbers(23, lanes, n))
    values = np.linalg.eigvalsh(x.T @ x / n)
    q = lanes / n
    unit = (1.0 + np.sqrt(q)) ** (4.0 / 3.0) * q ** (-1.0 / 6.0) * n ** (-2.0 / 3.0)
    assert values[-1] < (1.0 + np.sqrt(q)) ** 2 + 6.0 * unit
    assert values[0] > (1.0 - np.sqrt(q)) ** 2 - 6.0 * unit


def test_the_seeding_hash_is_an_avalanche():
    """One bit of the trajectory's number flips each bit of its first draw with chance one half."""
    key = Keys.from_seed(3).dynamics
    count = 4096
    first = raw_numbers(3, count, 1)[0]
    flips = np.zeros((12, 64))
    for bit in range(12):
        partner = first[np.arange(count) ^ (1 << bit)]
        changed = (first ^ partner)[np.arange(count) & (1 << bit) == 0]
        flips[bit] = [np.mean((changed >> np.uint64(k)) & np.uint64(1)) for k in range(64)]
    z = (2.0 * flips - 1.0) * np.sqrt(count / 2)
    assert np.abs(z).max() < 5.9  # 768 statistics, 1e-6 for all
    assert stats.kstest(z.ravel(), "norm").pvalue > P
    far = np.empty((1, 1), np.uint64)
    noise.draw(generators(key, 2**40 + 1, 1), far)  # numbers beyond 32 bits count
    assert far[0, 0] not in first


# --- what a step makes of them ------------------------------------------------------------------


@pytest.mark.parametrize("s", [1e-3, 0.03, 0.4, 2.5])
def test_a_step_of_noise_has_the_von_mises_fisher_law(s):
    """Without fields one step of "splitting" turns n by the law p ~ exp(k cos theta).

    <P_1> = coth k - 1/k = e^(-2s) by construction, and <P_2> = 1 - 3 <P_1>/k, which is e^(-6s) up
    to 8 s^3: the heat kernel's harmonics.
    """
    magnet = Magnet(1.4, 0.8, 0.5, 2.0 * s)
    start = np.array([0.48, 0.6, 0.64])
    run = simulate(
        magnet, Protocol(1.0, None, None), trajectories=400_000, seed=9, steps=1, initial=start
    )
    n = run.final_moment.values / magnet.moment
    cosine = n @ start
    k = _concentration(s)
    first, second = np.exp(-2.0 * s), 1.0 - 3.0 * np.exp(-2.0 * s) / k
    for value, mean in ((cosine, first), (1.5 * cosine**2 - 0.5, second)):
        assert abs(value.mean() - mean) * np.sqrt(value.size) < Z * value.std()
    if s < 0.1:
        assert abs(second - np.exp(-6.0 * s)) < 8.1 * s**3
    law = np.expm1(-k * (1.0 - cosine)) / np.expm1(-2.0 * k)
    assert stats.kstest(law, "uniform").pvalue > P
    east = np.cross([0.0, 0.0, 1.0], start)
    east /= np.linalg.norm(east)
    azimuth = np.arctan2(n @ np.cross(start, east), n @ east)
    assert stats.kstest(azimuth / (2.0 * np.pi) + 0.5, "uniform").pvalue > P
    for order in (1, 2, 3, 4):
        assert abs(np.mean(np.cos(order * azimuth))) * np.sqrt(2.0 * azimuth.size) < Z
    assert_uncorrelated(
        np.sqrt(12.0) * (law - 0.5), np.sqrt(2.0) * np.cos(azimuth), "angle and azimuth"
    )


def _concentration(s):
    """Solve coth k - 1/k = e^(-2s) by bisection."""
    low, high = 1e-9, 1e6
    for _ in range(200):
        middle = np.sqrt(low * high)
        mean = 1.0 / np.tanh(middle) - 1.0 / middle
        low, high = (middle, high) if mean < np.exp(-2.0 * s) else (low, middle)
    return low
