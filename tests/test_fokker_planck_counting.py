"""Counting statistics: symmetry, exact cases, perturbation theory and trajectories."""

import numpy as np
import pytest

from sphere_oracle import Harmonics, sphere_nodes
from spintherm import Magnet, Protocol, simulate
from spintherm.exact import CollinearSteadyState, IsotropicWalk
from spintherm.fokker_planck import (
    ResolutionError,
    cumulants,
    detailed_balance_residual,
    rate_function,
    scgf,
    steady_state,
    symmetry_residual,
)
from spintherm.fokker_planck import symmetry as symmetry_module
from spintherm.fokker_planck.gauge import flattest, largest_growth
from spintherm.fokker_planck.generator import coefficients, conjugated
from spintherm.fokker_planck.rate_functions import FUNCTIONALS

PAPER = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
OTHER = Magnet(moment=0.7, gyromagnetic_ratio=-1.4, damping=0.3, temperature=2.3)
FIELD, TORQUE = np.array([0.8, -1.1, 2.4]), np.array([-1.3, 0.9, 0.4])
EXPONENTS = [(0.3, -0.7), (-0.5, -0.5), (-1.7, 1.2), (0.0, -3.0), (2.0, 0.0), (-1.0, -1.0)]


@pytest.mark.parametrize(
    ("nu", "alpha", "angle"),
    [(1.0, 0.5, 0.3), (5.0, 0.6, 1.0), (17.0, 0.2, 0.8), (17.0, 0.9, 1.6), (60.0, 0.05, 0.5)],
)
def test_symmetry(nu, alpha, angle):
    H = nu * PAPER.temperature / PAPER.moment * np.array([0.6, 0.0, 0.8])
    size = alpha * np.linalg.norm(H) / PAPER.moment
    P = size * np.array([0.6 * np.cos(angle), np.sin(angle), 0.8 * np.cos(angle)])
    for work, pumped in EXPONENTS:
        value = scgf(PAPER, H, P, work=work, pumped_entropy=pumped)
        rest = symmetry_residual(PAPER, H, P, work=work, pumped_entropy=pumped)
        assert abs(rest) < 1e-10 * (abs(value) + 0.5)


def test_symmetry_of_a_magnet_unlike_the_papers():
    k = np.linspace(-1.5, 0.8, 4)
    rest = symmetry_residual(OTHER, FIELD, TORQUE, work=k[:, None], pumped_entropy=k)
    assert rest.shape == (4, 4)
    assert np.max(np.abs(rest)) < 1e-11


def test_symmetry_needs_the_reversed_field_and_both_exponents():
    here = scgf(OTHER, FIELD, TORQUE, work=0.4, pumped_entropy=-0.2)
    wrong = [
        scgf(OTHER, FIELD, TORQUE, work=-1.4, pumped_entropy=-0.8),
        scgf(OTHER, -FIELD, TORQUE, work=-1.4, pumped_entropy=-0.2),
        scgf(OTHER, -FIELD, -TORQUE, work=-1.4, pumped_entropy=-0.8),
    ]
    assert np.min(np.abs(np.array(wrong) - here)) > 1e-2


@pytest.mark.parametrize("magnet", [PAPER, OTHER])
@pytest.mark.parametrize("work", [0.0, 0.7, -1.3])
@pytest.mark.parametrize("strength", [1.0, 40.0, 400.0])
def test_collinear(magnet, work, strength):
    axis = np.array([0.6, 0.0, -0.8])
    for share in (0.3, -0.2):
        H, P = strength * axis, share * strength / magnet.moment * axis
        exact = CollinearSteadyState(magnet, H, P)
        for pumped in (-1.4, 0.6):
            expected = exact.scgf(work=work, pumped_entropy=pumped)
            ours = scgf(magnet, H, P, work=work, pumped_entropy=pumped)
            D = magnet.damping * magnet.temperature
            # the reference is good to 1e-16 D (xi² + l²)
            atol = 1e-15 * D * (float(exact.xi) ** 2 + 1600.0)
            np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=atol)


