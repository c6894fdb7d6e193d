"""The balance of forward and mirrored backward trajectories, bin by bin.

For any function X of W and S_P that is odd under time reversal, and any bin of X::

    (1/N_F) sum of exp(-Y) over forward trajectories with X in the bin
        ~ (1/N_B) number of backward trajectories with -X in the bin,

where Y = Sigma, by [I] 4.16. Equality of the expectations is exact: bins of any width bias nothing.
Where Y varies much within a bin, few trajectories carry the sum, and its error is not to be
trusted. Every trajectory may be given a factor g(Y) on both sides. The one of Bennett's ratio,

    g = 1/(1 + r exp(-Y)),   r = N_B/N_F   (Y -> -Y for backward trajectories),

bounds all terms and has the smallest error; with it the two sides are compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import display
from spintherm.statistics import (
    ChiSquared,
    Estimate,
    LineFit,
    binned_sums,
    increasing_edges,
    straight_line,
)
from spintherm.validation import FloatArray, complaint, positive_integer


@dataclass(frozen=True, eq=False)
class Balance:
    """Both sides of a fluctuation theorem in bins of X.

    A bin is used if, on both sides, the terms with the factor g are as many as `minimum_count`:
    (sum of terms)²/(sum of their squares). Elsewhere what compares the sides is NaN. Logarithms of
    sums carry the correction for their bias, half the relative variance (for counts 1/(2 count)).

    Attributes
    ----------
    edges : ndarray, shape (k + 1,)
        Edges of the bins in X.
    forward_counts, backward_counts : ndarray of int, shape (k,)
        Forward trajectories with X in the bin, backward ones with -X in it.
    log_forward : ndarray, shape (k,)
        ln p_F(X).
    log_left, left_error : ndarray, shape (k,)
        ln of p_F(X) <exp(-Y)>_X, and its standard error (too small where it is above about 0.2).
    log_right, right_error : ndarray, shape (k,)
        ln of p_B(-X), and its standard error.
    difference, error : ndarray, shape (k,)
        ln of left side over right side, with the factor g, and its standard error. Expected 0.
    used : ndarray of bool, shape (k,)
        Which bins are used.
    minimum_count : int
        Threshold.
    sizes : tuple of int
        N_F, N_B.
    """

    edges: FloatArray
    forward_counts: NDArray[np.int64]
    backward_counts: NDArray[np.int64]
    log_forward: FloatArray
    log_left: FloatArray
    left_error: FloatArray
    log_right: FloatArray
    right_error: FloatArray
    difference: FloatArray
    error: FloatArray
    used: NDArray[np.bool_]
    minimum_count: int
    sizes: tuple[int, int]

    @property
    def centres(self) -> FloatArray:
        """Middles of the bins, shape (k,)."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    @property
    def drawn(self) -> float:
        """1/N_F + 1/N_B: minus the covariance of any two bins, since these numbers are fixed."""
        return 1.0 / self.sizes[0] + 1.0 / self.sizes[1]

    @property
    def log_ratio(self) -> FloatArray:
        """Logarithm of p_F(X)/p_B(-X), shape (k,)."""
        return np.where(self.used, self.log_forward - self.log_right, np.nan)

    @property
    def ratio_error(self) -> FloatArray:
        """Standard error of `log_ratio` - `abscissa`, shape (k,)."""
        return np.where(self.used, np.hypot(self.left_error, self.right_error), np.nan)

    @property
    def abscissa(self) -> FloatArray:
        """-ln <exp(-Y)> of forward trajectories in the bin, shape (k,): what `log_ratio` equals.

        For X = Y this is the point of the bin at which the densities have the ratio of the counts.
        """
        return np.where(self.used, self.log_forward - self.log_left, np.nan)

    @property
    def chi_squared(self) -> ChiSquared:
        """Differences of the used bins against 0, with the covariance of fixed numbers."""
        used = self.used
        off, precision = self.difference[used], self.error[used] ** -2
        plain, first, total = off**2 @ precision, off @ precision, precision.sum()
        free = 1.0 - self.drawn * total
        if free > 1e-6:
            return ChiSquared(float(plain + self.drawn * first**2 / free), off.size)
        # no drive: the bins hold everything on both sides, and their sum is no information
        rest = float(plain - first**2 / total)
        return ChiSquared(max(rest, 0.0), max(off.size - 1, 1))

    def _repr_html_(self) -> str:
        return display.balance_card(self)


