"""Mean rates of entropy in the steady state for P ∥ H.

    Ṡ_P = 2ηT χ α/(α + δ)                      = 2ηT u L(ξ)                  [II] 16a
    Σ   = 2ηT χ α²(1 + δ²)/(α + δ)²            = 2ηT (1 + δ²) u² χ/ξ²        [II] 16b
    Ṡ_B = -2ηT χ αδ(1 - αδ)/(α + δ)²           = -2ηT (ν - δ²u) u χ/ξ²       [II] 16c

The forms on the right, with u = αν/δ and L = χ/ξ, are what is computed: nothing vanishes in a
denominator at α = -δ, and H = 0 is no exception. Units: k_B = 1, entropy per time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.magnet import Magnet, langevin
from spintherm.theory.chi_function import chi_over_xi_squared
from spintherm.theory.parameters import reduced_parameters, require_delta
from spintherm.validation import FloatArray


def pumped_entropy_rate(magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
    """Return Ṡ_P = 2ηT χ α/(α + δ), [II] 16a, as 2ηT u L(ξ).

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear; either may be zero.

    Returns
    -------
    ndarray, shape (...)
        Entropy per time that leaves the magnet with the current.

    Raises
    ------
    ValueError
        As `reduced_parameters`.
    """
    p = reduced_parameters(magnet, field, spin_torque)
    return np.asarray(2.0 * p.diffusion * p.drive * langevin(p.xi))


def entropy_production_rate(magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
    """Return Σ = 2ηT χ α²(1 + δ²)/(α + δ)², [II] 16b, as 2ηT (1 + δ²) u² χ/ξ².

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear; either may be zero.

    Returns
    -------
    ndarray, shape (...)
        Entropy per time, >= 0.

    Raises
    ------
    ValueError
        As `reduced_parameters`.
    """
    p = reduced_parameters(magnet, field, spin_torque)
    scaled = p.drive * (p.drive * chi_over_xi_squared(p.xi))
    return np.asarray(2.0 * p.diffusion * (1.0 + p.delta**2) * scaled)


def bath_entropy_rate(magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
    """Return Ṡ_B = -2ηT χ αδ(1 - αδ)/(α + δ)², [II] 16c, as -2ηT (ν - δ²u) u χ/ξ².

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear; either may be zero.

    Returns
    -------
    ndarray, shape (...)
        Entropy per time that the bath receives; negative if the bath is cooled.

    Raises
    ------
    ValueError
        As `reduced_parameters`.
    """
    p = reduced_parameters(magnet, field, spin_torque)
    scaled = p.drive * chi_over_xi_squared(p.xi)
    return np.asarray(-2.0 * p.diffusion * scaled * (p.nu - p.delta**2 * p.drive))


def reduced_pumped_entropy_rate(
    alpha: ArrayLike, nu: ArrayLike, delta: ArrayLike, diffusion: ArrayLike = 1.0
) -> FloatArray:
    """Return Ṡ_P = 2ηT χ α/(α + δ), [II] 16a.

    Parameters
    ----------
    alpha, nu, delta : array_like, shape (...)
        α = mP/H, ν = βmH, δ = ηm/γ₀; finite, δ not zero. Broadcast against each other.
    diffusion : array_like, shape (...)
        ηT; with 1 the rate comes in units of it.

    Returns
    -------
    ndarray, shape (...)
        Accurate to rounding for every α, in the neighbourhood of -δ too.
    """
    a, n, d, D = broadcast_reduced(alpha, nu, delta, diffusion)
    return np.asarray(2.0 * D * (a * n / d) * langevin(reduced_xi(a, n, d)))


def reduced_entropy_production_rate(
    alpha: ArrayLike, nu: ArrayLike, delta: ArrayLike, diffusion: ArrayLike = 1.0
) -> FloatArray:
    """Return Σ = 2ηT χ α²(1 + δ²)/(α + δ)², [II] 16b.

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
    drive = a * n / d
    scaled = drive * (drive * chi_over_xi_squared(reduced_xi(a, n, d)))
    return np.asarray(2.0 * D * (1.0 + d**2) * scaled)


def reduced_bath_entropy_rate(
    alpha: ArrayLike, nu: ArrayLike, delta: ArrayLike, diffusion: ArrayLike = 1.0
) -> FloatArray:
    """Return Ṡ_B = -2ηT χ αδ(1 - αδ)/(α + δ)², [II] 16c.

    Parameters
    ----------
    alpha, nu, delta, diffusion : array_like, shape (...)
        As in `reduced_pumped_entropy_rate`.

    Returns
    -------
    ndarray, shape (...)
        Accurate to rounding for every α but near 1/δ, where the absolute error is.
    """
    a, n, d, D = broadcast_reduced(alpha, nu, delta, diffusion)
    scaled = (a * n / d) * chi_over_xi_squared(reduced_xi(a, n, d))
    return np.asarray(-2.0 * D * scaled * n * (1.0 - a * d))


def broadcast_reduced(*values: ArrayLike) -> tuple[FloatArray, ...]:
    """Return α, ν, δ and ηT as checked arrays of one shape."""
    names = ("alpha", "nu", "delta", "diffusion")
    arrays = [validation.real_array(name, v) for name, v in zip(names, values, strict=True)]
    require_delta(arrays[2])
    return tuple(np.broadcast_arrays(*arrays))


def reduced_xi(alpha: FloatArray, nu: FloatArray, delta: FloatArray) -> FloatArray:
    """Return ν (1 + α/δ); in this order the cancelling sum α + δ is exact where it matters."""
    return np.asarray(nu * ((alpha + delta) / delta))
