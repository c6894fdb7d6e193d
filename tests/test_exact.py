"""Exactly solvable systems against other routes: the sphere, the path's own equation, matrices."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm

from sphere_oracle import Harmonics, drift, sphere_nodes
from spintherm import exact, theory
from spintherm.magnet import Magnet

MAGNET = Magnet(1.7, 1.3, 0.6, 0.8)
OTHER = Magnet(0.9, -2.1, 0.35, 1.4)
PAPER = Magnet(np.sqrt(3.0), 1.0, 0.5, 1.0)
AXIS = np.array([1.0, 2.0, -2.0]) / 3.0
N, W = sphere_nodes()


def steady(magnet, H, P):
    return exact.CollinearSteadyState(magnet, H * AXIS, P * AXIS)


STATES = [
    steady(MAGNET, 2.0, -0.7),
    steady(MAGNET, 1.1, 0.6),
    steady(OTHER, 0.9, 0.3),
    steady(MAGNET, 0.0, 0.9),
    steady(MAGNET, 1.4, -0.6 / 1.3 * 1.4),
]


# --- the oracle itself ----------------------------------------------------------------------------


def test_oracle_knows_the_equation():
    """𝓛† n is the Itô drift, and 𝓛† n_i n_j adds the noise 2ηT(δ_ij - n_i n_j)."""
    H, P = np.array([0.3, -1.1, 0.8]), np.array([0.7, 0.2, -0.5])
    h = Harmonics(5)
    M = h.backward_generator(MAGNET, H, P)
    one = np.eye(h.size)[0]
    moments = lambda f: np.array([W * f @ N[:, i] for i in range(3)])  # noqa: E731
    v = drift(MAGNET.moment * N, MAGNET, H, P, ito=True) / MAGNET.moment
    D = MAGNET.damping * MAGNET.temperature
    for i in range(3):
        # integrals of 𝓛†n_i against the n_j, in both languages
        image = M @ (h.n[i] @ one)
        inner = [4 * np.pi * np.vdot(h.n[j] @ one, image).real for j in range(3)]
        np.testing.assert_allclose(inner, moments(v[:, i]), atol=1e-12)
        for j in range(3):
            image = M @ (h.n[i] @ (h.n[j] @ one))
            noise = 2 * D * ((i == j) - N[:, i] * N[:, j])
            values = v[:, i] * N[:, j] + v[:, j] * N[:, i] + noise
            inner = [4 * np.pi * np.vdot(h.n[k] @ one, image).real for k in range(3)]
            np.testing.assert_allclose(inner, moments(values), atol=1e-12)
            assert 4 * np.pi * image[0].real == pytest.approx(W @ values, abs=1e-12)


# --- spectrum -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("xi", "rate"), [(1, 2.199712373), (2, 2.795304587), (5, 6.788896191), (10, 17.506611716)]
)
def test_relaxation_rates_of_the_literature(xi, rate):
    assert exact.relaxation_rate(xi) == pytest.approx(rate, abs=5.1e-10)
    assert exact.relaxation_rate(-xi) == exact.relaxation_rate(xi)


@pytest.mark.parametrize("xi", [0.0, 0.4, 3.0, 11.0])
def test_relaxation_rates_are_eigenvalues_of_the_generator(xi):
    """The unsymmetrised backward generator in three dimensions, where order k turns by ikγ₀H."""
    H = xi * MAGNET.temperature / MAGNET.moment
    h = Harmonics(22)
    values = np.linalg.eigvals(h.backward_generator(MAGNET, (0, 0, H), (0, 0, 0)).toarray())
    D, turn = MAGNET.damping * MAGNET.temperature, MAGNET.gyromagnetic_ratio * H
    for order in (0, 1, 2):
        for rate in exact.relaxation_rates(xi, order=order, count=2):
            expected = -D * rate + 1j * order * turn
            assert np.min(np.abs(values - expected)) < 1e-8 * (1 + xi)
    slowest = -np.sort(-values.real)[1] / D
    assert -slowest == pytest.approx(
        min(exact.relaxation_rate(xi), exact.relaxation_rate(xi, order=1)), abs=1e-9
    )


def test_relaxation_rates_in_the_limits():
    np.testing.assert_allclose(exact.relaxation_rates(0.0, count=4), [2, 6, 12, 20], rtol=1e-14)
    np.testing.assert_allclose(exact.relaxation_rates(0.0, order=2, count=2), [6, 12], rtol=1e-14)
    # second-order perturbation theory: 2 + ξ²/5 for k = 0, 2 + 3ξ²/20 for k = 1
    assert exact.relaxation_rate(1e-2) - 2 == pytest.approx(1e-4 / 5, rel=1e-3)
    assert exact.relaxation_rate(1e-2, order=1) - 2 == pytest.approx(3e-4 / 20, rel=1e-3)
    for xi in (1e3, 1e5):  # an oscillator: steps of ξ, k = 1 at ξ and k = 0 at 2ξ
        assert exact.relaxation_rate(xi) == pytest.approx(2 * xi - 2, rel=3 / xi**2 + 1e-10)
        assert exact.relaxation_rate(xi, order=1) == pytest.approx(xi, rel=1e-2)
    with pytest.raises(ValueError, match="order"):
        exact.relaxation_rate(1.0, order=-1)
    with pytest.raises(ValueError, match="count"):
        exact.relaxation_rates(1.0, count=0)


def test_integrated_correlation():
    for rate, tau in [(2.0, 3.0), (1e-7, 2.0), (0.9, 1.1), (1.0, 1.0), (30.0, 4.0)]:
        value = quad(lambda s: 2 * (tau - s) * np.exp(-rate * s), 0, tau, epsrel=1e-13)[0]  # noqa: B023
        assert exact.integrated_correlation(rate, tau) == pytest.approx(value, rel=1e-12)
    assert exact.integrated_correlation(0.0, 3.0) == 9.0
    assert exact.integrated_correlation(2.0, 0.0) == 0.0


# --- the collinear steady state -------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_collinear_density_is_stationary(state):
    """Moments by quadrature; and the current's divergence vanishes: ⟨𝓛†f⟩ = 0 for f = n, nn."""
    magnet, p = state.magnet, W * state.density(N)
    m = magnet.moment * N
    assert p.sum() == pytest.approx(1.0, rel=1e-12)
    np.testing.assert_allclose(state.mean_moment, p @ m, atol=1e-12)
    np.testing.assert_allclose(state.second_moment, (p[:, None] * m).T @ m, atol=1e-12)
    v = drift(m, magnet, np.array(state.field), np.array(state.spin_torque), ito=True)
    np.testing.assert_allclose(p @ v, 0.0, atol=1e-11)
    flow = (p[:, None] * v).T @ m
    eye = magnet.moment**2 * np.eye(3)
    noise = 2 * magnet.damping * magnet.temperature * (eye - (p[:, None] * m).T @ m)
    np.testing.assert_allclose(flow + flow.T + noise, 0.0, atol=1e-11)