def test_isotropic_walk():
    walk = IsotropicWalk(OTHER, (1.0, -2.0, 0.5))
    k = np.array([-3.0, -0.2, 0.5, 20.0])
    ours = scgf(OTHER, walk.field, walk.spin_torque, pumped_entropy=k)
    np.testing.assert_allclose(ours, [walk.pumped_entropy_scgf(x) for x in k], rtol=1e-10)


def test_against_complex_harmonics():
    oracle = Harmonics(15)
    for work, pumped in ((0.6, -0.3), (-0.8, 1.1)):
        values = np.linalg.eigvals(
            oracle.tilted_generator(OTHER, FIELD, TORQUE, work, pumped).toarray()
        )
        ours = scgf(OTHER, FIELD, TORQUE, work=work, pumped_entropy=pumped)
        np.testing.assert_allclose(ours, values.real.max(), rtol=1e-9)


def test_complex_exponents_against_complex_harmonics():
    oracle = Harmonics(15)
    k_W, k_S = 0.2 + 0.4j, -0.3 + 0.5j
    values = np.linalg.eigvals(oracle.tilted_generator(OTHER, FIELD, TORQUE, k_W, k_S).toarray())
    ours = scgf(OTHER, FIELD, TORQUE, work=k_W, pumped_entropy=k_S)
    np.testing.assert_allclose(ours, values[np.argmax(values.real)], rtol=1e-9)
    mirrored = scgf(OTHER, FIELD, TORQUE, work=np.conj(k_W), pumped_entropy=np.conj(k_S))
    np.testing.assert_allclose(mirrored, np.conj(ours), rtol=1e-12)


def test_values_at_special_points():
    assert abs(scgf(OTHER, FIELD, TORQUE)) < 1e-14
    # <exp(-beta W - S_P)> does not grow
    assert abs(scgf(OTHER, FIELD, TORQUE, work=-1.0, pumped_entropy=-1.0)) < 1e-12
    # nothing is counted without torque
    assert abs(scgf(OTHER, FIELD, (0, 0, 0), work=0.7, pumped_entropy=-2.0)) < 1e-12


@pytest.mark.parametrize(("magnet", "scale"), [(OTHER, 1.0), (PAPER, 3.0)])
def test_derivatives_at_zero_are_means_and_noises(magnet, scale):
    H, P, h = scale * FIELD, scale * TORQUE, 2e-3
    state = steady_state(magnet, H, P)
    k = h * np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    values = scgf(magnet, H, P, work=k[:, None], pumped_entropy=k[None, :], tolerance=1e-12)
    first, second = np.array([1, -8, 0, 8, -1]) / 12.0, np.array([-1, 16, -30, 16, -1]) / 12.0
    beta = magnet.beta
    np.testing.assert_allclose(first @ values[:, 2] / h, beta * state.work_rate, rtol=1e-6)
    np.testing.assert_allclose(first @ values[2] / h, state.pumped_entropy_rate, rtol=1e-6)
    np.testing.assert_allclose(second @ values[:, 2] / h**2, beta**2 * state.work_noise, rtol=1e-5)
    np.testing.assert_allclose(second @ values[2] / h**2, state.pumped_entropy_noise, rtol=1e-5)
    cross = first @ values @ first / h**2
    # a mixed derivative is small where the two noises are nearly independent
    size = beta * (state.work_noise * state.pumped_entropy_noise) ** 0.5
    np.testing.assert_allclose(cross, beta * state.covariance[0, 2], atol=1e-5 * size)


def test_convexity_and_the_bound():
    k = np.linspace(-2.0, 1.0, 13)
    values = scgf(OTHER, FIELD, TORQUE, work=k, pumped_entropy=k)
    assert np.all(np.diff(values, 2) > 0.0)
    for x, value in zip(k, values, strict=True):
        coefs = coefficients(OTHER, FIELD, TORQUE, work=x, pumped_entropy=x)
        for u in (np.zeros(3), flattest(coefs), np.array([0.3, -0.2, 0.5])):
            assert value <= largest_growth(conjugated(coefs, u)) + 1e-12


