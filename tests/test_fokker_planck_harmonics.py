"""The real harmonics and their operators against quadrature and finite differences."""

import numpy as np
import pytest
from scipy.linalg import expm

from spintherm.fokker_planck.harmonics import (
    Basis,
    gradient,
    laplacian,
    multiplication,
    quadratic,
    rotation,
)

BASES = [Basis(7, 7), Basis(7, 4), Basis(6, 1), Basis(5, 0), Basis(0, 0)]


@pytest.fixture(scope="module")
def sphere():
    """Product quadrature that is exact for the products below: directions and weights."""
    c, w = np.polynomial.legendre.leggauss(20)
    phi = 2.0 * np.pi * np.arange(40) / 40
    s = np.sqrt(1.0 - c**2)
    n = np.stack(
        [np.outer(s, np.cos(phi)), np.outer(s, np.sin(phi)), np.outer(c, np.ones(40))], axis=-1
    )
    return n.reshape(-1, 3), np.repeat(w, 40) * 2.0 * np.pi / 40


def derivative(function, step=1e-3):
    """Sixth-order central difference at zero."""
    terms = ((45.0, 1), (-9.0, 2), (1.0, 3))
    total = sum(a * (function(k * step) - function(-k * step)) for a, k in terms)
    return total / (60.0 * step)


def generator_of_rotation(axis):
    return -np.cross(np.eye(3), axis).T


@pytest.mark.parametrize("basis", BASES)
def test_layout(basis):
    assert basis.degrees.shape == (basis.size,)
    places = basis.index(basis.degrees, basis.orders)
    np.testing.assert_array_equal(places, np.arange(basis.size))
    assert np.all(np.abs(basis.orders) <= np.minimum(basis.degrees, basis.m_max))


def test_layout_refuses_what_is_outside():
    with pytest.raises(ValueError, match="m_max"):
        Basis(3, 4)
    with pytest.raises(ValueError, match="outside"):
        Basis(3, 2).index(3, 3)


@pytest.mark.parametrize("basis", BASES)
def test_orthonormal(basis, sphere):
    n, weight = sphere
    values = basis.evaluate(n)
    np.testing.assert_allclose(
        values.T @ (weight[:, None] * values), np.eye(basis.size), atol=1e-13
    )


def test_first_harmonics_are_the_components_of_the_direction():
    n = np.array([0.36, -0.48, 0.8])
    values = Basis(1, 1).evaluate(n)
    factor = np.sqrt(3.0 / (4.0 * np.pi))
    expected = [np.sqrt(0.25 / np.pi), factor * n[2], factor * n[0], factor * n[1]]
    np.testing.assert_allclose(values, expected, rtol=1e-14)


def test_high_degree_against_scipy():
    from scipy.special import sph_harm_y

    basis = Basis(150, 40)
    theta, phi = 0.7, -2.1
    n = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    ell, m = basis.degrees, basis.orders
    reference = sph_harm_y(ell, np.abs(m), theta, phi) * np.where(m == 0, 1.0, np.sqrt(2.0))
    reference = reference * (-1.0) ** m
    expected = np.where(m >= 0, reference.real, reference.imag)
    np.testing.assert_allclose(basis.evaluate(np.array(n)), expected, atol=1e-11)


@pytest.mark.parametrize("basis", BASES)
def test_multiplication(basis, sphere):
    n, weight = sphere
    values = basis.evaluate(n)
    for i, matrix in enumerate(multiplication(basis)):
        expected = values.T @ ((weight * n[:, i])[:, None] * values)
        np.testing.assert_allclose(matrix.toarray(), expected, atol=1e-13)
    pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
    for (i, j), matrix in zip(pairs, quadratic(basis), strict=True):
        expected = values.T @ ((weight * n[:, i] * n[:, j])[:, None] * values)
        np.testing.assert_allclose(matrix.toarray(), expected, atol=1e-13)


@pytest.mark.parametrize("basis", BASES)
def test_rotation_by_finite_differences(basis, sphere):
    n, weight = sphere
    values = basis.evaluate(n)
    for axis, matrix in zip(np.eye(3), rotation(basis), strict=True):
        turn = generator_of_rotation(axis)
        slope = derivative(lambda a, turn=turn: basis.evaluate(n @ expm(a * turn).T))
        expected = values.T @ (weight[:, None] * slope)
        np.testing.assert_allclose(matrix.toarray(), expected, atol=1e-10)


@pytest.mark.parametrize("basis", BASES)
def test_gradient_by_finite_differences(basis, sphere):
    n, weight = sphere
    values = basis.evaluate(n)

    def moved(step):
        shifted = n + step
        return basis.evaluate(shifted / np.linalg.norm(shifted, axis=-1, keepdims=True))

    for axis, matrix in zip(np.eye(3), gradient(basis), strict=True):
        slope = derivative(lambda a, axis=axis: moved(a * axis))
        expected = values.T @ (weight[:, None] * slope)
        np.testing.assert_allclose(matrix.toarray(), expected, atol=1e-10)


def test_laplacian_is_the_square_of_the_rotation():
    basis = Basis(6, 6)
    square = sum((r @ r).toarray() for r in rotation(basis))
    np.testing.assert_allclose(square, np.diag(laplacian(basis)), atol=1e-12)


def test_embedding_keeps_the_function():
    rng = np.random.default_rng(5)
    small, large = Basis(5, 3), Basis(8, 6)
    c = rng.normal(size=small.size)
    n = rng.normal(size=(4, 3))
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    np.testing.assert_allclose(
        large.expand(small.embed(c, large), n), small.expand(c, n), rtol=1e-13
    )
