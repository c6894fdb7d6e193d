"""Axes: the values of one key, a range or one by one, and what labels them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator

from spintherm.configuration import document, limits
from spintherm.configuration.problem import ConfigurationError
from spintherm.configuration.quantities import (
    Amplitude,
    Table,
    Whole,
    is_number,
    plain,
    refused,
)

_TEXT = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*", re.DOTALL)


def _value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_value(each) for each in value)
    if isinstance(value, dict):
        return {str(name): _value(inner) for name, inner in value.items()}
    if is_number(value):  # 1 and 1.0 are the same point; whole numbers come back where needed
        return float(value) + 0.0 if abs(value) <= 2.0**53 else value
    if isinstance(value, bool | str):
        return value
    raise refused("a number, text, list or table")


Value: TypeAlias = Annotated[Any, PlainValidator(_value)]


class AxisTable(Table):
    """The values of one key: a range, or one by one."""

    start: Amplitude | None = None
    """First value: a number, "200 K", or a vector."""
    stop: Amplitude | None = None
    """Last value."""
    count: Annotated[Whole, Field(ge=1, le=limits.MOST_POINTS)] | None = None
    """How many."""
    spacing: Literal["linear", "log"] = "linear"
    """Equal differences or equal ratios."""
    values: (
        Annotated[
            tuple[Value, ...], Field(strict=False, min_length=1, max_length=limits.MOST_POINTS)
        ]
        | None
    ) = None
    """Instead of a range."""


@dataclass(frozen=True)
class Axis:
    """One dimension of a sweep, with what labels it.

    Attributes
    ----------
    key : str
        Dotted key.
    name : str
        The same with underscores, which names the coordinate.
    dim : str
        Dimension of the results: the name in a grid, "point" otherwise.
    values : tuple
        As they stand in the points; of adaptive the two ends.
    unit : str
        Unit of values that have one, "" without.
    numbers : tuple or None
        The values as numbers in that unit, or vectors of numbers; None where they are neither.
    """

    key: str
    name: str
    dim: str
    values: tuple[Any, ...]
    unit: str
    numbers: tuple[Any, ...] | None


def values_of(axis: AxisTable) -> list[Any]:
    """Return the values of an axis in order, as they stand in the points."""
    if axis.values is not None:
        return [plain(value) for value in axis.values]
    number = axis.count or 1
    # one value alone is the first
    return scaled(axis, np.linspace(0.0, 1.0, number))


def length(axis: AxisTable) -> int:
    """Return how many values an axis has."""
    return len(axis.values) if axis.values is not None else axis.count or 0


def labelled(key: str, values: list[Any], dim: str | None = None) -> Axis:
    """Return the axis of a key with its values; its dimension bears its name if no other."""
    name = "_".join(document.parts(key))
    unit, numbers = _numbers(values)
    return Axis(key, name, dim or name, tuple(values), unit, numbers)


def _numbers(values: list[Any]) -> tuple[str, tuple[Any, ...] | None]:
    """Return the common unit and the values as numbers, None if they are not."""
    flat = [part for one in values for part in (one if isinstance(one, list) else [one])]
    if not all(is_number(one) or (isinstance(one, str) and _TEXT.fullmatch(one)) for one in flat):
        return "", None
    lengths = {len(one) if isinstance(one, list) else -1 for one in values}
    found = {_split(one)[1] for one in flat}
    if len(found) != 1 or len(lengths) != 1:
        return "", None
    numbers = (
        tuple(_split(part)[0] for part in one) if isinstance(one, list) else _split(one)[0]
        for one in values
    )
    return found.pop(), tuple(numbers)


def scaled(axis: AxisTable, fractions: NDArray[np.float64]) -> list[Any]:
    """Return the values of a range at fractions of it.

    Parameters
    ----------
    axis : AxisTable
        With start and stop.
    fractions : ndarray, shape (n,)
        From 0 to 1, of the logarithm for log spacing.

    Returns
    -------
    list
        Of numbers, texts with the unit, or lists of three of either. The ends are exact.
    """
    if isinstance(axis.start, tuple) and isinstance(axis.stop, tuple):
        parts = [
            _between(a, b, axis.spacing, fractions)
            for a, b in zip(axis.start, axis.stop, strict=True)
        ]
        return [list(row) for row in zip(*parts, strict=True)]
    return _between(axis.start, axis.stop, axis.spacing, fractions)


def _between(
    start: Any, stop: Any, spacing: str, fractions: NDArray[np.float64]
) -> list[float | str]:
    (a, unit), (b, _) = _split(start), _split(stop)
    if spacing == "log":
        numbers = np.copysign(
            np.exp((1 - fractions) * np.log(abs(a)) + fractions * np.log(abs(b))), a
        )
    else:
        numbers = (1.0 - fractions) * a + fractions * b
    numbers = np.where(fractions == 0.0, a, np.where(fractions == 1.0, b, numbers))
    return [f"{x!r} {unit}" if unit else x for x in numbers.tolist()]


def _split(value: Any) -> tuple[float, str]:
    """Return the number and the unit of a quantity."""
    if isinstance(value, str):
        found = _TEXT.fullmatch(value)
        if found is None:
            raise refused("a number with a unit")
        return float(found[1]), found[2]
    return float(value), ""


def check_axis(key: str, axis: AxisTable, method: str, *, counted: bool) -> None:
    """Refuse an axis that has no values, or two kinds of them.

    Parameters
    ----------
    key : str
        Of the table, for complaints.
    axis : AxisTable
    method : str
        Of the sweep, for complaints.
    counted : bool
        Whether the axis has values of its own, or only the ends of a range to draw from.

    Raises
    ------
    ConfigurationError
        With the key that is wrong.
    """
    ranged = axis.start is not None and axis.stop is not None
    if axis.values is not None:
        if any(value is not None for value in (axis.start, axis.stop, axis.count)):
            raise ConfigurationError(f"{key}.values", ": expected either values or a range")
        if not counted:
            raise ConfigurationError(f"{key}.values", f": method = {method!r} needs a range")
        return
    if not ranged:
        raise ConfigurationError(key, ": expected start and stop, or values")
    if not counted and axis.count is not None:
        raise ConfigurationError(f"{key}.count", ": not here, [sweep] says how many samples")
    if counted and axis.count is None:
        raise ConfigurationError(f"{key}.count", ": missing; expected how many values")
    _check_range(key, axis)


def _check_range(key: str, axis: AxisTable) -> None:
    three = isinstance(axis.start, tuple), isinstance(axis.stop, tuple)
    if three[0] != three[1]:
        raise ConfigurationError(f"{key}.stop", ": expected a vector where start is one")
    ends = [list(end) if isinstance(end, tuple) else [end] for end in (axis.start, axis.stop)]
    for first, last in zip(*ends, strict=True):
        for name, end in (("start", first), ("stop", last)):
            if isinstance(end, str) and _TEXT.fullmatch(end) is None:
                raise ConfigurationError(
                    f"{key}.{name}", f"={end!r}: expected a number, with a unit or without"
                )
        (a, unit), (b, other) = _split(first), _split(last)
        if unit != other:
            raise ConfigurationError(
                f"{key}.stop", f"={last!r}: expected the unit of start={first!r}"
            )
        if axis.spacing == "log" and not a * b > 0.0:
            raise ConfigurationError(
                f"{key}.spacing", "='log': expected start and stop of one sign, not zero"
            )