def test_largest_growth_is_the_maximum_on_the_sphere():
    coefs = coefficients(OTHER, FIELD, TORQUE, work=0.8, pumped_entropy=-1.4)
    n, _ = sphere_nodes(300, 400)
    xx, yy, zz, xy, xz, yz = coefs[11:]
    x, y, z = n.T
    values = coefs[7] + n @ coefs[8:11] + xx * x * x + yy * y * y + zz * z * z
    values += xy * x * y + xz * x * z + yz * y * z
    np.testing.assert_allclose(largest_growth(coefs), values.max(), rtol=1e-3)
    assert largest_growth(coefs) >= values.max()


def test_flattest_gauge_tightens_the_bound():
    H, P = np.array([0, 0, 30.0]), np.array([4.0, 0, 3.0])
    coefs = coefficients(PAPER, H, P, work=-0.6, pumped_entropy=-0.6)
    value = scgf(PAPER, H, P, work=-0.6, pumped_entropy=-0.6)
    tight = largest_growth(conjugated(coefs, flattest(coefs)))
    assert value < tight < 0.1 * largest_growth(coefs)


# local detailed balance


@pytest.mark.parametrize("magnet", [PAPER, OTHER])
@pytest.mark.parametrize(("work", "pumped"), [(0.0, 0.0), (-0.5, -0.5), (0.7, 2.0), (0.3j, 1j)])
def test_local_detailed_balance(magnet, work, pumped):
    rest = detailed_balance_residual(magnet, FIELD, TORQUE, work=work, pumped_entropy=pumped)
    assert rest < 1e-15


def test_local_detailed_balance_can_fail(monkeypatch):
    real = symmetry_module.coefficients

    def broken(*arguments, pumped_entropy=0.0, **options):
        return real(*arguments, pumped_entropy=1.01 * pumped_entropy, **options)

    monkeypatch.setattr(symmetry_module, "coefficients", broken)
    assert detailed_balance_residual(OTHER, FIELD, TORQUE) > 1e-4


# cumulants


@pytest.mark.parametrize(("work", "pumped"), [(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.7, -0.3)])
def test_cumulants_are_the_derivatives(work, pumped):
    series = cumulants(OTHER, FIELD, TORQUE, work=work, pumped_entropy=pumped, order=6)
    # Taylor coefficients by the trapezoidal rule on a circle of complex exponents
    radius, count = 0.4, 32
    k = radius * np.exp(2j * np.pi * np.arange(count) / count)
    values = scgf(OTHER, FIELD, TORQUE, work=work * k, pumped_entropy=pumped * k, tolerance=1e-12)
    n = np.arange(1, 7)
    taylor = np.fft.fft(values)[n].real / count / radius**n
    factorial = np.cumprod(n)
    np.testing.assert_allclose(series, taylor * factorial, rtol=1e-6)


@pytest.mark.parametrize("strength", [0.5, 10.0, 300.0])
def test_first_cumulants_are_those_of_the_steady_state(strength):
    H, P = strength * FIELD, TORQUE
    state = steady_state(PAPER, H, P)
    pumped = cumulants(PAPER, H, P, pumped_entropy=1.0, order=2)
    np.testing.assert_allclose(
        pumped, [state.pumped_entropy_rate, state.pumped_entropy_noise], rtol=1e-8
    )
    sigma = cumulants(PAPER, H, P, work=1.0, pumped_entropy=1.0, order=2)
    np.testing.assert_allclose(
        sigma, [state.entropy_production_rate, state.entropy_production_noise], rtol=1e-7
    )