@pytest.mark.parametrize("state", STATES)
def test_collinear_rates(state):
    magnet, P = state.magnet, np.array(state.spin_torque)
    assert state.pumped_entropy_rate == pytest.approx(
        2 * magnet.gyromagnetic_ratio * state.mean_moment @ P, abs=1e-13
    )
    total = state.bath_entropy_rate + state.pumped_entropy_rate
    assert state.entropy_production_rate == pytest.approx(total, rel=1e-12)
    assert state.work_rate == -state.heat_rate == magnet.temperature * state.bath_entropy_rate
    rates = state.pumped_entropy_rate, state.bath_entropy_rate
    assert state.phase == str(theory.phase_of_rates(*rates, tolerance=1e-12))
    assert state.protocol(2.0).duration == 2.0
    np.testing.assert_array_equal(state.protocol(2.0).spin_torque(1.0), P)
    assert hash(state) == hash(
        exact.CollinearSteadyState(state.magnet, state.field, state.spin_torque)
    )


def legendre_correlation(state, times):
    """Covariance of c at given lags, from the unsymmetrised generator and the density."""
    xi, D = abs(state.xi), state.parameters.diffusion
    size = 40
    k = np.arange(size + 0.0)
    step = xi * k * (k + 1) / (2 * k + 1)
    M = D * (np.diag(-k * (k + 1)) + np.diag(step[1:], 1) - np.diag(step[:-1], -1))
    c, w = np.polynomial.legendre.leggauss(100)
    p = w * np.exp(xi * (c - 1))
    p /= p.sum()
    later = [np.polynomial.legendre.legval(c, expm(t * M)[:, 1]) for t in np.ravel(times)]
    return np.reshape([(p * c) @ f - (p @ c) * (p @ f) for f in later], np.shape(times))


