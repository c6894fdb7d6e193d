r"""The exponential of a constant generator applied to a vector, by Faber polynomials.

With the numerical range of a matrix A inside the ellipse

.. math:: \psi(w) = d + \rho\,(w + \kappa/w), \qquad |w| = 1,

an entire function is :math:`f(A) = \sum_k a_k F_k(A)`, where the :math:`a_k` are the Taylor
coefficients of :math:`f(\psi(w))`, found by a Fourier transform, and

.. math:: F_0 = 1, \quad F_1 = (A - d)/\rho, \quad F_2 = F_1^2 - 2\kappa, \quad
   F_{k+1} = F_1 F_k - \kappa F_{k-1}

(Ellacott, Math. Comp. 40, 575 (1983), for ellipses). All is real for an ellipse that is symmetric
about the real axis. On an interval these are Chebyshev's polynomials; on a convex set that holds
the numerical range they are bounded, however far from normal A is (Beckermann, C. R. Math. 340,
855 (2005)). For precession with weak damping the ellipse stands upright, and a step costs about
one product for each radian that the fastest harmonic turns by.

The same vectors give the integral over the step, with the coefficients of
:math:`\int_0^h e^{sz}ds`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from spintherm.fokker_planck.harmonics import Floats, Sparse

GROWTH = 7.0
"""Exponent of the largest intermediate factor of a step; its rounding is e^GROWTH as large."""

MARGIN = 1.02
LANCZOS = 40
NEGLIGIBLE = 5e-16  # of a coefficient, relative to the largest value of the function


@dataclass(frozen=True)
class Exponential:
    """exp(t A) for a sparse matrix and any vector.

    Attributes
    ----------
    matrix : csr_array, shape (n, n)
        A, real.
    """

    matrix: Sparse

    @cached_property
    def ellipse(self) -> tuple[float, float, float]:
        """Centre, half axis along the real and along the imaginary axis."""
        matrix, transposed = self.matrix, self.matrix.T.tocsr()
        size = matrix.shape[0]

        def turned(v: Floats) -> Floats:
            return np.asarray(0.5 * (matrix @ v - transposed @ v))

        low, high = _extremes(lambda v: 0.5 * (matrix @ v + transposed @ v), size)
        height = np.sqrt(max(_extremes(lambda v: -turned(turned(v)), size)[1], 0.0))
        width = 0.5 * (high - low)
        # corners of the rectangle: (1/c)² + (1 - 1/c²) = 1
        share = 2.0 if width < height else np.sqrt(2.0)
        real = MARGIN * max(share * width, 1e-300)
        return 0.5 * (low + high), real, MARGIN * height / np.sqrt(1.0 - 1.0 / share**2)

    @property
    def longest_step(self) -> float:
        """Time after which intermediate factors would exceed e^GROWTH."""
        centre, real, _ = self.ellipse
        return GROWTH / max(centre + real, 0.05 * real)

    def steps(self, time: float) -> tuple[int, float]:
        """Return a number of equal steps, and their length, that lead to a time."""
        count = max(1, int(np.ceil(time / self.longest_step)))
        return count, time / count

    def __call__(self, vector: Floats, step: float) -> Floats:
        """Return exp(h A) v for a step that is not longer than `longest_step`."""
        (total,) = self._summed(vector, (self._coefficients(step)[0],))
        return total

    def with_integral(self, vector: Floats, step: float) -> tuple[Floats, Floats]:
        """Return exp(h A) v and the integral of exp(s A) v over s from 0 to h."""
        total, integral = self._summed(vector, self._coefficients(step))
        return total, integral

    def _coefficients(self, step: float) -> tuple[Floats, Floats]:
        return _faber_coefficients(*self.ellipse, step)

    @cached_property
    def _scaled(self) -> Sparse:
        """F_1."""
        from scipy.sparse import diags_array

        centre, real, imaginary = self.ellipse
        shifted = self.matrix - centre * diags_array(np.ones(self.matrix.shape[0]))
        return (shifted * (2.0 / (real + imaginary))).tocsr()

    def _summed(self, vector: Floats, series: tuple[Floats, ...]) -> tuple[Floats, ...]:
        _, real, imaginary = self.ellipse
        kappa, first = (real - imaginary) / (real + imaginary), self._scaled
        before, here = vector, first @ vector
        totals = [a[0] * before + a[1] * here for a in series]
        for k in range(2, len(series[0])):
            after = first @ here
            after -= (2.0 * kappa if k == 2 else kappa) * before
            before, here = here, after
            for total, a in zip(totals, series, strict=True):
                total += a[k] * here
        return tuple(totals)


@lru_cache(maxsize=64)
def _faber_coefficients(
    centre: float, real: float, imaginary: float, step: float
) -> tuple[Floats, Floats]:
    """Coefficients of exp(h z) and of its integral over h, equally many."""
    rho, kappa = 0.5 * (real + imaginary), (real - imaginary) / (real + imaginary)
    count = 1 << int(np.ceil(np.log2(4.0 * step * (real + imaginary) + 128.0)))
    w = np.exp(2j * np.pi * np.arange(count) / count)
    z = step * (centre + rho * (w + kappa / w))
    small = np.abs(z) < 0.5
    series = np.zeros_like(z)
    for k in range(16, 0, -1):  # (e^z - 1)/z = 1 + z/2 (1 + z/3 (1 + ...))
        series = 1.0 + np.where(small, z, 0.0) / (k + 1) * series
    direct = np.expm1(z) / np.where(small, 1.0, z)
    both = np.exp(z), step * np.where(small, series, direct)
    found = [np.fft.fft(f).real[: count // 2] / count for f in both]
    size = float(np.abs(both[0]).max())
    last = int(np.flatnonzero(np.abs(found[0]) > NEGLIGIBLE * size).max(initial=1))
    return found[0][: last + 1], found[1][: last + 1]


def _extremes(apply: Callable[[Floats], Floats], size: int) -> tuple[float, float]:
    """Bounds of the eigenvalues of a symmetric matrix, to a few per cent of their range.

    Extreme Ritz values of a Lanczos iteration, moved outwards by their residuals.
    """
    v = np.random.default_rng(0).normal(size=size)
    v /= np.linalg.norm(v)
    before, beta = np.zeros_like(v), 0.0
    diagonal: list[float] = []
    beside: list[float] = []
    for _ in range(min(LANCZOS, size)):
        w = apply(v) - beta * before
        diagonal.append(float(w @ v))
        w -= diagonal[-1] * v
        beta = float(np.linalg.norm(w))
        beside.append(beta)
        if beta <= 1e-14 * max(abs(diagonal[0]), 1e-300):
            break
        before, v = v, w / beta
    values, modes = np.linalg.eigh(
        np.diag(diagonal) + np.diag(beside[:-1], 1) + np.diag(beside[:-1], -1)
    )
    residuals = beside[-1] * np.abs(modes[-1])
    return float(values[0] - residuals[0]), float(values[-1] + residuals[-1])