def balance(
    forward: tuple[FloatArray, FloatArray],
    backward: tuple[FloatArray, FloatArray],
    bins: int | ArrayLike | None,
    minimum_count: int,
) -> Balance:
    """Return both sides of the balance in bins.

    Parameters
    ----------
    forward, backward : pair of ndarray, shapes (n,) and (m,)
        X and Y of the trajectories, the backward ones not mirrored.
    bins : int, array_like of shape (k + 1,), optional
        Number of equal bins between the ends beyond which a side has less than `minimum_count`
        trajectories, or edges. Without it the number follows from what lies between, 3 to 80.
    minimum_count : int
        Threshold.

    Returns
    -------
    Balance
        Both sides.

    Raises
    ------
    ValueError
        If the ensembles do not overlap, or no bin can be used.
    """
    minimum_count = positive_integer("minimum_count", minimum_count)
    sizes = forward[0].size, backward[0].size
    edges = _edges(forward[0], backward[0], bins, minimum_count)
    shift = float(forward[1].min())
    ours = binned_sums(forward[0], edges, _forward_terms(forward[1], sizes, shift))
    theirs = binned_sums(backward[0], edges, _backward_terms(backward[1], sizes), sign=-1.0)
    width = np.diff(edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_forward, _ = _log_sum(ours[0], ours[0], sizes[0] * width)
        log_left, left = _log_sum(ours[1], ours[2], sizes[0] * width)
        log_right, right = _log_sum(theirs[0], theirs[0], sizes[1] * width)
        log_ours, our_spread = _log_sum(ours[3], ours[4], sizes[0] * width)
        log_theirs, their_spread = _log_sum(theirs[1], theirs[2], sizes[1] * width)
        used = np.maximum(our_spread, their_spread) * minimum_count <= 1.0
    if not used.any():
        raise ValueError(_too_few(minimum_count))
    return Balance(
        edges=edges,
        forward_counts=ours[0].astype(np.int64),
        backward_counts=theirs[0].astype(np.int64),
        log_forward=log_forward,
        log_left=log_left - shift,
        left_error=np.sqrt(left),
        log_right=log_right,
        right_error=np.sqrt(right),
        difference=np.where(used, log_ours - log_theirs, np.nan),
        error=np.where(used, np.sqrt(our_spread + their_spread), np.nan),
        used=used,
        minimum_count=minimum_count,
        sizes=sizes,
    )


def ratio_line(bins: Balance) -> LineFit:
    """Fit a straight line to the log ratio in the bins of a balance.

    Errors from the counts themselves would favour bins in which the scarcer count came out high,
    and so would a threshold for it; both flatten the line. The sum of the two counts does not know
    their ratio. It is divided in the ratio of the line itself, which gives the errors, and the
    bins where at least `minimum_count` trajectories are expected of both.

    Parameters
    ----------
    bins : Balance
        At least three bins must be used.

    Returns
    -------
    LineFit
        Intercept and slope, with the covariance of fixed numbers of trajectories.

    Raises
    ------
    ValueError
        If there are fewer than three such bins.
    """
    x, y = bins.log_forward - bins.log_left, bins.log_forward - bins.log_right
    chosen, error = bins.used, bins.ratio_error
    for _ in range(4):
        if chosen.sum() < 3:
            raise ValueError(complaint("bins", bins.edges, "at least three bins that can be used"))
        line = straight_line(x[chosen], y[chosen], error[chosen])
        error, scarcer = _expected(bins, line.intercept.value + line.slope.value * x)
        chosen = np.isfinite(y) & (scarcer >= bins.minimum_count)
    # what all bins share moves the intercept alone
    variance = float(line.covariance[0, 0])
    covariance = line.covariance.copy()
    covariance[0, 0] = max(variance - bins.drawn, 1e-9 * variance)
    intercept = Estimate(line.intercept.value, math.sqrt(float(covariance[0, 0])))
    return LineFit(intercept, line.slope, covariance, line.residual)


def _expected(bins: Balance, log_ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Errors and the smaller of the two counts, if this is the log ratio."""
    both = (bins.forward_counts + bins.backward_counts).astype(np.float64)
    excess = bins.left_error**2 * bins.forward_counts  # 1 if exp(-Y) varies little in the bin
    with np.errstate(all="ignore"):  # far from the line, where no bin is chosen
        share = 1.0 / (1.0 + bins.sizes[1] / bins.sizes[0] * np.exp(-log_ratio))  # of forward
        error = np.sqrt((excess / share + 1.0 / (1.0 - share)) / both)
    return error, both * np.minimum(share, 1.0 - share)


_Weigh = Callable[[slice], Sequence[FloatArray]]


def _forward_terms(y: FloatArray, sizes: tuple[int, int], shift: float) -> _Weigh:
    """Weights exp(shift - Y), their squares, g exp(-Y), their squares."""
    ratio = sizes[1] / sizes[0]

    def weigh(part: slice) -> Sequence[FloatArray]:
        exponent = y[part]
        weight, small = np.exp(shift - exponent), np.exp(-np.abs(exponent))
        ahead = exponent > 0.0
        term = np.where(ahead, small, 1.0) / np.where(ahead, 1.0 + ratio * small, small + ratio)
        return weight, weight * weight, term, term * term

    return weigh


def _backward_terms(y: FloatArray, sizes: tuple[int, int]) -> _Weigh:
    """Factors g of mirrored trajectories, and their squares."""
    ratio = sizes[1] / sizes[0]

    def weigh(part: slice) -> Sequence[FloatArray]:
        exponent = -y[part]
        small, ahead = np.exp(-np.abs(exponent)), exponent > 0.0
        term = np.where(ahead, 1.0, small) / np.where(ahead, 1.0 + ratio * small, small + ratio)
        return term, term * term

    return weigh


def _log_sum(total: FloatArray, squares: FloatArray, norm: FloatArray) -> tuple[FloatArray, ...]:
    """Logarithm of a sum over its norm, corrected for bias, and the relative variance."""
    spread = squares / total**2
    return np.log(total / norm) + 0.5 * spread, spread


def _edges(
    x: FloatArray, backward: FloatArray, bins: int | ArrayLike | None, minimum_count: int
) -> FloatArray:
    if bins is not None and np.ndim(bins) > 0:
        return increasing_edges(bins)
    below, above = _ends(x, minimum_count)
    mirrored_above, mirrored_below = _ends(backward, minimum_count)
    low, high = max(below, -mirrored_below), min(above, -mirrored_above)
    if low > high:
        raise ValueError(_too_few(minimum_count))
    if high - low <= 1e-12 * max(1.0, abs(low)):  # all in one point, as S_P without spin torque
        half = 0.5 * max(1.0, abs(low))
        return np.array([low - half, low + half])
    margin = 1e-9 * (high - low)  # the trajectories that set the ends would count by construction
    low, high = low + margin, high - margin
    if bins is None:
        between = np.array([low, high])
        fewer = min(binned_sums(x, between)[0, 0], binned_sums(backward, between, sign=-1.0)[0, 0])
        bins = int(np.clip(fewer / (4 * minimum_count), 3, 80))
    return np.linspace(low, high, positive_integer("bins", bins) + 1)


def _ends(x: FloatArray, count: int) -> tuple[float, float]:
    """Return the `count`-th smallest and largest of x."""
    rank = min(count, x.size) - 1
    ends = np.partition(x, (rank, x.size - 1 - rank))
    return float(ends[rank]), float(ends[x.size - 1 - rank])


def _too_few(minimum_count: int) -> str:
    expected = "ensembles that overlap: more trajectories, or a gentler protocol"
    reason = f"no bin holds {minimum_count} trajectories of both"
    return f"forward, backward: expected {expected}; {reason}"