def test_third_cumulant_against_trajectories():
    # long runs from the steady state; the third cumulant's own scatter sets the error
    tau, count = 40.0, 20_000
    H, P = np.zeros(3), np.array([0.0, 0.0, 2.0])
    state = steady_state(PAPER, H, P)
    run = simulate(
        PAPER,
        Protocol(tau, H, P),
        trajectories=count,
        seed=5,
        initial=state.sample(count, np.random.default_rng(1)),
        steps=1600,
    )
    pumped = run["pumped_entropy"].values
    centred = pumped - pumped.mean()
    third = np.mean(centred**3) / tau
    error = np.std(centred**3 - 3 * np.var(pumped) * centred) / count**0.5 / tau
    expected = cumulants(PAPER, H, P, pumped_entropy=1.0, order=3)[2]
    # the boundary term of a finite run is of relative order 1/(eta T tau)
    assert abs(third - expected) < 4.0 * error + 0.1 * abs(expected)
    assert abs(expected) > 4.0 * error


# rate functions


@pytest.mark.parametrize("functional", ["work", "pumped_entropy", "entropy_production"])
def test_rate_function(functional):
    state = steady_state(OTHER, FIELD, TORQUE)
    mean, noise = {
        "work": (state.work_rate, state.work_noise),
        "pumped_entropy": (state.pumped_entropy_rate, state.pumped_entropy_noise),
        "entropy_production": (state.entropy_production_rate, state.entropy_production_noise),
    }[functional]
    values = mean + noise**0.5 * np.array([-0.5, 0.0, 0.01, 0.4])
    found = rate_function(OTHER, FIELD, TORQUE, functional, values)
    assert found.rates[1] == 0.0
    # a parabola near the mean
    np.testing.assert_allclose(found.rates[2], (0.01 * noise**0.5) ** 2 / (2 * noise), rtol=0.03)
    # Legendre: I(a) >= k a - lambda(k) for every k
    unit = OTHER.beta if functional == "work" else 1.0
    way = FUNCTIONALS[functional]
    k = np.linspace(-0.7, 0.5, 9)
    values_at_k = scgf(OTHER, FIELD, TORQUE, work=way[0] * k, pumped_entropy=way[1] * k)
    for value, rate, best in zip(values, found.rates, found.exponents, strict=True):
        lower = k * unit * value - values_at_k
        assert np.all(lower <= rate + 1e-9)
        at_best = scgf(OTHER, FIELD, TORQUE, work=way[0] * best, pumped_entropy=way[1] * best)
        np.testing.assert_allclose(best * unit * value - at_best, rate, atol=1e-9)


def test_fluctuation_theorem_of_the_rate_functions():
    # I_{-H}(-sigma) = I_H(sigma) + sigma
    sigma = np.array([-0.2, 0.05, 0.3])
    here = rate_function(OTHER, FIELD, TORQUE, "entropy_production", sigma)
    there = rate_function(OTHER, -FIELD, TORQUE, "entropy_production", -sigma)
    np.testing.assert_allclose(there.rates, here.rates + sigma, rtol=1e-8, atol=1e-10)


def test_pumped_entropy_cannot_exceed_its_largest_rate():
    top = 2.0 * 1.4 * 0.7 * np.linalg.norm(TORQUE)
    found = rate_function(OTHER, FIELD, TORQUE, "pumped_entropy", [1.01 * top, 0.5 * top])
    assert found.rates[0] == np.inf
    assert np.isnan(found.exponents[0])
    assert np.isfinite(found.rates[1])


# refusals


def test_bad_arguments():
    with pytest.raises(ValueError, match="work"):
        scgf(OTHER, FIELD, TORQUE, work=np.nan)
    with pytest.raises(ValueError, match="functional"):
        rate_function(OTHER, FIELD, TORQUE, "heat", 0.0)
    with pytest.raises(ValueError, match="spin_torque"):
        rate_function(OTHER, FIELD, (0, 0, 0), "work", 0.0)
    with pytest.raises(ValueError, match="damping"):
        scgf(Magnet(1.0, 1.0, 0.0, 1.0), FIELD, TORQUE, work=1.0)


def test_what_rounding_would_spoil_is_refused():
    H, P = np.array([0, 0, 100.0]), np.array([17.0, 0, 0])
    with pytest.raises(ResolutionError, match="rounding"):
        scgf(PAPER, H, P, work=0.3, pumped_entropy=-0.7)