@pytest.mark.parametrize("state", STATES)
def test_collinear_correlation_and_variance(state):
    times = np.array([0.0, 0.1, 0.5, 2.0])
    correlation = legendre_correlation(state, times)
    np.testing.assert_allclose(state.correlation(times), correlation, atol=1e-12)
    np.testing.assert_allclose(state.correlation(-times), correlation, atol=1e-12)
    magnet = state.magnet
    P = np.array(state.spin_torque) @ AXIS
    amplitude = 2 * magnet.gyromagnetic_ratio * magnet.moment * P
    node, weight = np.polynomial.legendre.leggauss(60)
    for tau in (0.3, 1.7):
        s = 0.5 * tau * (1 + node)
        integral = 0.5 * tau * weight @ (2 * (tau - s) * legendre_correlation(state, s))
        variance = state.pumped_entropy_variance(tau)
        assert variance == pytest.approx(amplitude**2 * integral, rel=1e-10)
    late = 1e9
    assert state.pumped_entropy_variance(late) / late == pytest.approx(
        state.pumped_entropy_noise, rel=1e-8
    )
    assert state.pumped_entropy_variance(0.0) == 0.0


@pytest.mark.parametrize(("H", "fraction"), [(1.0, 0.57), (20.0, 0.95)])
def test_the_papers_time_is_not_long(H, fraction):
    """[II] Fig. 4 takes τ = 0.5: Var/τ is not yet its limit."""
    state = exact.CollinearSteadyState(PAPER, (0, 0, H), (0, 0, 1.0))
    ratio = state.pumped_entropy_variance(0.5) / 0.5 / state.pumped_entropy_noise
    assert ratio == pytest.approx(fraction, abs=0.006)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("work", "pumped"), [(0.3, -0.4), (-1.4, 0.2), (0.0, -1.0), (-1.0, -1.0)])
def test_collinear_scgf_is_the_leading_eigenvalue_of_the_whole_generator(state, work, pumped):
    h = Harmonics(16)
    M = h.tilted_generator(state.magnet, state.field, state.spin_torque, work, pumped)
    leading = np.linalg.eigvals(M.toarray()).real.max()
    assert state.scgf(work=work, pumped_entropy=pumped) == pytest.approx(leading, abs=1e-9)


@pytest.mark.parametrize("state", STATES)
def test_collinear_scgf_symmetry_and_cumulants(state):
    mirrored = exact.CollinearSteadyState(state.magnet, -np.array(state.field), state.spin_torque)
    for work, pumped in [(0.4, 0.7), (-0.2, -2.0), (3.0, 1.0), (12.0, -3.0)]:
        assert state.scgf(work=work, pumped_entropy=pumped) == pytest.approx(
            mirrored.scgf(work=-1 - work, pumped_entropy=-1 - pumped), abs=1e-10, rel=1e-12
        )
    assert state.scgf() == pytest.approx(0.0, abs=1e-12)
    h = 1e-3

    def slope(f):
        return (8 * (f(h) - f(-h)) - f(2 * h) + f(-2 * h)) / (12 * h)

    def curve(f):
        return (16 * (f(h) + f(-h)) - f(2 * h) - f(-2 * h) - 30 * f(0.0)) / (12 * h**2)

    pumped = lambda k: state.scgf(pumped_entropy=k)  # noqa: E731
    assert slope(pumped) == pytest.approx(state.pumped_entropy_rate, abs=1e-8)
    assert curve(pumped) == pytest.approx(state.pumped_entropy_noise, abs=1e-5)
    beta_work = slope(lambda k: state.scgf(work=k))
    assert beta_work == pytest.approx(state.bath_entropy_rate, abs=1e-8)


def test_noise_has_two_routes():
    """Ψ by quadrature against the sum over modes, from weak to strong fields."""
    for H in (1e-3, 0.5, 3.0, 30.0, 700.0):
        state = exact.CollinearSteadyState(PAPER, (0, 0, H), (0, 0, 0.6))
        late = 1e12
        assert state.pumped_entropy_variance(late) / late == pytest.approx(
            state.pumped_entropy_noise, rel=1e-10
        )


