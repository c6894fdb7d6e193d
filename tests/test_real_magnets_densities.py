"""The density engine for magnets with anisotropy and polarisers."""

from decimal import Decimal, getcontext
from itertools import pairwise

import numpy as np
import pytest

from random_real_magnets import random_magnet, random_real_process
from spintherm import Magnet, Protocol, Pulse, Ramp
from spintherm.energies import Anisotropy
from spintherm.equilibrium import product_rule
from spintherm.fokker_planck import (
    ResolutionError,
    cumulants,
    detailed_balance_residual,
    detailed_symmetry,
    distribution,
    evolve,
    functional_means,
    generating_function,
    joint_symmetry_residual,
    moments,
    rate_function,
    scgf,
    steady_rates,
    steady_state,
    symmetry_residual,
)
from spintherm.fokker_planck.axial import axial_problem
from spintherm.fokker_planck.generator import (
    adjoint,
    backward,
    coefficients,
    conjugated,
    counting_derivatives,
    span_weights,
)
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.initial import anisotropic_equilibrium
from spintherm.fokker_planck.landscape import (
    fields_of,
    landscape_of,
    multiplications,
    pumping_range,
    reduced,
)
from spintherm.fokker_planck.nodes import gauss_legendre
from spintherm.fokker_planck.setting import settings
from spintherm.torques import Polariser, TorqueEfficiency

BROWN = {
    1.0: 1.30627966874,
    2.0: 0.807681877708,
    5.0: 0.135406329662,
    10.0: 2.88216666939e-3,
    20.0: 3.94331274e-7,
}
"""λ₁/ηT of Brown's particle, PHYSICS.md section 7, to the digits printed there."""


def directions(seed, count=12):
    n = np.random.default_rng(seed).normal(size=(count, 3))
    return n / np.linalg.norm(n, axis=1, keepdims=True)


def case(seed):
    """A magnet, H, P, what the engine reduces them to, and the landscape."""
    magnet = random_magnet(seed)
    random = np.random.default_rng(seed)
    H = random.uniform(-0.9, 0.9, 3)
    P = random.uniform(0.4, 0.9) * magnet.polarisers[0].vector
    simple = reduced(magnet)
    return magnet, H, P, simple, fields_of(magnet, H, P), landscape_of(simple)


def random_function(seed, degree=4):
    basis = Basis(degree, degree)
    return basis, np.random.default_rng(seed).normal(size=basis.size)


def slope_along(basis, c, n, velocity, step=2e-4):
    """velocity·∇f by a five-point difference along geodesics, error about step⁴."""

    def at(h):
        speed = np.linalg.norm(velocity, axis=1, keepdims=True)
        angle = h * speed
        place = np.cos(angle) * n + np.sin(angle) * velocity / speed
        return basis.expand(c, place)

    return (8.0 * (at(step) - at(-step)) - (at(2 * step) - at(-2 * step))) / (12.0 * step)


def acted(simple, coefs, landscape, basis, c, n):
    grown = basis.extended(sum(landscape.degrees) + 2, sum(landscape.degrees) + 2)
    return grown.expand(backward(grown, coefs, landscape) @ basis.embed(c, grown), n)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_generator_moves_functions_along_the_drift_of_the_equation(seed):
    magnet, H, P, simple, fields, landscape = case(seed)
    basis, c = random_function(seed)
    n = directions(seed)
    velocity = magnet.drift(magnet.moment * n, H, P) / magnet.moment
    spread = basis.expand(-basis.degrees * (basis.degrees + 1.0) * c, n)
    expected = slope_along(basis, c, n, velocity)
    expected = expected + magnet.damping * magnet.temperature * spread
    ours = acted(simple, coefficients(simple, *fields), landscape, basis, c, n)
    np.testing.assert_allclose(ours, expected, atol=3e-9 * np.abs(expected).max())


