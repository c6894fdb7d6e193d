"""Closed forms against other routes: sixty digits, quadrature, the sphere, the equation itself."""

from __future__ import annotations

import warnings
from decimal import Decimal, localcontext
from functools import partial

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from sphere_oracle import Harmonics, drift, sphere_nodes
from spintherm import theory
from spintherm.magnet import Magnet

EPS = np.finfo(float).eps
XI = np.concatenate([np.geomspace(1e-9, 1.0, 60), np.linspace(1.0, 4.0, 60), np.geomspace(4, 1e5)])
MAGNETS = [
    Magnet(1.7, 1.3, 0.6, 0.8),
    Magnet(np.sqrt(3.0), 1.0, 0.5, 1.0),
    Magnet(0.4, -2.1, 1.9, 2.5),
]
AXIS = np.array([1.0, 2.0, -2.0]) / 3.0


# --- sixty digits ---------------------------------------------------------------------------------


def decimal_chi(x: Decimal) -> Decimal:
    """ξ coth ξ - 1; a series where it would cancel more than half of the digits."""
    if abs(x) < Decimal("1e-5"):
        return x**2 / 3 - x**4 / 45 + 2 * x**6 / 945
    down = (-2 * abs(x)).exp()
    return abs(x) * (1 + down) / (1 - down) - 1


def digits(function, *arguments):
    """Evaluate in sixty digits, arguments taken as the floats that they are."""
    with localcontext() as context:
        context.prec = 60
        context.Emax, context.Emin = 10**9, -(10**9)
        return float(function(*(Decimal(float(a)) for a in arguments)))


def relative_error(values, function, *arguments):
    exact = np.array([digits(function, *a) for a in zip(*arguments, strict=True)])
    return np.max(np.abs(np.asarray(values) / exact - 1.0))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_functions_of_xi_to_rounding(sign):
    x = sign * XI
    assert relative_error(theory.langevin(x), lambda t: decimal_chi(t) / t, x) < 4 * EPS
    assert relative_error(theory.chi(x), decimal_chi, x) < 4 * EPS
    assert (
        relative_error(theory.chi_over_xi_squared(x), lambda t: decimal_chi(t) / t**2, x) < 4 * EPS
    )

    def slope(t):  # 1/ξ² - 1/sinh²ξ = (1 - coth² + 1/ξ²), coth = (χ + 1)/ξ
        c = decimal_chi(t)
        return Decimal(1) - (2 * c + c**2) / t**2

    y = x[np.abs(x) > 1e-3]  # the reference's own cancellation
    assert relative_error(theory.langevin_slope(y), slope, y) < 12 * EPS
    assert relative_error(theory.projected_variance(y), lambda t: t**2 * slope(t), y) < 12 * EPS


def test_functions_of_xi_at_the_ends():
    assert theory.chi(0.0) == 0.0
    assert theory.chi_over_xi_squared(0.0) == pytest.approx(1.0 / 3.0, rel=EPS)
    assert theory.langevin_slope(0.0) == pytest.approx(1.0 / 3.0, rel=2 * EPS)
    assert theory.projected_variance(0.0) == 0.0
    for huge in (1e5, 1e20, 1e300):
        for x in (huge, -huge):
            assert theory.chi(x) == huge - 1.0
            assert theory.chi_over_xi_squared(x) == pytest.approx(
                (1 - 1 / huge) / huge, rel=2 * EPS
            )
            assert theory.projected_variance(x) == 1.0
            assert theory.langevin(x) == np.copysign(1.0 - 1.0 / huge, x)
    assert theory.psi(1e300) == theory.psi(np.inf) == theory.psi_closure(1e300) == 0.0
    assert theory.chi(np.inf) == np.inf
    # SI 29, with the next terms: χ = ξ²/3 - ξ⁴/45 and ξ - 1
    assert theory.chi(0.01) - theory.chi_weak(0.01) == pytest.approx(-1e-8 / 45.0, rel=1e-4)
    assert theory.chi(-80.0) - theory.chi_strong(-80.0) == pytest.approx(-1.0, abs=1e-13)


