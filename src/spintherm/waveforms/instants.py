"""Instants: when two times are the same.

Jump times are sums and differences of floats, 0.1 + 0.2 or τ - t, and miss each other by
rounding. Times within four units in the last place count as the same instant, everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from spintherm.validation import FloatArray

Times = tuple[float, ...]

_UNITS = 4.0


def same_instant(a: float, b: float) -> bool:
    """Return whether two times differ by rounding alone.

    Parameters
    ----------
    a, b : float
        Times.

    Returns
    -------
    bool
        Whether they are within four units in the last place of the smaller one.
    """
    return abs(a - b) <= _UNITS * float(np.spacing(min(abs(a), abs(b))))


def distinct(times: Iterable[float]) -> Times:
    """Return the times sorted, and of those that are the same instant only the first.

    Parameters
    ----------
    times : iterable of float
        Times in any order.

    Returns
    -------
    tuple of float
        Sorted times.
    """
    kept: list[float] = []
    for t in sorted(times):
        if not kept or not same_instant(kept[-1], t):
            kept.append(t)
    return tuple(kept)


def snapped(t: FloatArray, marks: Times) -> FloatArray:
    """Return `t` with every time that is the same instant as a mark moved onto the mark.

    Parameters
    ----------
    t : ndarray, shape (n,)
        Times.
    marks : tuple of float
        Sorted times.

    Returns
    -------
    ndarray, shape (n,)
        Times.
    """
    if not marks:
        return t
    array = np.asarray(marks)
    after = np.searchsorted(array, t)
    low, high = array[np.maximum(after - 1, 0)], array[np.minimum(after, array.size - 1)]
    nearest = np.where(np.abs(t - low) <= np.abs(high - t), low, high)
    return np.where(np.abs(t - nearest) <= _UNITS * np.spacing(np.abs(nearest)), nearest, t)


def mirrored(times: Times, duration: float) -> list[tuple[float, float, float]]:
    """Return the images duration - t of `times`, with what they are images of.

    Parameters
    ----------
    times : tuple of float
        Sorted times.
    duration : float
        The time whose image is zero.

    Returns
    -------
    list of (image, latest, earliest)
        Sorted by the image. Several times can have the same image, because times near zero are
        told apart more finely than times near `duration`: `latest` and `earliest` are the ends of
        that group. An image that differs from zero by rounding alone is zero.
    """
    least = _UNITS * float(np.spacing(duration))
    marks: list[tuple[float, float, float]] = []
    for t in reversed(times):
        image = 0.0 if abs(duration - t) <= least else duration - t
        if marks and same_instant(marks[-1][0], image):
            marks[-1] = (marks[-1][0], marks[-1][1], t)
        else:
            marks.append((image, t, t))
    return marks
