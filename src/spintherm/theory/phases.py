"""Phases of the steady state: refrigerator, heat pump, dud.

Refrigerator: Ṡ_P > -Ṡ_B > 0; heat pump: -Ṡ_B < Ṡ_P < 0; dud: neither ([II] (i)-(iii) below 8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.theory.parameters import require_delta


def phase(alpha: ArrayLike, delta: ArrayLike) -> NDArray[np.str_]:
    """Return the phase of the steady state for P ∥ H, [II] (a), (b), (c) below 17.

    "refrigerator" for 0 < α < 1/δ, "heat pump" for -δ < α < 0, "equilibrium" at α = 0, and
    "dud" elsewhere. Both boundaries of the dud belong to it: at α = -δ nothing is pumped, at
    α = 1/δ the bath exchanges nothing, and entropy is produced. With δ < 0 (negative γ₀) read
    -α and -δ for α and δ.

    Parameters
    ----------
    alpha, delta : array_like, shape (...)
        α = mP/H, which may be infinite (H = 0), and δ = ηm/γ₀, finite and not zero.

    Returns
    -------
    ndarray of str, shape (...)

    Raises
    ------
    ValueError
        If α is not a number, or δ is zero or not finite.
    """
    a = np.asarray(alpha, dtype=np.float64)
    if np.any(np.isnan(a)):
        raise ValueError(validation.complaint("alpha", alpha, "real numbers or infinity"))
    d = validation.real_array("delta", delta)
    require_delta(d)
    with np.errstate(over="ignore"):
        pumped = np.sign(a) * np.sign(a + d)
        bath = -np.sign(a) * np.sign(d) * np.sign(1.0 - a * d)
    return phase_of_rates(pumped, bath)


def phase_of_rates(
    pumped_entropy_rate: ArrayLike, bath_entropy_rate: ArrayLike, *, tolerance: float = 0.0
) -> NDArray[np.str_]:
    """Return the phase that belongs to two rates of a steady state, [II] below 8.

    "refrigerator" if Ṡ_B < 0 (the bath is cooled), "heat pump" if Ṡ_P < 0, "equilibrium" if both
    rates are zero, and "dud" otherwise; a rate of zero thus goes to the dud's side.

    Parameters
    ----------
    pumped_entropy_rate, bath_entropy_rate : array_like, shape (...)
        Ṡ_P and Ṡ_B, finite.
    tolerance : float
        Rates up to this size count as zero, for rates that carry an error.

    Returns
    -------
    ndarray of str, shape (...)

    Raises
    ------
    ValueError
        If both rates are negative beyond the tolerance, which the second law forbids.
    """
    limit = validation.finite_scalar("tolerance", tolerance, nonnegative=True)
    pumped = validation.real_array("pumped_entropy_rate", pumped_entropy_rate)
    bath = validation.real_array("bath_entropy_rate", bath_entropy_rate)
    cooled, heated = bath < -limit, pumped < -limit
    if np.any(cooled & heated):
        expected = "no steady state with both rates negative: the second law forbids it"
        pair = (pumped_entropy_rate, bath_entropy_rate)
        raise ValueError(
            validation.complaint("(pumped_entropy_rate, bath_entropy_rate)", pair, expected)
        )
    idle = (np.abs(pumped) <= limit) & (np.abs(bath) <= limit)
    names = ["refrigerator", "heat pump", "equilibrium"]
    return np.select([cooled, heated, idle], names, default="dud")
