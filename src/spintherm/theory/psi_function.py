"""The function Ψ(ξ): how long the pumped entropy remembers, for P ∥ H.

Δ_P = 8ηT χΨ α²/(α + δ)², [II] SI 56. Ψ is the correlation time of n·h in units of 1/(ηT), times
its variance over χ/ξ²: 1/2 in weak fields, 1/(2ξ²) in strong ones. All are dimensionless.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from spintherm.theory.chi_function import chi, chi_over_xi_squared, one_minus_langevin
from spintherm.validation import FloatArray

_NODES = 64
_REACH = 45.0
"""Quadrature keeps weights e^{-y} up to this y: e^{-45} is below rounding."""
_LARGEST = 1e300


def psi(xi: ArrayLike) -> FloatArray:
    """Return the exact Ψ(ξ) of the pumped entropy's noise for P ∥ H; even in ξ.

    Derivation. With c = n·h, p ~ e^{ξc} and f = ξc, the long-time variance of ∫f dt per time is
    2⟨(f - χ) g⟩, where ηT e^{-ξc} d/dc[(1 - c²) e^{ξc} dg/dc] = -(f - χ). One integration gives
    g' from G(c) = ∫₋₁^c (ξc' - χ) p dc', and integration by parts the variance (2/ηT) χΨ with

        Ψ(ξ) = (1/χ) ∫ G² / ((1 - c²) p) dc .

    G is elementary. In y = ξ(1 - c), x = ξ(1 + c), X = 2ξ nothing oscillates or overflows,

        χΨ = (1 - e^{-X})⁻³ ∫₀^X e^{-y} (y/x) K² dy,   K = 1 - e^{-X} - X e^{-x} (1 - e^{-y})/y ,

    which Gauss's quadrature does to rounding. [II] SI 57 (`psi_closure`) approximates this.

    Parameters
    ----------
    xi : array_like, shape (...)
        Effective field over temperature, of any size.

    Returns
    -------
    ndarray, shape (...)
        1/2 - (11/90) ξ² for weak fields, 1/(2ξ²) for strong ones; never above 1/2.
    """
    x = np.minimum(np.abs(np.asarray(xi, dtype=np.float64)), _LARGEST)
    weak = _psi_weak_integral(np.where(x < 1.0, x, 1.0))
    strong = _psi_strong_integral(np.where(x < 1.0, 1.0, x))
    return np.asarray(np.where(x < 1.0, weak, strong))


def psi_closure(xi: ArrayLike) -> FloatArray:
    """Return [II] SI 57, the paper's approximation of Ψ; even in ξ.

    It replaces ⟨y²⟩ by ⟨y⟩² in the conditional mean of y = βm·H' - χ, which gives
    (1/χ) ⟨y ln|1 + y/(2χ + 2)|⟩. The argument of the logarithm is positive. It is too low at
    every ξ > 0, most near ξ = 3 (15.5 %), and right in both limits.

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
        1/2 - (19/120) ξ² for weak fields ([II] SI 58), 1/(2ξ²) for strong ones.
    """
    x = np.minimum(np.abs(np.asarray(xi, dtype=np.float64)), _LARGEST)
    y, weight = _exponential_nodes(2.0 * x)
    width = chi(x) + 1.0
    safe = np.where(x > 0.0, x, 1.0)
    scaled = np.where(x[..., None] > 0.0, y / safe[..., None], 2.0 * _unit_nodes()[0])
    centred = one_minus_langevin(x)[..., None] - scaled  # (n·h - its mean), y = ξ times this
    factor = _log1p_over((0.5 * x / width)[..., None] * centred)
    mean = np.sum(weight * centred**2 * factor, axis=-1)
    return np.asarray(0.5 * mean / (width * chi_over_xi_squared(x)))


def psi_weak(xi: ArrayLike) -> FloatArray:
    """Return 1/2 - (11/90) ξ², the first two terms of the exact Ψ.

    Derivation: Taylor's series of `psi`'s integrand in ξ; the next term is (401/18900) ξ⁴.

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
    """
    return np.asarray(0.5 - 11.0 / 90.0 * np.asarray(xi, dtype=np.float64) ** 2)


def psi_closure_weak(xi: ArrayLike) -> FloatArray:
    """Return 1/2 - (19/120) ξ², [II] SI 58: the first terms of the closure SI 57, not of Ψ.

    The next term is (31/800) ξ⁴.

    Parameters
    ----------
    xi : array_like, shape (...)

    Returns
    -------
    ndarray, shape (...)
    """
    return np.asarray(0.5 - 19.0 / 120.0 * np.asarray(xi, dtype=np.float64) ** 2)


def psi_strong(xi: ArrayLike) -> FloatArray:
    """Return 1/(2ξ²), the leading term of Ψ and of its closure for |ξ| ≫ 1, [II] SI 58.

    Parameters
    ----------
    xi : array_like, shape (...)
        Not zero.

    Returns
    -------
    ndarray, shape (...)
    """
    return np.asarray(0.5 / np.asarray(xi, dtype=np.float64) ** 2)


def _psi_strong_integral(xi: FloatArray) -> FloatArray:
    X = 2.0 * xi
    y, weight = _exponential_nodes(X)
    X = X[..., None]
    x = X - y
    K = -np.expm1(-X) + X * np.exp(-x) * np.expm1(-y) / y
    integral = np.sum(weight * (y / x) * K**2, axis=-1)
    return np.asarray(integral / (chi(xi) * np.expm1(-2.0 * xi) ** 2))


def _psi_weak_integral(xi: FloatArray) -> FloatArray:
    """Return Ψ for ξ <= 1, where K = X x e^{-X} D with D a divided difference of (e^y - 1)/y."""
    t = _unit_nodes()[0]
    X = 2.0 * xi[..., None]
    y, weight = _exponential_nodes(2.0 * xi)
    D, power, symmetric, factorial = np.zeros_like(y), np.ones_like(y), np.ones_like(y), 1.0
    for k in range(1, 26):  # (X^k - y^k)/(X - y) over (k + 1)!, all terms positive
        factorial *= k + 1
        D += symmetric / factorial
        power = power * y
        symmetric = X * symmetric + power
    integral = np.sum(weight * t * (1.0 - t) * (np.exp(-X) * D) ** 2, axis=-1)
    return np.asarray(4.0 * integral * _ratio(2.0 * xi) ** 2 / chi_over_xi_squared(xi))


def _exponential_nodes(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return nodes y of [0, X], shape (..., n), and weights of the density e^{-y}/(1 - e^{-X})."""
    t, w = _unit_nodes()
    reach = np.minimum(X, _REACH)
    y = reach[..., None] * t
    scale = np.where(X < _REACH, _ratio(reach), _REACH)
    return y, np.asarray(w * scale[..., None] * np.exp(-y))


@lru_cache(maxsize=1)
def _unit_nodes() -> tuple[FloatArray, FloatArray]:
    """Return Gauss-Legendre nodes and weights of [0, 1]."""
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    return 0.5 * (1.0 + node), weight / np.sum(weight)


def _ratio(X: FloatArray) -> FloatArray:
    """Return X/(1 - e^{-X})."""
    safe = np.where(X > 0.0, X, 1.0)
    return np.asarray(np.where(X > 0.0, safe / -np.expm1(-safe), 1.0))


def _log1p_over(z: FloatArray) -> FloatArray:
    """Return ln(1 + z)/z."""
    safe = np.where(z == 0.0, 1.0, z)
    return np.asarray(np.where(z == 0.0, 1.0, np.log1p(safe) / safe))
