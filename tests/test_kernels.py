"""The compiled kernels: elementary functions, random numbers, vector code, cache."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import numba
import numpy as np
import pytest
from scipy import stats

from scheme_operators import noise_frame
from spintherm import Magnet, Protocol, Ramp
from spintherm.kernels import constants, elementary, ensemble, fast, jit, noise, schemes
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, table


@numba.njit
def _log(x, out):
    for i in range(x.size):
        out[i] = elementary.log(x[i])


@numba.njit
def _cos_sin(w, cosine, sine):
    for i in range(w.size):
        cosine[i], sine[i] = elementary.cos_sin_turn(w[i])


@numba.njit
def _polar(raw, radial, azimuth, sign):
    for i in range(raw.size):
        radial[i], azimuth[i], sign[i] = noise.polar_draw(raw[i])


@numba.njit
def _normals(raw, x, y):
    for i in range(raw.size):
        x[i], y[i] = noise.normal_pair(raw[i])


def generators(seed, first, count):
    states = np.empty((4, count), np.uint64)
    noise.seed_generators(np.uint64(seed), np.uint64(~seed & (2**64 - 1)), first, states)
    return states


def raw_numbers(seed, trajectories, steps):
    out = np.empty((steps, trajectories), np.uint64)
    noise.draw(generators(seed, 0, trajectories), out)
    return out


def test_log_is_within_three_units_in_the_last_place():
    rng = np.random.default_rng(1)
    x = np.concatenate(
        (np.exp(rng.uniform(-700, 700, 200_000)), rng.uniform(0.4, 2.1, 300_000), [1.0, 2.0**-52])
    )
    ours = np.empty_like(x)
    _log(x, ours)
    exact = np.log(x.astype(np.longdouble))
    assert np.max(np.abs(ours - exact) / np.spacing(np.maximum(np.abs(ours), 1e-300))) < 3.0
    assert ours[-2] == 0.0


def test_cos_and_sin_are_within_three_units_of_1e_15():
    w = np.concatenate((np.linspace(-1, 1, 400_001), [0.0, 0.5, -0.5, 0.25]))
    cosine, sine = np.empty_like(w), np.empty_like(w)
    _cos_sin(w, cosine, sine)
    pi = np.longdouble("3.14159265358979323846264338327950288")
    assert np.max(np.abs(cosine - np.cos(pi * w))) < 3e-15
    assert np.max(np.abs(sine - np.sin(pi * w))) < 3e-15


def test_generator_is_xoshiro256_plus_plus():
    """The published reference algorithm, written out with Python's integers."""
    mask = 2**64 - 1
    state = [1, 2, 3, 4]

    def rotate(x, k):
        return ((x << k) | (x >> (64 - k))) & mask

    expected = []
    for _ in range(50):
        expected.append((rotate((state[0] + state[3]) & mask, 23) + state[0]) & mask)
        t = (state[1] << 17) & mask
        state[2] ^= state[0]
        state[3] ^= state[1]
        state[1] ^= state[2]
        state[0] ^= state[3]
        state[2] ^= t
        state[3] = rotate(state[3], 45)
    out = np.empty((50, 1), np.uint64)
    noise.draw(np.array([[1], [2], [3], [4]], np.uint64), out)
    assert out[:, 0].tolist() == expected


def test_a_trajectory_has_the_same_numbers_wherever_it_is_seeded():
    whole = generators(5, 0, 1000)
    assert np.array_equal(whole[:, 137:300], generators(5, 137, 163))
    assert not np.any(whole == generators(6, 0, 1000))


# Each test below compares with its null law at a chance of 1e-6 of a false alarm per statistic.
Z = 4.9