@pytest.mark.parametrize("xi", [0.02, 0.7, -3.0, 25.0])
def test_moments_of_the_density(xi):
    c, w = np.polynomial.legendre.leggauss(120)
    p = w * np.exp(xi * c - abs(xi))
    p /= p.sum()
    mean = p @ c
    assert theory.langevin(xi) == pytest.approx(mean, rel=1e-12)
    assert theory.chi(xi) == pytest.approx(p @ (xi * c), rel=1e-12)
    assert theory.chi_over_xi_squared(xi) == pytest.approx(p @ (1 - c**2) / 2, rel=1e-12)
    assert theory.langevin_slope(xi) == pytest.approx(p @ (c - mean) ** 2, rel=1e-11)
    # SI 48 as printed
    printed = 1.0 + xi**2 * (1.0 - 1.0 / np.tanh(xi) ** 2)
    assert theory.projected_variance(xi) == pytest.approx(printed, rel=1e-12 + 1e-15 / xi**2)
    assert theory.one_minus_langevin(abs(xi)) == pytest.approx(1.0 - abs(mean), rel=1e-11)


# --- Ψ --------------------------------------------------------------------------------------------


def psi_by_definition(xi):
    """χ⁻¹ ∫ G²/((1 - c²) p) dc with G itself a quadrature, and p normalised by one."""
    Z = quad(lambda c: np.exp(xi * (c - 1)), -1, 1, epsabs=0, epsrel=1e-13)[0]
    density = lambda c: np.exp(xi * (c - 1)) / Z  # noqa: E731
    chi = quad(lambda c: xi * c * density(c), -1, 1, epsabs=0, epsrel=1e-13)[0]
    node, weight = np.polynomial.legendre.leggauss(60)

    def G(c):  # from the nearer end, which avoids cancellation
        end = -1.0 if c < 0 else 1.0
        points = 0.5 * (c + end) + 0.5 * (c - end) * node
        return 0.5 * (c - end) * (weight @ ((xi * points - chi) * density(points)))

    integrand = lambda c: G(c) ** 2 / ((1 - c**2) * density(c))  # noqa: E731
    return quad(integrand, -1, 1, epsabs=0, epsrel=1e-11, limit=200)[0] / chi


def psi_by_poisson(xi):
    """Half the long-time variance of ξc over χ, from 𝓛†g = -(f - χ) in Legendre polynomials."""
    size = 40 + int(14 * np.sqrt(xi))
    k = np.arange(size + 1.0)
    M = np.diag(-k * (k + 1))  # ξ(1-c²)P_k' = ξ k(k+1)/(2k+1) (P_{k-1} - P_{k+1})
    step = xi * k * (k + 1) / (2 * k + 1)
    M += np.diag(step[1:], 1) - np.diag(step[:-1], -1)
    g = np.zeros(size + 1)
    right = np.zeros(size)
    right[0] = -xi
    g[1:] = np.linalg.solve(M[1:, 1:], right)
    c, w = np.polynomial.legendre.leggauss(size + 20)
    p = w * np.exp(xi * (c - 1))
    p /= p.sum()
    chi = p @ (xi * c)
    return (p @ ((xi * c - chi) * np.polynomial.legendre.legval(c, g))) / chi


@pytest.mark.parametrize("xi", [0.3, 1.0, 3.0, 10.0, 40.0])
def test_psi_is_its_definition(xi):
    assert theory.psi(xi) == pytest.approx(psi_by_definition(xi), rel=1e-9)
    assert theory.psi(-xi) == theory.psi(xi)


@pytest.mark.parametrize("xi", [0.05, 0.5, 0.999, 1.001, 2.9, 9.0, 22.0, 23.0, 150.0])
def test_psi_solves_the_poisson_equation(xi):
    # the reference cancels like 1/ξ² for weak fields and like ξ for strong ones
    error = 1e-14 * (10 + 1 / xi**2 + xi)
    assert theory.psi(xi) == pytest.approx(psi_by_poisson(xi), rel=error)


