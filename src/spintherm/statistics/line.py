"""A straight line through points with errors, by weighted least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display
from spintherm.statistics.estimate import Estimate
from spintherm.statistics.samples import sample
from spintherm.statistics.significance import ChiSquared, wald
from spintherm.validation import FloatArray, complaint


@dataclass(frozen=True, eq=False)
class LineFit:
    """Weighted least squares of y = intercept + slope x.

    Attributes
    ----------
    intercept, slope : Estimate
        The line.
    covariance : ndarray, shape (2, 2)
        Of intercept and slope.
    residual : ChiSquared
        Scatter about the line.
    """

    intercept: Estimate
    slope: Estimate
    covariance: FloatArray
    residual: ChiSquared

    def wald(self, intercept: float, slope: float) -> ChiSquared:
        """Compare intercept and slope with expected ones."""
        off = np.array([self.intercept.value - intercept, self.slope.value - slope])
        return wald(off, self.covariance)

    def _repr_html_(self) -> str:
        return display.line_card(self)


def straight_line(x: ArrayLike, y: ArrayLike, error: ArrayLike) -> LineFit:
    """Fit a straight line by weighted least squares.

    Parameters
    ----------
    x, y : array_like, shape (k,)
        At least three points with different x.
    error : array_like, shape (k,)
        Standard errors of y, > 0.

    Returns
    -------
    LineFit
        Intercept and slope with covariance, and the scatter about the line.

    Raises
    ------
    ValueError
        If shapes differ, there are fewer than three points, or an error is not positive.
    """
    x, y = sample("x", x, least=3), sample("y", y, least=3)
    error = sample("error", error, least=3)
    if not x.shape == y.shape == error.shape:
        shapes = (x.shape, y.shape, error.shape)
        raise ValueError(complaint("x, y, error", shapes, "one shape"))
    if not error.min() > 0.0 or np.ptp(x) == 0.0:
        raise ValueError(complaint("x, error", (x, error), "different x and errors > 0"))
    design = np.stack([1.0 / error, x / error], axis=1)
    covariance = np.linalg.inv(design.T @ design)
    line = covariance @ (design.T @ (y / error))
    residual = ChiSquared(float(np.sum((y / error - design @ line) ** 2)), x.size - 2)
    errors = np.sqrt(np.diag(covariance))
    intercept = Estimate(float(line[0]), float(errors[0]))
    slope = Estimate(float(line[1]), float(errors[1]))
    return LineFit(intercept, slope, np.asarray(covariance), residual)
