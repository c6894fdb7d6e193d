r"""Well probabilities after a pulse for magnets without a common axis, backward in time.

The mean over the starting well of u(n, t), the probability that a path from n ends in a well,

.. math:: \dot u = M u, \quad u(n, 0) = \theta(\pm n\cdot a),

with the backward generator M on the sphere, as in `cosine` for the cosine alone. It is u that is
followed, because u is small itself where the answer is; only its constant part does not decay, and
is put right by the steady state after every step. How small an answer can be is told by the error
of that constant, the steady probability of the well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.faber import Exponential
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Basis, Sparse
from spintherm.fokker_planck.wells import ASLANT, BitState, step_function
from spintherm.magnet import Magnet
from spintherm.switching import bit
from spintherm.validation import FloatArray

LARGEST_SIZE = 25_000
"""Number of harmonics beyond which a problem is refused."""

FIRST_ORDER = 6
_NOTHING = 1e-15
ROUNDING = 1e-10
"""Relative error of an answer by the rounding of its steps; measured, with a factor of ten."""


Found = TypeVar("Found")


@dataclass(frozen=True)
class Remaining:
    """Probabilities of a well after several times, and what the truncation's edges add to them.

    Attributes
    ----------
    values : ndarray, shape (L,)
    of_degree, of_order : float
        Largest share of the answer in the tenth of highest degrees, or orders.
    steady : float
        Probability of the well in the steady state of the pulse.
    """

    values: FloatArray
    of_degree: float
    of_order: float
    steady: float


def remaining(
    pulse: BitState,
    rest: BitState,
    lengths: FloatArray,
    side: float,
    start: float | None,
    basis: Basis,
) -> Remaining:
    """Return the probability of a well after pulses of several lengths.

    Parameters
    ----------
    pulse, rest : BitState
        During the pulse and before it; of one axis.
    lengths : ndarray, shape (L,)
        Increasing, above zero.
    side : float
        Which well: the sign of n·a.
    start : float or None
        In which well the magnet is in equilibrium before the pulse; None for both.
    basis : Basis
    """
    before = resting_means(pulse, rest, basis, start)
    steady = pulse.steady(basis)
    probability = steady.of(side)[1]
    u, now = step_function(basis, side, pulse.pole is not None), 0.0
    matrix = pulse.generator(basis)
    coupled = reached(matrix, u)
    follow = Exponential(matrix[coupled][:, coupled].tocsr())
    u, before, stationary = u[coupled], before[coupled], steady.means[coupled]
    values, shares = [], []
    edges = (
        outermost(basis.degrees, basis.l_max)[coupled],
        outermost(np.abs(basis.orders), basis.m_max)[coupled],
    )
    for length in lengths.tolist():
        count, step = follow.steps(length - now)
        for _ in range(count):
            u = follow(u, step)
            # rounding adds to the constant, which never decays
            u[0] += np.sqrt(4.0 * np.pi) * (probability - float(stationary @ u))
        now = length
        parts = before * u
        values.append(float(np.sum(parts)))
        size = max(abs(values[-1]), np.finfo(float).tiny)
        shares.append([float(np.sum(np.abs(parts[edge]))) / size for edge in edges])
    worst = np.max(shares, axis=0)
    return Remaining(np.array(values), float(worst[0]), float(worst[1]), probability)


@dataclass(frozen=True)
class Slowest:
    """Slowest mode of n·a, and the steady state's wells.

    Attributes
    ----------
    rate : float
        Of decay; the real part if complex.
    turning : float
        Imaginary part of the eigenvalue.
    upper, lower : float
        Probabilities of n·a > 0 and n·a < 0.
    rounding : float
        Relative error of the rate by that of the matrix.
    """

    rate: float
    turning: float
    upper: float
    lower: float
    rounding: float


def slowest(state: BitState, basis: Basis) -> tuple[Slowest, float, float]:
    """Return the slowest mode that the wells take part in, and the tails of its function.

    M 1 = 0 makes the first column of M zero, so that its other eigenvalues are those of M without
    the first row and column: no mode has to be left out by hand.
    """
    from scipy.sparse.linalg import LinearOperator, eigs, splu

    matrix = state.generator(basis)
    coupled = reached(matrix, step_function(basis, 1.0, state.pole is not None))[1:]
    inner = matrix[coupled][:, coupled].tocsc()
    inverse = LinearOperator(inner.shape, matvec=splu(inner).solve, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=coupled.size)
    values, modes = eigs(inverse, k=4, which="LM", v0=start)
    best = int(np.argmax(np.abs(values)))
    value, mode = 1.0 / values[best], np.abs(modes[:, best])
    wells = state.steady(basis)
    rounding = np.finfo(float).eps * float(np.abs(inner).sum(axis=1).max()) / abs(value)
    edges = (
        outermost(basis.degrees, basis.l_max)[coupled],
        outermost(np.abs(basis.orders), basis.m_max)[coupled],
    )
    size = float(np.linalg.norm(mode))
    # an eigenvalue's error is of second order in those of its modes
    high, wide = ((float(np.linalg.norm(mode[edge])) / size) ** 4 for edge in edges)
    found = Slowest(-value.real, value.imag, wells.upper, wells.lower, rounding)
    return found, high, wide


def reached(matrix: Sparse, vector: FloatArray) -> NDArray[np.intp]:
    """Return the places that the powers of a matrix bring about from a vector; l = 0 is first.

    Harmonics of a symmetry that the vector does not have stay out.
    """
    from scipy.sparse.csgraph import connected_components

    _, label = connected_components(matrix, directed=False)
    there = np.abs(vector) > _NOTHING * np.max(np.abs(vector))
    return np.flatnonzero(np.isin(label, np.unique(label[there])))


def outermost(numbers: NDArray[np.intp], largest: int) -> NDArray[np.bool_]:
    """Which degrees or orders are in the last tenth, or among the last two."""
    return np.asarray(numbers > min(0.9 * largest, largest - 1.5))


def aligned(state: BitState, other: BitState) -> BitState:
    """Return a state seen in the frame of another one with the same axis."""
    return replace(state, pole=other.pole, seen_from=tuple(map(tuple, other.frame.tolist())))


def resting_means(pulse: BitState, rest: BitState, basis: Basis, side: float | None) -> FloatArray:
    """Means of the harmonics of `pulse` in the equilibrium of a well, or of both, at rest."""
    wells = aligned(rest, pulse).equilibrium(basis)
    if side is None:
        return wells.means
    means, probability = wells.of(side)
    return np.asarray(means / probability)


def first_basis(*states: BitState) -> Basis:
    """Return a truncation to begin with."""
    degree = 24 + int(4.0 * np.sqrt(max(state.span for state in states)))
    order = FIRST_ORDER if states[0].pole is None else degree // 4
    return Basis(degree, min(order, degree))


def pole_of(magnet: Magnet, axis: FloatArray) -> FloatArray | None:
    """Return the hard axis of a flat magnet, across the axis of its bit, or None.

    Flat is a magnet that loses more energy from the hard axis to the middle one than from there
    to the bit's.
    """
    if magnet.anisotropy is None:
        return None
    hard = bit.easy_axis(-1.0 * magnet.anisotropy)
    if abs(hard @ axis) > ASLANT:
        return None
    hard = hard - axis * (hard @ axis)
    hard = hard / np.linalg.norm(hard)
    top, middle, low = magnet.anisotropy(np.stack([hard, np.cross(hard, axis), axis]))
    return hard if top - middle > max(middle - low, 0.0) else None


def settled(
    compute: Callable[[Basis], tuple[Found, float, float]],
    change: Callable[[Found, Found], float],
    basis: Basis,
    tolerance: float,
    what: str,
    largest: int = LARGEST_SIZE,
) -> tuple[Found, float]:
    """Return an answer in so many harmonics that more of them change nothing.

    Parameters
    ----------
    compute : callable
        Takes a basis, returns the answer and what the edges in degree and order contribute.
    change : callable
        Takes two answers, returns how far apart they are.
    basis : Basis
        To begin with.
    tolerance : float
    what : str
        For the error.
    largest : int
        Number of functions beyond which the problem is refused.

    Returns
    -------
    found
        The answer.
    error : float
        Its change from a smaller basis.

    Raises
    ------
    ResolutionError
        If more functions would be needed.
    """
    previous, error = None, np.inf
    while basis.size <= largest:
        found, of_degree, of_order = compute(basis)
        if previous is not None:
            error = change(found, previous)
            if error <= tolerance:
                return found, error
        previous = None
        degree, order = basis.l_max, basis.m_max
        # they are products of two tails, and one of them is the error
        high, wide = np.sqrt(of_degree) > tolerance, np.sqrt(of_order) > tolerance
        if not (high or wide):
            previous = found
            high = wide = True
        degree = int(1.25 * degree) + 2 if high else degree
        order = int((1.2 if previous is not None else 1.4) * order) + 2 if wide else order
        basis = Basis(degree, min(order, degree))
    reached = f"a change of {error:.0e}" if np.isfinite(error) else "too much in the last harmonics"
    raise ResolutionError(
        f"{what}: {largest} functions on the sphere leave {reached}, expected {tolerance:g}; "
        "longer pulses, a smaller barrier or a larger tolerance need fewer"
    )