def test_collinear_refusals():
    with pytest.raises(ValueError, match="parallel or antiparallel"):
        exact.CollinearSteadyState(MAGNET, (0, 0, 1), (0, 1, 0))
    with pytest.raises(ValueError, match=r"temperature=0\.0"):
        exact.CollinearSteadyState(Magnet(1, 1, 1, 0), (0, 0, 1), (0, 0, 1))
    with pytest.raises(ValueError, match="shape"):
        exact.CollinearSteadyState(MAGNET, (0, 0), (0, 0, 1))


# --- equilibrium ----------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 0.02, 1.3, 9.0])
def test_equilibrium(strength):
    system = exact.EquilibriumMagnet(MAGNET, strength * AXIS)
    m, H, T = MAGNET.moment * N, strength * AXIS, MAGNET.temperature
    boltzmann = W * np.exp(m @ H / T)
    Z, p = boltzmann.sum(), boltzmann / boltzmann.sum()
    energy = -m @ H
    np.testing.assert_allclose(W * system.density(N), p, rtol=1e-11)
    np.testing.assert_allclose(system.mean_moment, p @ m, atol=1e-12)
    np.testing.assert_allclose(system.second_moment, (p[:, None] * m).T @ m, atol=1e-12)
    assert system.mean_energy == pytest.approx(p @ energy, abs=1e-12)
    assert system.energy_variance == pytest.approx(p @ energy**2 - (p @ energy) ** 2, abs=1e-11)
    assert system.free_energy == pytest.approx(-T * np.log(Z), rel=1e-13)
    assert system.entropy == pytest.approx(-(p @ np.log(p / W)), abs=1e-11)
    covariance = (p[:, None] * m).T @ m - np.outer(p @ m, p @ m)
    np.testing.assert_allclose(system.susceptibility, covariance / T, atol=1e-11)
    D = MAGNET.damping * T
    np.testing.assert_allclose(
        system.relaxation_rates(order=1, count=2),
        D * exact.relaxation_rates(system.nu, order=1, count=2),
    )
    assert system.protocol(1.0).spin_torque(0.3).tolist() == [0.0, 0.0, 0.0]
    assert system.steady_state.phase == "equilibrium"


# --- the quench -----------------------------------------------------------------------------------

QUENCHES = [
    exact.FieldQuench(MAGNET, (0.3, -1.1, 0.8), (-0.9, 0.4, 1.5)),
    exact.FieldQuench(MAGNET, 1.4 * AXIS, -0.8 * AXIS),
    exact.FieldQuench(OTHER, (0, 0, 0), (0, 1.2, 0)),
    exact.FieldQuench(MAGNET, 20 * AXIS, (0, 0, 0)),
]


@pytest.mark.parametrize("quench", QUENCHES)
def test_quench_against_the_sphere(quench):
    magnet, T = quench.magnet, quench.magnet.temperature
    H0, H1 = np.array(quench.initial_field), np.array(quench.final_field)
    m = magnet.moment * N
    weight0, weight1 = W * np.exp(m @ H0 / T), W * np.exp(m @ H1 / T)
    p, q = weight0 / weight0.sum(), weight1 / weight1.sum()
    work = -m @ (H1 - H0)
    dF = -T * np.log(weight1.sum() / weight0.sum())
    assert quench.free_energy_change == pytest.approx(dF, rel=1e-11)
    assert quench.mean_work == pytest.approx(p @ work, rel=1e-11, abs=1e-13)
    assert quench.work_variance == pytest.approx(p @ work**2 - (p @ work) ** 2, rel=1e-9)
    divergence = p @ np.log((p / W) / (q / W))
    assert quench.mean_entropy_production == pytest.approx(divergence, rel=1e-10)
    heat = q @ (-m @ H1) - p @ (-m @ H1)
    assert quench.mean_heat_after_relaxation == pytest.approx(heat, rel=1e-10)
    k = np.array([-1.0, -0.3, 0.0, 0.5, 1.2])
    direct = p @ np.exp(np.outer(work, k) / T)
    np.testing.assert_allclose(quench.generating_function(k), direct, rtol=1e-10)
    jarzynski = quench.generating_function(-1.0)
    assert jarzynski == pytest.approx(np.exp(-dF / T), rel=1e-11)


