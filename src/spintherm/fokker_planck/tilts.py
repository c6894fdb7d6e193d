r"""Tilts: how far exponential tilting must shift a density so that all of it can be resolved.

On a line of exponents :math:`k = b + c\,d` let x be the counted quantity along d and
:math:`K(c) = \ln G(b + c\,d)`. The tilted density :math:`p(x)e^{cx}/G` has mean K' and variance
K''. At the tilt s with :math:`K'(s) = x` it is centred on x, and the saddle-point estimate

.. math:: \ln p(x) \approx K(s) - s x - \tfrac12\ln[2\pi K''(s)]

is good enough to plan with: it says over which range of x the density must be computed, which
tilts cover it without losing digits to cancellation (where the tilted density is less than
e^(-DEPTH) of its maximum another tilt takes over), and how far apart the images of a periodic
Fourier sum must be. K and its derivatives come from jets, at low accuracy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spintherm.fokker_planck.exponents import jets
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.process import Process

ROUGH = 1e-4  # tolerance of the columns from which is planned
FINE = 801  # tilts at which the estimates are tabulated
COVER, BISECTIONS = 200, 8  # tilts among which is chosen; halvings of the depth
DEPTH = 4.5
STRETCHES = ((1.5, 3.0, 4.5, 6.0), (8.0,), (10.5,), (13.0,), (16.0,), (24.0,), (40.0,), (80.0,))
"""Tilts, times the standard deviation, surveyed until the density has fallen far enough."""
BOUNDED = 5  # of these stretches, for a quantity with a bound
DEEPEST = -230.0  # logarithm of a density, relative to its maximum, that nobody asks for
MARGIN = 2.0  # of the logarithm of the density's floor


@dataclass(frozen=True)
class Survey:
    """Saddle-point estimates along a line of exponents.

    Attributes
    ----------
    tilt : ndarray, shape (FINE,)
        s, rising.
    place : ndarray, shape (FINE,)
        K'(s): the x on which the tilted density is centred, rising.
    cumulant : ndarray, shape (FINE,)
        K(s).
    log_density : ndarray, shape (FINE,)
        Estimate of ln p at `place`.
    support : tuple of float
        Least and largest x of any path; may be infinite.
    """

    tilt: Floats
    place: Floats
    cumulant: Floats
    log_density: Floats
    support: tuple[float, float]

    def range_above(self, floor: float) -> tuple[float, float]:
        """Return where the density exceeds `floor` times its maximum.

        Close to an end of the support, where the tilts surveyed do not reach, it ends there.
        """
        keep = self.log_density >= np.max(self.log_density) + np.log(floor)
        low, high = float(self.place[keep][0]), float(self.place[keep][-1])
        least, most = self.support
        if keep[0] and np.isfinite(least):
            low = least
        if keep[-1] and np.isfinite(most):
            high = most
        return max(low, least), min(high, most)

    def tilted(self, tilt: Any, x: Any) -> Any:
        """Return ln [p(x) exp(tilt x)] up to a constant, linear beyond the surveyed range.

        Outside of the support it is -infinity. The logarithm is nearly concave, so that the line
        is above it.
        """
        low, high = self.place[0], self.place[-1]
        inside = np.where((x < self.support[0]) | (x > self.support[1]), -np.inf, 0.0)
        inside = inside + np.interp(x, self.place, self.log_density)
        line = self.tilt[0] * np.minimum(x - low, 0.0) + self.tilt[-1] * np.maximum(x - high, 0.0)
        return inside - line + tilt * x

    def reach(self, tilt: float, depth: float) -> tuple[float, float]:
        """Return where the tilted density exceeds exp(-depth) of its maximum."""
        width = self.place[-1] - self.place[0]
        x = np.linspace(self.place[0] - 4.0 * width, self.place[-1] + 4.0 * width, 20_001)
        value = self.tilted(tilt, x)
        keep, cell = x[value >= np.max(value) - depth], x[1] - x[0]
        return float(keep[0] - cell), float(keep[-1] + cell)

    def cover(self, low: float, high: float, depth: float = DEPTH) -> Floats:
        """Return tilts whose reaches cover the interval from low to high, rising.

        As few as suffice at this depth, then chosen such that the least depth suffices.
        """
        candidates = self.tilt[:: FINE // COVER]
        best = self._chain(candidates, low, high, depth)
        shallow, deep = 0.0, depth
        for _ in range(BISECTIONS):
            middle = 0.5 * (shallow + deep)
            chain = self._chain(candidates, low, high, middle)
            enough = len(chain) <= len(best) and self.reach(chain[-1], middle)[1] >= high
            best, shallow, deep = (chain, shallow, middle) if enough else (best, middle, deep)
        return np.unique(best)

    def _chain(self, candidates: Floats, low: float, high: float, depth: float) -> Floats:
        """Go from low as far as one tilt reaches, from there on with the next, to the end."""
        reaches = np.array([self.reach(float(c), depth) for c in candidates])
        chain, begin = [float(candidates[0])], low
        while begin < high:
            good = np.flatnonzero(reaches[:, 0] <= begin)
            furthest = good[np.argmax(reaches[good, 1])] if good.size else 0
            if not good.size or reaches[furthest, 1] <= begin:
                break  # no tilt of the survey goes further
            chain.append(float(candidates[furthest]))
            begin = float(reaches[furthest, 1])
        return np.array(chain[1:] or chain)

    def period(self, tilt: float, depth: float) -> float:
        """Return how far apart images must be to stay below exp(-depth) where `tilt` is used."""
        (begin, end), (first, last) = self.reach(tilt, DEPTH + 0.5), self.reach(tilt, depth)
        return max(last - begin, end - first)

    def images(self, tilt: float, x: Floats, period: float) -> Floats:
        """Estimate what the two nearest images add to the density at x (n,) with this tilt."""
        both = self.tilted(tilt, x + period), self.tilted(tilt, x - period)
        return np.asarray(np.exp(np.logaddexp(*both) - tilt * x))

    def peak(self, tilt: float) -> float:
        """Largest value of the tilted density p(x) exp(tilt x)/G."""
        log_peak = np.max(self.tilted(tilt, self.place))
        return float(np.exp(log_peak - np.interp(tilt, self.tilt, self.cumulant)))


def survey(
    process: Process, base: Floats, direction: Floats, floor: float, span: Floats | None = None
) -> Survey:
    """Tabulate the saddle-point estimates until the density falls below `floor` on both sides.

    Close to the end of a bounded support, as that of S_P is, it falls at exorbitant tilts alone:
    there the survey ends earlier. With `span` it goes on until it covers that range of x, or p is
    1e-100 of its maximum.

    Raises
    ------
    ValueError
        If the quantity does not fluctuate.
    """
    c, K = np.zeros(1), _cumulants(process, base, direction, np.zeros(1))
    mean, variance = float(K[0, 1]), float(K[0, 2])
    if not variance > 1e-10 * max(mean**2, 1e-10):
        raise ValueError("the quantity has no fluctuations in this process: there is no density")
    deviation, wanted = float(np.sqrt(variance)), np.log(floor) - MARGIN
    support = process.support(direction)
    for stretch in STRETCHES if np.isinf(support[0]) else STRETCHES[:BOUNDED]:
        drop = _drop(c, K)
        enough = drop < wanted
        if span is not None:
            enough = enough & np.array([K[0, 1] <= span[0], K[-1, 1] >= span[-1]])
        enough = enough | (drop < DEEPEST)
        sides = np.flatnonzero(~enough) * 2.0 - 1.0
        if not sides.size:
            break
        added = np.sort(np.outer(sides, stretch).ravel()) / deviation
        try:
            more = _cumulants(process, base, direction, added)
        except OverflowError:
            break
        order = np.argsort(np.concatenate([c, added]))
        c, K = np.concatenate([c, added])[order], np.concatenate([K, more])[order]
    return _tabulated(c, K, support)


def _drop(c: Floats, K: Floats) -> Floats:
    """Estimated ln p over its maximum at the smallest and at the largest tilt, shape (2,)."""
    log_density = K[:, 0] - c * K[:, 1] - 0.5 * np.log(2.0 * np.pi * K[:, 2])
    return np.asarray((log_density - np.max(log_density))[[0, -1]])


def _tabulated(c: Floats, K: Floats, support: tuple[float, float]) -> Survey:
    from scipy.interpolate import BPoly

    spline = BPoly.from_derivatives(c, K)
    fine = np.linspace(c[0], c[-1], FINE)
    value, place, spread = spline(fine), spline(fine, 1), spline(fine, 2)
    log_density = value - fine * place - 0.5 * np.log(2.0 * np.pi * np.maximum(spread, 1e-300))
    return Survey(fine, np.maximum.accumulate(place), value, log_density, support)


def _cumulants(process: Process, base: Floats, direction: Floats, at: Floats) -> Floats:
    """K, K', K'' at the tilts `at` (n,), shape (n, 3)."""
    columns = process.run(jets(base, direction, at, 2), ROUGH)
    g = np.reshape(columns.integrals, (len(at), 3))
    first = g[:, 1] / g[:, 0]
    return np.stack([np.log(g[:, 0]), first, 2.0 * g[:, 2] / g[:, 0] - first**2], axis=-1)
