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
    stack_of,
)
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.landscape import Landscape, reach

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
    """

    width: int
    factors: NDArray[Any]
    pivots: NDArray[Any]
    pinned: bool

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
        solution, _ = solver(
            self.factors, self.width, self.width, right[start:], self.pivots, trans=int(transposed)
        )
        if not self.pinned:
            return np.asarray(solution)
        out = np.zeros(right.shape, dtype=kind)
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

    start = int(pinned)
    itemsize = 16 if np.iscomplexobj(coefs) or np.iscomplexobj(shift) else 8
    _check_memory(basis, active_operators(coefs), landscape, itemsize)
    stack = stack_of(basis, coefs, landscape)
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


def _check_memory(
    basis: Basis, active: tuple[int, ...], landscape: Landscape | None, itemsize: int
) -> None:
    steps = 2 if max(active, default=0) >= QUADRATIC.start else 1
    if landscape is not None:
        steps = min(max(steps, reach(landscape, active)), basis.l_max)
    depth = 3 * (steps * (2 * basis.m_max + 1) + 2 * steps) + 1
    bytes_needed = basis.size * depth * itemsize
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