@pytest.mark.parametrize("quench", QUENCHES)
def test_quench_density(quench):
    low, high = quench.work_range
    T = quench.magnet.temperature
    node, weight = np.polynomial.legendre.leggauss(200)
    work, weight = high * node, high * weight
    density = quench.work_density(work)
    assert weight @ density == pytest.approx(1.0, rel=1e-12)
    assert weight @ (density * work) == pytest.approx(quench.mean_work, rel=1e-11, abs=1e-13)
    for k in (-1.0, 0.6):
        moment = weight @ (density * np.exp(k * work / T))
        assert moment == pytest.approx(quench.generating_function(k), rel=1e-11)
    # Crooks' theorem, point by point; without torque it holds in its usual form
    dF = quench.free_energy_change
    left = density * np.exp(-(work - dF) / T)
    np.testing.assert_allclose(quench.backward.work_density(-work), left, rtol=1e-10, atol=1e-290)
    sigma = (work - dF) / T
    np.testing.assert_allclose(quench.entropy_production_density(sigma), T * density, rtol=1e-8)
    assert quench.work_density([low * 1.01, high * 1.01]).tolist() == [0.0, 0.0]
    assert quench.backward.backward == quench


def test_quench_density_against_samples():
    """A histogram of the definition: χ² below its 1e-6 quantile for 20 cells, about 60."""
    quench, count = QUENCHES[0], 200_000
    m = MAGNET.sample_equilibrium(quench.initial_field, count, np.random.default_rng(5))
    edges = np.linspace(*quench.work_range, 21)
    found, _ = np.histogram(-m @ quench.jump, edges)
    expected = count * np.array([quad(quench.work_density, a, b)[0] for a, b in pairwise(edges)])
    assert np.all(expected > 10)
    assert np.sum((found - expected) ** 2 / expected) < 60.0


def test_quench_protocol_and_refusals():
    quench = QUENCHES[0]
    protocol = quench.protocol(2.0)
    np.testing.assert_allclose(protocol.initial_field, quench.initial_field, rtol=1e-15)
    np.testing.assert_array_equal(protocol.field(0.0), quench.final_field)
    np.testing.assert_array_equal(protocol.final_field, quench.final_field)
    assert protocol.jumps == (0.0,)
    with pytest.raises(ValueError, match="final_field"):
        exact.FieldQuench(MAGNET, (0, 0, 1), (0, 0, 1.0))
    with pytest.raises(ValueError, match="temperature"):
        exact.FieldQuench(Magnet(1, 1, 1, 0), (0, 0, 1), (0, 0, 2.0))


# --- free diffusion -------------------------------------------------------------------------------


@pytest.mark.parametrize("magnet", [MAGNET, OTHER])
def test_free_diffusion(magnet):
    system = exact.FreeDiffusion(magnet)
    D, t = magnet.damping * magnet.temperature, 0.37
    h = Harmonics(4)
    M = h.backward_generator(magnet, (0, 0, 0), (0, 0, 0)).toarray()
    for degree in (1, 2, 3):
        index = degree * (degree + 1)
        assert system.legendre_mean(degree, t) == pytest.approx(expm(t * M)[index, index].real)
    assert system.legendre_mean(1, t) == pytest.approx(np.exp(-2 * D * t))
    assert system.legendre_mean(2, t) == pytest.approx(np.exp(-6 * D * t))
    c, w = np.polynomial.legendre.leggauss(300)
    for time in (0.01, t, 3.0):
        density = w * system.cosine_density(c, time)
        assert density.sum() == pytest.approx(1.0, rel=1e-12)
        assert density @ c == pytest.approx(system.legendre_mean(1, time), rel=1e-11)
        second = 0.5 * (3 * c**2 - 1)
        assert density @ second == pytest.approx(system.legendre_mean(2, time), rel=1e-11)
    # short times: a plane, where 1 - c is exponential with mean 2Dt
    short = 1e-4 / D
    for x in (0.0, 1.0, 3.0):
        value = system.cosine_density(1 - 2 * D * short * x, short) * 2 * D * short
        assert value == pytest.approx(np.exp(-x), rel=1e-3)
    tau = 1.9
    s, w = 0.5 * tau * (1 + c), 0.5 * tau * w
    variance = magnet.moment**2 * w @ (2 * (tau - s) * np.exp(-2 * D * s))
    assert system.integrated_moment_variance(tau) == pytest.approx(variance, rel=1e-12)
    assert system.protocol(1.0).field(0.5).tolist() == [0.0, 0.0, 0.0]


