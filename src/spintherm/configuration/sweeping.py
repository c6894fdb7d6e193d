r"""[sweep]: which keys vary, and how: a grid, axes in step, a list, samples, or where it matters.

A grid has the product of its axes, the last one varying fastest; `zip` walks its axes in step. A
list names every point. `random` draws axes apart and uniformly (in the logarithm for
``spacing = "log"``), `latin-hypercube` so that each axis has one point in each of n strata (McKay,
Beckman and Conover, Technometrics 21, 239 (1979)). `adaptive` chooses points while it runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainValidator

from spintherm.configuration import document, limits
from spintherm.configuration.problem import ConfigurationError, unknown
from spintherm.configuration.quantities import (
    Amplitude,
    Seed,
    Table,
    Whole,
    is_number,
    plain,
    refused,
)

Point: TypeAlias = dict[str, Any]
SWEPT = ("magnet", "material", "protocol", "point", "compute")
"""Tables whose keys can vary."""
_FIXED = (
    *("quantity", "chunk", "common_random_numbers", "trajectories"),
    *("bins", "save_at", "points", "order", "pulse_lengths"),
)
"""Options that say how results are cut or shaped, which is one way for all points."""
_TYPED = 1000
_RANGED = ("random", "latin-hypercube", "adaptive")
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


class SweepTable(Table):
    """Which keys vary, and how."""

    method: Literal["grid", "zip", "list", "random", "latin-hypercube", "adaptive"] = "grid"
    """How points follow from the axes."""
    axes: dict[str, AxisTable] | None = None
    """By dotted key, such as "magnet.temperature" or "point.field.2"."""
    points: (
        Annotated[
            tuple[dict[str, Value], ...],
            Field(strict=False, min_length=1, max_length=limits.MOST_POINTS),
        ]
        | None
    ) = None
    """Of a list: tables of values by dotted key."""
    samples: Annotated[Whole, Field(ge=1, le=limits.MOST_POINTS)] | None = None
    """Number of points of random, latin-hypercube and adaptive."""
    seed: Seed | None = None
    """Of random and latin-hypercube, 0 if not given."""
    target: str | None = None
    """Of adaptive: the output whose sign changes, or that varies, from phase to phase."""
    refine: Literal["boundary", "variation"] | None = None
    """Of adaptive: points go where the target changes sign (if not given), or where it varies."""


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


def check(sweep: SweepTable) -> None:
    """Refuse a sweep that has no points or too many, or varies what cannot vary.

    Raises
    ------
    ConfigurationError
        With the key that is wrong.
    """
    _check_options(sweep)
    if sweep.method == "list":
        for i, point in enumerate(sweep.points or ()):
            for key in point:
                _check_key(f"sweep.points.{i}", key)
            if set(point) != set((sweep.points or ({},))[0]):
                raise ConfigurationError(
                    f"sweep.points.{i}", ": expected the same keys in every point"
                )
        return
    axes = sweep.axes or {}
    if len(axes) > limits.MOST_AXES:
        raise ConfigurationError("sweep.axes", f": expected at most {limits.MOST_AXES} axes")
    for key, axis in axes.items():
        _check_key("sweep.axes", key)
        _check_axis(sweep, f"sweep.axes.{document.quoted(key)}", axis)
    if sweep.method == "zip":
        lengths = {key: _length(axis) for key, axis in axes.items()}
        if len(set(lengths.values())) > 1:
            raise ConfigurationError(
                "sweep.axes", f": expected axes of one length to zip, these have {lengths}"
            )
    if count(sweep) > limits.MOST_POINTS:
        raise ConfigurationError(
            "sweep", f": expected at most {limits.MOST_POINTS} points, these are {count(sweep)}"
        )
    if sweep.method == "adaptive" and len(axes) > 3:
        raise ConfigurationError("sweep.axes", ": expected at most three axes for adaptive")


def count(sweep: SweepTable) -> int:
    """Return the number of points; of adaptive the largest."""
    if sweep.method == "list":
        return len(sweep.points or ())
    if sweep.method in _RANGED:
        return sweep.samples or 0
    lengths = [_length(axis) for axis in (sweep.axes or {}).values()]
    if sweep.method == "zip":
        return lengths[0]
    total = 1
    for length in lengths:
        total *= length
    return total


def points(sweep: SweepTable) -> list[Point]:
    """Return the points in order, each a value by dotted key.

    Raises
    ------
    ConfigurationError
        If the method is adaptive, whose points are chosen while it runs.
    """
    if sweep.method == "list":
        return [{key: plain(value) for key, value in one.items()} for one in sweep.points or ()]
    if sweep.method == "adaptive":
        raise ConfigurationError(
            "sweep.method", "='adaptive': its points are chosen while it runs, none are known yet"
        )
    columns = {key: _values(axis) for key, axis in (sweep.axes or {}).items()}
    if sweep.method in _RANGED:
        columns = _sampled(sweep)
    rows = (
        product(*columns.values())
        if sweep.method == "grid"
        else zip(*columns.values(), strict=True)
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def axes(sweep: SweepTable) -> tuple[Axis, ...]:
    """Return what labels the results, in the order of the dimensions."""
    if sweep.method == "grid":
        return tuple(_axis(key, _values(one)) for key, one in (sweep.axes or {}).items())
    if sweep.method == "adaptive":
        ends = ((key, [one.start, one.stop]) for key, one in (sweep.axes or {}).items())
        return tuple(_axis(key, plain(values), "point") for key, values in ends)
    all_points = points(sweep)
    return tuple(_axis(key, [one[key] for one in all_points], "point") for key in all_points[0])


def some(sweep: SweepTable, number: int) -> list[Point]:
    """Return a sample of the points; of a grid each axis by itself, the others at their first.

    Parameters
    ----------
    sweep : SweepTable
    number : int
        How many there are at least of each range, if it has that many; the ends are among them.
        Of values and points that are given one by one there are up to a thousand.
    """
    if sweep.method == "adaptive":
        return [{axis.key: axis.values[end] for axis in axes(sweep)} for end in (0, 1)]
    if sweep.method != "grid":
        every = points(sweep)
        wanted = number if sweep.method in _RANGED else max(number, _TYPED)
        return [every[i] for i in _spread(len(every), wanted)]
    columns = {axis.key: axis.values for axis in axes(sweep)}
    first = {key: values[0] for key, values in columns.items()}
    typed = {key for key, axis in (sweep.axes or {}).items() if axis.values is not None}
    beside = [
        first | {key: values[i]}
        for key, values in columns.items()
        for i in _spread(len(values), max(number, _TYPED) if key in typed else number)[1:]
    ]
    return [first, *beside]


def _spread(length: int, number: int) -> list[int]:
    return list(range(length))[:: max(1, length // number)] + ([length - 1] if length > 1 else [])


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


def _values(axis: AxisTable) -> list[Any]:
    if axis.values is not None:
        return [plain(value) for value in axis.values]
    number = axis.count or 1
    # one value alone is the first
    return scaled(axis, np.linspace(0.0, 1.0, number))


def _sampled(sweep: SweepTable) -> dict[str, list[Any]]:
    keyed = sweep.axes or {}
    number, seed = sweep.samples or 1, sweep.seed or 0
    draw = np.random.default_rng(seed)
    shares = draw.random((number, len(keyed)))
    if sweep.method == "latin-hypercube":
        strata = np.tile(np.arange(number), (len(keyed), 1))
        shares = (draw.permuted(strata, axis=1).T + shares) / number
    return {
        key: scaled(axis, shares[:, column]) for column, (key, axis) in enumerate(keyed.items())
    }


def _axis(key: str, values: list[Any], dim: str | None = None) -> Axis:
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


def _check_options(sweep: SweepTable) -> None:
    method = sweep.method
    allowed = {
        "list": {"points"},
        "random": {"axes", "samples", "seed"},
        "latin-hypercube": {"axes", "samples", "seed"},
        "adaptive": {"axes", "samples", "target", "refine"},
    }.get(method, {"axes"})
    needed = {"adaptive": {"axes", "samples", "target"}}.get(method, allowed - {"seed"})
    for name in ("axes", "points", "samples", "seed", "target", "refine"):
        value = getattr(sweep, name)
        if value is not None and name not in allowed:
            raise ConfigurationError(f"sweep.{name}", f": not for method = {method!r}")
        if not value and name in needed:
            raise ConfigurationError(f"sweep.{name}", f": missing, method = {method!r} needs it")


def _check_key(where: str, key: str) -> None:
    path = document.parts(key)
    if path[0] not in SWEPT or len(path) < 2:
        raise unknown_key(f"{where}.{document.quoted(key)}", path[0])
    if path[0] == "compute" and path[1] in _FIXED:
        raise ConfigurationError(
            f"{where}.{document.quoted(key)}",
            ": cannot vary, for the shape of the results depends on it",
        )


def unknown_key(key: str, first: str) -> ConfigurationError:
    """Return the complaint about a key outside the tables that can vary."""
    words = ", ".join(SWEPT)
    guess = unknown(first, SWEPT).problem.partition(";")[0].removeprefix(": unknown key")
    return ConfigurationError(key, f": expected a key inside one of {words}{guess}")


def _check_axis(sweep: SweepTable, key: str, axis: AxisTable) -> None:
    ranged = axis.start is not None and axis.stop is not None
    if axis.values is not None:
        if any(value is not None for value in (axis.start, axis.stop, axis.count)):
            raise ConfigurationError(f"{key}.values", ": expected either values or a range")
        if sweep.method in _RANGED:
            raise ConfigurationError(f"{key}.values", f": method = {sweep.method!r} needs a range")
        return
    if not ranged:
        raise ConfigurationError(key, ": expected start and stop, or values")
    if sweep.method in _RANGED and axis.count is not None:
        raise ConfigurationError(f"{key}.count", ": not here, [sweep] says how many samples")
    if sweep.method not in _RANGED and axis.count is None:
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


def _length(axis: AxisTable) -> int:
    return len(axis.values) if axis.values is not None else axis.count or 0
