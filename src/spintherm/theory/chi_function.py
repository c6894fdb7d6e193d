"""The function χ(ξ) and its kin: moments of a direction with density ~ exp(ξ n·h).

χ(ξ) = ξ coth ξ - 1, [II] 17 and SI 28, with L(ξ) = χ/ξ = coth ξ - 1/ξ the Langevin function.
All numbers are dimensionless.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintherm.magnet import langevin
from spintherm.validation import FloatArray


def chi(xi: ArrayLike) -> FloatArray:
    """Return χ(ξ) = ξ coth ξ - 1, [II] 17; even, with full relative precision everywhere.

    Parameters
    ----------
    xi : array_like, shape (...)
        Effective field over temperature.

    Returns
    -------
    ndarray, shape (...)
        χ >= 0.
    """
    x = np.asarray(xi, dtype=np.float64)
    return np.asarray(x * langevin(x))


def chi_over_xi_squared(xi: ArrayLike) -> FloatArray:
    """Return χ(ξ)/ξ², which is 1/3 at ξ = 0 and 1/|ξ| far away.

    It is also the mean of each transverse component of the direction, squared.

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
    """
    x = np.abs(np.asarray(xi, dtype=np.float64))
    usual = x > 1e-100
    safe = np.where(usual, x, 1.0)
    return np.asarray(np.where(usual, langevin(safe) / safe, 1.0 / 3.0))


def chi_weak(xi: ArrayLike) -> FloatArray:
    """Return ξ²/3, the leading term of χ for |ξ| ≪ 1, [II] SI 29.

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
    """
    return np.asarray(np.asarray(xi, dtype=np.float64) ** 2 / 3.0)


def chi_strong(xi: ArrayLike) -> FloatArray:
    """Return |ξ|, the leading term of χ for |ξ| ≫ 1, [II] SI 29 (for ξ of either sign).

    The next term is -1, and what is left after it is exponentially small.

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
    """
    return np.abs(np.asarray(xi, dtype=np.float64))


def langevin_slope(xi: ArrayLike) -> FloatArray:
    """Return the derivative of the Langevin function, 1/ξ² - 1/sinh²ξ.

    It is the variance of n·h in a density ~ exp(ξ n·h).

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
        Between 0 and 1/3.
    """
    x = np.abs(np.asarray(xi, dtype=np.float64))
    small = x < 1.5
    near = np.where(small, x, 1.0)
    weak = 1.0 - 2.0 * chi_over_xi_squared(near) - langevin(near) ** 2
    return np.asarray(np.where(small, weak, _far_variance(x) / np.where(small, 1.0, x) ** 2))


def projected_variance(xi: ArrayLike) -> FloatArray:
    """Return ⟨y²⟩ = 1 + ξ²(1 - coth²ξ), the variance of y = βm·H' - χ, [II] SI 46 and 48.

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
        ξ²/3 for weak fields, 1 for strong ones.
    """
    x = np.abs(np.asarray(xi, dtype=np.float64))
    near = np.where(x < 1.5, x, 1.0)
    return np.asarray(np.where(x < 1.5, near**2 * langevin_slope(near), _far_variance(x)))


def one_minus_langevin(xi: ArrayLike) -> FloatArray:
    """Return 1 - L(ξ), without loss of digits where L is close to one.

    Parameters
    ----------
    xi : array_like, shape (...)
        ξ >= 0.

    Returns
    -------
    ndarray, shape (...)
    """
    xi = np.asarray(xi, dtype=np.float64)
    large = np.maximum(xi, 1.0)
    far = (1.0 + 2.0 * large * np.exp(-2.0 * large) / np.expm1(-2.0 * large)) / large
    return np.asarray(np.where(xi < 1.0, 1.0 - langevin(np.minimum(xi, 1.0)), far))


def _far_variance(x: FloatArray) -> FloatArray:
    """Return 1 - (x/sinh x)² for x of order one and more."""
    bounded = np.clip(x, 1.0, 400.0)
    return np.asarray(1.0 - (2.0 * bounded * np.exp(-bounded) / -np.expm1(-2.0 * bounded)) ** 2)
