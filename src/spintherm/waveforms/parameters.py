"""Parameters of waveforms: vectors are kept as tuples of floats, which compare, hash and print."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray


def keep_vectors(owner: object, *names: str) -> None:
    """Check the vectors of a frozen `owner` and replace them by tuples without negative zeros."""
    for name in names:
        array = validation.vector(name, getattr(owner, name)) + 0.0
        object.__setattr__(owner, name, tuple(array.tolist()))


def keep_number(owner: object, name: str, *, positive: bool = False) -> None:
    """Check a number of a frozen `owner` and replace it by a float."""
    value = validation.finite_scalar(name, getattr(owner, name), positive=positive)
    object.__setattr__(owner, name, value + 0.0)


def outer(weights: ArrayLike, vector: ArrayLike) -> FloatArray:
    """Return each of the weights (n,) times the vector (3,), shape (n, 3)."""
    return np.multiply.outer(
        np.asarray(weights, dtype=np.float64), np.asarray(vector, dtype=np.float64)
    )