@pytest.mark.parametrize("seed", [1, 2])
def test_counting_adds_the_work_and_its_noise_written_out(seed):
    magnet, H, P, simple, fields, landscape = case(seed)
    basis, c = random_function(seed + 10)
    n = directions(seed + 10)
    m, eta, T = magnet.moment * n, magnet.damping, magnet.temperature
    push = np.cross(m, magnet.local_spin_torque(m, P))
    rate = np.sum(magnet.drift(m, H, P) * push, axis=1) / T
    # noise of W: (m×P)·(m×dW); of f: ∂f/∂m·(m×dW); both times √(2ηT)
    together = 2.0 * eta * slope_along(basis, c, n, np.cross(np.cross(push, m), -m) / magnet.moment)
    f = basis.expand(c, n)
    work, pumped, second = counting_derivatives(simple, *fields)
    ours = acted(simple, work, landscape, basis, c, n)
    np.testing.assert_allclose(ours, rate * f + together, atol=1e-8 * np.abs(ours).max())
    noise = 2.0 * eta / T * np.sum(np.cross(m, push) ** 2, axis=1)
    ours = acted(simple, second, landscape, basis, c, n)
    np.testing.assert_allclose(ours, noise * f, atol=1e-11 * np.abs(ours).max())
    ours = acted(simple, pumped, landscape, basis, c, n)
    expected = magnet.pumped_entropy_rate(m, P) * f
    np.testing.assert_allclose(ours, expected, atol=1e-11 * np.abs(ours).max())


def test_the_field_of_the_torques_work_has_no_divergence():
    # so that (m×P)∘dm is its Itô form also where P depends on m, with two polarisers
    magnet = random_magnet(3)
    P = 0.7 * magnet.polarisers[0].vector

    def push(n):
        m = magnet.moment * n
        return np.cross(m, magnet.local_spin_torque(m, P))

    n, step = directions(4), 1e-4
    total = np.zeros(len(n))
    across = np.cross(n, np.roll(n, 1, axis=1))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    for e in (across, np.cross(n, across)):
        ahead, behind = (np.cos(step) * n + s * np.sin(step) * e for s in (1.0, -1.0))
        total += np.sum(e * (push(ahead) - push(behind)), axis=1) / (2.0 * step)
    np.testing.assert_allclose(total, 0.0, atol=1e-7)


def test_transposition_conjugation_and_balance_are_exact_in_any_truncation():
    magnet, H, P, simple, fields, landscape = case(5)
    basis = Basis(9, 7)
    here = coefficients(simple, *fields, work=0.4, pumped_entropy=-0.3)
    matrix = backward(basis, here, landscape).toarray()
    turned = backward(basis, adjoint(here), landscape).toarray()
    np.testing.assert_allclose(turned, matrix.T, atol=1e-14 * np.abs(matrix).max())
    inflow = backward(basis, adjoint(coefficients(simple, *fields)), landscape)[[0]]
    assert np.abs(inflow.data).max() < 1e-15 * np.abs(matrix).max()  # the norm stays
    assert detailed_balance_residual(magnet, H, P, work=0.4, pumped_entropy=-0.3) < 1e-13


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_balance_needs_the_derivative_of_the_efficiency_with_its_sign(sign):
    # [I] 2.17 with the pumped entropy put in by hand as a multiplication, right and wrong
    magnet, H, P, simple, fields, landscape = case(6)
    back = magnet.reversed()
    mirror, basis, k_W, k_S = reduced(back), Basis(9, 9), 0.4, -0.3
    other_fields = fields_of(back, -H, P)

    def counted(one, torque):
        def rate(n):
            total = 0.0
            for p in one.polarisers:
                c, g = n @ p.vector, p.efficiency
                total = total + p.strength * (
                    2.0 * c * g(c) - sign * (1.0 - c * c) * g.derivative(c)
                )
            lift = one.gyromagnetic_ratio * one.moment * float(torque @ one.polarisers[0].vector)
            return (lift * total)[None]

        return multiplications(basis, rate, 40)[0].toarray()

    plain = coefficients(simple, *fields, work=k_W)
    exponent = -magnet.beta * span_weights(simple, *fields)[0]
    one = backward(basis, conjugated(plain, exponent), landscape).toarray()
    one = one + k_S * counted(magnet, P)
    there = coefficients(mirror, *other_fields, work=-1.0 - k_W)
    other = backward(basis, there, landscape_of(mirror)).toarray() + (-1.0 - k_S) * counted(back, P)
    parity = (-1.0) ** basis.degrees
    residual = np.abs(one - parity[:, None] * other.T * parity).max() / np.abs(other).max()
    assert residual < 1e-13 if sign > 0.0 else residual > 1e-3


