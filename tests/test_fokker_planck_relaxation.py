"""Spectrum, correlation, finite-time variance and sampling of steady states."""

import numpy as np
import pytest
from scipy.integrate import quad_vec
from scipy.linalg import expm

from sphere_oracle import Harmonics, sphere_nodes
from spintherm import Magnet
from spintherm.exact import CollinearSteadyState, IsotropicWalk
from spintherm.fokker_planck import spectrum as spectrum_module
from spintherm.fokker_planck import steady_state

PAPER = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
OTHER = Magnet(moment=0.7, gyromagnetic_ratio=-1.4, damping=0.3, temperature=2.3)
FIELD, TORQUE = np.array([0.8, -1.1, 2.4]), np.array([-1.3, 0.9, 0.4])


# spectrum


@pytest.mark.parametrize(
    ("xi", "first"),
    [(1, 2.199712373), (2, 2.795304587), (5, 6.788896191), (10, 17.506611716)],
)
def test_printed_relaxation_rates(xi, first):
    # slowest longitudinal mode in a uniform field, in units of eta T
    magnet = Magnet(1.3, 0.9, 0.7, 0.6)
    state = steady_state(magnet, (0, 0, xi * 0.6 / 1.3), (0, 0, 0))
    values = state.spectrum(12) / (0.7 * 0.6)
    longitudinal = -values[values.imag == 0.0].real
    assert abs(longitudinal[0] - first) < 6e-10


@pytest.mark.parametrize("nu", [2.0, 300.0])
def test_collinear_spectrum(nu):
    H = nu * OTHER.temperature / OTHER.moment * np.array([0.6, 0.0, 0.8])
    P = 0.3 * np.linalg.norm(H) / OTHER.moment * np.array([0.6, 0.0, 0.8])
    values = steady_state(OTHER, H, P).spectrum(9)
    exact = CollinearSteadyState(OTHER, H, P)
    turn = abs(OTHER.gyromagnetic_ratio) * np.linalg.norm(
        H - OTHER.damping * OTHER.moment**2 / OTHER.gyromagnetic_ratio * P
    )
    expected = []
    for order in range(9):
        rates = exact.relaxation_rates(order=order, count=10)
        rates = rates[rates > 1e-6 * rates[-1]] if order == 0 else rates
        expected += [-rate + 1j * order * turn for rate in rates]
        expected += [-rate - 1j * order * turn for rate in rates] if order else []
    expected = np.array(expected)
    for value in values:
        assert np.min(np.abs(expected - value)) < 1e-9 * abs(value)
    slowest = np.sort(-expected.real)[:9]
    np.testing.assert_allclose(-values.real, slowest, rtol=1e-9)


def test_free_rotation_has_the_spectrum_of_the_sphere():
    values = steady_state(OTHER, (0, 0, 0), (0, 0, 0)).spectrum(8) / (0.3 * 2.3)
    np.testing.assert_allclose(values, [-2] * 3 + [-6] * 5, atol=1e-10)


def test_tilted_spectrum_against_dense_complex_harmonics():
    dense = np.linalg.eigvals(Harmonics(16).backward_generator(OTHER, FIELD, TORQUE).toarray())
    dense = dense[np.argsort(-dense.real)][1:]
    values = steady_state(OTHER, FIELD, TORQUE).spectrum(7)
    for value in values:
        assert np.min(np.abs(dense - value)) < 1e-8
    np.testing.assert_allclose(values.real, dense.real[:7], atol=1e-8)


def test_both_ways_to_the_spectrum_agree(monkeypatch):
    state = steady_state(PAPER, (0, 0, 6.0), (1.5, 0, 1.0))
    monkeypatch.setattr(spectrum_module, "DENSE_SIZE", 0)
    shifted = state.spectrum(5)
    monkeypatch.setattr(spectrum_module, "DENSE_SIZE", 10**6)
    np.testing.assert_allclose(shifted, state.spectrum(5), atol=1e-8)


# correlation and variance


@pytest.mark.parametrize("nu", [0.7, 20.0, 1000.0])
def test_collinear_correlation_and_variance(nu):
    H = nu * OTHER.temperature / OTHER.moment * np.array([0.6, 0.0, 0.8])
    P = 0.3 * np.linalg.norm(H) / OTHER.moment * np.array([0.6, 0.0, 0.8])
    state, exact = steady_state(OTHER, H, P), CollinearSteadyState(OTHER, H, P)
    times = np.array([0.0, 0.03, 0.3, 1.0, 3.0, 20.0]) / (
        OTHER.damping * OTHER.temperature * (nu + 1)
    )
    amplitude = 2 * OTHER.gyromagnetic_ratio * OTHER.moment * np.linalg.norm(P)
    ours, expected = (
        state.pumped_entropy_correlation(times),
        amplitude**2 * exact.correlation(times),
    )
    np.testing.assert_allclose(ours, expected, atol=1e-10 * expected[0])
    np.testing.assert_allclose(
        state.pumped_entropy_variance(times[1:]),
        exact.pumped_entropy_variance(times[1:]),
        rtol=1e-8,
    )