def test_psi_in_weak_fields():
    """Taylor's series by exact rational arithmetic: 1/2, -11/90, 401/18900, -59/18900."""
    x = np.array([0.0, 1e-200, 1e-8, 1e-4, 1e-2, 0.03])
    series = 0.5 - 11 / 90 * x**2 + 401 / 18900 * x**4 - 59 / 18900 * x**6
    np.testing.assert_allclose(theory.psi(x), series, rtol=5e-15)
    closure = 0.5 - 19 / 120 * x**2 + 31 / 800 * x**4 - 25573 / 3024000 * x**6
    np.testing.assert_allclose(theory.psi_closure(x), closure, rtol=1e-14)
    for law, exact, fourth in [
        (theory.psi_weak, theory.psi, 401 / 18900),
        (theory.psi_closure_weak, theory.psi_closure, 31 / 800),
    ]:
        assert exact(0.1) - law(0.1) == pytest.approx(fourth * 1e-4, rel=0.01)


@pytest.mark.parametrize("xi", [60.0, 1e3, 1e5, 1e10])
def test_psi_in_strong_fields(xi):
    """χΨ = Σ (k+1)!/(2ξ)^(k+1), up to exponentially small terms; truncated at its least term."""
    total, term = 0.0, 1.0 / (2 * xi)
    for k in range(1, 60):
        total += term
        term *= (k + 1) / (2 * xi)
    assert theory.psi(xi) == pytest.approx(total / (xi - 1), rel=2e-14)
    assert theory.psi_strong(xi) == pytest.approx(theory.psi(xi), rel=2.2 / xi)
    assert theory.psi_closure(xi) == pytest.approx(theory.psi_strong(xi), rel=1.7 / xi + 1e-13)


@pytest.mark.parametrize("xi", [0.2, 1.0, 3.0, 12.0, 30.0])
def test_closure_is_si_57(xi):
    chi = xi / np.tanh(xi) - 1
    weight = quad(lambda y: np.exp(y), -xi - chi, xi - chi, epsrel=1e-13)[0]
    value = quad(
        lambda y: y * np.log(abs(1 + y / (2 * (chi + 1)))) * np.exp(y),
        -xi - chi,
        xi - chi,
        epsabs=0,
        epsrel=1e-12,
    )[0]
    assert theory.psi_closure(xi) == pytest.approx(value / weight / chi, rel=1e-10)
    assert theory.psi_closure(-xi) == theory.psi_closure(xi)


def test_numbers_of_psi():
    assert theory.psi(3.0) == pytest.approx(0.109415, abs=5e-7)
    assert theory.psi_closure(3.0) == pytest.approx(0.092404, abs=5e-7)
    assert 1 - theory.psi_closure(3.0) / theory.psi(3.0) == pytest.approx(0.155, abs=5e-4)
    assert 1 - theory.psi_closure(10.0) / theory.psi(10.0) == pytest.approx(0.053, abs=5e-4)
    x = np.geomspace(1e-3, 1e6, 2000)
    ratio = theory.psi_closure(x) / theory.psi(x)
    assert np.all(ratio < 1.0)
    assert x[ratio.argmin()] == pytest.approx(3.0, abs=0.1)
    assert np.all(np.diff(theory.psi(x)) < 0.0)
    assert np.all(theory.psi(x) < 0.5)


def test_quadrature_has_converged(monkeypatch):
    from spintherm.theory import psi_function

    x = np.geomspace(1e-2, 1e5, 400)
    before = theory.psi(x), theory.psi_closure(x)
    monkeypatch.setattr(psi_function, "_NODES", 120)
    monkeypatch.setattr(psi_function, "_REACH", 60.0)
    psi_function._unit_nodes.cache_clear()
    after = theory.psi(x), theory.psi_closure(x)
    psi_function._unit_nodes.cache_clear()
    np.testing.assert_allclose(before[0], after[0], rtol=3e-14)
    np.testing.assert_allclose(before[1], after[1], rtol=3e-13)


# --- rates of reduced parameters ------------------------------------------------------------------


def decimal_rate(index, a, n, d):
    """[II] 16 as printed, in units of ηT; sixty digits survive the cancellation."""
    chi = decimal_chi(n * (1 + a / d))
    s = a + d
    return (
        2 * chi * a / s,
        2 * chi * a**2 * (1 + d**2) / s**2,
        -2 * chi * a * d * (1 - a * d) / s**2,
    )[index]


REDUCED = (
    theory.reduced_pumped_entropy_rate,
    theory.reduced_entropy_production_rate,
    theory.reduced_bath_entropy_rate,
)


