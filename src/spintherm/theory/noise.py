"""Noise of the pumped entropy in the steady state for P ∥ H, and the uncertainty ratio.

    Δ_P = lim Var S_P/τ = 8ηT χΨ(ξ) α²/(α + δ)² = 8ηT u² (χ/ξ²) Ψ(ξ)     [II] 9 and SI 56

with u = αν/δ: the right-hand form has no exception at α = -δ. Units: k_B = 1, squared entropy per
time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintherm.magnet import Magnet
from spintherm.theory.chi_function import chi_over_xi_squared
from spintherm.theory.parameters import ReducedParameters, quotient, reduced_parameters
from spintherm.theory.psi_function import psi, psi_closure
from spintherm.theory.rates import broadcast_reduced, reduced_xi
from spintherm.validation import FloatArray


def pumped_entropy_noise(magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
    """Return the exact Δ_P = lim Var S_P/τ for P ∥ H, 8ηT u² (χ/ξ²) Ψ(ξ).

    This is [II] SI 56 with the exact Ψ of `psi` in place of the closure SI 57.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear; either may be zero.

    Returns
    -------
    ndarray, shape (...)
        Squared entropy per time; 4(γ₀mP)²/(3ηT) at α = -δ.

    Raises
    ------
    ValueError
        As `reduced_parameters`.
    """
    p = reduced_parameters(magnet, field, spin_torque)
    return _noise(p, psi(p.xi))


def pumped_entropy_noise_closure(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> FloatArray:
    """Return Δ_P as the paper approximates it, [II] SI 56 with SI 57.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear; either may be zero.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        As `reduced_parameters`.
    """
    p = reduced_parameters(magnet, field, spin_torque)
    return _noise(p, psi_closure(p.xi))


def pumped_entropy_noise_bound(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> FloatArray:
    """Return the upper bound 4ηT χ α²/(α + δ)² of Δ_P, [II] SI 59 per time.

    It holds for the exact noise and for its closure, because Ψ <= 1/2 in both.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear; either may be zero.

    Returns
    -------
    ndarray, shape (...)

    Raises
    ------
    ValueError
        As `reduced_parameters`.
    """
    p = reduced_parameters(magnet, field, spin_torque)
    return _noise(p, np.full_like(p.xi, 0.5))


def uncertainty_ratio(magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
    """Return Δ_P Σ/(2 Ṡ_P²) = 2 (1 + δ²) Ψ(ξ) (u/ξ)² for P ∥ H.

    The thermodynamic uncertainty relation of overdamped systems would have it at least one.
    Derivation: the quotient of 16b, SI 56 and the square of 16a, with χ/ξ the Langevin function.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear; either may be zero.

    Returns
    -------
    ndarray, shape (...)
        0 in equilibrium (its limit for P → 0), infinite at α = -δ, where Ṡ_P = 0, and not a
        number for H = P = 0, where no limit exists.

    Raises
    ------
    ValueError
        As `reduced_parameters`.
    """
    p = reduced_parameters(magnet, field, spin_torque)
    return np.asarray(2.0 * (1.0 + p.delta**2) * psi(p.xi) * quotient(p.drive, p.xi) ** 2)


def reduced_pumped_entropy_noise(
    alpha: ArrayLike, nu: ArrayLike, delta: ArrayLike, diffusion: ArrayLike = 1.0
) -> FloatArray:
    """Return the exact Δ_P = 8ηT χ Ψ(ξ) α²/(α + δ)² for P ∥ H.

    Parameters
    ----------
    alpha, nu, delta, diffusion : array_like, shape (...)
        As in `reduced_pumped_entropy_rate`.

    Returns
    -------
    ndarray, shape (...)
        Accurate to rounding for every α.
    """
    a, n, d, D = broadcast_reduced(alpha, nu, delta, diffusion)
    xi, drive = reduced_xi(a, n, d), a * n / d
    return np.asarray(8.0 * D * (drive * (drive * chi_over_xi_squared(xi))) * psi(xi))


def reduced_uncertainty_ratio(alpha: ArrayLike, nu: ArrayLike, delta: ArrayLike) -> FloatArray:
    """Return Δ_P Σ/(2 Ṡ_P²) = 2 (1 + δ²) Ψ(ξ) α²/(α + δ)² for P ∥ H.

    Parameters
    ----------
    alpha, nu, delta : array_like, shape (...)
        As in `reduced_pumped_entropy_rate`.

    Returns
    -------
    ndarray, shape (...)
        0 at α = 0 (a limit), infinite at α = -δ.
    """
    a, n, d, _ = broadcast_reduced(alpha, nu, delta, 1.0)
    return np.asarray(2.0 * (1.0 + d**2) * psi(reduced_xi(a, n, d)) * quotient(a, a + d) ** 2)


def _noise(p: ReducedParameters, shape: FloatArray) -> FloatArray:
    scaled = p.drive * (p.drive * chi_over_xi_squared(p.xi))
    return np.asarray(8.0 * p.diffusion * scaled * shape)
