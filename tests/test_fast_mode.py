"""`fast=True`: the same paths as the strict arithmetic, to what the two ways of summing allow.

Moments differ by the noise's single precision: a turn's direction and size have errors of 1e-7 rms
of its own size (tests/test_noise.py), so that a path ends 1e-7 sqrt(2 eta T tau) rms off, some 1e-6
at most. Work, heat and pumped entropy are booked between two noises (tests/test_middle_books.py)
and differ by the second power of the step on a path.

The frame in which noise is drawn has a seam at n_z = 0. A path that passes it within its error of
1e-7, once in some 10^7 steps, is thrown into another direction there, with the same law: it parts
from the strict one, and is left out where paths are compared one by one.
"""

import numba
import numpy as np
import pytest

from spintherm import Constant, Magnet, Protocol, Pulse, Ramp, Triangle, simulate
from spintherm.fokker_planck import functional_means
from spintherm.kernels import elementary

# With Z = 4.5 a comparison raises a false alarm once in 150 000 seeds; the seeds are fixed.
Z = 4.5


@numba.njit
def _single_log(x, below_one, out):
    for i in range(x.size):
        out[i] = elementary.single_log(x[i], below_one[i])


@numba.njit
def _single_sin_cos(v, sine, cosine):
    for i in range(v.size):
        sine[i], cosine[i] = elementary.single_sin_cos_half_turn(v[i])


def test_single_log_is_within_1e_7_relative_near_one_and_never_positive():
    rng = np.random.default_rng(1)
    below = -np.concatenate((np.logspace(-44, -0.4, 300_000), rng.uniform(0, 0.5, 300_000)))
    below = below.astype(np.float32)
    tail = np.exp(rng.uniform(-30, -0.4, 300_000)).astype(np.float32)
    x = np.concatenate((np.float32(1.0) + below, tail))
    below = np.concatenate((below, tail - np.float32(1.0)))
    ours = np.empty_like(x)
    _single_log(x, below, ours)
    assert np.all(ours <= 0.0)
    exact = np.log(x.astype(float))
    near = x >= np.float32(np.sqrt(0.5))
    exact[near] = np.log1p(below[near].astype(float))
    error = np.abs(ours - exact)
    normal = np.abs(below) > 1e-37
    # the polynomial's 3e-8 of f, and two roundings of 6e-8
    assert np.max(error[near & normal] / -exact[near & normal]) < 1.5e-7
    assert np.max((error / (1e-7 - 1e-7 * exact))[~near]) < 1.0


def test_single_sine_and_cosine_are_within_2e_7():
    v = np.linspace(-0.5, 0.5, 400_001).astype(np.float32)
    sine, cosine = np.empty_like(v), np.empty_like(v)
    _single_sin_cos(v, sine, cosine)
    exact = np.pi * v.astype(float)
    assert np.max(np.abs(cosine - np.cos(exact))) < 2e-7
    assert np.max(np.abs(sine - np.sin(exact))) < 2e-7
    # a longer or shorter turn is what the means would notice
    assert abs(np.mean(cosine.astype(float) ** 2 + sine.astype(float) ** 2 - 1.0)) < 1.5e-7


def pair(magnet, protocol, **options):
    return tuple(
        simulate(magnet, protocol, seed=4, fast=fast, progress=False, **options)
        for fast in (False, True)
    )


def together(strict, fast):
    """Paths that have not parted at the seam of the frame: all but a few."""
    off = np.max(np.abs(strict.final_moment.values - fast.final_moment.values), axis=1)
    alike = off < 1e-4
    # 2e-7 a step at most, by the width of the seam; three parted paths beyond that: chance 1e-3
    assert np.sum(~alike) <= 3 + 2e-7 * off.size * float(np.sum(strict.attrs["steps"]))
    return alike


def differences(strict, fast, name, alike):
    """(root mean square, largest) difference of the paths that have stayed together."""
    off = (fast[name].values - strict[name].values)[alike]
    return float(np.sqrt(np.mean(off**2))), float(np.max(np.abs(off)))


def test_fast_paths_are_the_strict_ones(magnet, protocol):
    """Each step may move the end by 1e-7 sqrt(2 s), s = eta T h, rms: 40 steps together 1e-7."""
    strict, fast = pair(magnet, protocol, trajectories=3000, steps=40)
    assert (strict.attrs["arithmetic"], fast.attrs["arithmetic"]) == ("strict", "fast")
    alike = together(strict, fast)
    for name in ("final_moment", "energy_change"):
        typical, largest = differences(strict, fast, name, alike)
        assert 1e-9 < typical < 2e-7, name
        assert largest < 2e-6, name
    assert np.array_equal(strict.attrs["steps"], fast.attrs["steps"])


def test_means_of_fast_paths_are_the_strict_ones_to_1e_7(magnet, protocol):
    """Path by path the two differ by 1e-7 rms: their means can be compared far below chance.

    The bias aimed at is 1e-6 of a mean, that is a thirtieth of the error of 10^9 paths.
    """
    for steps in (4, 40):
        strict, fast = pair(magnet, protocol, trajectories=100_000, steps=steps)
        alike = together(strict, fast)
        for name in ("final_moment", "energy_change"):
            off = (fast[name].values - strict[name].values)[alike]
            size = np.abs(strict[name].values).mean()
            error = off.std() / np.sqrt(off.shape[0])
            assert abs(off.mean()) < 1e-7 * size + Z * error, (name, steps)