def alphas_near(delta):
    """α on both sides of -δ, down to its next neighbours, and elsewhere."""
    near = [-delta * (1 + s * e) for s in (1, -1) for e in (1e-15, 3e-13, 1e-9, 1e-6, 1e-3, 0.1)]
    return np.array([*near, np.nextafter(-delta, 0.0), -5.0, -1e-9, 1e-12, 0.3, 1.0, 7.0, 1e4])


@pytest.mark.parametrize("delta", [0.03, 0.866, 2.7, -0.4])
@pytest.mark.parametrize("nu", [1e-6, 0.5, 6.0, 1e4])
def test_reduced_rates_are_printed_ones(nu, delta):
    alpha = alphas_near(delta)
    alpha = alpha[np.abs(1 - alpha * delta) > 1e-3]
    for index, (rate, error) in enumerate(zip(REDUCED, (20 * EPS, 20 * EPS, 1e-12), strict=True)):
        exact = [digits(partial(decimal_rate, index), a, nu, delta) for a in alpha]
        np.testing.assert_allclose(rate(alpha, nu, delta), exact, rtol=error)
    assert REDUCED[0](0.3, nu, delta, 1.9) == pytest.approx(1.9 * REDUCED[0](0.3, nu, delta))


@pytest.mark.parametrize("delta", [0.1, 0.7, 1.9])
def test_special_points(delta):
    nu = 3.4
    limit = 2 / 3 * nu**2 * (1 + delta**2)
    pumped, produced, bath = (rate(-delta, nu, delta) for rate in REDUCED)
    assert pumped == 0.0
    assert produced == pytest.approx(limit, rel=4 * EPS)
    assert bath == pytest.approx(limit, rel=4 * EPS)
    noise = theory.reduced_pumped_entropy_noise
    assert noise(-delta, nu, delta) == pytest.approx(4 / 3 * nu**2, rel=1e-14)
    for side in (1 - 1e-7, 1 + 1e-7):
        assert noise(-delta * side, nu, delta) == pytest.approx(4 / 3 * nu**2, rel=1e-6)
    assert theory.reduced_uncertainty_ratio(-delta, nu, delta) == np.inf
    assert abs(theory.reduced_bath_entropy_rate(1 / delta, nu, delta)) < 1e-13
    for function in (*REDUCED, noise, theory.reduced_uncertainty_ratio):
        assert function(0.0, nu, delta) == 0.0


def test_reduced_noise_and_uncertainty_ratio():
    alpha, nu, delta, D = np.array([-2.0, -0.3, 0.2, 1.5]), 4.0, 0.6, 1.7
    xi = nu * (1 + alpha / delta)
    direct = 8 * D * (xi / np.tanh(xi) - 1) * theory.psi(xi) * alpha**2 / (alpha + delta) ** 2
    noise = theory.reduced_pumped_entropy_noise(alpha, nu, delta, D)
    np.testing.assert_allclose(noise, direct, rtol=1e-13)
    pumped, produced, _ = (rate(alpha, nu, delta, D) for rate in REDUCED)
    ratio = noise * produced / (2 * pumped**2)
    np.testing.assert_allclose(
        theory.reduced_uncertainty_ratio(alpha, nu, delta), ratio, rtol=1e-13
    )


def test_the_uncertainty_relation_is_broken():
    """[II]'s point: ratio → α²(1 + δ²)/(νδ)² ... ≪ 1 in strong fields, and 1 + δ² without field."""
    assert theory.reduced_uncertainty_ratio(0.1, 50.0, 0.5) < 1e-4
    magnet = MAGNETS[0]
    delta = magnet.damping * magnet.moment / magnet.gyromagnetic_ratio
    weak = theory.uncertainty_ratio(magnet, (0, 0, 0), (0, 0, 1e-6))
    assert weak == pytest.approx(1 + delta**2, rel=1e-9)
    assert np.isnan(theory.uncertainty_ratio(magnet, (0, 0, 0), (0, 0, 0)))
    assert theory.uncertainty_ratio(magnet, (0, 0, 1), (0, 0, 0)) == 0.0


# --- rates of a magnet ----------------------------------------------------------------------------

CASES = [(2.0, -0.7), (1.1, 0.6), (0.0, 0.9), (1.4, 0.0), (0.6, -3.0), (4.0, 0.2)]


