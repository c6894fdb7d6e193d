r"""The backward equation of c = n·a in Legendre polynomials, for magnets with a common axis.

With D = ηT and p the stationary density (`spintherm.exact.AxialMagnet`),

.. math:: \dot u = \mathcal L u = D\Big[\frac{d}{dc}(1-c^2)\frac{du}{dc}
   + (1-c^2)\frac{d\ln p}{dc}\frac{du}{dc}\Big],

where u(c, t) is the mean of a function of c(t) for paths that start from c. In P_k the first term
is -k(k+1), and (1 - c²) P_k' = k(k+1)/(2k+1) (P_{k-1} - P_{k+1}); the drift is a polynomial in c
to rounding. The solution stays between the extremes of its initial values, so that rounding is
relative to its largest value: that is why small probabilities are computed backward in time, where
the solution itself becomes small, and not forward, where it is a remainder of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import legendre

from spintherm.exact import AxialMagnet
from spintherm.validation import FloatArray

_DRIFT_ERROR = 1e-13
_SAME = 1e-12
_DECAY_OF_A_STEP = 4.0


@dataclass(frozen=True)
class CosineEquation:
    """The backward generator in the Legendre polynomials of degree below `size`.

    Parameters
    ----------
    state : AxialMagnet
        Magnet, field and torque.
    size : int
        Number of polynomials.
    """

    state: AxialMagnet
    size: int

    @cached_property
    def generator(self) -> FloatArray:
        """Matrix of the backward generator, shape (size, size), per time."""
        pull = log_density_slope(self.state)
        count = self.size + pull.size + 1
        k = np.arange(count, dtype=np.float64)
        slope = np.zeros((count, count))
        share = k * (k + 1.0) / (2.0 * k + 1.0)
        slope[np.arange(count - 1), np.arange(1, count)] = share[1:]
        slope[np.arange(1, count), np.arange(count - 1)] = -share[:-1]
        total = np.diag(-k * (k + 1.0)) + _multiplied(pull, count) @ slope
        return np.asarray(self.state.diffusion * total[: self.size, : self.size])

    @cached_property
    def stationary(self) -> FloatArray:
        """Means of the polynomials in the stationary state, shape (size,)."""
        return self.means(self.state)

    def means(self, state: AxialMagnet, low: float = -1.0, high: float = 1.0) -> FloatArray:
        """Return means of the polynomials in the stationary state of fields, within two cosines."""
        c, weights = state.nodes(low, high)
        share = weights * state.density(c)
        return np.asarray(share @ legendre.legvander(c, self.size - 1) / share.sum())

    def step_function(self) -> FloatArray:
        """Coefficients of 1 above c = 0 and 0 below, shape (size,)."""
        # ∫₀¹ P_k dc = [P_{k-1}(0) - P_{k+1}(0)]/(2k + 1)
        at_zero = legendre.legvander(np.zeros(1), self.size)[0]
        before = np.concatenate(([0.0], at_zero[:-2]))
        out = 0.5 * (before - at_zero[1:])
        out[0] = 0.5
        return np.asarray(out)


def propagators(
    generator: FloatArray, times: FloatArray, fastest: float = 0.0
) -> Iterator[tuple[FloatArray, int]]:
    """Yield for each time the exponential that leads there from the time before, and how often.

    A matrix exponential is good to rounding of its largest element. With `fastest`, a rate of
    decay, the way is cut in equal parts none of which lets all else fall below that.

    Parameters
    ----------
    generator : ndarray, shape (size, size)
        Per time.
    times : ndarray, shape (n,)
        Increasing, from zero on.
    fastest : float
        Rate of decay.

    Yields
    ------
    step : ndarray, shape (size, size)
    count : int
        How many such steps make up the way.
    """
    from scipy.linalg import expm

    before, last, count, step = 0.0, 0.0, 1, np.eye(len(generator))
    for time in times.tolist():
        if abs(time - before - last) > _SAME * time:
            last = time - before
            count = 1 + int(last * fastest / _DECAY_OF_A_STEP)
            step = expm(last / count * generator)
        before = time
        yield step, count


def log_density_slope(state: AxialMagnet) -> FloatArray:
    """Return the Legendre series of d ln p/dc, to rounding."""
    count = 24
    while True:
        nodes, weights = legendre.leggauss(count + 8)
        values = state.log_density(nodes)
        degrees = np.arange(count)
        series = (degrees + 0.5) * ((weights * values) @ legendre.legvander(nodes, count - 1))
        size = max(float(np.abs(series).max()), 1.0)
        if float(np.abs(series[-4:]).max()) <= _DRIFT_ERROR * size or count > 400:
            small = np.flatnonzero(np.abs(series) > _DRIFT_ERROR * size)
            last = int(small[-1]) + 1 if small.size else 1
            return np.asarray(legendre.legder(series[: max(last, 2)]), dtype=np.float64)
        count *= 2


def _multiplied(series: FloatArray, count: int) -> FloatArray:
    """Matrix of the multiplication by a Legendre series, by Clenshaw's recurrence in c."""
    k = np.arange(count - 1, dtype=np.float64)
    cosine = np.zeros((count, count))
    cosine[np.arange(1, count), np.arange(count - 1)] = (k + 1.0) / (2.0 * k + 1.0)
    cosine[np.arange(count - 1), np.arange(1, count)] = (k + 1.0) / (2.0 * k + 3.0)
    before, here = np.zeros((count, count)), np.eye(count)
    total: FloatArray = series[0] * here
    for degree in range(1, series.size):
        after = ((2 * degree - 1) * cosine @ here - (degree - 1) * before) / degree
        before, here = here, after
        total = total + series[degree] * here
    return np.asarray(total)
