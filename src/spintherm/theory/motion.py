"""The motion for P ∥ H: effective field, effective gyromagnetic ratio, times, noiseless path.

    dm = -γ₀' m×H' dt - η m×(m×H') dt + noise,   H' = (1 + α/δ) H,
    γ₀' = γ₀ (1 - αδ)/(1 + α/δ)                              [II] 12 and 13

Units: those of the magnet.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.theory.parameters import common_axis, quotient, require_damping
from spintherm.validation import FloatArray

POLE = 1e-15
"""A direction that is closer to the axis is on it: at a pole it stays, also at an unstable one."""


def effective_field(magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
    """Return the field of relaxation H' = H + (γ₀/η) P, [II] 13.

    Parameters
    ----------
    magnet : Magnet
        With damping above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, in any directions; for P ∥ H this is (1 + α/δ) H.

    Returns
    -------
    ndarray, shape (..., 3)
    """
    require_damping(magnet)
    return np.asarray(
        magnet.relaxation_vector(field, spin_torque) / (magnet.damping * magnet.moment)
    )


def effective_gyromagnetic_ratio(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> FloatArray:
    """Return γ₀' = γ₀ (1 - αδ)/(1 + α/δ), [II] 13, so that precession is about γ₀'H'.

    Parameters
    ----------
    magnet : Magnet
        With damping above zero.
    field, spin_torque : array_like, shape (..., 3)
        H and P, collinear.

    Returns
    -------
    ndarray, shape (...)
        Infinite at α = -δ, where H' = 0; not a number for H = P = 0.
    """
    require_damping(magnet)
    axis, _, _ = common_axis(field, spin_torque)
    turn = np.sum(magnet.rotation_vector(field, spin_torque) * axis, axis=-1)
    relax = np.sum(effective_field(magnet, field, spin_torque) * axis, axis=-1)
    return quotient(turn, relax)


def precession_time(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike = (0.0, 0.0, 0.0)
) -> FloatArray:
    """Return t_p' = 1/|γ₀'H'| = 1/|γ₀H - ηm²P|, an inverse angular frequency; [II] 2 and 15.

    Parameters
    ----------
    magnet : Magnet
    field, spin_torque : array_like, shape (..., 3)
        H and P; no torque by default. In any directions: H' then is the field of precession.

    Returns
    -------
    ndarray, shape (...)
        Infinite where precession stops, α = 1/δ.
    """
    turn = np.linalg.norm(magnet.rotation_vector(field, spin_torque), axis=-1)
    return quotient(1.0, turn)


def damping_time(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike = (0.0, 0.0, 0.0)
) -> FloatArray:
    """Return t_d' = 1/(ηm|H'|), the time of relaxation towards H'; [II] 2 and 15.

    Parameters
    ----------
    magnet : Magnet
    field, spin_torque : array_like, shape (..., 3)
        H and P; no torque by default.

    Returns
    -------
    ndarray, shape (...)
        Infinite at α = -δ.
    """
    relax = np.linalg.norm(magnet.relaxation_vector(field, spin_torque), axis=-1)
    return quotient(1.0, relax)


def zero_temperature_direction(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    initial_direction: ArrayLike,
    times: ArrayLike,
) -> FloatArray:
    """Return n(t) of the noiseless equation for P ∥ H.

    cos θ = tanh(ηmH't + artanh cos θ₀), φ = φ₀ + γ₀(1 - αδ)Ht about the axis of H.
    Derivation: dn/dt = b - n (n·b) + r×n with b = ηmH' and r = γ₀(1 - αδ)H both along the axis
    ([II] 12 without noise), so that d cos θ/dt = ηmH' sin²θ and φ turns uniformly.

    Parameters
    ----------
    magnet : Magnet
        Its temperature is not used, and the damping may be zero.
    field, spin_torque : array_like, shape (3,)
        H and P, collinear; either may be zero.
    initial_direction : array_like, shape (3,)
        n(0), of any length other than zero.
    times : array_like, shape (...)
        Times, of either sign.

    Returns
    -------
    ndarray, shape (..., 3)
        Unit vectors.

    Raises
    ------
    ValueError
        If H and P are not collinear or the initial direction is zero.
    """
    axis, _, _ = common_axis(
        validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    )
    n = validation.unit_direction("initial_direction", initial_direction)
    t = validation.real_array("times", times)[..., None]
    relax = float(np.sum(magnet.relaxation_vector(field, spin_torque) * axis))
    turn = float(np.sum(magnet.rotation_vector(field, spin_torque) * axis))
    across = n - np.sum(n * axis) * axis
    length = float(np.linalg.norm(across))
    if length < POLE:
        return np.asarray(n * np.ones_like(t))
    first = across / length
    second = np.cross(axis, first)
    argument = relax * t + np.arcsinh(np.sum(n * axis) / length)
    sine = 2.0 * np.exp(-np.abs(argument)) / (1.0 + np.exp(-2.0 * np.abs(argument)))
    plane = np.cos(turn * t) * first + np.sin(turn * t) * second
    return np.asarray(np.tanh(argument) * axis + sine * plane)