def test_raw_numbers_have_fair_and_independent_bits():
    raw = raw_numbers(11, 512, 512)
    for shift in range(64):
        bit = ((raw >> np.uint64(shift)) & np.uint64(1)).astype(np.int8)
        z = (2.0 * bit.mean() - 1.0) * np.sqrt(bit.size)
        assert abs(z) < Z
        spin = 2.0 * bit - 1.0
        for neighbour in (spin[1:] * spin[:-1], spin[:, 1:] * spin[:, :-1]):
            assert abs(neighbour.mean()) * np.sqrt(neighbour.size) < Z


def test_streams_of_different_seeds_and_trajectories_do_not_correlate():
    u = raw_numbers(1, 400, 1000).astype(float) / 2.0**64 - 0.5
    v = raw_numbers(2, 400, 1000).astype(float) / 2.0**64 - 0.5
    assert abs(12.0 * np.mean(u * v)) * np.sqrt(u.size) < Z
    between = 12.0 * (u.T @ u)[np.triu_indices(400, 1)] / np.sqrt(1000)
    assert np.max(np.abs(between)) < 6.2  # 80 000 pairs
    assert abs(np.mean(between**2) - 1.0) < Z * np.sqrt(2.0 / between.size)


def test_polar_draw_is_uniform_and_its_parts_independent():
    raw = raw_numbers(3, 1000, 1000).ravel()
    radial, azimuth, sign = (np.empty(raw.size) for _ in range(3))
    _polar(raw, radial, azimuth, sign)
    assert np.all((radial > 0.0) & (radial < 1.0))
    assert stats.kstest(radial, "uniform").pvalue > 1e-6
    assert stats.kstest(0.5 * (azimuth + 1.0), "uniform").pvalue > 1e-6
    assert set(np.unique(sign)) == {-1.0, 1.0}
    unit = np.sqrt(raw.size)
    x, y = np.sqrt(12.0) * (radial - 0.5), np.sqrt(3.0) * azimuth
    for product in (sign, x * y, x * sign, y * sign):
        assert abs(product.mean()) * unit < Z


def test_polar_draw_splits_the_bits_without_overlap():
    """The largest and smallest raw numbers reach the ends of every part."""
    raw = np.array([0, 2**64 - 1, 1, 2, 2**24], np.uint64)
    radial, azimuth, sign = (np.empty(raw.size) for _ in range(3))
    _polar(raw, radial, azimuth, sign)
    assert radial.tolist() == [1 - 2.0**-41, 2.0**-41, 1 - 2.0**-41, 1 - 2.0**-41, 1 - 3 * 2.0**-41]
    cell = 2.0**-22
    assert azimuth.tolist() == [
        -1 + cell / 2,
        1 - cell / 2,
        -1 + cell / 2,
        -1 + 1.5 * cell,
        -1 + cell / 2,
    ]
    assert sign.tolist() == [1.0, -1.0, -1.0, 1.0, 1.0]


def test_normal_pairs_are_normal():
    raw = raw_numbers(4, 1000, 1000).ravel()
    x, y = np.empty(raw.size), np.empty(raw.size)
    _normals(raw, x, y)
    for sample in (x, y, (x + y) / np.sqrt(2.0)):
        assert stats.kstest(sample, "norm").pvalue > 1e-6
    moments = [np.mean(x**k) for k in range(1, 7)]
    spread = [1.0, 2.0, 15.0, 96.0, 945.0, 10170.0]
    for moment, exact, variance in zip(moments, (0, 1, 0, 3, 0, 15), spread, strict=True):
        assert abs(moment - exact) < Z * np.sqrt(variance / x.size)
    assert abs(np.mean(x * y)) * 1000 < Z


@pytest.mark.parametrize("s", [1e-8, 1e-3, 0.02, 0.1, 0.5, 2.0, 5.0])
def test_diffusion_angle_has_the_mean_of_the_heat_kernel(s):
    """<cos theta> over the law that the constants describe is e^(-2s), by quadrature over u."""
    floor, span, inverse = constants.von_mises_fisher_constants(np.array([[s]]))
    u, weight = np.polynomial.legendre.leggauss(400)
    # u = e^-y resolves the logarithm at u -> 0
    y = 0.5 * (u + 1.0) * 45.0
    draws = np.exp(-y)
    versine = -np.log(floor + span * draws) * inverse
    mean = np.sum(0.5 * 45.0 * weight * draws * versine)
    assert mean == pytest.approx(-np.expm1(-2.0 * s), rel=1e-9)
    assert versine.max() <= 2.0 + 1e-9


