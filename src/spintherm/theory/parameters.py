"""Reduced parameters of a magnet whose spin torque is parallel to its field, and their checks.

    α = mP/H,   δ = ηm/γ₀,   ν = βmH  ([II] 10, 11),   ξ = βmH' = ν (1 + α/δ)  ([II] SI 27)

and the drive u = γ₀mP/(ηT) = αν/δ = ξ - ν, which is finite also for H = 0. Units: k_B = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display, validation
from spintherm.magnet import Magnet
from spintherm.validation import FloatArray

_COLLINEAR = 1e-10
"""Largest sine of the angle between H and P; the rates change by its square."""


@dataclass(frozen=True)
class ReducedParameters:
    """The numbers that decide the steady state for P ∥ H, [II] 10, 11 and SI 27.

    Attributes
    ----------
    alpha : ndarray, shape (...)
        α = mP/H; infinite for H = 0, and 0 if P is zero too.
    delta : float
        δ = ηm/γ₀.
    nu : ndarray, shape (...)
        ν = βmH >= 0.
    xi : ndarray, shape (...)
        ξ = βmH', signed along `axis`.
    drive : ndarray, shape (...)
        u = γ₀mP/(ηT) = αν/δ, finite also for H = 0; ξ = ν + u.
    diffusion : float
        ηT, the rotational diffusion constant.
    axis : ndarray, shape (..., 3)
        Unit vector of H; of P where H = 0; of z where both are.
    """

    alpha: FloatArray
    delta: float
    nu: FloatArray
    xi: FloatArray
    drive: FloatArray
    diffusion: float
    axis: FloatArray

    def _repr_html_(self) -> str:
        return display.parameters_card(self)


def reduced_parameters(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> ReducedParameters:
    """Return α, δ, ν, ξ for a spin torque parallel or antiparallel to the field.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, each along the other or zero.

    Returns
    -------
    ReducedParameters
        Near α = -δ its ξ is as exact as the components of ηH + γ₀P are.

    Raises
    ------
    ValueError
        If H and P are not collinear, or the magnet has no damping or no temperature.
    """
    require_bath(magnet)
    axis, H, P = common_axis(field, spin_torque)
    m, T, diffusion = magnet.moment, magnet.temperature, magnet.damping * magnet.temperature
    rate = np.sum(magnet.relaxation_vector(field, spin_torque) * axis, axis=-1)
    safe = np.where(H > 0.0, H, 1.0)
    unbounded = np.where(P == 0.0, 0.0, np.inf)
    return ReducedParameters(
        alpha=np.asarray(np.where(H > 0.0, m * P / safe, unbounded)),
        delta=magnet.damping * m / magnet.gyromagnetic_ratio,
        nu=np.asarray(m * H / T),
        xi=np.asarray(rate / diffusion),
        drive=np.asarray(magnet.gyromagnetic_ratio * m * P / diffusion),
        diffusion=diffusion,
        axis=axis,
    )


def common_axis(
    field: ArrayLike, spin_torque: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the axis that H and P share.

    Parameters
    ----------
    field, spin_torque : array_like, shape (..., 3)
        H and P, each along the other or zero.

    Returns
    -------
    axis : ndarray, shape (..., 3)
        Unit vector of H; of P where H = 0; of z where both are.
    strength : ndarray, shape (...)
        |H|.
    projection : ndarray, shape (...)
        P along the axis, of either sign.

    Raises
    ------
    ValueError
        If a pair is not collinear.
    """
    h, p = np.broadcast_arrays(
        validation.vectors("field", field), validation.vectors("spin_torque", spin_torque)
    )
    H, length = np.linalg.norm(h, axis=-1), np.linalg.norm(p, axis=-1)
    use_field, use_torque = (H > 0.0)[..., None], (length > 0.0)[..., None]
    along_h = h / np.where(H > 0.0, H, 1.0)[..., None]
    along_p = p / np.where(length > 0.0, length, 1.0)[..., None]
    sine = np.linalg.norm(np.cross(along_h, along_p), axis=-1)
    if np.any(sine > _COLLINEAR):
        expected = "a vector parallel or antiparallel to the field"
        shown = f"{expected} {np.asarray(field).tolist()}" if h.ndim == 1 else expected
        raise ValueError(validation.complaint("spin_torque", spin_torque, shown))
    z = np.array([0.0, 0.0, 1.0])
    axis = np.where(use_field, along_h, np.where(use_torque, along_p, z))
    return axis, H, np.asarray(np.sum(p * axis, axis=-1))


def require_damping(magnet: Magnet) -> None:
    """Refuse a magnet without damping."""
    if magnet.damping == 0.0:
        expected = "a number > 0: without damping there is no effective field and no steady state"
        raise ValueError(validation.complaint("damping", magnet.damping, expected))


def require_bath(magnet: Magnet) -> None:
    """Refuse a magnet without damping or without temperature."""
    require_damping(magnet)
    if magnet.temperature == 0.0:
        expected = "a number > 0: the closed forms hold at finite temperature"
        raise ValueError(validation.complaint("temperature", magnet.temperature, expected))


def require_field(H: FloatArray, field: ArrayLike) -> None:
    """Refuse fields of strength zero."""
    if np.any(H == 0.0):
        raise ValueError(validation.complaint("field", field, "vectors other than 0"))


def require_delta(delta: FloatArray) -> None:
    """Refuse δ = 0, where there is no steady state."""
    if np.any(delta == 0.0):
        raise ValueError(validation.complaint("delta", delta, "numbers other than 0"))


def quotient(numerator: Any, denominator: Any) -> FloatArray:
    """Return a quotient that may be infinite, or not a number for 0/0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.asarray(np.asarray(numerator) / np.asarray(denominator))