@pytest.mark.parametrize("name", ["work", "pumped_entropy"])
def test_books_differ_by_the_second_power_of_the_step(name, magnet, protocol):
    off = []
    for steps in (50, 100, 200):
        strict, fast = pair(magnet, protocol, trajectories=4000, steps=steps)
        off.append(differences(strict, fast, name, together(strict, fast))[0])
    assert off[0] < 1e-3
    # jumps of the protocol make the segments' steps unequal: 10 % on a ratio of 4
    assert off[0] / off[1] == pytest.approx(4.0, rel=0.1)
    assert off[1] / off[2] == pytest.approx(4.0, rel=0.1)


@pytest.mark.parametrize("steps", [1, 3, 200, 2500])
def test_first_law_and_length_in_fast_mode(steps, magnet, protocol):
    """Heat comes from the ends of each call of the kernel, energy from those of the path."""
    run = simulate(magnet, protocol, trajectories=700, seed=1, steps=steps, fast=True)
    balance = run.work + run.heat - run.energy_change
    assert np.max(np.abs(balance)) < 1e-13 * np.sqrt(steps) * 10
    lengths = np.linalg.norm(run.final_moment.values, axis=1)
    assert np.allclose(lengths, magnet.moment, rtol=1e-13)


def test_saved_functionals_in_fast_mode(magnet, protocol):
    """Calls of the kernel end at saved times: jumps there are booked once, on the right side."""
    times = [0.0, 0.31, 0.5, 0.7, 0.9]
    strict, fast = pair(magnet, protocol, trajectories=300, steps=200, save_at=times)
    balance = fast.running_work + fast.running_heat - fast.running_energy_change
    assert np.max(np.abs(balance)) < 1e-12
    alike = together(strict, fast)
    for name, most in (("moment", 2e-6), ("running_pumped_entropy", 5e-4), ("running_work", 5e-4)):
        assert differences(strict, fast, name, alike)[1] < most, name


def test_a_jump_does_work_at_fixed_moment_in_fast_mode(magnet):
    step = np.array([0.7, -0.4, 1.1])
    protocol = Protocol(1.0, Constant((0.2, 0.5, 0.1)) + Pulse(step, 0.25, 0.75), None)
    run = simulate(
        magnet, protocol, trajectories=500, seed=2, steps=40, fast=True, save_at=[0.25, 0.75]
    )
    first, second = run.moment.values[:, 0], run.moment.values[:, 1]
    assert np.allclose(run.work, (second - first) @ step, atol=1e-13)


def test_fast_bits_do_not_depend_on_threads_or_on_the_size_of_the_ensemble(magnet, protocol):
    for steps, most in ((9, 40_000), (2100, 900)):
        kwargs = {"seed": 12, "steps": steps, "fast": True, "progress": False}
        large = simulate(magnet, protocol, trajectories=most, threads=3, **kwargs)
        small = simulate(magnet, protocol, trajectories=most - 77, threads=1, **kwargs)
        tiny = simulate(magnet, protocol, trajectories=10, **kwargs)
        for name in ("work", "heat", "pumped_entropy", "final_moment"):
            assert np.array_equal(small[name].values, large[name].values[: most - 77])
            assert np.array_equal(tiny[name].values, large[name].values[:10])


@pytest.mark.parametrize("steps", [8, 24])
def test_fast_mean_and_its_bias_agree_with_the_density_engine(steps, magnet, protocol):
    """The estimate of the step bias knows the other way of booking the torque's work."""
    exact = functional_means(magnet, protocol)
    run = simulate(magnet, protocol, trajectories=1_000_000, seed=9, steps=steps, fast=True)
    for name in ("work", "heat", "pumped_entropy", "entropy_production"):
        samples = run[name].values
        bias = float(run.step_bias.sel(estimate=name))
        error = float(run.step_bias_error.sel(estimate=name))
        spread = Z * np.hypot(samples.std() / 1000.0, error)
        # a quarter of the bias is allowed for the next order in h, which the estimate neglects
        assert abs(samples.mean() - bias - exact[name]) < spread + 0.25 * abs(bias), name


def test_the_bias_of_the_fast_books_is_their_own():
    """Fast less strict mean work is the difference of the two biases, path by path nearly exact."""
    magnet = Magnet(np.sqrt(3.0), 1.0, 0.5, 1.0)
    protocol = Protocol(1.0, Ramp((0, 0, 1), (0, 0, -1), 1.0), Triangle((0, 2, 0), 1.0))
    runs = pair(magnet, protocol, trajectories=200_000, steps=12)
    strict, fast = (float(run.step_bias.sel(estimate="work")) for run in runs)
    difference = (runs[1].work - runs[0].work).values
    error = difference.std() / np.sqrt(200_000)
    # 500 000 / (3 x 12) paths of the pilot take the other books at both resolutions
    pilot = 2.0 * difference.std() / np.sqrt(13_888)
    expected = float(difference.mean())
    assert expected > 5e-3
    assert abs(fast - strict - expected) < Z * np.hypot(error, pilot) + 0.1 * expected


def test_zero_temperature_in_fast_mode():
    magnet = Magnet(1.4, 1.3, 0.3, 0.0)
    protocol = Protocol(2.0, (0.1, 0.2, 0.9), (0.3, 0, 0.25))
    strict, fast = pair(magnet, protocol, trajectories=3, steps=64, initial=(0.6, 0.0, -0.8))
    assert np.max(np.abs(fast.final_moment.values - strict.final_moment.values)) < 1e-12


def test_fast_is_refused_where_there_is_none(magnet, protocol):
    with pytest.raises(ValueError, match="fast=True with scheme='euler-maruyama': expected scheme"):
        simulate(magnet, protocol, trajectories=2, seed=1, scheme="euler-maruyama", fast=True)
    with pytest.raises(TypeError, match="fast='yes'"):
        simulate(magnet, protocol, trajectories=2, seed=1, fast="yes")
