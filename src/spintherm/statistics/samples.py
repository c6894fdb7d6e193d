"""Samples as arguments: checked once, never copied, read in parts that fit into the cache."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from spintherm.validation import FloatArray, complaint

_PART = 1 << 15


def sample(name: str, values: ArrayLike, *, least: int = 1) -> FloatArray:
    """Return `values` as a float array with one axis, not copied if it is one already.

    Parameters
    ----------
    name : str
        Name of the argument, for the error.
    values : array_like, shape (n,)
        Numbers.
    least : int
        Smallest n allowed.

    Returns
    -------
    ndarray, shape (n,)
        The numbers.

    Raises
    ------
    ValueError
        If the shape is another one, or a number is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or array.size < least:
        expected = f"at least {least} numbers, shape (n,), but the shape is {array.shape}"
        raise ValueError(complaint(name, array, expected))
    if not all(np.isfinite(array[part]).all() for part in parts(array.size)):
        raise ValueError(complaint(name, array, "finite numbers"))
    return array


def increasing_edges(edges: ArrayLike) -> FloatArray:
    """Return the edges of bins as an array.

    Parameters
    ----------
    edges : array_like, shape (k + 1,)
        At least two strictly increasing numbers.

    Returns
    -------
    ndarray, shape (k + 1,)
        The edges.

    Raises
    ------
    ValueError
        If they are too few, not finite or do not increase.
    """
    array = sample("edges", edges, least=2)
    if np.any(np.diff(array) <= 0.0):
        raise ValueError(complaint("edges", array, "strictly increasing edges"))
    return array


def parts(size: int) -> Iterator[slice]:
    """Return slices that cover `size` samples, so that temporaries of one slice stay small."""
    return (slice(first, first + _PART) for first in range(0, size, _PART))
