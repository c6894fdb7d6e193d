"""The generator against the equation written out by hand, and its exact symmetries."""

import numpy as np
import pytest

from spintherm.fokker_planck.generator import (
    OPERATORS,
    active_operators,
    adjoint,
    backward,
    coefficients,
    conjugated,
    forward,
    integrals,
    reflected,
    rotated,
    uniform_density,
)
from spintherm.fokker_planck.harmonics import Basis
from spintherm.magnet import Magnet

MAGNET = Magnet(moment=1.3, gyromagnetic_ratio=0.7, damping=0.4, temperature=1.9)
FIELD = np.array([0.4, -0.9, 0.5])
TORQUE = np.array([-0.3, 0.2, 0.8])


def drift(moment, magnet=MAGNET, H=FIELD, P=TORQUE):
    """[I] 2.6 in Itô form, by hand."""
    total = H + np.cross(moment, P)
    turn = np.cross(moment, total)
    g, eta, T = magnet.gyromagnetic_ratio, magnet.damping, magnet.temperature
    return -g * turn - eta * np.cross(moment, turn) - 2.0 * T * eta * moment


def spread(moment, magnet=MAGNET):
    """Half the covariance rate of dm, [I] 2.3e: eta T (m² - m m)."""
    square = np.sum(moment**2, axis=-1)[..., None, None]
    outer = moment[..., :, None] * moment[..., None, :]
    return magnet.damping * magnet.temperature * (square * np.eye(3) - outer)


def homogeneous(basis, c, r):
    """The function sum_l |r|^0 S_lm(r/|r|) c in space, for Cartesian differences."""
    return basis.expand(c, r / np.linalg.norm(r, axis=-1, keepdims=True))


def cartesian_derivatives(f, r, h=2e-3):
    e = h * np.eye(3)
    first = np.stack(
        [(8 * (f(r + a) - f(r - a)) - (f(r + 2 * a) - f(r - 2 * a))) / (12 * h) for a in e], -1
    )
    second = np.empty((len(r), 3, 3))
    for i in range(3):
        for j in range(3):
            second[:, i, j] = (
                f(r + e[i] + e[j]) - f(r + e[i] - e[j]) - f(r - e[i] + e[j]) + f(r - e[i] - e[j])
            ) / (4 * h * h)
    return first, second


def random_directions(count, seed=3):
    n = np.random.default_rng(seed).normal(size=(count, 3))
    return n / np.linalg.norm(n, axis=-1, keepdims=True)


def test_backward_generator_is_the_ito_equation():
    # d<f>/dt = <a·grad f + D:grad grad f> with the Itô drift a and D = eta T (m² - m m)
    basis = Basis(3, 3)
    c = np.random.default_rng(1).normal(size=basis.size)
    larger = basis.extended(1, 1)
    ours = backward(larger, coefficients(MAGNET, FIELD, TORQUE)) @ basis.embed(c, larger)
    moments = MAGNET.moment * random_directions(20)
    first, second = cartesian_derivatives(lambda r: homogeneous(basis, c, r), moments)
    expected = np.sum(drift(moments) * first, -1) + np.sum(spread(moments) * second, (-1, -2))
    np.testing.assert_allclose(larger.expand(ours, moments / MAGNET.moment), expected, atol=2e-4)


