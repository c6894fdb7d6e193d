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


def text(words: str, attributes: Mapping[str, Any]) -> Array:
    """Return a short text as an array of bytes, which any reader of arrays understands."""
    letters = np.zeros(_LETTERS, np.uint8)
    encoded = words.encode()[:_LETTERS]
    letters[: len(encoded)] = np.frombuffer(encoded, np.uint8)
    return Array(("letter",), letters, {**attributes, "encoding": "utf-8"})


def read_text(letters: Values) -> str:
    """Return the text that `text` made an array of."""
    return bytes(np.asarray(letters, np.uint8)).rstrip(b"\0").decode()
