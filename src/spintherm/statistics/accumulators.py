"""Statistics that merge: of two halves of a sample they make those of the whole, to rounding.

Sums of products of powers of deviations from the mean, S_p = sum_k prod_i (x_ki - mean_i)^p_i, move
to another mean by the binomial theorem,

    S'_p = sum_{q <= p} prod_i C(p_i, q_i) (mean_i - mean'_i)^(p_i - q_i) S_q,    S_0 = n,

and then add up: P. Pebay, Sandia report SAND2008-6212 (2008), for every power and number of
variables. Averages of exp(-x) are kept relative to the largest weight, so that they do not
overflow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from spintherm.statistics.estimate import Estimate
from spintherm.validation import FloatArray, complaint


class MomentSet:
    """Which central moments to keep, and how they move with the mean.

    Parameters
    ----------
    powers : sequence of tuple of int
        Powers p of each variable; whatever is needed to merge these is added.
    """

    def __init__(self, powers: Sequence[tuple[int, ...]]) -> None:
        below = {q for p in powers for q in product(*(range(i + 1) for i in p))}
        self.powers = tuple(sorted(below, key=lambda p: (sum(p), p)))
        self.index = {p: place for place, p in enumerate(self.powers)}
        pairs = [(p, q) for p in self.powers for q in self.powers if _covers(p, q)]
        self._target = np.array([self.index[p] for p, _ in pairs])
        self._source = np.array([self.index[q] for _, q in pairs])
        self._gap = np.array([np.subtract(p, q) for p, q in pairs])
        self._factor = np.array([math.prod(map(math.comb, p, q)) for p, q in pairs], dtype=float)

    def of(self, samples: FloatArray) -> CentralMoments:
        """Return the moments of samples, shape (variables, n) with n >= 1."""
        mean = samples.mean(axis=1)
        rows = [{1: x - centre} for x, centre in zip(samples, mean, strict=True)]
        for place, row in enumerate(rows):
            for power in range(2, max(p[place] for p in self.powers) + 1):
                row[power] = row[power - 1] * row[1]
        count = samples.shape[1]
        sums = np.array([self._sum(rows, p, count) for p in self.powers])
        return CentralMoments(self, count, mean, sums)

    @staticmethod
    def _sum(rows: list[dict[int, FloatArray]], p: tuple[int, ...], count: int) -> float:
        if sum(p) < 2:
            return 0.0 if sum(p) else float(count)
        first, *others = (row[power] for row, power in zip(rows, p, strict=True) if power)
        for other in others:
            first = first * other
        return float(first.sum())

    def moved(self, sums: FloatArray, shift: FloatArray) -> FloatArray:
        """Return sums about another mean, which lies `shift` below the old one."""
        terms = self._factor * np.prod(shift**self._gap, axis=1) * sums[self._source]
        return np.asarray(np.bincount(self._target, terms, len(self.powers)), dtype=np.float64)


def _covers(p: tuple[int, ...], q: tuple[int, ...]) -> bool:
    return all(i >= j for i, j in zip(p, q, strict=True))


@dataclass(frozen=True, eq=False)
class CentralMoments:
    """Count, means and sums of products of deviations from the means, of several variables.

    Attributes
    ----------
    kept : MomentSet
        Which moments.
    count : int
        Number of samples.
    mean : ndarray, shape (variables,)
        Means.
    sums : ndarray, shape (powers,)
        Sums of products of deviations, in the order of `kept.powers`.
    """

    kept: MomentSet
    count: int
    mean: FloatArray
    sums: FloatArray

    def merged(self, other: CentralMoments) -> CentralMoments:
        """Return the moments of both samples together."""
        count = self.count + other.count
        mean = self.mean + (other.mean - self.mean) * (other.count / count)
        sums = sum(self.kept.moved(one.sums, one.mean - mean) for one in (self, other))
        sums = np.asarray(sums)
        for place, p in enumerate(self.kept.powers):
            if sum(p) == 1:
                sums[place] = 0.0
        return CentralMoments(self.kept, count, mean, sums)

    def central(self, *powers: int) -> float:
        """Return the average of the product of the deviations to these powers."""
        return float(self.sums[self.kept.index[powers]]) / self.count

    @property
    def mean_error(self) -> FloatArray:
        """Standard errors of the means, shape (variables,); infinite for one sample."""
        return (
            np.sqrt(self._diagonal(2) / (self.count - 1)) if self.count > 1 else self.mean + np.inf
        )

    @property
    def variance(self) -> FloatArray:
        """Unbiased variances, shape (variables,); not a number for one sample."""
        if self.count < 2:
            return self.mean + np.nan
        return self._diagonal(2) * (self.count / (self.count - 1))

    @property
    def variance_error(self) -> FloatArray:
        """Standard errors of the variances, from the fourth moments; shape (variables,)."""
        n = self.count
        if n < 4:
            return self.mean + np.inf
        spread = self._diagonal(4) - self.variance**2 * ((n - 3) / (n - 1))
        return np.sqrt(np.maximum(spread, 0.0) / n)

    @property
    def covariance(self) -> FloatArray:
        """Unbiased covariances, shape (variables, variables)."""
        size = self.mean.size
        unit = np.eye(size, dtype=int)
        pairs = [[self.kept.index[tuple(map(int, a + b))] for b in unit] for a in unit]
        return np.asarray(self.sums[np.array(pairs)] / max(self.count - 1, 1))

    def _diagonal(self, order: int) -> FloatArray:
        unit = order * np.eye(self.mean.size, dtype=int)
        return np.array([self.central(*map(int, row)) for row in unit])


@dataclass(frozen=True)
class ExponentialMoments:
    """Count, mean and spread of weights exp(-x), relative to the largest weight.

    Attributes
    ----------
    count : int
        Number of samples.
    shift : float
        Logarithm of the largest weight.
    mean, second : float
        Mean of the weights, and sum of their squared deviations from it, over the largest weight
        and its square.
    """

    count: int
    shift: float
    mean: float
    second: float

    @classmethod
    def of(cls, samples: FloatArray) -> ExponentialMoments:
        """Return the moments of exp(-samples), shape (n,) with n >= 1."""
        least = float(samples.min())
        weights = np.exp(least - samples)
        mean = float(weights.mean())
        return cls(samples.size, -least, mean, float(np.square(weights - mean).sum()))

    def merged(self, other: ExponentialMoments) -> ExponentialMoments:
        """Return the moments of both samples together."""
        shift = max(self.shift, other.shift)
        a, b = math.exp(self.shift - shift), math.exp(other.shift - shift)
        count = self.count + other.count
        gap = b * other.mean - a * self.mean
        mean = a * self.mean + gap * (other.count / count)
        between = gap * gap * (self.count * other.count / count)
        return ExponentialMoments(
            count, shift, mean, a * a * self.second + b * b * other.second + between
        )

    @property
    def estimate(self) -> Estimate:
        """The average of exp(-x) and the standard error of the weights that were drawn."""
        with np.errstate(over="ignore"):
            scale = float(np.exp(self.shift))
        n = self.count
        error = math.sqrt(self.second / (n * (n - 1))) if n > 1 else math.inf
        return Estimate(scale * self.mean, scale * error)

    @property
    def effective_samples(self) -> float:
        """(sum w)^2 / sum w^2."""
        square = self.mean**2
        return self.count * square / (self.second / self.count + square)

    @property
    def largest_share(self) -> float:
        """Share of the sum that the largest weight has."""
        return 1.0 / (self.count * self.mean)


@dataclass(frozen=True, eq=False)
class Counts:
    """Counts in the cells of a grid of bins, with one more bin below and above each axis.

    Attributes
    ----------
    edges : tuple of ndarray, shapes (k + 1,)
        Increasing edges of each axis.
    counts : ndarray, shape (k + 2, ...)
        Counts; the first and last along each axis lie outside the edges.
    """

    edges: tuple[FloatArray, ...]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, edges: tuple[FloatArray, ...], bins: tuple[NDArray[np.int64], ...]) -> Counts:
        """Count samples whose bins, 0 ... k + 1, are known along each axis."""
        shape = tuple(axis.size + 1 for axis in edges)
        flat = np.ravel_multi_index(bins, shape)
        return cls(edges, np.bincount(flat, minlength=math.prod(shape)).reshape(shape))

    def merged(self, other: Counts) -> Counts:
        """Return the counts of both samples together.

        Raises
        ------
        ValueError
            If their edges differ.
        """
        if not all(map(np.array_equal, self.edges, other.edges)):
            raise ValueError(complaint("other", other.edges, "the same edges"))
        return Counts(self.edges, self.counts + other.counts)

    @property
    def inside(self) -> NDArray[np.int64]:
        """Counts within the edges, shape (k, ...)."""
        return self.counts[tuple(slice(1, -1) for _ in self.edges)]