def test_forward_generator_is_the_fokker_planck_equation():
    # [I] 2.13 with its three lines written out, acting on a density per area
    basis = Basis(3, 3)
    c = np.random.default_rng(2).normal(size=basis.size)
    larger = basis.extended(1, 1)
    ours = forward(larger, coefficients(MAGNET, FIELD, TORQUE)) @ basis.embed(c, larger)
    r = MAGNET.moment * random_directions(20)
    first, second = cartesian_derivatives(lambda q: homogeneous(basis, c, q), r)
    p = homogeneous(basis, c, r)
    m2, eta, g, T = MAGNET.moment**2, MAGNET.damping, MAGNET.gyromagnetic_ratio, 1.9
    radial = np.sum(r * first, -1)
    thermal = m2 * np.trace(second, axis1=-2, axis2=-1)
    thermal = thermal - np.einsum("ki,kij,kj->k", r, second, r) - 2.0 * radial

    def lean(vector):  # -m² V·grad + (m·V) m·grad + 2 m·V
        along = r @ vector
        return -m2 * first @ vector + along * radial + 2.0 * along * p

    expected = T * eta * thermal + eta * lean(FIELD) + g * lean(TORQUE)
    expected += g * np.sum(np.cross(r, FIELD) * first, -1)
    expected -= eta * m2 * np.sum(np.cross(r, TORQUE) * first, -1)
    np.testing.assert_allclose(larger.expand(ours, r / MAGNET.moment), expected, atol=2e-4)


def test_tilted_generator_is_the_ito_equation_of_the_weighted_function():
    # of exp(k_W beta W + k_S S_P) f: dW = (m×P)·dm - m·dH, dS_P = 2 gamma0 m·P dt
    basis = Basis(2, 2)
    c = np.random.default_rng(4).normal(size=basis.size)
    larger = basis.extended(2, 2)
    k_W, k_S, rate = 0.6, -1.7, np.array([0.3, 0.8, -0.2])
    coefs = coefficients(MAGNET, FIELD, TORQUE, work=k_W, pumped_entropy=k_S, field_rate=rate)
    ours = backward(larger, coefs) @ basis.embed(c, larger)
    r = MAGNET.moment * random_directions(20)
    first, second = cartesian_derivatives(lambda q: homogeneous(basis, c, q), r)
    f = homogeneous(basis, c, r)
    push = k_W / MAGNET.temperature * np.cross(r, TORQUE)
    half = spread(r)
    expected = np.sum(drift(r) * first, -1) + np.sum(half * second, (-1, -2))
    expected += 2.0 * np.einsum("ki,kij,kj->k", push, half, first)
    weight = np.sum(push * drift(r), -1) + np.einsum("ki,kij,kj->k", push, half, push)
    weight -= k_W / MAGNET.temperature * r @ rate
    weight += k_S * 2.0 * MAGNET.gyromagnetic_ratio * r @ TORQUE
    np.testing.assert_allclose(
        larger.expand(ours, r / MAGNET.moment), expected + weight * f, atol=3e-4
    )


def test_forward_generator_conserves_probability():
    matrix = forward(Basis(6, 6), coefficients(MAGNET, FIELD, TORQUE))
    assert np.max(np.abs(matrix.toarray()[0])) == 0.0


def test_equilibrium_is_stationary():
    # exp(beta m H·n) expanded by quadrature
    basis = Basis(24, 24)
    c, w = np.polynomial.legendre.leggauss(40)
    phi = 2.0 * np.pi * np.arange(80) / 80
    s = np.sqrt(1.0 - c**2)
    n = np.stack(
        [np.outer(s, np.cos(phi)), np.outer(s, np.sin(phi)), np.outer(c, np.ones(80))], axis=-1
    ).reshape(-1, 3)
    weight = np.repeat(w, 80) * 2.0 * np.pi / 80
    boltzmann = np.exp(MAGNET.beta * MAGNET.moment * n @ FIELD)
    p = basis.evaluate(n).T @ (weight * boltzmann)
    rest = forward(basis, coefficients(MAGNET, FIELD, np.zeros(3))) @ p
    # rounding of the quadrature, multiplied by l² = 576
    assert np.max(np.abs(rest)) < 576 * 1e-13 * np.max(np.abs(p))


@pytest.mark.parametrize(("k_W", "k_S"), [(0.0, 0.0), (0.7, -0.4), (-1.3 + 0.5j, 2.0 - 1.0j)])
def test_local_detailed_balance(k_W, k_S):
    # [I] 2.17-2.18: a step weighted with k is its reverse weighted with -1-k, up to exp(beta m H·n)
    here = coefficients(MAGNET, FIELD, TORQUE, work=k_W, pumped_entropy=k_S)
    there = coefficients(MAGNET, -FIELD, TORQUE, work=-1 - k_W, pumped_entropy=-1 - k_S)
    u = MAGNET.beta * MAGNET.moment * FIELD
    np.testing.assert_allclose(conjugated(here, u), reflected(adjoint(there)), atol=1e-14)


