r"""The propagator: columns of tilted densities driven through a schedule, with error control.

The equation of motion of `exponents` is linear with time-dependent coefficients,

.. math:: \dot X = \sum_j A_j(t)\,X K_j ,

with sparse real matrices :math:`A_j` common to all columns. It is integrated by the explicit
Runge-Kutta method of Dormand and Prince of order 8 (Hairer, Norsett, Wanner, Solving Ordinary
Differential Equations I, II.5), whose stability region is nearly a disc of radius 6 and whose
error at that limit is small: for the few dozen degrees of a typical density neither implicit
nor exponential methods need less work (measured: one implicit step costs as much as hundreds of
products with the sparse matrices). Each step is accepted if the estimated error of every column
is below the column's share of the tolerance.

The truncation follows the density: before a step's result is kept, its coefficients at the
edges l = l_max and |m| = m_max must be below the tail tolerance; if they are not, the basis grows
and the step is repeated, so that nothing is ever lost beyond that tolerance.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.exponents import Exponents, scaled
from spintherm.fokker_planck.generator import (
    LAPLACIAN,
    OperatorStack,
    ResolutionError,
    active_operators,
    adjoint,
    operator_stack,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.schedule import Kick, Piece
from spintherm.fokker_planck.transforms import Field, field_of, full_operators

ORDER = 8
SAFETY, SHRINK, GROW = 0.85, 0.3, 4.0
MOST_STEPS = 200_000
SMALL = 200  # size of a basis up to which full matrices are fast
LARGEST_DEGREE, LARGEST_STATE = 4_000, 1_000_000  # degrees; numbers in all columns together


@dataclass
class Columns:
    """Columns of weighted densities on their way, with what is known of their errors.

    Attributes
    ----------
    basis : Basis
    values : ndarray, shape (size, n)
    error : ndarray, shape (n,)
        Accumulated estimate of the norm of the error of each column due to finite steps.
    tail : ndarray, shape (n,)
        Largest coefficient met at the edge of the truncation, absolute.
    steps : int
        Accepted steps so far.
    """

    basis: Basis
    values: NDArray[Any]
    error: Floats = field(default_factory=lambda: np.zeros(0))
    tail: Floats = field(default_factory=lambda: np.zeros(0))
    steps: int = 0

    def __post_init__(self) -> None:
        if not self.error.size:
            self.error = np.zeros(self.values.shape[1])
            self.tail = np.zeros(self.values.shape[1])

    @property
    def integrals(self) -> NDArray[Any]:
        """Integrals of the columns over the sphere, shape (n,)."""
        return np.asarray(np.sqrt(4.0 * np.pi) * self.values[0])

    @property
    def uncertainty(self) -> Floats:
        """Estimated error of the integrals, shape (n,): of steps, truncation and rounding."""
        rounding = 1e-15 * np.linalg.norm(self.values, axis=0)
        return np.asarray(np.sqrt(4.0 * np.pi) * (self.error + self.tail + rounding))


@dataclass(frozen=True)
class Limits:
    """What the propagation may cost and must reach.

    Attributes
    ----------
    tolerance : float
        Of the accumulated error of each column, relative to the column's norm.
    tail : float
        Largest allowed coefficient at the edge of the truncation, relative to the norm.
    l_max : int or None
        Fixed truncation, or none: as many as needed.
    """

    tolerance: float
    tail: float
    l_max: int | None = None


def propagate(
    columns: Columns, pieces: Iterable[Piece], exponents: Exponents, limits: Limits, span: float
) -> Columns:
    """Drive columns through pieces of a schedule.

    Parameters
    ----------
    columns : Columns
        Not changed.
    pieces : iterable of Piece
    exponents : Exponents
    limits : Limits
    span : float
        Duration over which drives share the tolerance; a kick counts as a tenth of it.

    Raises
    ------
    ResolutionError
        If the basis or the number of steps would become too large.
    OverflowError
        If the columns grow beyond the range of floating-point numbers.
    """
    hint = 0.0
    for piece in pieces:
        run = _Run(columns, piece, exponents, limits)
        if isinstance(piece, Kick):
            if piece.acts(exponents):
                columns = run.through(0.1, 0.0)
        elif piece.start < piece.stop:
            columns = run.through((piece.stop - piece.start) / span, hint)
            hint = run.last_step
    return columns


class _Run:
    """One pass through one piece: the loop over its steps."""

    def __init__(
        self, columns: Columns, piece: Piece, exponents: Exponents, limits: Limits
    ) -> None:
        self.piece, self.exponents, self.limits = piece, exponents, limits
        self.basis, self.values = columns.basis, columns.values
        self.error, self.tail, self.steps = columns.error.copy(), columns.tail.copy(), columns.steps
        self.last_step = 0.0

    def through(self, share: float, hint: float) -> Columns:
        """Integrate to the end with a share of the tolerance, the first step being `hint`."""
        piece, t = self.piece, self.piece.start
        length = piece.stop - piece.start
        equation = _equation(piece, self.exponents, self.basis)
        h = hint or equation.first_step
        largest, fresh = np.inf, True
        while t < piece.stop:
            h = _fitting(h, piece.stop - t)
            trial = equation.step(t, h, self.values, fresh=fresh)
            fresh = False
            scale = self._scale(trial.values)
            ratio = largest_ratio(trial.error, self.limits.tolerance * share * (h / length) * scale)
            if ratio > 1.0:  # near the limit of stability errors soar: stay below for a while
                largest = 0.95 * h
                h *= max(SHRINK, SAFETY * ratio ** (-1.0 / ORDER)) if np.isfinite(ratio) else 0.1
                if h < 1e-12 * length:
                    raise OverflowError("the exponents are too large for floating-point numbers")
                continue
            edges = edge_sizes(equation.basis, trial.values)
            larger = self._larger(equation.basis, edges, scale)
            if larger is not None:
                self.values = equation.basis.embed_columns(self.values, larger)
                equation, fresh = _equation(piece, self.exponents, larger), True
                continue
            t = piece.stop if h >= piece.stop - t else t + h
            self._accept(equation.basis, trial, edges)
            self.last_step, fresh, largest = h, True, 1.05 * largest
            h = min(h * min(GROW, SAFETY * max(ratio, 1e-9) ** (-1.0 / ORDER)), largest)
        return Columns(self.basis, self.values, self.error, self.tail, self.steps)

    def _scale(self, values: NDArray[Any]) -> Floats:
        own = column_norms(values)
        return np.maximum(own, own[self.exponents.leaders])

    def _accept(self, basis: Basis, trial: _Trial, edges: tuple[Floats, Floats]) -> None:
        self.basis, self.values = basis, trial.values
        self.error = self.error + trial.error
        self.tail = np.maximum(self.tail, np.max(edges, axis=0))
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise ResolutionError(
                f"more than {MOST_STEPS} time steps are needed with l_max = {basis.l_max}: the"
                " duration is too long for the fastest rates, which grow like l_max**2"
            )

    def _larger(self, basis: Basis, edges: tuple[Floats, Floats], scale: Floats) -> Basis | None:
        """Return the basis to go on in if this one has become too small, else None."""
        if isinstance(self.piece, Kick) and self.piece.last:
            return None
        return larger_basis(basis, edges, scale, self.limits)


def larger_basis(
    basis: Basis, edges: tuple[Floats, Floats], scale: Floats, limits: Limits
) -> Basis | None:
    """Return a larger basis if the coefficients at the edges exceed the limit, else None.

    Parameters
    ----------
    basis : Basis
    edges : tuple of ndarray, shape (n,)
        Of `edge_sizes`.
    scale : ndarray, shape (n,)
        Norms relative to which they count.
    limits : Limits

    Raises
    ------
    ResolutionError
        If the truncation is fixed, or would become too large.
    """
    worst = [largest_ratio(edge, scale) / limits.tail for edge in edges]
    if max(worst) <= 1.0:
        return None
    degree, order = basis.l_max, basis.m_max
    if worst[0] > 1.0:
        if limits.l_max is not None:
            raise ResolutionError(
                f"l_max={degree} leaves a relative tail of {worst[0] * limits.tail:.1e}, above"
                f" {limits.tail:.1e}: raise l_max or the tolerance"
            )
        degree = max(degree + 2, int(1.2 * degree))
    if worst[1] > 1.0:
        order = min(max(order + 2, int(1.3 * order)), degree)
    larger = Basis(degree, order)
    if larger.size * scale.size > LARGEST_STATE or degree > LARGEST_DEGREE:
        raise ResolutionError(
            f"more than {basis.size} harmonics (l_max = {basis.l_max}, m_max = {basis.m_max})"
            f" would be needed for {scale.size} columns: fields, torques or exponents are too"
            " strong"
        )
    return larger


def _fitting(step: float, left: float) -> float:
    """Return a step that does not leave a tiny rest."""
    return left if step >= left else 0.5 * left if step > 0.6 * left else step


def largest_ratio(sizes: Floats, allowed: Floats) -> float:
    """Largest ratio; infinite if anything is not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(allowed > 0.0, sizes / allowed, np.where(sizes > 0.0, np.inf, 0.0))
    worst = float(np.max(ratio))
    return worst if np.isfinite(worst) else np.inf


