r"""Exponents: what is counted along a path, and how much of it, for many columns at once.

A column of a propagated matrix X is a density weighted by an exponential functional,

.. math:: \langle\delta(n - n(t))\,
          e^{k_W\beta W + k_S S_P + k_0\beta E_0 + k_\tau\beta E_\tau}\rangle ,

with four dimensionless exponents, `CHANNELS`: of the work [I] 3.3a, of the pumped entropy
[I] 3.9, and of the energy before and after the process (with these heat is counted, for the first
law [I] 4.6 gives :math:`-Q = W - E_\tau + E_0`). They are written :math:`k = b + \sum_j K_j d_j`
with a real base b, a few real directions d and steps K. A step is either a number for each
column, or a matrix that acts on the columns from the right. Matrices that commute serve as
numbers: with the nilpotent shift N of a truncated power series (`jet`), the columns become the
Taylor coefficients of the generating function, that is, the moments without any differencing.

The tilted generator is a quadratic polynomial of :math:`k_W` and linear in the others, so that

.. math:: \dot X = M(b)^T X + \sum_j \partial_j M(b)^T X K_j
          + \tfrac12\partial_W^2 M^T X K_W^2, \qquad K_W = \sum_j d_{jW}K_j ,

is exact. Everything here is dimensionless.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm.fokker_planck.harmonics import Floats

CHANNELS = ("work", "pumped_entropy", "initial_energy", "final_energy")
"""What can be counted: beta W, S_P, beta E before and beta E after the process."""

Power: TypeAlias = tuple[int, ...]
Step: TypeAlias = NDArray[Any]  # (n,) numbers or an (n, n) matrix acting from the right


@dataclass(frozen=True)
class Exponents:
    """Exponents of n columns: base + sum of steps times directions.

    Attributes
    ----------
    base : ndarray, shape (4,)
        Real exponents of `CHANNELS` that all columns share.
    directions : ndarray, shape (a, 4)
        Real directions in the space of `CHANNELS`.
    steps : tuple of a ndarray, shape (n,) each, or (n, n)
        How far each column goes along each direction.
    leaders : ndarray of int, shape (n,)
        The column relative to which the error of each column is to be measured, if it is larger
        than the column itself.
    seeds : ndarray of bool, shape (n,)
        Columns that start as the density; the others start as zero.
    """

    base: Floats
    directions: Floats
    steps: tuple[Step, ...]
    leaders: NDArray[np.intp]
    seeds: NDArray[np.bool_]

    @property
    def columns(self) -> int:
        """Number of columns n."""
        return len(self.leaders)

    @cached_property
    def multipliers(self) -> tuple[Step, ...]:
        """Steps of the linear terms, and last the square of the work's step where it is used."""
        if not self.counts_work:
            return self.steps
        weights = self.directions[:, 0]
        total: Any = sum(w * K for w, K in zip(weights, self.steps, strict=True) if w != 0.0)
        return (*self.steps, total * total if total.ndim == 1 else total @ total)

    @property
    def counts_work(self) -> bool:
        """Whether some direction has a component along the work."""
        return bool(np.any(self.directions[:, 0] != 0.0))

    @property
    def is_complex(self) -> bool:
        """Whether a step is complex."""
        return any(np.iscomplexobj(K) for K in self.steps)

    def start(self, density: Floats) -> NDArray[Any]:
        """Return the columns before the process, shape (size, n), from a density (size,)."""
        columns = np.where(self.seeds, density[:, None], 0.0)
        return columns.astype(complex) if self.is_complex else columns


def scaled(columns: NDArray[Any], step: Step) -> NDArray[Any]:
    """Multiply columns (size, n) by a step, in place where possible."""
    return np.multiply(columns, step, out=columns) if step.ndim == 1 else columns @ step


def plain() -> Exponents:
    """Return the exponents of the density itself: nothing is counted."""
    return points()


def line(
    base: ArrayLike, direction: ArrayLike, step: ArrayLike, leaders: ArrayLike = 0
) -> Exponents:
    """Return exponents along one direction.

    Parameters
    ----------
    base, direction : array_like, shape (4,)
        Real.
    step : array_like, shape (n,)
    leaders : array_like of int, shape (n,) or ()
        See `Exponents`; the first column by default.
    """
    K = np.asarray(step)
    lead = np.broadcast_to(np.asarray(leaders, dtype=np.intp), K.shape)
    b, d = np.asarray(base, dtype=float), np.asarray(direction, dtype=float)
    return Exponents(b, d[None], (K,), lead, np.ones(len(K), dtype=bool))


def points(*channels: NDArray[Any]) -> Exponents:
    """Return arbitrary exponents of the first channels, shape (n,) each.

    Channels that are zero are left out and equal ones share their terms.
    """
    directions: list[Floats] = []
    steps: list[Step] = []
    for place, values in enumerate(channels):
        if not np.any(values):
            continue
        same = [j for j, known in enumerate(steps) if np.array_equal(known, values)]
        if not same:
            directions.append(np.zeros(4))
            steps.append(values)
        directions[same[0] if same else -1][place] = 1.0
    count = len(channels[0]) if channels else 1
    stacked = np.array(directions).reshape(-1, 4)
    columns = np.arange(count), np.ones(count, dtype=bool)
    return Exponents(np.zeros(4), stacked, tuple(steps), *columns)


def jet(base: ArrayLike, directions: ArrayLike, order: int) -> tuple[Exponents, list[Power]]:
    """Return exponents whose columns are Taylor coefficients of the generating function.

    Parameters
    ----------
    base : array_like, shape (4,)
        Where to expand.
    directions : array_like, shape (a, 4)
        What to expand in.
    order : int
        Total order of the expansion.

    Returns
    -------
    exponents : Exponents
    powers : list of tuple of int
        Of each column: the power of each direction's step that it multiplies.
    """
    stacked = np.atleast_2d(np.asarray(directions, dtype=float))
    axes = len(stacked)
    powers = sorted((p for p in np.ndindex(*(order + 1,) * axes) if sum(p) <= order), key=sum)
    steps = []
    for axis in range(axes):
        shift = np.zeros((len(powers), len(powers)))
        for place, power in enumerate(powers):
            raised = tuple(p + (i == axis) for i, p in enumerate(power))
            if raised in powers:
                shift[place, powers.index(raised)] = 1.0
        steps.append(shift)
    seeds = np.arange(len(powers)) == 0
    leaders = np.zeros(len(powers), dtype=np.intp)
    base = np.asarray(base, dtype=float)
    return Exponents(base, stacked, tuple(steps), leaders, seeds), powers


def jets(base: Floats, direction: Floats, at: Floats, order: int) -> Exponents:
    """Return jets of one direction at real points `at` (n,) of its line.

    Column ``i * (order + 1) + j`` is the j-th Taylor coefficient at the point i.
    """
    count = order + 1
    K = np.kron(np.diag(at), np.eye(count)) + np.kron(np.eye(len(at)), np.eye(count, k=1))
    place = np.arange(len(K))
    return Exponents(base, direction[None], (K,), place - place % count, place % count == 0)
