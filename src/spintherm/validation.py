"""Checks of arguments: every refusal names the argument, the value and what is expected."""

from __future__ import annotations

import numbers
import reprlib
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

_SHORT = reprlib.Repr()
_SHORT.maxstring = 60
_SHORT.maxother = 80
_SHORT.maxdict = 8


def complaint(name: str, value: object, expected: str) -> str:
    """Return the text of a refusal.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : object
        What was given.
    expected : str
        What would have been accepted.

    Returns
    -------
    str
        For example ``temperature=-1.0: expected a finite number >= 0``.
    """
    if isinstance(value, np.ndarray):
        shown = _SHORT.repr(value.tolist()) if value.size <= 12 else f"<array {value.shape}>"
    else:
        shown = _SHORT.repr(value)
    return f"{name}={' '.join(shown.split())}: expected {expected}"


def finite_scalar(
    name: str,
    value: object,
    *,
    positive: bool = False,
    nonnegative: bool = False,
    nonzero: bool = False,
) -> float:
    """Return `value` as a float.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : object
        A real number, a NumPy scalar or an array without axes.
    positive, nonnegative, nonzero : bool
        Further demands.

    Returns
    -------
    float
        The number.

    Raises
    ------
    TypeError
        If `value` is not a real number (booleans, strings and complex numbers are not).
    ValueError
        If it is not finite or breaks a demand.
    """
    demand = " > 0" if positive else " >= 0" if nonnegative else " other than 0" if nonzero else ""
    expected = f"a finite number{demand}"
    number = _bare(value)
    if isinstance(number, bool | np.bool_) or not isinstance(number, numbers.Real):
        raise TypeError(complaint(name, value, expected))
    try:
        result = float(number)
    except OverflowError:
        result = np.inf
    broken = (
        (positive and result <= 0.0)
        or (nonnegative and result < 0.0)
        or (nonzero and result == 0.0)
    )
    if not np.isfinite(result) or broken:
        raise ValueError(complaint(name, result, expected))
    return result


def positive_integer(name: str, value: object) -> int:
    """Return `value` as an integer of at least one.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : object
        An integer, a NumPy integer or an integer array without axes.

    Returns
    -------
    int
        The integer.

    Raises
    ------
    TypeError
        If `value` is not an integer (booleans and floats are not).
    ValueError
        If it is less than one.
    """
    return _integer(name, value, "an integer >= 1", 1)


def seed(name: str, value: object) -> int:
    """Return `value` as a seed of random numbers, an integer from 0 to 2**64 - 1.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : object
        An integer, a NumPy integer or an integer array without axes.

    Returns
    -------
    int
        The seed.

    Raises
    ------
    TypeError
        If `value` is not an integer.
    ValueError
        If it does not fit into 64 bits without sign.
    """
    return _integer(name, value, "an integer from 0 to 2**64 - 1", 0, 2**64 - 1)


def real_array(name: str, value: ArrayLike, expected: str = "finite real numbers") -> FloatArray:
    """Return `value` as a new array of finite floats of any shape.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : array_like
        Real numbers.
    expected : str
        Words for the error.

    Returns
    -------
    ndarray
        A copy, so that it can be frozen.

    Raises
    ------
    TypeError
        If `value` does not hold real numbers (booleans, strings and complex numbers are not).
    ValueError
        If it is ragged or holds a number that is not finite.
    """
    try:
        array = np.asarray(value)
    except ValueError as error:  # ragged
        raise ValueError(complaint(name, value, expected)) from error
    if array.dtype.kind == "U" and any(str(x).lstrip("+-. ")[:1].isdigit() for x in array.flat):
        expected += "; text with units is turned into numbers in reduced units by `Scales`"
    if array.dtype.kind not in "iuf":
        raise TypeError(complaint(name, value, expected))
    result = np.array(array, dtype=np.float64)
    if not np.all(np.isfinite(result)):
        raise ValueError(complaint(name, value, expected))
    return result