def test_diffusion_refusals():
    with pytest.raises(ValueError, match="damping"):
        exact.FreeDiffusion(Magnet(1, 1, 0, 1))
    with pytest.raises(ValueError, match="time"):
        exact.FreeDiffusion(MAGNET).cosine_density(0.0, 0.0)
    with pytest.raises(ValueError, match="field"):
        exact.IsotropicWalk(MAGNET, (0, 0, 0))


# --- the isotropic walk ---------------------------------------------------------------------------

WALKS = [exact.IsotropicWalk(MAGNET, 1.4 * AXIS), exact.IsotropicWalk(OTHER, (0.0, 0.0, 2.2))]


@pytest.mark.parametrize("walk", WALKS)
def test_walk_is_the_special_point(walk):
    state = exact.CollinearSteadyState(walk.magnet, walk.field, walk.spin_torque)
    assert state.parameters.alpha == pytest.approx(-state.parameters.delta, rel=1e-15)
    assert state.phase == "dud"
    assert state.entropy_production_rate == pytest.approx(walk.entropy_production_rate, rel=1e-13)
    assert state.bath_entropy_rate == pytest.approx(walk.entropy_production_rate, rel=1e-13)
    assert state.pumped_entropy_rate == pytest.approx(0.0, abs=1e-13)
    assert state.pumped_entropy_noise == pytest.approx(walk.pumped_entropy_noise, rel=1e-13)
    np.testing.assert_allclose(
        state.pumped_entropy_variance([0.2, 3.0]),
        walk.pumped_entropy_variance([0.2, 3.0]),
        rtol=1e-12,
    )
    for k in (-1.3, 0.0, 0.4, 9.0):
        assert walk.pumped_entropy_scgf(k) == pytest.approx(state.scgf(pumped_entropy=k), abs=1e-11)


@pytest.mark.parametrize("walk", WALKS)
def test_walk_by_the_whole_generator(walk):
    """Mean direction, mean of S_P and its generating function by matrix exponentials."""
    magnet, tau, k = walk.magnet, 0.8, 0.6
    h = Harmonics(14)
    M = h.backward_generator(magnet, walk.field, walk.spin_torque).toarray()
    one = np.eye(h.size)[0] * np.sqrt(4 * np.pi)
    n0 = np.array([0.2, -0.9, 0.5])
    n0 /= np.linalg.norm(n0)
    # values of a function at n0: harmonics of degree one are spanned by the components of n
    linear = np.stack([op @ one for op in h.n], -1)
    inner = expm(tau * M) @ linear
    coefficients = 3 / (4 * np.pi) * (linear.conj().T @ inner).real
    np.testing.assert_allclose(walk.mean_direction(n0, tau), n0 @ coefficients, atol=1e-12)
    times = np.linspace(0, tau, 401)
    rate = 2 * magnet.gyromagnetic_ratio * magnet.moment * walk.spin_torque
    means = walk.mean_direction(n0, times) @ rate
    simpson = np.array([1, *([4, 2] * 199), 4, 1]) * times[1] / 3
    assert walk.mean_pumped_entropy(n0, tau) == pytest.approx(simpson @ means, rel=1e-9)
    tilted = h.tilted_generator(magnet, walk.field, walk.spin_torque, 0.0, k).toarray()
    direct = np.vdot(one, expm(tau * tilted) @ one).real / (4 * np.pi)
    value = walk.pumped_entropy_generating_function(k, tau)
    assert value == pytest.approx(direct, rel=1e-11)
    step = 1e-3
    up, down = (walk.pumped_entropy_generating_function(s * step, tau) for s in (1, -1))
    variance = walk.pumped_entropy_variance(tau)
    assert (up + down - 2) / step**2 == pytest.approx(variance, rel=1e-5)


# --- zero temperature -----------------------------------------------------------------------------

COLD = Magnet(1.7, 1.3, 0.6, 0.0)