def test_without_diffusion_the_angle_is_zero():
    floor, span, inverse = constants.von_mises_fisher_constants(np.zeros((2, 1)))
    assert np.all(inverse == 0.0)
    assert np.all(floor == 0.0)
    assert np.all(span == 1.0)


@pytest.mark.parametrize("scale", [1e-6, 0.1, 3.0, 50.0, 2000.0])
def test_moebius_matrices_are_matrix_exponentials(scale):
    from scipy.linalg import expm

    rng = np.random.default_rng(2)
    b, r = scale * rng.normal(size=(2, 5, 3))
    ours = constants.moebius_matrices(b, r).reshape(5, 4, 4)
    for k in range(5):
        generator = np.zeros((4, 4))
        generator[0, 1:] = generator[1:, 0] = b[k]
        generator[1:, 1:] = np.cross(r[k], np.eye(3)).T
        # a shift keeps the exponential of a strong field in range; a factor drops out of n'
        top = np.linalg.eigvals(generator).real.max()
        exact = expm(generator - top * np.eye(4))
        ratio = exact / exact[0, 0]
        assert np.allclose(ours[k] / ours[k, 0, 0], ratio, atol=1e-9 * max(1.0, scale / 50.0))


ENTRY_POINTS = {
    "advance_splitting": (ensemble, 33),
    "advance_euler_maruyama": (ensemble, 20),
    "advance_fast": (fast, fast.COLUMNS),
}


@cache
def compiled(name):
    """LLVM's code of a kernel, freshly compiled."""
    module, columns = ENTRY_POINTS[name]
    fresh = numba.njit(nogil=True, error_model="numpy")(getattr(module, name).py_func)
    state = np.zeros((6, 8))
    state[2] = 1.0
    fresh(state, generators(0, 0, 8), np.zeros((1, columns)), np.zeros((1, 3)))
    (code,) = fresh.inspect_llvm().values()
    return code


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_the_loop_over_lanes_is_vector_code(name):
    """Square roots and divisions of whole vectors appear, and most products are vector products."""
    code = compiled(name)
    vector_roots = re.findall(r"call <(\d+) x (?:double|float)> @llvm\.sqrt", code)
    assert vector_roots, "no square root of a vector: the lane loop was not vectorised"
    assert all(int(width) >= 2 for width in vector_roots)
    for operation in ("fdiv", "fmul"):
        assert re.search(rf"{operation} <\d+ x double>", code), operation
    assert re.search(r"(xor|add) <\d+ x i64>", code), "the generators are not vectorised"
    vector = len(re.findall(r"call <\d+ x double> @llvm\.fma", code))
    scalar = len(re.findall(r"call double @llvm\.fma", code))
    assert vector >= scalar, (vector, scalar)


def test_single_precision_noise_stays_single_and_fills_the_vectors():
    """The noise's loop knows no doubles; its vectors have twice as many lanes as the drift's."""
    code = compiled("advance_fast")
    loops = [part for part in re.split(r"\n(?=[\w.]+:)", code) if part.startswith("vector.body")]
    (noisy,) = (loop for loop in loops if re.search(r"@llvm\.sqrt", loop))
    (drift,) = (
        loop for loop in loops if "fpext" in loop and re.search(r"fdiv <\d+ x double>", loop)
    )
    assert "double" not in noisy
    assert len(re.findall(r"[us]itofp (?:nneg )?<\d+ x i32>", noisy)) == 3
    (single,) = set(re.findall(r"call <(\d+) x float> @llvm\.fma", noisy))
    (double,) = set(re.findall(r"call <(\d+) x double> @llvm\.fma", drift))
    assert int(single) == 2 * int(double)
    vector = len(re.findall(r"call <\d+ x float> @llvm\.fma", noisy))
    scalar = len(re.findall(r"call float @llvm\.fma", code))  # of the loop for what is left over
    assert vector == 20
    assert scalar <= vector