@pytest.mark.parametrize("magnet", MAGNETS)
@pytest.mark.parametrize(("H", "P"), CASES)
def test_rates_are_averages_over_the_sphere(magnet, H, P):
    """From the definitions [II] 4, 6, 7 with the density [II] 14, by quadrature, tilted frame."""
    field, torque, beta = H * AXIS, P * AXIS, magnet.beta
    n, w = sphere_nodes()
    m = magnet.moment * n
    effective = field + magnet.gyromagnetic_ratio / magnet.damping * torque
    p = w * np.exp(beta * (m @ effective) - beta * magnet.moment * np.linalg.norm(effective))
    p /= p.sum()
    v = drift(m, magnet, field, torque)
    along = np.cross(m, torque)
    pumped = p @ (2 * magnet.gyromagnetic_ratio * m @ torque)
    bath = beta * (p @ np.sum((field + along) * v, axis=-1))  # -β⟨Q⟩, Stratonovich part
    # of (H + m×P)∘dm only H picks up noise: ½ div gives -2ηT m·H
    bath -= beta * 2 * magnet.damping * magnet.temperature * (p @ (m @ field))
    torque_force = np.cross(m, beta * effective - beta * (field + along))
    produced = magnet.temperature * magnet.damping * (p @ np.sum(torque_force**2, axis=-1))
    arguments = magnet, field, torque
    scale = 1e-12 * (1 + produced)
    assert theory.pumped_entropy_rate(*arguments) == pytest.approx(pumped, abs=scale)
    assert theory.bath_entropy_rate(*arguments) == pytest.approx(bath, abs=scale)
    assert theory.entropy_production_rate(*arguments) == pytest.approx(produced, abs=scale)
    assert pumped + bath == pytest.approx(produced, abs=scale)


@pytest.mark.parametrize("magnet", MAGNETS)
@pytest.mark.parametrize(("H", "P"), CASES)
def test_noise_of_a_magnet(magnet, H, P):
    field, torque = H * AXIS, P * AXIS
    xi = float(abs(theory.reduced_parameters(magnet, field, torque).xi))
    mean, noise = Harmonics(14 + int(6 * np.sqrt(xi))).steady_noise(magnet, field, torque)
    assert theory.pumped_entropy_rate(magnet, field, torque) == pytest.approx(mean, abs=1e-10)
    exact = theory.pumped_entropy_noise(magnet, field, torque)
    assert exact == pytest.approx(noise, rel=1e-9, abs=1e-12)
    closure = theory.pumped_entropy_noise_closure(magnet, field, torque)
    bound = theory.pumped_entropy_noise_bound(magnet, field, torque)
    if P == 0.0:
        assert exact == closure == bound == 0.0
        return
    ratio = theory.psi_closure(xi) / theory.psi(xi)
    assert closure / exact == pytest.approx(ratio, rel=1e-13)
    assert exact <= bound
    assert bound == pytest.approx(exact / 2 / theory.psi(xi), rel=1e-13)
    produced = theory.entropy_production_rate(magnet, field, torque)
    assert theory.uncertainty_ratio(magnet, field, torque) == pytest.approx(
        noise * produced / (2 * mean**2), rel=1e-8
    )


