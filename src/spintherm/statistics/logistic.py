"""Logistic regression on two samples: the logarithm of the ratio of their densities, unbinned.

Log-likelihood of samples of fixed sizes n1 (positive) and n0 (negative)::

    sum_pos ln s(t) + sum_neg ln s(-t),   t = ln(n1/n0) + a + b.x,   s(t) = 1/(1 + exp(-t)),

so that a + b.x estimates ln p1(x)/p0(x). Sample sizes that were chosen, not drawn, leave the
covariance of b as it is and lower the variance of a by 1/n1 + 1/n0 (Anderson, Biometrika 59,
19 (1972); Prentice and Pyke, Biometrika 66, 403 (1979)).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display
from spintherm.statistics.estimate import Estimate
from spintherm.statistics.samples import parts, sample
from spintherm.statistics.significance import ChiSquared, wald
from spintherm.validation import FloatArray, complaint


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """Logarithm of the ratio of two densities, a + b.x, by maximum likelihood.

    Attributes
    ----------
    coefficients : ndarray, shape (1 + d,)
        Intercept a, then slopes b.
    covariance : ndarray, shape (1 + d, 1 + d)
        Of the coefficients.
    overlap : float
        Information that the samples hold on the intercept, relative to two equal densities:
        1 for equal ones, 0 for ones without overlap.
    evaluations : int
        Passes over the samples.
    """

    coefficients: FloatArray
    covariance: FloatArray
    overlap: float
    evaluations: int

    def estimate(self, index: int) -> Estimate:
        """Return coefficient `index` (0 is the intercept) with its error."""
        return Estimate(
            float(self.coefficients[index]), math.sqrt(float(self.covariance[index, index]))
        )

    def wald(self, expected: ArrayLike) -> ChiSquared:
        """Compare all coefficients with `expected`, shape (1 + d,)."""
        return wald(self.coefficients - np.asarray(expected, dtype=float), self.covariance)

    def _repr_html_(self) -> str:
        return display.logistic_card(self)


def logistic_regression(
    positive: Sequence[FloatArray],
    negative: Sequence[FloatArray],
    *,
    offset: tuple[FloatArray, FloatArray] | None = None,
    start: ArrayLike | None = None,
    robust: bool = False,
) -> LogisticFit:
    """Fit the logarithm of the ratio of two densities by a + b.x (+ offset), without bins.

    Newton's method with step halving, a few passes over the samples in chunks.

    Parameters
    ----------
    positive, negative : sequence of d ndarrays, shapes (n1,) and (n0,)
        Features of the two samples, column by column. Without columns only a is fitted.
    offset : pair of ndarray, shapes (n1,) and (n0,), optional
        A known part of the log ratio for each sample. ln(n1/n0) is always accounted for.
    start : array_like, shape (1 + d,), optional
        First guess; zero without it.
    robust : bool
        Covariance that stays right when the log ratio is not linear in x: the scatter of the
        samples' scores instead of the Fisher information ("sandwich").

    Returns
    -------
    LogisticFit
        Coefficients and covariance. Sample sizes count as chosen.

    Raises
    ------
    ValueError
        If columns differ in length, hold numbers that are not finite, are constant or collinear,
        or if a linear function separates the samples completely, so that no maximum exists.
    """
    pair = (_columns("positive", positive, offset, 0), _columns("negative", negative, offset, 1))
    if len(positive) != len(negative):
        raise ValueError(complaint("negative", len(negative), f"{len(positive)} columns"))
    sizes = np.array([pair[0][1].shape[-1], pair[1][1].shape[-1]], dtype=float)
    fit = _Likelihood(pair, math.log(sizes[0] / sizes[1]))
    theta, state = _maximise(fit, _first_guess(fit, start, len(positive)), sizes)
    information = np.linalg.inv(state.information)
    drawn = float(np.sum(1.0 / sizes))
    overlap = drawn * float(state.information[0, 0])
    if robust:
        scores = state.outer - drawn * np.outer(state.half_score, state.half_score)
        covariance = information @ scores @ information
    else:
        covariance = information.copy()
        covariance[0, 0] = max(covariance[0, 0] - drawn, 1e-9 * covariance[0, 0])
    return LogisticFit(theta, covariance, overlap, fit.evaluations)


_NO_MAXIMUM = (
    "positive, negative: expected samples that overlap, but Newton's method finds no maximum of "
    "the likelihood; the slopes have reached {}"
)
_Group = tuple[list[FloatArray], FloatArray]


def _columns(
    name: str,
    columns: Sequence[FloatArray],
    offset: tuple[FloatArray, FloatArray] | None,
    which: int,
) -> _Group:
    """Check columns and offset; without an offset return a view of one zero in its place."""
    checked = [sample(f"{name}[{index}]", column) for index, column in enumerate(columns)]
    if offset is not None:
        known = sample(f"offset[{which}]", offset[which])
    elif checked:
        known = np.broadcast_to(np.zeros(1), checked[0].shape)
    else:
        raise ValueError(complaint(name, columns, "at least one column, or an offset"))
    if any(column.shape != known.shape for column in checked):
        shapes = [column.shape for column in checked]
        raise ValueError(complaint(name, shapes, f"columns of shape {known.shape}"))
    return checked, known


@dataclass
class _State:
    """The log-likelihood and its derivatives at one point, summed over the samples seen."""

    loss: float
    score: FloatArray
    half_score: FloatArray  # that of the positive sample alone
    information: FloatArray
    outer: FloatArray
    separated: bool = True

    @classmethod
    def empty(cls, size: int) -> _State:
        vectors, matrices = np.zeros((2, size)), np.zeros((2, size, size))
        return cls(0.0, vectors[0], vectors[1], matrices[0], matrices[1])


@dataclass
class _Likelihood:
    """Log-likelihood of two groups of samples; counts how often it was evaluated."""

    groups: tuple[_Group, _Group]
    log_ratio: float
    evaluations: int = 0

    def __call__(self, theta: FloatArray) -> _State:
        self.evaluations += 1
        state = _State.empty(theta.size)
        for group, sign in zip(self.groups, (1.0, -1.0), strict=True):
            for part in parts(group[1].size):
                self._add(state, theta, group, part, sign)
            if sign > 0.0:
                state.half_score = state.score.copy()
        return state

    def _add(
        self, state: _State, theta: FloatArray, group: _Group, part: slice, sign: float
    ) -> None:
        columns, offset = group
        known = offset[part]
        design = np.ones((theta.size, known.size))
        for row, column in zip(design[1:], columns, strict=True):
            row[:] = column[part]
        margin = sign * (theta @ design + known + self.log_ratio)
        small = np.exp(-np.abs(margin))
        wrong = np.where(margin > 0.0, small, 1.0) / (1.0 + small)  # probability of the other label
        state.loss += float(np.log(1.0 + small).sum() - np.minimum(margin, 0.0).sum())
        state.score += sign * (design @ wrong)
        state.information += (design * (wrong * (1.0 - wrong))) @ design.T
        state.outer += (design * (wrong * wrong)) @ design.T
        state.separated &= bool(margin.min() > 0.0)


def _first_guess(fit: _Likelihood, start: ArrayLike | None, slopes: int) -> FloatArray:
    if start is not None:
        guess = sample("start", start)
        if guess.size != 1 + slopes:
            raise ValueError(complaint("start", guess, f"{1 + slopes} numbers"))
        return guess.copy()
    guess = np.zeros(1 + slopes)
    guess[0] = -0.5 * sum(float(offset.mean()) for _, offset in fit.groups)
    return guess


def _maximise(fit: _Likelihood, theta: FloatArray, sizes: FloatArray) -> tuple[FloatArray, _State]:
    state = fit(theta)
    neutral = float(sizes @ np.log(sizes.sum() / sizes))
    if theta.size > 1 and state.loss > neutral:  # worse than no slopes: Newton's steps may diverge
        theta = np.zeros(theta.size)
        state = fit(theta)
    for _ in range(60):
        if state.separated and theta.size > 1:
            raise ValueError(
                "positive, negative: expected samples that overlap, but a linear function of the "
                "features separates them completely, so that no finite slope is the most likely"
            )
        step = _newton_step(state)
        gain = float(step @ state.score)  # squared length of the step in standard errors
        if gain < 1e-9:
            return theta + step, state
        theta, state = _halving(fit, theta, state, step)
    raise ValueError(_NO_MAXIMUM.format(theta[1:]))


def _newton_step(state: _State) -> FloatArray:
    diagonal = np.sqrt(np.diag(state.information))
    if diagonal.min() > 0.0:
        scaled = state.information / np.outer(diagonal, diagonal)
        if np.linalg.eigvalsh(scaled)[0] > 1e-12:
            return np.linalg.solve(scaled, state.score / diagonal) / diagonal
    raise ValueError(
        "positive, negative: expected features that vary and are not functions of each other; "
        "their information matrix is singular: drop a column"
    )


def _halving(
    fit: Callable[[FloatArray], _State], theta: FloatArray, state: _State, step: FloatArray
) -> tuple[FloatArray, _State]:
    """Halve the step until the likelihood does not fall (up to rounding of the sum)."""
    allowed = state.loss * (1.0 + 1e-11)
    for _ in range(60):
        trial = fit(theta + step)
        if trial.loss <= allowed:
            return theta + step, trial
        step = 0.5 * step
    raise ValueError(_NO_MAXIMUM.format(theta[1:]))
