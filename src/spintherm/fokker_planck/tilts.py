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
from numpy.typing import NDArray

from spintherm.fokker_planck.exponents import jets
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.process import Process

ROUGH = 1e-4  # tolerance of the columns from which is planned
FINE = 801  # tilts at which the estimates are tabulated
DEPTH = 4.5
STRETCHES = ((1.5, 3.0, 4.5, 6.0), (8.0,), (10.5,), (13.0,), (16.0,))
"""Tilts, times the standard deviation, surveyed until the density has fallen far enough."""
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
    mean, deviation : float
        Of x at s = 0.
    """

    tilt: Floats
    place: Floats
    cumulant: Floats
    log_density: Floats
    mean: float
    deviation: float

    def range_above(self, floor: float) -> tuple[float, float]:
        """Return where the density exceeds `floor` times its maximum."""
        keep = self.log_density >= np.max(self.log_density) + np.log(floor)
        return float(self.place[keep][0]), float(self.place[keep][-1])

    def tilted(self, tilt: Any, x: Any) -> Any:
        """Return ln [p(x) exp(tilt x)] up to a constant, linear beyond the surveyed range.

        The logarithm is nearly concave, so that the line is an upper bound.
        """
        low, high = self.place[0], self.place[-1]
        inside = np.interp(x, self.place, self.log_density)
        line = self.tilt[0] * np.minimum(x - low, 0.0) + self.tilt[-1] * np.maximum(x - high, 0.0)
        return inside - line + tilt * x

    def reach(self, tilt: float, depth: float) -> tuple[float, float]:
        """Return where the tilted density exceeds exp(-depth) of its maximum."""
        width = self.place[-1] - self.place[0]
        x = np.linspace(self.place[0] - 4.0 * width, self.place[-1] + 4.0 * width, 20_001)
        value = self.tilted(tilt, x)
        keep = x[value >= np.max(value) - depth]
        return float(keep[0]), float(keep[-1])

    def cover(self, low: float, high: float, depth: float = DEPTH) -> Floats:
        """Return tilts whose reaches cover the interval from low to high, rising."""
        candidates = self.tilt[:: FINE // 200]
        reaches = np.array([self.reach(float(c), depth) for c in candidates])
        count, begin = 0, low
        while count == 0 or begin < high:
            good = np.flatnonzero(reaches[:, 0] <= begin)
            end = float(np.max(reaches[good, 1])) if good.size else begin
            count += 1
            if end <= begin:  # no tilt of the survey goes further
                break
            begin = end
        edges = np.linspace(low, high, count + 1)
        middles = 0.5 * (edges[1:] + edges[:-1])
        return np.unique(np.interp(middles, self.place, self.tilt))

    def period(self, tilt: float, depth: float) -> float:
        """Return how far apart images must be to stay below exp(-depth) where `tilt` is used."""
        (begin, end), (first, last) = self.reach(tilt, DEPTH + 0.5), self.reach(tilt, depth)
        return max(last - begin, end - first)

    def peak(self, tilt: float) -> float:
        """Largest value of the tilted density p(x) exp(tilt x)/G."""
        log_peak = np.max(self.tilted(tilt, self.place))
        return float(np.exp(log_peak - np.interp(tilt, self.tilt, self.cumulant)))


def survey(
    process: Process, base: Floats, direction: Floats, floor: float, span: Floats | None = None
) -> Survey:
    """Tabulate the saddle-point estimates until the density falls below `floor` on both sides.

    Where the support ends, as that of S_P does, it may not fall so far at any tilt: then the
    survey ends at the strongest. With `span` it goes on until it covers that range of x.

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
    for stretch in STRETCHES:
        enough = _fell(c, K, wanted)
        if span is not None:
            enough = enough & np.array([K[0, 1] <= span[0], K[-1, 1] >= span[-1]])
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
    return _tabulated(c, K, mean, deviation)


def _fell(c: Floats, K: Floats, wanted: float) -> NDArray[np.bool_]:
    """Whether the estimated density is low enough at the smallest and at the largest tilt."""
    log_density = K[:, 0] - c * K[:, 1] - 0.5 * np.log(2.0 * np.pi * K[:, 2])
    drop = log_density - np.max(log_density)
    return drop[[0, -1]] < wanted


def _tabulated(c: Floats, K: Floats, mean: float, deviation: float) -> Survey:
    from scipy.interpolate import BPoly

    spline = BPoly.from_derivatives(c, K)
    fine = np.linspace(c[0], c[-1], FINE)
    value, place, spread = spline(fine), spline(fine, 1), spline(fine, 2)
    log_density = value - fine * place - 0.5 * np.log(2.0 * np.pi * np.maximum(spread, 1e-300))
    return Survey(fine, np.maximum.accumulate(place), value, log_density, mean, deviation)


def _cumulants(process: Process, base: Floats, direction: Floats, at: Floats) -> Floats:
    """K, K', K'' at the tilts `at` (n,), shape (n, 3)."""
    columns = process.run(jets(base, direction, at, 2), ROUGH)
    g = np.reshape(columns.integrals, (len(at), 3))
    first = g[:, 1] / g[:, 0]
    return np.stack([np.log(g[:, 0]), first, 2.0 * g[:, 2] / g[:, 0] - first**2], axis=-1)
