"""An estimate: a value and its standard error.

Mean and variance of n independent samples with central moments m2, m4::

    var(mean) = s²/n,   var(s²) = (m4 - s⁴ (n-3)/(n-1)) / n,   s² = m2 n/(n-1)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display
from spintherm.statistics.samples import parts, sample
from spintherm.validation import FloatArray, complaint


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error; prints as ``1.0003 ± 0.0012``.

    Attributes
    ----------
    value : float
        The number.
    error : float
        One standard error; infinite when the samples do not bound it.
    """

    value: float
    error: float

    def deviation(self, expected: float) -> float:
        """Return how many standard errors the value lies above `expected`."""
        return deviation(self.value, expected, self.error)

    def __str__(self) -> str:
        return with_error(self.value, self.error)

    def _repr_html_(self) -> str:
        return display.estimate_card(self)


def mean(samples: ArrayLike) -> Estimate:
    """Return the mean of `samples`, shape (n,) with n >= 2, and its standard error."""
    x = sample("samples", samples, least=2)
    centre, second, _ = moments(x)
    return Estimate(centre, math.sqrt(second / (x.size - 1)))


def variance(samples: ArrayLike) -> Estimate:
    """Return the variance of samples and its standard error, which needs the fourth moment.

    Parameters
    ----------
    samples : array_like, shape (n,)
        At least four independent samples.

    Returns
    -------
    Estimate
        The unbiased variance s²; its error is sqrt((m4 - s⁴ (n-3)/(n-1)) / n).

    Raises
    ------
    ValueError
        If there are too few samples, or one is not finite.
    """
    x = sample("samples", samples, least=4)
    n = x.size
    _, second, fourth = moments(x)
    value = second * n / (n - 1)
    return Estimate(value, math.sqrt(max(fourth - value**2 * (n - 3) / (n - 1), 0.0) / n))


def combine(estimates: Iterable[Estimate]) -> Estimate:
    """Return the average of independent estimates, weighted by 1/error².

    Parameters
    ----------
    estimates : iterable of Estimate
        Of the same quantity; infinite errors count for nothing.

    Returns
    -------
    Estimate
        The combination.

    Raises
    ------
    ValueError
        If an error is not positive, or none is finite.
    """
    items = [item for item in estimates if item.error != math.inf]
    if not items or not all(item.error > 0.0 for item in items):
        raise ValueError(complaint("estimates", items, "errors > 0, and a finite one"))
    weights = np.array([item.error**-2 for item in items])
    values = np.array([item.value for item in items])
    return Estimate(float(weights @ values / weights.sum()), float(weights.sum() ** -0.5))


def moments(x: FloatArray) -> tuple[float, float, float]:
    """Return mean, second and fourth central moment, without a temporary of the size of x.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Samples.

    Returns
    -------
    mean, second, fourth : float
        Averages of x, (x - mean)², (x - mean)⁴.
    """
    centre = float(x.mean())
    second = fourth = 0.0
    for part in parts(x.size):
        square = (x[part] - centre) ** 2
        second += float(square.sum())
        fourth += float(square @ square)
    return centre, second / x.size, fourth / x.size


def deviation(value: float, expected: float, error: float) -> float:
    """Return (value - expected)/error; without error 0 for equal numbers, else infinite."""
    difference = value - expected
    if error == 0.0:
        same = math.isclose(value, expected, rel_tol=1e-12, abs_tol=1e-300)
        return 0.0 if same else math.copysign(math.inf, difference)
    return difference / error


def with_error(value: float, error: float) -> str:
    """Return ``value ± error`` with two digits of the error and as many decimals of the value."""
    if not (math.isfinite(value) and math.isfinite(error)) or error <= 0.0:
        return f"{value:.6g} ± {error:.2g}"
    power = math.floor(math.log10(max(abs(value), error)))
    power = power if not -5 <= power < 6 else 0
    digits = min(max(0, 1 - math.floor(math.log10(error)) + power), 15)
    text = f"{value / 10.0**power:.{digits}f} ± {error / 10.0**power:.{digits}f}"
    return f"({text})e{power:+03d}" if power else text