def test_isotropic_walk():
    walk = IsotropicWalk(PAPER, (1.0, -2.0, 0.5))
    state = steady_state(PAPER, walk.field, walk.spin_torque)
    times = np.array([0.0, 1e-3, 0.1, 1.0, 10.0, 1e4])
    np.testing.assert_allclose(
        state.pumped_entropy_variance(times), walk.pumped_entropy_variance(times), rtol=1e-10
    )
    np.testing.assert_allclose(state.pumped_entropy_noise, walk.pumped_entropy_noise, rtol=1e-12)
    assert abs(state.pumped_entropy_rate) < 1e-14
    np.testing.assert_allclose(
        state.entropy_production_rate, walk.entropy_production_rate, rtol=1e-12
    )


def test_tilted_correlation_against_the_matrix_exponential():
    oracle = Harmonics(12)
    M = oracle.backward_generator(OTHER, FIELD, TORQUE).toarray()
    values, vectors = np.linalg.eig(M.conj().T)
    p = vectors[:, np.argmin(np.abs(values))]
    p = p / (p[0] * np.sqrt(4 * np.pi))
    rate = 2 * OTHER.gyromagnetic_ratio * OTHER.moment * oracle.along(TORQUE, oracle.n).toarray()
    one = np.zeros(len(p))
    one[0] = np.sqrt(4 * np.pi)
    f = rate @ one
    mean = np.vdot(p, f).real
    f = f - mean * one
    times = np.array([0.0, 0.05, 0.4, 2.0])
    product = rate @ p - mean * p  # coefficients of (f - mean) p
    expected = [np.vdot(product, expm(M * t) @ f).real for t in times]
    state = steady_state(OTHER, FIELD, TORQUE)
    ours = state.pumped_entropy_correlation(times)
    np.testing.assert_allclose(ours, expected, atol=1e-10 * expected[0])


@pytest.mark.parametrize("torque", [TORQUE, 10 * TORQUE])
def test_variance_is_the_integral_of_the_correlation(torque):
    state = steady_state(OTHER, FIELD, torque)
    for tau in (0.2, 2.0):
        integral, _ = quad_vec(
            lambda s, tau=tau: (tau - s) * state.pumped_entropy_correlation(s), 0, tau, epsrel=1e-9
        )
        np.testing.assert_allclose(state.pumped_entropy_variance(tau), 2 * integral, rtol=1e-8)
    short, long = 1e-7, 1e6
    start = state.pumped_entropy_correlation(0.0)
    np.testing.assert_allclose(state.pumped_entropy_variance(short), start * short**2, rtol=1e-5)
    np.testing.assert_allclose(
        state.pumped_entropy_variance(long) / long, state.pumped_entropy_noise, rtol=1e-5
    )


def test_finite_time_variance_of_the_paper():
    # [II] Fig. 4 samples tau = 0.5: between 0.57 (H = 1) and 0.95 (H = 20) of the long-time noise
    for strength, share in ((1.0, 0.566332), (20.0, 0.946069)):
        state = steady_state(PAPER, (0, 0, strength), (0, 0, 1))
        ratio = state.pumped_entropy_variance(0.5) / (0.5 * state.pumped_entropy_noise)
        np.testing.assert_allclose(ratio, share, rtol=1e-5)


def test_no_torque_no_fluctuation():
    state = steady_state(PAPER, (0, 0, 1.0), (0, 0, 0))
    assert state.pumped_entropy_variance(1.0) == 0.0
    assert state.pumped_entropy_correlation(0.0) == 0.0


def test_negative_times_are_refused():
    state = steady_state(PAPER, (0, 0, 1.0), (0, 0, 1.0))
    with pytest.raises(ValueError, match="durations"):
        state.pumped_entropy_variance([1.0, -1.0])


# sampling


@pytest.mark.parametrize("field", [FIELD, 60 * FIELD])
def test_sample_has_the_moments_of_the_density(field):
    # z-scores of the first two moments; false alarm below 1e-4 in all
    state = steady_state(PAPER, field, TORQUE)
    count = 40_000
    x = state.sample(count, np.random.default_rng(8))
    np.testing.assert_allclose(np.linalg.norm(x, axis=-1), PAPER.moment, rtol=1e-12)
    n, weight = sphere_nodes(150, 200)
    p = weight * state.density(n)
    np.testing.assert_allclose(p.sum(), 1.0, rtol=1e-9)
    drawn = x / PAPER.moment
    for functional in (
        lambda q: q,
        lambda q: np.einsum("ki,kj->kij", q, q).reshape(len(q), -1),
        lambda q: np.tanh(20.0 * q @ np.cross(FIELD, TORQUE))[:, None],
    ):
        expected, values = p @ functional(n), functional(drawn)
        error = values.std(axis=0) / count**0.5
        assert np.all(np.abs(values.mean(axis=0) - expected) < 4.5 * error)


def test_sample_follows_the_seed_and_the_law_of_each_cosine():
    from scipy.stats import kstest

    state = steady_state(PAPER, (0, 0, 2.0), (0, 0, 0.5))
    xi = float(CollinearSteadyState(PAPER, (0, 0, 2.0), (0, 0, 0.5)).xi)
    x = state.sample(20_000, np.random.default_rng(3))
    np.testing.assert_array_equal(x, state.sample(20_000, np.random.default_rng(3)))
    cosine = x[:, 2] / PAPER.moment
    law = kstest(cosine, lambda c: np.expm1(xi * (c + 1)) / np.expm1(2 * xi))
    assert law.pvalue > 1e-4
    assert kstest(np.arctan2(x[:, 1], x[:, 0]), "uniform", (-np.pi, 2 * np.pi)).pvalue > 1e-4
