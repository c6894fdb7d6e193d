"""Coefficient vectors that change in time, as few matrices.

With a landscape the operators are many and may be full, but along a protocol their coefficients
stay in a space of few dimensions, those of 1, H, P and their products. A basis of it is turned into
matrices once; what acts at a time is a sum of these.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from spintherm.fokker_planck.generator import Coefficients, backward
from spintherm.fokker_planck.harmonics import Basis, Floats, kept_by_size
from spintherm.fokker_planck.landscape import Landscape

FULL = 0.12  # share of elements from which a full matrix is faster than a sparse one
NEGLIGIBLE = 1e-14


def span_of(vectors: Floats) -> tuple[Floats, Floats]:
    """Return rows that span vectors up to rounding, and the duals that give the weights.

    Parameters
    ----------
    vectors : ndarray, shape (n, k)

    Returns
    -------
    span, duals : ndarray, shape (rank, k)
        ``vectors == vectors @ duals.T @ span``.
    """
    scale = np.max(np.abs(vectors), axis=0)
    used = np.flatnonzero(scale)
    if not used.size:
        return np.zeros((0, vectors.shape[1])), np.zeros((0, vectors.shape[1]))
    # columns of one scale, so that small coefficients keep their digits
    _, sizes, rows = np.linalg.svd(vectors[:, used] / scale[used], full_matrices=False)
    rows = rows[: int(np.count_nonzero(sizes > NEGLIGIBLE * sizes[0]))]
    span, duals = np.zeros((2, len(rows), vectors.shape[1]))
    span[:, used], duals[:, used] = rows * scale[used], rows / scale[used]
    return span, duals


@kept_by_size
def matrix_of(basis: Basis, landscape: Landscape | None, coefs: bytes) -> Any:
    """Matrix of one coefficient vector, given as its bytes; in full where it is not sparse."""
    matrix = backward(basis, np.frombuffer(coefs), landscape)
    return matrix.toarray() if matrix.nnz > FULL * matrix.shape[0] ** 2 else matrix


def applied(basis: Basis, landscape: Landscape, coefs: Coefficients, columns: Floats) -> Floats:
    """Return M_i times column i, shape (size, n), for coefficients (n, k) and columns (size, n)."""
    span, duals = span_of(coefs)
    out = np.zeros_like(columns)
    for row, weights in zip(span, (coefs @ duals.T).T, strict=True):
        out += weights * (matrix_of(basis, landscape, row.tobytes()) @ columns)
    return out


def means(basis: Basis, landscape: Landscape, coefs: Coefficients, columns: Floats) -> Floats:
    """Return the means of M_i 1 with the densities in the columns, shape (n,)."""
    span, duals = span_of(coefs)
    out = np.zeros(columns.shape[1])
    for row, weights in zip(span, (coefs @ duals.T).T, strict=True):
        function = matrix_of(basis, landscape, row.tobytes())[:, [0]]
        function = function if isinstance(function, np.ndarray) else function.toarray()
        out += weights * np.sqrt(4.0 * np.pi) * (function[:, 0] @ columns)
    return out
