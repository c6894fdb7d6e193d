"""Leading terms for H → ∞ at fixed P: finite power, vanishing dissipation and noise.

    Ṡ_P → 2γ₀mP,   Σ → 2mγ₀²P²(1 + δ²)/(ηH),   Δ_P → 4T²γ₀²P²/(mηH³)      [II] 18, for P ∥ H

[II] 18b lacks the factor 1 + δ². For a tilted torque the noise vanishes only as H⁻².
Units: k_B = 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.theory.parameters import common_axis, require_damping, require_field
from spintherm.validation import FloatArray


def strong_field_pumped_entropy_rate(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> FloatArray:
    """Return 2γ₀mP, [II] 18a: Ṡ_P for H → ∞ at fixed P ∥ H.

    Parameters
    ----------
    magnet : Magnet
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear.

    Returns
    -------
    ndarray, shape (...)
    """
    _, _, P = common_axis(field, spin_torque)
    return np.asarray(2.0 * magnet.gyromagnetic_ratio * magnet.moment * P)


def strong_field_entropy_production_rate(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> FloatArray:
    """Return 2mγ₀²P²(1 + δ²)/(ηH), Σ for H → ∞ at fixed P ∥ H.

    Derivation: 16b with χ → ν(α + δ)/δ and α ≪ δ, at any δ; [II] 18b takes δ ≪ 1 as well.

    Parameters
    ----------
    magnet : Magnet
        With damping above zero.
    field, spin_torque : array_like, shape (..., 3)
        H other than zero and P, collinear.

    Returns
    -------
    ndarray, shape (...)
    """
    printed = strong_field_entropy_production_rate_as_printed(magnet, field, spin_torque)
    delta = magnet.damping * magnet.moment / magnet.gyromagnetic_ratio
    return np.asarray((1.0 + delta**2) * printed)


def strong_field_entropy_production_rate_as_printed(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> FloatArray:
    """Return 2mγ₀²P²/(ηH), [II] 18b as printed, which is right only for δ ≪ 1.

    Parameters
    ----------
    magnet : Magnet
        With damping above zero.
    field, spin_torque : array_like, shape (..., 3)
        H other than zero and P, collinear.

    Returns
    -------
    ndarray, shape (...)
        Low by the factor 1 + δ².
    """
    require_damping(magnet)
    _, H, P = common_axis(field, spin_torque)
    require_field(H, field)
    numerator = 2.0 * magnet.moment * (magnet.gyromagnetic_ratio * P) ** 2
    return np.asarray(numerator / (magnet.damping * H))


def strong_field_pumped_entropy_noise(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> FloatArray:
    """Return Δ_P for H → ∞ at fixed P, at any angle θ between H and P.

    4T²γ₀²P²cos²θ/(mηH³) + 8Tηm²γ₀²P²sin²θ/[H²(η²m² + γ₀²)]; at θ = 0 it is [II] 18c.

    Derivation of the second term: to leading order the transverse components of n are a complex
    Ornstein-Uhlenbeck process with variance T/(mH) each, decay ηmH and frequency γ₀H. The
    integral of the correlation of n_x is (T/mH) ηm/[H(η²m² + γ₀²)], and dS_P/dt varies as
    2γ₀mP sin θ n_x.

    Parameters
    ----------
    magnet : Magnet
        With damping above zero.
    field, spin_torque : array_like, shape (..., 3)
        H other than zero and P, in any directions.

    Returns
    -------
    ndarray, shape (...)
    """
    require_damping(magnet)
    h, P = validation.vectors("field", field), validation.vectors("spin_torque", spin_torque)
    H = np.linalg.norm(h, axis=-1)
    require_field(H, field)
    axis = h / H[..., None]
    along, across = np.sum(P * axis, axis=-1), np.linalg.norm(np.cross(axis, P), axis=-1)
    m, T, eta, gamma = magnet.moment, magnet.temperature, magnet.damping, magnet.gyromagnetic_ratio
    parallel = 4.0 * (T * gamma * along) ** 2 / (m * eta * H**3)
    turning = (eta * m) ** 2 + gamma**2
    return np.asarray(parallel + 8.0 * T * eta * (m * gamma * across / H) ** 2 / turning)