def integrate_path(magnet, H, P, n0, tau):
    """m(τ) with W, Q and S_P accumulated from [I] 3.3 and 3.9 along the noiseless path."""
    H, P, m0 = np.array(H), np.array(P), magnet.moment * np.array(n0)

    def rhs(t, state):
        m = state[:3]
        v, torque = drift(m, magnet, H, P), np.cross(m, P)
        return [*v, torque @ v, -(H + torque) @ v, 2 * magnet.gyromagnetic_ratio * m @ P]

    end = solve_ivp(rhs, (0, tau), [*m0, 0, 0, 0], "DOP853", rtol=1e-12, atol=1e-13).y[:, -1]
    return end[:3], end[3], end[4], end[5]


@pytest.mark.parametrize("magnet", [COLD, Magnet(0.9, -2.1, 0.35, 0.0), Magnet(1.3, 0.9, 0.0, 0.0)])
@pytest.mark.parametrize(
    ("H", "P"), [(1.2, 0.5), (0.7, -1.6), (0.0, 0.8), (1.5, 0.0), (1.3, -0.6), (0.0, 0.0)]
)
@pytest.mark.parametrize("start", [(0.3, -0.5, 0.4), (-0.34, -0.66, 0.67), (0.34, 0.66, -0.67)])
def test_zero_temperature(magnet, H, P, start):
    system = exact.ZeroTemperature(magnet, H * AXIS, P * AXIS, start)
    for tau in (0.02, 2.5, -1.1):
        m, work, heat, pumped = integrate_path(
            magnet, system.field, system.spin_torque, system.initial_direction, tau
        )
        np.testing.assert_allclose(magnet.moment * system.direction(tau), m, atol=1e-9)
        assert system.work(tau) == pytest.approx(work, abs=1e-9)
        assert system.heat(tau) == pytest.approx(heat, abs=1e-9)
        assert system.pumped_entropy(tau) == pytest.approx(pumped, abs=1e-9)
        change = -(m - magnet.moment * np.array(system.initial_direction)) @ np.array(system.field)
        assert system.energy_change(tau) == pytest.approx(change, abs=1e-9)
        assert system.work(tau) + system.heat(tau) == pytest.approx(change, abs=1e-9)


def test_zero_temperature_near_the_special_point():
    """k = ηmH' → 0: the integrals go over smoothly into cos θ₀ t and sin²θ₀ t."""
    H, special = 1.3, -0.6 / 1.3 * 1.3
    n = np.array([0.6, 0.0, 0.8])
    amplitude = 2 * COLD.gyromagnetic_ratio * COLD.moment * special
    for distance in (0.0, 1e-12, 1e-9, 1e-7, 1e-5):
        system = exact.ZeroTemperature(COLD, (0, 0, H), (0, 0, special * (1 + distance)), n)
        k = COLD.damping * COLD.moment * (H + 1.3 / 0.6 * special * (1 + distance))
        mean = 0.8 * 3.0 + 0.5 * k * 0.36 * 9.0
        assert system.pumped_entropy(3.0) == pytest.approx(
            amplitude * (1 + distance) * mean, rel=1e-12 + 20 * k**2
        )
        assert system.heat(3.0) == pytest.approx(
            -COLD.damping * COLD.moment**2 * (H**2 + (COLD.moment * special) ** 2) * 0.36 * 3.0,
            rel=1e-12 + 10 * distance,
        )


def test_zero_temperature_at_the_ends():
    top = exact.ZeroTemperature(COLD, (0, 0, 2.0), (0, 0, 0.5), (0, 0, 1))
    rate = 2 * COLD.gyromagnetic_ratio * COLD.moment * 0.5
    assert top.pumped_entropy(7.0) == pytest.approx(7.0 * rate)
    assert top.heat(7.0) == top.work(7.0) == 0.0
    bottom = exact.ZeroTemperature(COLD, (0, 0, 2.0), (0, 0, 0.5), (0, 0, -1))
    assert bottom.pumped_entropy(7.0) == pytest.approx(-7.0 * rate)
    # from near the unstable pole: late, and then saturated
    near = exact.ZeroTemperature(COLD, (0, 0, 2.0), (0, 0, 0.5), (1e-9, 0, -1))
    k = COLD.damping * COLD.moment * (2.0 + 1.3 / 0.6 * 0.5)
    delay = np.log(2e9) / k
    assert near.pumped_entropy(1e4) == pytest.approx((1e4 - 2 * delay) * rate, rel=1e-13)
    assert near.energy_change(1e4) == pytest.approx(-2 * COLD.moment * 2.0, rel=1e-13)
    with pytest.raises(ValueError, match=r"temperature=0\.8: expected 0"):
        exact.ZeroTemperature(MAGNET, (0, 0, 1), (0, 0, 1), (0, 0, 1))
    with pytest.raises(ValueError, match="initial_direction"):
        exact.ZeroTemperature(COLD, (0, 0, 1), (0, 0, 1), (0, 0, 0))
    with pytest.raises(ValueError, match="parallel"):
        exact.ZeroTemperature(COLD, (0, 0, 1), (0, 1, 0), (0, 0, 1))


