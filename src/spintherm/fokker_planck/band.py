"""Banded LU factors of a generator: the linear solver of the density engine.

The unknowns are sorted by l and, within l, by |m|, so that every generator is a band matrix with
half-width about 2 m_max + 4 (twice that with quadratic terms); LAPACK's gbtrf with partial
pivoting then costs 4 size·width² operations, and the pivots keep it stable where the generator is
far from symmetric.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.generator import (
    QUADRATIC,
    Coefficients,
    OperatorStack,
    ResolutionError,
    active_operators,
    backward,
    operator_stack,
)
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.landscape import Landscape

MEMORY_LIMIT = 2.0**29
"""Largest band matrix in bytes; what needs more is refused."""


@dataclass(frozen=True)
class BandFactors:
    """LU factors of (M - shift), optionally without the unknown l = 0.

    Attributes
    ----------
    width : int
        Half-width of the band.
    factors, pivots : ndarray
        As LAPACK's gbtrf returns them.
    pinned : bool
        Whether row and column l = 0 were left out. Vectors keep their full length: the first
        element of a right-hand side is ignored and that of a solution is zero.
    full : bool
        The factors are those of getrf: the band was too wide to be worth while.
    """

    width: int
    factors: NDArray[Any]
    pivots: NDArray[Any]
    pinned: bool
    full: bool = False

    def solve(self, right: NDArray[Any], *, transposed: bool = False) -> NDArray[Any]:
        """Return x with (M - shift) x = right, or with the transposed matrix.

        Parameters
        ----------
        right : ndarray, shape (size,) or (size, k)
        transposed : bool

        Returns
        -------
        ndarray, shape of `right`
        """
        from scipy.linalg import lapack

        start = int(self.pinned)
        kind = np.result_type(self.factors, right)
        solver = lapack.zgbtrs if self.factors.dtype.kind == "c" else lapack.dgbtrs
        if kind.kind == "c" and self.factors.dtype.kind != "c":
            both = np.stack([right.real, right.imag], axis=-1).reshape(len(right), -1)
            parts = self.solve(both, transposed=transposed).reshape(*right.shape, 2)
            return np.asarray(parts[..., 0] + 1j * parts[..., 1])
        if self.full:
            dense = lapack.zgetrs if self.factors.dtype.kind == "c" else lapack.dgetrs
            solution, _ = dense(
                self.factors, self.pivots, right[start:].astype(kind), trans=int(transposed)
            )
            return self._whole(solution, right.shape, kind)
        solution, _ = solver(
            self.factors, self.width, self.width, right[start:], self.pivots, trans=int(transposed)
        )
        return self._whole(solution, right.shape, kind)

    def _whole(self, solution: NDArray[Any], shape: tuple[int, ...], kind: Any) -> NDArray[Any]:
        """Return a solution with the unknown l = 0 that was left out."""
        if not self.pinned:
            return np.asarray(solution)
        out = np.zeros(shape, dtype=kind)
        out[1:] = solution
        return out


def factorise(
    basis: Basis,
    coefs: Coefficients,
    landscape: Landscape | None = None,
    *,
    shift: complex = 0.0,
    pinned: bool = False,
) -> BandFactors:
    """Factorise M - shift in a basis.

    Parameters
    ----------
    basis : Basis
    coefs : ndarray, shape (17,)
        Of the matrix M itself; pass ``adjoint(coefs)`` for a forward generator.
    landscape : Landscape, optional
        For longer coefficient vectors.
    shift : complex
    pinned : bool
        Leave the unknown l = 0 out: a forward generator is singular with it.

    Raises
    ------
    ResolutionError
        If the band matrix would not fit `MEMORY_LIMIT`.
    """
    from scipy.linalg import lapack

    if landscape is not None:
        return _factorise_matrix(basis, backward(basis, coefs, landscape), shift, pinned)
    active = active_operators(coefs)
    start = int(pinned)
    _check_memory(basis, active, 16 if np.iscomplexobj(coefs) or np.iscomplexobj(shift) else 8)
    stack = operator_stack(basis, active)
    values = stack.values(coefs)
    if shift != 0.0:
        values = values.astype(np.result_type(values, shift))
        values[_diagonal(stack)] -= shift
    width = stack.bandwidth
    size, depth = basis.size - start, 3 * width + 1
    band = np.zeros(size * depth, dtype=values.dtype)
    places, kept = _band_places(stack, start)
    band[places] = values[kept]
    solver = lapack.zgbtrf if values.dtype.kind == "c" else lapack.dgbtrf
    factors, pivots, info = solver(band.reshape(size, depth).T, width, width, overwrite_ab=1)
    if info > 0:  # exactly singular: an eigenvalue was hit; the smallest shift mends it
        factors[2 * width, info - 1] = np.finfo(float).eps * np.max(np.abs(values))
    return BandFactors(width, factors, pivots, pinned)


def _factorise_matrix(basis: Basis, matrix: Any, shift: complex, pinned: bool) -> BandFactors:
    """Factorise a sparse matrix - shift, with a band or, if that is too wide, in full."""
    from scipy.linalg import lapack

    start = int(pinned)
    coo = matrix.tocoo()
    rows, columns = coo.coords
    keep = (rows >= start) & (columns >= start)
    rows, columns, values = rows[keep] - start, columns[keep] - start, coo.data[keep]
    size = basis.size - start
    width = int(np.max(np.abs(rows - columns), initial=0))
    kind = np.result_type(values, shift)
    full = 4 * width > size
    depth = size if full else 3 * width + 1
    _check_bytes(basis, size * depth * kind.itemsize)
    store = np.zeros((size, depth), dtype=kind)
    store[columns, rows if full else 2 * width + rows - columns] = values
    if shift != 0.0:
        diagonal = np.arange(size)
        store[diagonal, diagonal if full else 2 * width] -= shift
    complex_kind = kind.kind == "c"
    if full:
        solver = lapack.zgetrf if complex_kind else lapack.dgetrf
        factors, pivots, info = solver(store.T, overwrite_a=1)
    else:
        solver = lapack.zgbtrf if complex_kind else lapack.dgbtrf
        factors, pivots, info = solver(store.T, width, width, overwrite_ab=1)
    if info > 0:
        place = info - 1 if full else 2 * width
        factors[place, info - 1] = np.finfo(float).eps * np.max(np.abs(values))
    return BandFactors(0 if full else width, factors, pivots, pinned, full)


def _check_memory(basis: Basis, active: tuple[int, ...], itemsize: int) -> None:
    reach = 2 if max(active, default=0) >= QUADRATIC.start else 1
    depth = 3 * (reach * (2 * basis.m_max + 1) + 2 * reach) + 1
    _check_bytes(basis, basis.size * depth * itemsize)


def _check_bytes(basis: Basis, bytes_needed: float) -> None:
    if bytes_needed > MEMORY_LIMIT:
        raise ResolutionError(
            f"{basis} needs a band matrix of {bytes_needed / 2**30:.1f} GiB,"
            f" more than the limit of {MEMORY_LIMIT / 2**30:.1f} GiB"
        )


def _diagonal(stack: OperatorStack) -> NDArray[Any]:
    return np.flatnonzero(stack.rows == stack.indices)


def _band_places(stack: OperatorStack, start: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Places of the pattern's elements in LAPACK's band storage, and which elements they are."""
    store: dict[int, tuple[NDArray[Any], NDArray[Any]]] = stack.__dict__.setdefault("_places", {})
    if start not in store:
        width = stack.bandwidth
        kept = np.flatnonzero((stack.rows >= start) & (stack.indices >= start))
        rows, columns = stack.rows[kept], stack.indices[kept].astype(np.intp)
        places = (columns - start) * (3 * width + 1) + 2 * width + rows - columns
        store[start] = (places, kept)
    return store[start]