def test_coefficient_maps_agree_with_matrices():
    basis = Basis(6, 6)
    coefs = coefficients(MAGNET, FIELD, TORQUE, work=0.4, pumped_entropy=1.1)
    matrix = backward(basis, coefs).toarray()
    np.testing.assert_allclose(backward(basis, adjoint(coefs)).toarray(), matrix.T, atol=1e-13)
    sign = (-1.0) ** basis.degrees
    np.testing.assert_allclose(
        backward(basis, reflected(coefs)).toarray(), sign[:, None] * matrix * sign, atol=1e-13
    )


def test_conjugation_agrees_with_multiplication_by_the_exponential():
    basis, fine = Basis(3, 3), Basis(26, 26)
    u = np.array([0.5, -0.7, 0.9])
    coefs = coefficients(MAGNET, FIELD, TORQUE, work=0.4, pumped_entropy=1.1)
    c = np.random.default_rng(8).normal(size=basis.size)
    n = random_directions(30)
    x, w = np.polynomial.legendre.leggauss(40)
    phi = 2.0 * np.pi * np.arange(80) / 80
    s = np.sqrt(1.0 - x**2)
    grid = np.stack(
        [np.outer(s, np.cos(phi)), np.outer(s, np.sin(phi)), np.outer(x, np.ones(80))], axis=-1
    ).reshape(-1, 3)
    weight = np.repeat(w, 80) * 2.0 * np.pi / 80
    damped = fine.evaluate(grid).T @ (weight * np.exp(-grid @ u) * basis.expand(c, grid))
    expected = np.exp(n @ u) * fine.expand(backward(fine, coefs) @ damped, n)
    larger = basis.extended(2, 2)
    ours = backward(larger, conjugated(coefs, u)) @ basis.embed(c, larger)
    np.testing.assert_allclose(larger.expand(ours, n), expected, atol=1e-10)


def test_rotation_of_the_coefficients():
    rng = np.random.default_rng(6)
    frame, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    frame *= np.linalg.det(frame)
    here = coefficients(MAGNET, FIELD, TORQUE, work=0.4, pumped_entropy=1.1)
    there = coefficients(MAGNET, frame @ FIELD, frame @ TORQUE, work=0.4, pumped_entropy=1.1)
    np.testing.assert_allclose(rotated(here, frame), there, atol=1e-14)


def test_coefficients_broadcast():
    fields = np.random.default_rng(1).normal(size=(4, 1, 3))
    k = np.linspace(-1.0, 0.0, 5)
    many = coefficients(MAGNET, fields, TORQUE, work=k, pumped_entropy=k)
    assert many.shape == (4, 5, len(OPERATORS))
    one = coefficients(MAGNET, fields[2, 0], TORQUE, work=k[3], pumped_entropy=k[3])
    np.testing.assert_allclose(many[2, 3], one, atol=1e-15)
    assert active_operators(coefficients(MAGNET, np.zeros(3), np.zeros(3))) == (0,)


def test_mean_moment_functional():
    basis = Basis(1, 1)
    n = np.array([0.36, -0.48, 0.8])
    # the density (1 + 3 u·n)/(4 pi) has the mean direction u
    u = np.array([0.1, -0.2, 0.15])
    p = uniform_density(basis)
    p[basis.index(1, [1, -1, 0])] = u * np.sqrt(3.0 / (4.0 * np.pi))
    np.testing.assert_allclose(basis.expand(p, n), (1.0 + 3.0 * u @ n) / (4.0 * np.pi), rtol=1e-14)
    np.testing.assert_allclose(integrals(basis) @ p, [1.0, *u], rtol=1e-14)