@numba.njit
def _step_by_step(directions, raw, rows, frames, out):
    """`splitting` as `schemes` has it: (work, heat, pumped entropy) and the end of every path."""
    for i in range(directions.shape[1]):
        n = directions[0, i], directions[1, i], directions[2, i]
        for k in range(rows.shape[0]):
            c = schemes.load_splitting(rows, k)
            a = schemes.moebius_with_frame(*n, c[0])
            radial, azimuth, sign = noise.polar_draw(raw[k, i])
            at = frames[k] @ np.array([a[0], a[1], a[2]])
            pole = -1.0 / (np.copysign(1.0, at[2]) + at[2])
            d = schemes.tangent(at[0], at[1], at[2], pole, *elementary.cos_sin_turn(azimuth))
            d = np.array(d) @ frames[k]
            versine = -elementary.log(c[2] * radial + c[1]) * c[3]
            step = schemes.splitting(*n, a[0], a[1], a[2], d[0], d[1], d[2], versine, sign, c)
            n = step[0], step[1], step[2]
            for j in range(3):
                out[3 + j, i] += step[3 + j]
        out[0, i], out[1, i], out[2, i] = n


@pytest.mark.parametrize("steps", [1, 2, 70])
def test_merged_half_drifts_are_the_scheme_step_by_step(steps):
    """Fields of order one over a time of 1.7: one step does not resolve the motion at all."""
    magnet = Magnet(1.3, 1.7, 0.4, 0.8)
    torque = Ramp((0.2, -0.6, -0.5), (0.6, 0.4, -0.3), 1.7)
    cut = table(
        magnet, tabulate(Protocol(1.7, (0.3, -0.2, 0.9), torque), steps), SCHEMES["splitting"]
    )
    state = np.zeros((6, 300))
    state[:3] = np.random.default_rng(1).normal(size=(3, 300))
    state[:3] /= np.linalg.norm(state[:3], axis=0)
    expected = np.zeros((6, 300))
    frames = np.array([noise_frame(row[21:24]) for row in cut.constants])
    _step_by_step(state[:3], raw_numbers(5, 300, steps), cut.constants, frames, expected)
    ensemble.advance_splitting(state, generators(5, 0, 300), cut.constants, cut.jumps[:-1])
    # rounding: a single step multiplies null vectors by matrices of size e^2 and cancels them
    assert np.max(np.abs(state - expected)) < 1e-13
    assert np.all(np.ptp(expected[3:], axis=1) > 0.1)


CACHE_PROBE = """
import numpy as np
from spintherm.kernels import jit, noise
state = np.empty((4, 2), np.uint64)
noise.seed_generators(np.uint64(1), np.uint64(2), 0, state)
print(sum(noise.seed_generators.stats.cache_hits.values()), state.tolist())
"""


def _probe(folder):
    environment = {**os.environ, "SPINTHERM_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", CACHE_PROBE],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    hits, numbers = done.stdout.split(" ", 1)
    return int(hits), numbers


def test_kernels_from_the_cache_and_fresh_give_the_same_bits(tmp_path):
    first, second = _probe(tmp_path), _probe(tmp_path)
    assert (first[0], second[0]) == (0, 1)
    assert first[1] == second[1]


def test_an_unwritable_cache_folder_is_no_obstacle(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    assert _probe(blocked)[0] == 0


def test_cache_folder_names_the_sources():
    assert jit.cache_directory().name == jit.KERNEL_DIGEST
    assert jit._digest() == jit.KERNEL_DIGEST
    assert Path(jit.__file__).parent.name == "kernels"