def column_norms(values: NDArray[Any]) -> Floats:
    """Euclidean norms of the columns, shape (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(np.sqrt(np.sum(np.abs(values) ** 2, axis=0)))


def edge_sizes(basis: Basis, values: NDArray[Any]) -> tuple[Floats, Floats]:
    """Largest coefficients of each column at the edges in l and in m, shape (n,) each."""
    shell = 2 * basis.m_max + 1
    edge_l = np.max(np.abs(values[-shell - min(shell, basis.size - shell) :]), axis=0)
    if not 0 < basis.m_max < basis.l_max:
        return edge_l, np.zeros_like(edge_l)
    return edge_l, np.max(np.abs(values[_outer(basis)]), axis=0)


@lru_cache(maxsize=64)
def _outer(basis: Basis) -> NDArray[np.intp]:
    return np.flatnonzero(np.abs(basis.orders) == basis.m_max)


@dataclass(frozen=True)
class _Trial:
    """Result of one step and its estimated error by column."""

    values: NDArray[Any]
    error: Floats


@dataclass(frozen=True, eq=False)
class _Equation:
    """The right-hand side on one piece in one basis, with its sparse matrices."""

    piece: Piece
    exponents: Exponents
    basis: Basis

    @cached_property
    def stacks(self) -> list[OperatorStack]:
        """Operators that each term uses anywhere on the piece."""
        piece = self.piece
        # generic times: a component that is not zero throughout is not zero here
        times = piece.start + (piece.stop - piece.start) * np.array([0.137, 0.3719, 0.5813, 0.9173])
        terms = piece.terms(self.exponents, times)
        return [
            operator_stack(self.basis, active_operators(terms[:, j])) for j in range(terms.shape[1])
        ]

    @cached_property
    def matrices(self) -> list[Any]:
        """Matrix of each term, whose elements are replaced at every stage."""
        from scipy.sparse import csr_array

        shape = (self.basis.size, self.basis.size)
        return [
            csr_array((np.zeros(s.indices.size), s.indices, s.indptr), shape=shape)
            for s in self.stacks
        ]

    @cached_property
    def first_step(self) -> float:
        """A careful guess from the size of the matrices."""
        terms = self.piece.terms(self.exponents, np.array([self.piece.start]))[0]
        steps = (np.ones(1), *self.exponents.multipliers)
        rate = 1e-300
        for stack, coefs, K in zip(self.stacks, terms, steps, strict=True):
            rows = np.add.reduceat(np.abs(stack.values(coefs)), stack.indptr[:-1])
            rate += float(np.max(rows)) * float(np.max(np.abs(K), initial=0.0))
        return 2.0 / rate

    @cached_property
    def slopes(self) -> NDArray[Any]:
        """Memory for the slopes of the stages, used again by every step."""
        kind = complex if self.exponents.is_complex else float
        return np.empty((len(_tableau()[1]), self.basis.size, self.exponents.columns), dtype=kind)

    def step(self, t: float, h: float, X: NDArray[Any], *, fresh: bool) -> _Trial:
        """One Runge-Kutta step of the columns X (size, n); unless `fresh` X is the last one."""
        A, C, ends = _tableau()
        terms = self.piece.terms(self.exponents, t + h * C)
        values = self._values(terms)
        K = self.slopes
        flat = K.view(float).reshape(len(C), -1)

        def like(row: NDArray[Any]) -> NDArray[Any]:
            return row.view(X.dtype).reshape(X.shape)

        with np.errstate(over="ignore", invalid="ignore"):
            if fresh:
                K[0] = self._slope(values, 0, X)
            for i in range(1, len(C)):
                K[i] = self._slope(values, i, X + like((h * A[i, :i]) @ flat[:i]))
            change, *errors = (like(row) for row in (h * ends) @ flat)
            five, three = (column_norms(e) for e in errors)
            weight = np.sqrt(five**2 + 0.01 * three**2)
            error = np.where(weight > 0.0, five**2 / np.where(weight > 0.0, weight, 1.0), 0.0)
            return _Trial(X + change, error)

    def _values(self, terms: Any) -> list[Any]:
        """Elements of the matrix of each term at all stages."""
        return [s.values(terms[:, j]) for j, s in enumerate(self.stacks)]

    def _slope(self, values: list[Any], stage: int, X: NDArray[Any]) -> NDArray[Any]:
        out: Any = None
        steps = (None, *self.exponents.multipliers)
        parts = X.view(float)  # real and imaginary parts are columns of their own
        for matrix, elements, K in zip(self.matrices, values, steps, strict=True):
            matrix.data = elements[stage]
            term = (matrix @ parts).view(X.dtype)
            if K is None:
                out = term
            else:
                out += scaled(term, K)
        return np.asarray(out)


@dataclass(frozen=True, eq=False)
class _LandscapeEquation(_Equation):
    """The same with a landscape, whose generators are applied by `transforms`."""

    @cached_property
    def field(self) -> Field:
        """What the generators are made of at the nodes."""
        piece = self.piece
        times = piece.start + (piece.stop - piece.start) * np.array([0.137, 0.3719, 0.5813, 0.9173])
        assert piece.landscape is not None
        terms = adjoint(piece.terms(self.exponents, times))
        return field_of(self.basis, piece.landscape, terms)

    @cached_property
    def first_step(self) -> float:
        terms = adjoint(self.piece.terms(self.exponents, np.array([self.piece.start]))[0])
        steps = (np.ones(1), *self.exponents.multipliers)
        degree = self.basis.l_max + 1.0
        rate = 1e-300
        for coefs, K in zip(terms, steps, strict=True):
            sizes = np.max(np.abs(self.field.at(coefs)) / self.field.transform.weight, axis=(1, 2))
            size = sizes[0] + degree * (sizes[1] + sizes[2]) + degree**2 * abs(coefs[LAPLACIAN])
            rate += float(size) * float(np.max(np.abs(K), initial=0.0))
        return 2.0 / rate

    def _values(self, terms: Any) -> list[Any]:
        backwards = adjoint(terms)
        return [(c, self.field.at(c)) for c in np.moveaxis(backwards, 1, 0)]

    def _slope(self, values: list[Any], stage: int, X: NDArray[Any]) -> NDArray[Any]:
        steps = (None, *self.exponents.multipliers)
        here = self.field.transform
        whole = here.synthesis(X.view(float)).view(X.dtype)
        fields = np.stack([f[stage] for _, f in values])
        if all(K is None or K.ndim == 1 for K in steps):
            products = _counted(whole, fields, self._numbers, self._room)
        else:
            products = np.zeros((3, *whole.shape), dtype=X.dtype)
            for f, K in zip(fields, steps, strict=True):
                pushed = whole if K is None else whole * K if K.ndim == 1 else whole @ K
                for part, one in zip(products, f, strict=True):
                    if np.any(one):
                        part += one[..., None] * pushed
        out = np.zeros_like(X)
        for (coefs, _), K in zip(values, steps, strict=True):
            if coefs[stage, LAPLACIAN] != 0.0:
                spread = (coefs[stage, LAPLACIAN] * here.decay)[:, None] * X
                out += spread if K is None else scaled(spread, K)
        out += here.analysis(products.view(float)).view(X.dtype)
        return out

    @cached_property
    def _room(self) -> NDArray[Any]:
        """Memory for the products, used again by every stage."""
        kind = complex if self.exponents.is_complex else float
        return self.field.transform.room(self.exponents.columns, kind)

    @cached_property
    def _numbers(self) -> NDArray[Any]:
        """What each term is multiplied by in every column, shape (terms, n)."""
        one = np.ones(self.exponents.columns)
        return np.stack([one, *self.exponents.multipliers])


def _counted(
    whole: NDArray[Any], fields: Floats, numbers: NDArray[Any], products: NDArray[Any]
) -> NDArray[Any]:
    """Fill products (3, K, J, n) of functions (K, J, n) with fields (terms, 3, K, J).

    The terms are summed before the columns are multiplied: columns are long, and terms few.
    """
    numbers = np.ascontiguousarray(numbers, dtype=whole.dtype).view(float)
    for place, out in enumerate(products):
        used = np.flatnonzero(np.any(fields[:, place], axis=(1, 2)))
        if used.size == 0:
            out[...] = 0.0
        elif used.size == 1 and used[0] == 0:
            np.multiply(whole, fields[0, place][..., None], out=out)
        else:
            flat = fields[used, place].reshape(used.size, -1).T @ numbers[used]
            np.multiply(whole, flat.view(whole.dtype).reshape(whole.shape), out=out)
    return products


@dataclass(frozen=True, eq=False)
class _AxialEquation(_LandscapeEquation):
    """The same for axial densities, whose full matrices are small."""

    def _values(self, terms: Any) -> list[Any]:
        used = tuple(np.flatnonzero(np.any(terms.reshape(-1, terms.shape[-1]), axis=0)).tolist())
        assert self.piece.landscape is not None
        table = full_operators(self.basis, self.piece.landscape, used)
        shape = (-1, self.basis.size, self.basis.size)
        return [(c[:, used] @ table).reshape(shape) for c in np.moveaxis(terms, 1, 0)]

    def _slope(self, values: list[Any], stage: int, X: NDArray[Any]) -> NDArray[Any]:
        out: Any = None
        parts = X.view(float)
        for matrices, K in zip(values, (None, *self.exponents.multipliers), strict=True):
            term = (matrices[stage] @ parts).view(X.dtype)
            out = term if K is None else out + scaled(term, K)
        return np.asarray(out)


def _equation(piece: Piece, exponents: Exponents, basis: Basis) -> _Equation:
    if piece.landscape is None:
        return _Equation(piece, exponents, basis)
    axial = basis.m_max == 0 and basis.size <= SMALL
    return (_AxialEquation if axial else _LandscapeEquation)(piece, exponents, basis)


@lru_cache(maxsize=1)
def _tableau() -> tuple[Floats, Floats, Floats]:
    """Coefficients of the method, from scipy: A, C, and B with those of the two error estimates."""
    from scipy.integrate import DOP853

    return DOP853.A, DOP853.C, np.stack([DOP853.B, DOP853.E5[:-1], DOP853.E3[:-1]])
