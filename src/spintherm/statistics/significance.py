"""Significance: sums of squared deviations and the probability to exceed them, however small."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spintherm import display
from spintherm.validation import FloatArray, complaint


@dataclass(frozen=True)
class ChiSquared:
    """A sum of squared deviations and what to compare it with.

    Attributes
    ----------
    value : float
        The sum.
    degrees_of_freedom : int
        Its expectation if the hypothesis holds.
    """

    value: float
    degrees_of_freedom: int

    @property
    def z(self) -> float:
        """The same probability as a two-sided deviation of a normal variable, >= 0."""
        return normal_z(self.value, self.degrees_of_freedom)

    def __str__(self) -> str:
        return f"chi² = {self.value:.4g} for {self.degrees_of_freedom} (z = {self.z:.2g})"

    def _repr_html_(self) -> str:
        return display.chi_squared_card(self)


def normal_z(chi_squared: float, degrees_of_freedom: int) -> float:
    """Return the z >= 0 that a normal variable exceeds in modulus as often as chi² its value.

    Parameters
    ----------
    chi_squared : float
        Value >= 0, however large: logarithms of probabilities are used throughout.
    degrees_of_freedom : int
        At least one.

    Returns
    -------
    float
        z; for one degree of freedom sqrt(chi_squared).

    Raises
    ------
    ValueError
        If `chi_squared` is negative or NaN, or `degrees_of_freedom` is less than one.
    """
    from scipy.special import ndtri_exp

    if not chi_squared >= 0.0:
        raise ValueError(complaint("chi_squared", chi_squared, "a number >= 0"))
    if degrees_of_freedom < 1:
        raise ValueError(complaint("degrees_of_freedom", degrees_of_freedom, "an integer >= 1"))
    if math.isinf(chi_squared):
        return math.inf
    log_probability = _log_survival(0.5 * degrees_of_freedom, 0.5 * chi_squared)
    return max(0.0, -float(ndtri_exp(log_probability - math.log(2.0))))


def wald(off: FloatArray, covariance: FloatArray) -> ChiSquared:
    """Return off·covariance⁻¹·off for deviations `off`, shape (k,), as a chi² of k."""
    scale = np.sqrt(np.diag(covariance))
    scaled = off / scale
    correlation = covariance / np.outer(scale, scale)
    return ChiSquared(max(0.0, float(scaled @ np.linalg.solve(correlation, scaled))), off.size)


def _log_survival(a: float, x: float) -> float:
    """Logarithm of the regularised upper incomplete gamma function Q(a, x)."""
    from scipy.special import gammaincc, gammaln

    probability = float(gammaincc(a, x))
    if probability > 1e-200:
        return math.log(probability)
    # Legendre's continued fraction, [NIST DLMF] 8.9.2, by the modified Lentz method
    b = x + 1.0 - a
    c, d = 1e300, 1.0 / b
    fraction = d
    for i in range(1, 10_000):
        b += 2.0
        step = -i * (i - a)
        d = 1.0 / (step * d + b)
        c = b + step / c
        fraction *= c * d
        if abs(c * d - 1.0) < 1e-15:
            break
    return -x + a * math.log(x) - float(gammaln(a)) + math.log(fraction)
