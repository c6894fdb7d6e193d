"""What a task gives: named arrays, with the names of their dimensions and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
Values_of = Mapping[str, Values]

_LETTERS = 32


@dataclass(frozen=True, eq=False)
class Array:
    """An array with the names of its dimensions.

    Attributes
    ----------
    dims : tuple of str
        One name for each axis of `values`.
    values : ndarray
        Numbers; texts are kept as bytes, see `text`.
    attributes : mapping
        Unit, meaning and whatever else is JSON.
    """

    dims: tuple[str, ...]
    values: Values
    attributes: Mapping[str, Any] = field(default_factory=dict)


Record = Mapping[str, Array]


def texts(dims: tuple[str, ...], words: Values, attributes: Mapping[str, Any]) -> Array:
    """Return short texts as an array of bytes, which any reader of arrays understands.

    Parameters
    ----------
    dims : tuple of str
        Of the texts; the bytes have one more.
    words : ndarray
        Of str.
    attributes : mapping
        Of the array.
    """
    shape = np.shape(words)
    letters = np.zeros((*shape, _LETTERS), np.uint8)
    for place in np.ndindex(*shape):
        encoded = str(words[place]).encode()[:_LETTERS]
        letters[place][: len(encoded)] = np.frombuffer(encoded, np.uint8)
    return Array((*dims, "letter"), letters, {**attributes, "encoding": "utf-8"})


def read_texts(letters: Values) -> Values:
    """Return the texts that `texts` made an array of, as objects."""
    letters = np.asarray(letters, np.uint8)
    words = np.empty(letters.shape[:-1], object)
    for place in np.ndindex(*words.shape):
        words[place] = bytes(letters[place]).rstrip(b"\0").decode(errors="replace")
    return words