def vectors(name: str, value: ArrayLike, *, count: int | None = None) -> FloatArray:
    """Return `value` as an array of vectors.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : array_like, shape (..., 3)
        Vectors.
    count : int, optional
        With it the shape must be ``(count, 3)``.

    Returns
    -------
    ndarray, shape (..., 3)
        The vectors.

    Raises
    ------
    TypeError
        If `value` does not hold real numbers.
    ValueError
        If the shape is another one, or a component is not finite.
    """
    shape = "(..., 3)" if count is None else f"({count}, 3)"
    expected = f"finite vectors, shape {shape}"
    array = real_array(name, value, expected)
    wrong = array.ndim == 0 or array.shape[-1] != 3
    if wrong or (count is not None and array.shape != (count, 3)):
        raise ValueError(complaint(name, value, f"{expected}, but the shape is {array.shape}"))
    return array


def vector(name: str, value: ArrayLike) -> FloatArray:
    """Return `value` as one vector.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : array_like, shape (3,)
        Three components.

    Returns
    -------
    ndarray, shape (3,)
        The vector.

    Raises
    ------
    TypeError
        If `value` does not hold real numbers.
    ValueError
        If the shape is another one, or a component is not finite.
    """
    expected = "three finite components, shape (3,)"
    array = real_array(name, value, expected)
    if array.shape != (3,):
        raise ValueError(complaint(name, value, f"{expected}, but the shape is {array.shape}"))
    return array


def unit_direction(name: str, value: ArrayLike) -> FloatArray:
    """Return one vector with length one.

    Parameters
    ----------
    name : str
        Name of the argument, for the error.
    value : array_like, shape (3,)
        A vector other than zero.

    Returns
    -------
    ndarray, shape (3,)

    Raises
    ------
    TypeError, ValueError
        If it is not one vector, or the vector is zero.
    """
    n = vector(name, value)
    length = np.linalg.norm(n)
    if length == 0.0:
        raise ValueError(complaint(name, value, "a vector other than 0"))
    return np.asarray(n / length)


def increasing_times(name: str, value: ArrayLike) -> FloatArray:
    """Return `value` as a list of strictly increasing times.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : array_like, shape (n,)
        At least one time.

    Returns
    -------
    ndarray, shape (n,)
        The times.

    Raises
    ------
    TypeError
        If `value` does not hold real numbers.
    ValueError
        If there is none, or they are not finite, not one-dimensional or not strictly increasing.
    """
    expected = "strictly increasing finite times, shape (n,) with n >= 1"
    array = real_array(name, value, expected)
    if array.ndim != 1 or array.size == 0 or np.any(np.diff(array) <= 0.0):
        raise ValueError(complaint(name, value, expected))
    return array


def mapping(
    name: str, value: object, required: Iterable[str], optional: Iterable[str] = ()
) -> dict[str, object]:
    """Return `value` as a dictionary that holds the right keys.

    Parameters
    ----------
    name : str
        What the dictionary describes.
    value : object
        A mapping.
    required, optional : iterable of str
        Keys that must and that may be there.

    Returns
    -------
    dict
        A shallow copy.

    Raises
    ------
    TypeError
        If `value` is not a mapping.
    ValueError
        If a key is unknown or missing; the error lists what is allowed.
    """
    if not isinstance(value, Mapping):
        raise TypeError(complaint(name, value, "a mapping (a dictionary)"))
    required = tuple(required)
    allowed = required + tuple(optional)
    unknown = [key for key in value if key not in allowed]
    missing = [key for key in required if key not in value]
    if unknown:
        raise ValueError(
            complaint(name, dict(value), f"no key other than {_list(allowed)}; unknown: {unknown}")
        )
    if missing:
        raise ValueError(
            complaint(name, dict(value), f"the keys {_list(required)}; missing: {missing}")
        )
    return dict(value)


def _bare(value: object) -> object:
    """Unpack an array without axes."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value[()]
    return value


def _integer(name: str, value: object, expected: str, least: int, most: int | None = None) -> int:
    number = _bare(value)
    if isinstance(number, bool | np.bool_) or not isinstance(number, numbers.Integral):
        raise TypeError(complaint(name, value, expected))
    result = int(number)
    if result < least or (most is not None and result > most):
        raise ValueError(complaint(name, result, expected))
    return result


def _list(words: Iterable[str]) -> str:
    return ", ".join(repr(word) for word in words)