@pytest.mark.parametrize("seed", [7, 8])
def test_equilibrium_is_stationary_and_equals_the_quadrature(seed):
    magnet, H, _, _, _, _ = case(seed)
    n, w = product_rule(60)
    state = steady_state(magnet, H, np.zeros(3))
    exact = magnet.equilibrium_density(n, H)
    np.testing.assert_allclose(state.density(n), exact, atol=1e-10 * exact.max())
    np.testing.assert_allclose(
        state.mean_moment, magnet.mean_equilibrium_moment(H), atol=1e-11 * magnet.moment
    )
    assert state.entropy_production_rate == 0.0 == state.pumped_entropy_rate
    simple = reduced(magnet)
    basis, p = anisotropic_equilibrium(simple, H, axial=False)
    rest = backward(basis, adjoint(coefficients(simple, H, np.zeros(3))), landscape_of(simple)) @ p
    assert np.abs(rest[basis.degrees < basis.l_max - 6]).max() < 1e-10 * np.abs(p).max()
    assert w @ exact == pytest.approx(1.0, abs=1e-12)


def test_weights_of_the_quadrature_are_good_to_rounding_at_the_poles():
    # in extended precision by Newton's method; NumPy's own are off by 1e-10 at the ends
    for count in (1, 2, 17, 224):
        ours, weights = gauss_legendre(count)
        getcontext().prec = 60
        for place in sorted({0, 1 % count, count // 2, count - 1}):
            x = Decimal(float(ours[place]))
            for _ in range(4):
                before, value = Decimal(1), x
                for n in range(2, count + 1):
                    before, value = value, ((2 * n - 1) * x * value - (n - 1) * before) / n
                slope = count * (before - x * value) / (1 - x * x)
                x -= value / slope
            exact = float(2 / ((1 - x * x) * slope**2))
            assert ours[place] == pytest.approx(float(x), rel=0.0, abs=2e-16)
            assert weights[place] == pytest.approx(exact, rel=0.0, abs=6e-16)
            assert weights[place] == pytest.approx(exact, rel=1e-12)


STEEP = Magnet(
    1.3,
    0.7,
    0.5,
    0.4,
    Anisotropy.uniaxial(2.0, (1.0, 2.0, 2.0)) + Anisotropy.cubic(0.5),
    Polariser((0.0, 0.6, 0.8), TorqueEfficiency.slonczewski(1.5)),
)
"""Barriers of a few T, tilted: its equilibrium could not be told from rounding before."""


@pytest.mark.parametrize("field", [(0.0, 0.0, 3.0), (1.0, 2.0, 0.5), (0.0, 0.0, 0.0)])
def test_the_tail_of_an_equilibrium_is_resolved_to_rounding(field):
    basis, p = anisotropic_equilibrium(reduced(STEEP), np.array(field), axial=False)
    size = np.abs(p) / np.abs(p).max()
    assert np.max(size[basis.degrees > 70]) < 2e-14
    n, w = product_rule(160)
    exact = STEEP.equilibrium_density(n, np.array(field))
    np.testing.assert_allclose(basis.expand(p, n[::97]), exact[::97], atol=1e-12 * exact.max())
    assert (w * exact) @ n == pytest.approx(
        np.sqrt(4.0 * np.pi / 3.0) * p[basis.index(np.ones(3, int), np.array([1, -1, 0]))],
        abs=1e-13,
    )


def test_moments_of_a_steep_tilted_magnet_obey_the_integral_theorem():
    protocol = Protocol(
        0.1, Ramp((0.0, 0.0, 3.0), (0.0, 0.3, 2.8), 0.1), Ramp((0, 0, 0), (0, 0.72, 0.96), 0.1)
    )
    out = moments(STEEP, protocol, order=1)
    assert out.attrs["l_max"] < 60  # no harmonics of rounding are carried along
    G = generating_function(STEEP, protocol, work=-1.0, pumped_entropy=-1.0)
    F = STEEP.free_energy([protocol.initial_field, protocol.final_field])
    exact = np.exp(-STEEP.beta * (F[1] - F[0]))
    assert float(G["generating_function"]) == pytest.approx(exact, rel=1e-11)


def brown_rate(barrier):
    """Smallest λ of Δ + 2σc(1-c²)d/dc on odd Legendre polynomials, with 70 digits.

    (1-c²)P_l' = l(l+1)/(2l+1) (P_{l-1} - P_{l+1}) makes the matrix tridiagonal in steps of two;
    the root of its determinant nearest to zero by the secant rule.
    """
    getcontext().prec = 70
    s, two = Decimal(barrier), Decimal(2)
    ell = [Decimal(k) for k in range(1, 2 * int(14 + 5 * barrier**0.5), 2)]

    def diagonal(k):
        return -k * (k + 1) + two * s * k * (k + 1) / (2 * k + 1) * (
            k / (2 * k - 1) - (k + 1) / (2 * k + 3)
        )

    def product(k):  # of the element from l to l+2 and that from l+2 to l
        up = -two * s * k * (k + 1) * (k + 2) / ((2 * k + 1) * (2 * k + 3))
        j = k + 2
        return up * two * s * j * (j + 1) * (j - 1) / ((2 * j + 1) * (2 * j - 1))

    def determinant(rate):
        before, now = Decimal(1), (diagonal(ell[0]) + rate) / ell[0] ** 2
        for a, b in pairwise(ell):
            scale = b * b
            before, now = now, ((diagonal(b) + rate) * now - product(a) * before / (a * a)) / scale
        return now

    x = Decimal(0)
    y = Decimal(10) ** -30
    fx, fy = determinant(x), determinant(y)
    for _ in range(60):
        if fx == fy:
            break
        x, y, fx = y, y - fy * (y - x) / (fy - fx), fy
        fy = determinant(y)
        if abs(y - x) <= abs(y) * Decimal(10) ** -30:
            break
    return float(y)


@pytest.mark.parametrize("barrier", [1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0])
def test_browns_particle_relaxes_at_the_known_rate(barrier):
    eta, T = 0.3, 0.7
    energy = Anisotropy.uniaxial(barrier * T, (1.0, 2.0, -1.0))
    state = steady_state(Magnet(1.4, 0.9, eta, T, energy), np.zeros(3), np.zeros(3))
    rate = -state.spectrum(1)[0].real / (eta * T)
    exact = brown_rate(barrier)
    assert rate == pytest.approx(exact, rel=2e-11)
    if barrier in BROWN:
        assert exact == pytest.approx(BROWN[barrier], rel=2e-9 if barrier > 10.0 else 1e-11)


def axial_magnet(barrier=2.0):
    axis = np.array([1.0, -2.0, 2.0]) / 3.0
    energy = Anisotropy.uniaxial(barrier * 0.7, axis, 0.4)
    torque = Polariser(axis, TorqueEfficiency.slonczewski(1.6), 0.8, 0.2)
    return Magnet(1.3, 0.8, 0.4, 0.7, energy, torque), axis


@pytest.mark.parametrize("barrier", [2.0, 25.0])
def test_an_axial_state_with_asymmetry_is_the_integral_of_its_drift(barrier):
    magnet, axis = axial_magnet(barrier)
    H, P = 0.3 * axis, -0.4 * axis
    state = steady_state(magnet, H, P)
    # dψ/dc = (dc/dt)/(ηT (1 - c²)) from the equation itself, integrated by Gauss-Legendre panels
    x, w = np.polynomial.legendre.leggauss(40)
    edges = np.linspace(-1.0, 1.0, 401)
    half = np.diff(edges)[:, None] / 2.0
    c = edges[:-1, None] + half * (1.0 + x)
    across = np.cross(axis, [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    n = c[..., None] * axis + np.sqrt(1.0 - c**2)[..., None] * across
    speed = magnet.drift(magnet.moment * n, H, P) @ axis / magnet.moment
    slope = speed / (magnet.damping * magnet.temperature * (1.0 - c**2))
    psi = np.concatenate([[0.0], np.cumsum(np.sum(half * w * slope, axis=1))])
    place = edges[:, None] * axis + np.sqrt(1.0 - edges**2)[:, None] * across
    values = state.density(place)
    np.testing.assert_allclose(values / values.max(), np.exp(psi - psi.max()), atol=1e-10)
    assert state.m_max == 0


def test_noises_of_axial_states_agree_with_the_solution_in_harmonics():
    magnet, axis = axial_magnet()
    state = steady_state(magnet, 0.3 * axis, -0.4 * axis)
    _, _, second = counting_derivatives(
        state.setting.magnet, state.setting.field, state.setting.spin_torque
    )
    noise = state.responses.noise()
    noise[0, 0] += state.responses.mean(second)
    ours = state.covariance[np.ix_([0, 2], [0, 2])]
    scale = np.array([magnet.temperature, 1.0])
    np.testing.assert_allclose(ours, noise * np.outer(scale, scale), rtol=1e-9)


def test_spectra_of_axial_magnets_agree_with_the_search_for_tilted_ones():
    magnet, axis = axial_magnet()
    one = steady_state(magnet, 0.3 * axis, -0.4 * axis)
    lean = np.cross(axis, [0.0, 0.0, 1.0])
    other = steady_state(magnet, 0.3 * axis + 1e-7 * lean, -0.4 * axis)
    assert one.m_max == 0 < other.m_max
    np.testing.assert_allclose(one.spectrum(7), other.spectrum(7), rtol=1e-7)


def test_a_steady_state_agrees_with_its_currents_and_its_cumulants():
    magnet, H, P, _, _, _ = case(9)
    state = steady_state(magnet, H, P)
    n, w = product_rule(70)
    _, irreversible = state.currents(n)
    p = state.density(n)
    diffusion = magnet.damping * magnet.temperature
    produced = w @ (np.sum(irreversible**2, axis=1) / (diffusion * p))
    assert state.entropy_production_rate == pytest.approx(produced, rel=1e-9)
    assert w @ (p * magnet.pumped_entropy_rate(magnet.moment * n, P)) == pytest.approx(
        state.pumped_entropy_rate, rel=1e-10
    )
    total = state.pumped_entropy_rate + state.bath_entropy_rate
    assert total == pytest.approx(state.entropy_production_rate, rel=1e-10)
    series = cumulants(magnet, H, P, work=1.0, pumped_entropy=1.0, order=2)
    np.testing.assert_allclose(
        series, [state.entropy_production_rate, state.entropy_production_noise], rtol=1e-9
    )
    pumped, bath = steady_rates(magnet, H[None], P[None], progress=False)
    np.testing.assert_allclose(
        [pumped[0], bath[0]], [state.pumped_entropy_rate, state.bath_entropy_rate], rtol=1e-8
    )
    step = 1e-4
    ends = [scgf(magnet, H, P, pumped_entropy=s * step) for s in (1.0, -1.0)]
    assert (ends[0] - ends[1]) / (2.0 * step) == pytest.approx(state.pumped_entropy_rate, rel=1e-6)


def test_counting_statistics_of_steady_states_are_symmetric():
    magnet, H, P, _, _, _ = case(11)
    for k_W, k_S in ((0.0, 0.0), (0.4, -0.2), (-0.7, 0.9)):
        size = scgf(magnet, H, P, work=k_W, pumped_entropy=k_S) if k_W else 1.0
        rest = symmetry_residual(magnet, H, P, work=k_W, pumped_entropy=k_S)
        assert abs(rest) < 1e-11 * max(1.0, abs(size))


def test_the_rate_function_vanishes_at_the_mean_and_ends_at_the_extremes():
    magnet, axis = axial_magnet()
    H, P = 0.3 * axis, -0.4 * axis
    state = steady_state(magnet, H, P)
    c = np.linspace(-1.0, 1.0, 4001)
    across = np.cross(axis, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    n = c[:, None] * axis + np.sqrt(1.0 - c**2)[:, None] * across
    rates = magnet.pumped_entropy_rate(magnet.moment * n, P)
    simple = reduced(magnet)
    low, high = pumping_range(simple, fields_of(magnet, H, P)[1])
    assert (low, high) == pytest.approx((rates.min(), rates.max()), rel=1e-6)
    mean = state.pumped_entropy_rate
    found = rate_function(magnet, H, P, "pumped_entropy", [mean, 0.5 * (mean + high), 1.01 * high])
    assert found.rates[0] == pytest.approx(0.0, abs=1e-12)
    assert found.rates[1] > 0.0
    assert np.isinf(found.rates[2])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_joint_theorem_holds_for_random_magnets_and_protocols(seed):
    magnet, protocol = random_real_process(seed, polarisers=2 if seed else 1)
    rest = joint_symmetry_residual(magnet, protocol, work=[0.3, -1.0], pumped_entropy=[-0.4, -1.0])
    assert np.all(rest < 1e-9)


def test_the_joint_theorem_fails_with_the_polarisers_as_they_were(monkeypatch):
    magnet, protocol = random_real_process(1, polarisers=1)
    monkeypatch.setattr(Magnet, "reversed", lambda self: self)
    rest = joint_symmetry_residual(magnet, protocol, work=0.3, pumped_entropy=-0.4)
    assert rest > 1e-3


def test_moments_means_and_time_dependence_tell_the_same():
    magnet, protocol = random_real_process(1, polarisers=1)
    found = moments(magnet, protocol, order=2)
    step = 1e-3

    def G(k_W, k_S):
        data = generating_function(magnet, protocol, work=k_W, pumped_entropy=k_S)
        return data["generating_function"].values

    signs = np.array([2.0, 1.0, -1.0, -2.0]) * step
    rule = np.array([-1.0, 8.0, -8.0, 1.0]) / (12.0 * step)
    raw = found["raw_moment"].values
    assert raw[1, 0] == pytest.approx(magnet.temperature * float(rule @ G(signs, 0.0)), rel=1e-8)
    assert raw[0, 1] == pytest.approx(float(rule @ G(0.0, signs)), rel=1e-8)
    means = functional_means(magnet, protocol)
    assert means["work"] == pytest.approx(raw[1, 0], rel=1e-9)
    in_time = evolve(magnet, protocol, save_at=[0.0, 0.5 * protocol.duration, protocol.duration])
    assert float(in_time["work"][-1]) == pytest.approx(raw[1, 0], rel=1e-8)
    assert float(in_time["pumped_entropy"][-1]) == pytest.approx(raw[0, 1], rel=1e-8)
    assert float(in_time["heat"][-1]) == pytest.approx(means["heat"], rel=1e-8)
    # the mean energy before: by quadrature of the equilibrium, with the field of the current
    n, w = product_rule(60)
    H = protocol.initial_field + magnet.field_of_current(protocol.initial_spin_torque)
    energy = w @ (magnet.equilibrium_density(n, H) * magnet.energy(magnet.moment * n, H))
    assert float(in_time["energy"][0]) == pytest.approx(energy, abs=1e-9)
    change = float(in_time["energy"][-1] - in_time["energy"][0])
    assert change == pytest.approx(means["energy_change"], rel=1e-8)
    # dS/dt + dS_B/dt + dS_P/dt = Σ ties rates to an integral of the currents
    assert np.abs(in_time["balance_residual"].values).max() < 1e-9


def test_the_detailed_theorem_holds_for_a_driven_barrier():
    magnet, axis = axial_magnet(1.0)
    protocol = Protocol(0.8, Ramp(-0.4 * axis, 0.6 * axis, 0.8), Pulse(0.5 * axis, 0.2, 0.6))
    found = detailed_symmetry(magnet, protocol, tolerance=1e-4, floor=1e-3, progress=False)
    assert found.attrs["largest_deviation"] < 1e-3


def test_the_density_of_heat_has_the_mean_of_the_first_law():
    # heat is counted with the energies at both ends, those of the anisotropy included
    magnet, axis = axial_magnet(1.0)
    protocol = Protocol(0.8, Ramp(-0.4 * axis, 0.6 * axis, 0.8), 0.3 * axis)
    found = distribution(magnet, protocol, of="heat", tolerance=1e-3, floor=1e-5, progress=False)
    Q, p = found["heat"].values, found["density"].values
    total, mean = (np.trapezoid(f, Q) for f in (p, p * Q))
    assert total == pytest.approx(1.0, abs=2e-3)
    assert mean == pytest.approx(functional_means(magnet, protocol)["heat"], abs=2e-3)


def test_polarisers_of_constant_efficiency_are_a_uniform_torque():
    p = np.array([1.0, 2.0, -0.5])
    p /= np.linalg.norm(p)
    plain = Magnet(1.3, 0.8, 0.4, 0.7)
    polarised = Magnet(1.3, 0.8, 0.4, 0.7, None, Polariser(p, strength=0.5, field_like=0.3))
    H, P = np.array([0.3, -0.5, 0.2]), 0.6 * p
    total = H + polarised.field_of_current(P)
    one, other = steady_state(plain, total, 0.5 * P), steady_state(polarised, H, P)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    # and the landscape's operators agree with the uniform ones where both can say it
    nearly = TorqueEfficiency((0.5, 1e-300))
    third = steady_state(Magnet(1.3, 0.8, 0.4, 0.7, None, Polariser(p, nearly)), total, P)
    assert third.setting.landscape is not None
    np.testing.assert_allclose(third.covariance, one.covariance, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(third.mean_moment, one.mean_moment, atol=1e-13)


def test_what_cannot_be_solved_is_refused():
    magnet, axis = axial_magnet()
    across = np.cross(axis, [0.0, 0.0, 1.0])
    with pytest.raises(ValueError, match="parallel to the polariser"):
        steady_state(magnet, axis, across)
    with pytest.raises(ValueError, match="parallel to the polariser"):
        generating_function(magnet, Protocol(1.0, axis, Ramp(axis, across, 1.0)))
    deep = Magnet(1.3, 0.8, 0.4, 1e-3, Anisotropy.uniaxial(1.0))
    with pytest.raises(ResolutionError, match="varies by"):
        axial_problem(settings(deep, np.zeros((1, 3)), np.zeros((1, 3)))[0]).slowest()