@pytest.mark.parametrize("magnet", MAGNETS)
def test_both_forms_agree_on_arrays(magnet):
    field = np.array([0.5, 1.0, 3.0])[:, None, None] * AXIS
    torque = np.array([-2.0, -0.4, 0.3, 0.9])[:, None] * AXIS
    p = theory.reduced_parameters(magnet, field, torque)
    assert p.alpha.shape == p.nu.shape == p.xi.shape == (3, 4)
    np.testing.assert_allclose(p.xi, p.nu * (1 + p.alpha / p.delta), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(p.xi, p.nu + p.drive, rtol=1e-13, atol=1e-14)
    arguments = p.alpha, p.nu, p.delta
    for physical, reduced in [
        (theory.pumped_entropy_rate, theory.reduced_pumped_entropy_rate),
        (theory.entropy_production_rate, theory.reduced_entropy_production_rate),
        (theory.bath_entropy_rate, theory.reduced_bath_entropy_rate),
        (theory.pumped_entropy_noise, theory.reduced_pumped_entropy_noise),
    ]:
        values = physical(magnet, field, torque)
        np.testing.assert_allclose(values, reduced(*arguments, p.diffusion), rtol=1e-12)
    np.testing.assert_allclose(
        theory.uncertainty_ratio(magnet, field, torque),
        theory.reduced_uncertainty_ratio(*arguments),
        rtol=1e-12,
    )


def test_reduced_parameters_without_field():
    magnet = MAGNETS[0]
    p = theory.reduced_parameters(magnet, (0, 0, 0), -0.9 * AXIS)
    np.testing.assert_allclose(p.axis, -AXIS)
    assert p.alpha == np.inf
    assert p.nu == 0.0
    assert p.xi == pytest.approx(
        magnet.beta * magnet.moment * magnet.gyromagnetic_ratio / magnet.damping * 0.9
    )
    nothing = theory.reduced_parameters(magnet, (0, 0, 0), (0, 0, 0))
    assert nothing.alpha == nothing.xi == 0.0


def test_refusals():
    magnet = MAGNETS[0]
    with pytest.raises(ValueError, match=r"spin_torque=.*parallel or antiparallel to the field"):
        theory.pumped_entropy_rate(magnet, (0, 0, 1), (0, 1e-6, 1))
    with pytest.raises(ValueError, match=r"damping=0\.0: expected a number > 0"):
        theory.bath_entropy_rate(Magnet(1, 1, 0, 1), (0, 0, 1), (0, 0, 1))
    with pytest.raises(ValueError, match=r"temperature=0\.0: expected a number > 0"):
        theory.entropy_production_rate(Magnet(1, 1, 1, 0), (0, 0, 1), (0, 0, 1))
    with pytest.raises(ValueError, match=r"delta=0\.0: expected numbers other than 0"):
        theory.reduced_pumped_entropy_rate(1.0, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"alpha=.*finite"):
        theory.reduced_pumped_entropy_noise(np.inf, 1.0, 1.0)
    with pytest.raises(ValueError, match=r"field=.*other than 0"):
        theory.strong_field_entropy_production_rate(magnet, (0, 0, 0), (0, 0, 1))
    with pytest.raises(ValueError, match=r"field=.*other than 0"):
        theory.strong_field_pumped_entropy_noise(magnet, (0, 0, 0), (0, 0, 1))
    with pytest.raises(ValueError, match="initial_direction"):
        theory.zero_temperature_direction(magnet, (0, 0, 1), (0, 0, 1), (0, 0, 0), 1.0)


# --- effective field, times -----------------------------------------------------------------------


@pytest.mark.parametrize("magnet", MAGNETS)
@pytest.mark.parametrize(("H", "P"), [(2.0, -0.7), (1.1, 0.6), (0.0, 0.9), (0.6, -3.0)])
def test_effective_equation(magnet, H, P):
    """[II] 12: the drift is that of H' and γ₀' without torque."""
    field, torque = H * AXIS, P * AXIS
    m = magnet.moment * sphere_nodes(4, 5)[0]
    H1 = theory.effective_field(magnet, field, torque)
    gamma1 = theory.effective_gyromagnetic_ratio(magnet, field, torque)
    turn = np.cross(m, H1)
    effective = -gamma1 * turn - magnet.damping * np.cross(m, turn)
    np.testing.assert_allclose(effective, drift(m, magnet, field, torque), atol=1e-12)
    precession = theory.precession_time(magnet, field, torque)
    assert precession == pytest.approx(1 / np.linalg.norm(gamma1 * H1), rel=1e-12)
    relaxation = theory.damping_time(magnet, field, torque)
    rate = magnet.damping * magnet.moment * np.linalg.norm(H1)
    assert relaxation == pytest.approx(1 / rate, rel=1e-12)
    if H > 0.0:  # 13 and 15 as printed
        alpha, delta = (
            magnet.moment * P / H,
            magnet.damping * magnet.moment / magnet.gyromagnetic_ratio,
        )
        np.testing.assert_allclose(H1, (1 + alpha / delta) * field, rtol=1e-12)
        printed = magnet.gyromagnetic_ratio * (1 - alpha * delta) / (1 + alpha / delta)
        assert gamma1 == pytest.approx(printed, rel=1e-12)
        tp, td = theory.precession_time(magnet, field), theory.damping_time(magnet, field)
        assert tp == pytest.approx(1 / abs(magnet.gyromagnetic_ratio * H))
        assert precession == pytest.approx(tp / abs(1 - alpha * delta), rel=1e-12)
        assert relaxation == pytest.approx(abs(delta) * td / abs(alpha + delta), rel=1e-12)
        assert abs(delta) == pytest.approx(tp / td)


def test_infinite_times_raise_no_warning():
    magnet = Magnet(1.0, 2.0, 0.5, 1.0)  # δ = 1/4
    H = np.array([0.0, 0.0, 4.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert theory.precession_time(magnet, H, 4.0 * H) == np.inf
        assert theory.damping_time(magnet, H, -0.25 * H) == np.inf
        assert np.isinf(theory.effective_gyromagnetic_ratio(magnet, H, -0.25 * H))
        assert np.isnan(theory.effective_gyromagnetic_ratio(magnet, 0 * H, 0 * H))


# --- strong fields --------------------------------------------------------------------------------


@pytest.mark.parametrize("magnet", MAGNETS)
def test_strong_field_laws(magnet):
    """The relative error of each law falls like 1/H."""
    P = 0.8 * AXIS
    pairs = [
        (theory.pumped_entropy_rate, theory.strong_field_pumped_entropy_rate),
        (theory.entropy_production_rate, theory.strong_field_entropy_production_rate),
        (theory.pumped_entropy_noise, theory.strong_field_pumped_entropy_noise),
    ]
    for exact, law in pairs:
        fields = 1e4 * np.array([1.0, 2.0])[:, None] * AXIS
        error = law(magnet, fields, P) / exact(magnet, fields, P) - 1
        assert np.all(np.abs(error) < 1e-2)
        assert error[0] / error[1] == pytest.approx(2.0, rel=1e-2)


def test_strong_field_forms_of_the_paper():
    """[II] Fig. 4: |m| = √3, so that δ = 0.866, P = 1."""
    magnet, P = MAGNETS[1], np.array([0.0, 0.0, 1.0])
    H = 1e7 * P
    printed = theory.strong_field_entropy_production_rate_as_printed(magnet, H, P)
    assert printed == pytest.approx(2 * magnet.moment / (0.5 * 1e7))
    low = 1 - printed / theory.entropy_production_rate(magnet, H, P)
    assert low == pytest.approx(3 / 7, abs=1e-5)  # δ²/(1 + δ²), 43 %
    for strength, factor in [(5.0, 2.5), (20.0, 1.3)]:
        law = theory.strong_field_pumped_entropy_noise(magnet, strength * P, P)
        assert law == pytest.approx(4 / (magnet.moment * 0.5 * strength**3))
        exact = theory.pumped_entropy_noise(magnet, strength * P, P)
        assert law / exact == pytest.approx(factor, abs=0.06)


@pytest.mark.parametrize("angle", [0.4, 1.5])
def test_strong_field_noise_of_tilted_torque(angle):
    """Against the Poisson equation on the whole sphere; the error falls like 1/H."""
    magnet = MAGNETS[0]
    P = 0.9 * np.array([np.sin(angle), 0.0, np.cos(angle)])
    error = []
    for strength in (60.0, 120.0):
        H = np.array([0.0, 0.0, strength])
        top = 10 + int(8 * np.sqrt(magnet.beta * magnet.moment * strength))
        exact = Harmonics(top).steady_noise(magnet, H, P)[1]
        law = theory.strong_field_pumped_entropy_noise(magnet, H, P)
        error.append(law / exact - 1)
    assert abs(error[1]) < 0.01
    assert 1.7 < error[0] / error[1] < 2.6  # the next order is still visible


# --- phases ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alpha", "expected"),
    [
        (-2.0, "dud"),
        (-0.5, "dud"),
        (-0.4999, "heat pump"),
        (-1e-300, "heat pump"),
        (0.0, "equilibrium"),
        (1e-300, "refrigerator"),
        (1.9999, "refrigerator"),
        (2.0, "dud"),
        (3.0, "dud"),
        (np.inf, "dud"),
        (-np.inf, "dud"),
    ],
)
def test_phases(alpha, expected):
    assert str(theory.phase(alpha, 0.5)) == expected
    assert str(theory.phase(-alpha, -0.5)) == expected


@pytest.mark.parametrize("delta", [0.3, 1.0, 4.0, -0.7])
def test_phases_are_those_of_the_rates(delta):
    alpha = np.linspace(-5, 5, 203)
    rates = (rate(alpha, 2.3, delta) for rate in (REDUCED[0], REDUCED[2]))
    by_rates = theory.phase_of_rates(*rates)
    assert np.array_equal(theory.phase(alpha, delta), by_rates)
    assert {"refrigerator", "heat pump", "dud"} <= set(by_rates.tolist())


def test_phases_of_rates_with_errors():
    assert str(theory.phase_of_rates(1e-9, -1e-9, tolerance=1e-8)) == "equilibrium"
    assert str(theory.phase_of_rates(1.0, -1e-9, tolerance=1e-8)) == "dud"
    assert str(theory.phase_of_rates(0.0, 0.0)) == "equilibrium"
    with pytest.raises(ValueError, match="second law"):
        theory.phase_of_rates(-1.0, [1.0, -1.0])
    with pytest.raises(ValueError, match="alpha=nan"):
        theory.phase(np.nan, 1.0)
    with pytest.raises(ValueError, match="delta"):
        theory.phase(1.0, [1.0, 0.0])


# --- zero temperature -----------------------------------------------------------------------------

PATHS = [(1.2, 0.5), (0.7, -1.6), (0.0, 0.8), (1.5, 0.0)]


@pytest.mark.parametrize("magnet", [*MAGNETS, Magnet(1.3, 0.9, 0.0, 0.0)])
@pytest.mark.parametrize(("H", "P"), PATHS)
def test_noiseless_path(magnet, H, P):
    field, torque = H * AXIS, P * AXIS
    start = np.array([0.3, -0.5, 0.4])
    n = start / np.linalg.norm(start)
    rhs = lambda t, m: drift(m, magnet, field, torque)  # noqa: E731
    times = np.linspace(0.0, 3.0, 7)
    path = solve_ivp(rhs, (0, 3), magnet.moment * n, "DOP853", times, rtol=1e-12, atol=1e-13).y.T
    closed = theory.zero_temperature_direction(magnet, field, torque, start, times)
    np.testing.assert_allclose(magnet.moment * closed, path, atol=1e-9)
    back = theory.zero_temperature_direction(magnet, field, torque, closed[-1], -3.0)
    np.testing.assert_allclose(back, n, atol=1e-9)


def test_noiseless_path_as_printed():
    magnet, H, P = MAGNETS[0], 1.2, 0.5
    alpha, delta = magnet.moment * P / H, magnet.damping * magnet.moment / magnet.gyromagnetic_ratio
    t, c0, phi0 = np.linspace(0, 2, 9), 0.31, 0.9
    start = [np.sqrt(1 - c0**2) * np.cos(phi0), np.sqrt(1 - c0**2) * np.sin(phi0), c0]
    n = theory.zero_temperature_direction(magnet, (0, 0, H), (0, 0, P), start, t)
    c = np.tanh(magnet.damping * magnet.moment * (1 + alpha / delta) * H * t + np.arctanh(c0))
    phi = phi0 + magnet.gyromagnetic_ratio * (1 - alpha * delta) * H * t
    s = np.sqrt(1 - c**2)
    np.testing.assert_allclose(n, np.stack([s * np.cos(phi), s * np.sin(phi), c], -1), atol=1e-14)


def test_noiseless_path_at_the_ends():
    magnet = MAGNETS[0]
    path = lambda n, t: theory.zero_temperature_direction(  # noqa: E731
        magnet, 2.0 * AXIS, 0.1 * AXIS, n, t
    )
    np.testing.assert_allclose(path(AXIS, [0.0, 9.0]), [AXIS, AXIS], rtol=3 * EPS)
    np.testing.assert_allclose(path(-AXIS, 1e6), -AXIS, atol=1e-15)
    np.testing.assert_allclose(path((1, 0, 0), 1e6), AXIS, atol=1e-15)
    late = path((1.0, 0, 0), 12.0)  # the distance from the pole keeps its digits
    rate = 12.0 / theory.damping_time(magnet, 2.0 * AXIS, 0.1 * AXIS)
    distance = 1 / np.cosh(rate + np.arctanh(AXIS[0]))
    assert np.linalg.norm(np.cross(late, AXIS)) == pytest.approx(distance, abs=1e-16)