# --- no damping -----------------------------------------------------------------------------------

FREE = Magnet(1.7, 1.3, 0.0, 0.8)
UNDAMPED = [
    exact.UndampedTorque(FREE, (0.3, -1.1, 0.8), (0.7, 0.2, -0.5)),
    exact.UndampedTorque(FREE, (0, 0, 0), (0.2, 0.1, 0.4)),
    exact.UndampedTorque(Magnet(0.9, -2.1, 0.0, 0.0), (0, 0, 1.0), (0.6, 0, 0)),
]


@pytest.mark.parametrize("system", UNDAMPED)
def test_undamped_paths(system):
    magnet = system.magnet
    for n in N[::1500]:
        for tau in (0.7, -1.6):
            m, work, heat, pumped = integrate_path(magnet, system.field, system.spin_torque, n, tau)
            np.testing.assert_allclose(magnet.moment * system.direction(n, tau), m, atol=1e-9)
            assert system.work(n, tau) == pytest.approx(work, abs=1e-9)
            assert system.pumped_entropy(n, tau) == pytest.approx(pumped, abs=1e-9)
            assert heat == pytest.approx(0.0, abs=1e-10)
    np.testing.assert_allclose(
        system.flow(0.3) @ system.flow(0.5), system.flow(0.8), rtol=1e-12, atol=1e-13
    )
    np.testing.assert_allclose(system.direction(5 * N[:4], 0.4), system.direction(N[:4], 0.4))


@pytest.mark.parametrize("system", UNDAMPED)
def test_undamped_fluctuation_theorems(system):
    time, beta = 0.8, 1.0 / 0.8
    S = system.pumped_entropy(N, time)
    uniform = W / W.sum()
    assert uniform @ np.exp(-S) == pytest.approx(1.0, rel=1e-11)
    weight = W * np.exp(beta * system.magnet.moment * N @ np.array(system.field))
    p = weight / weight.sum()  # equilibrium at constant field: ΔF = 0
    assert p @ np.exp(-beta * system.work(N, time) - S) == pytest.approx(1.0, rel=1e-10)
    # the density over uniform starts
    assert uniform @ S == pytest.approx(system.mean_pumped_entropy(time), rel=1e-10)
    zeta = system.rapidity(time)
    node, w = np.polynomial.legendre.leggauss(60)
    values, w = 2 * zeta * node, 2 * zeta * w
    density = system.pumped_entropy_density(values, time)
    assert w @ density == pytest.approx(1.0, rel=1e-12)
    for power in (2, 3):
        assert w @ (density * values**power) == pytest.approx(uniform @ S**power, rel=1e-9)
    mirrored = system.pumped_entropy_density(-values, time)
    np.testing.assert_allclose(mirrored, density * np.exp(-values), rtol=1e-12)
    assert np.max(np.abs(S)) < 2 * zeta
    assert system.pumped_entropy_density(2.01 * zeta, time) == 0.0


def test_undamped_refusals():
    system = UNDAMPED[0]
    assert system.protocol(1.0).duration == 1.0
    with pytest.raises(ValueError, match=r"damping=0\.6: expected 0"):
        exact.UndampedTorque(MAGNET, (0, 0, 1), (0, 0, 1))
    with pytest.raises(ValueError, match="time="):
        system.flow(1e4)
    with pytest.raises(ValueError, match="time at which"):
        system.pumped_entropy_density(0.0, 0.0)
    with pytest.raises(ValueError, match="initial_direction"):
        system.direction((0, 0, 0), 1.0)
