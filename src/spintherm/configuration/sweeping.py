r"""[sweep]: which keys vary, and how: a grid, axes in step, a list, samples, or where it matters.

A grid has the product of its axes, the last one varying fastest; `zip` walks its axes in step. A
list names every point. `random` draws axes apart and uniformly (in the logarithm for
``spacing = "log"``), `latin-hypercube` so that each axis has one point in each of n strata (McKay,
Beckman and Conover, Technometrics 21, 239 (1979)). `adaptive` chooses points while it runs.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import Field

from spintherm.configuration import document, limits
from spintherm.configuration.axis import (
    Axis,
    AxisTable,
    Value,
    check_axis,
    labelled,
    length,
    scaled,
    values_of,
)
from spintherm.configuration.problem import ConfigurationError, suggestion
from spintherm.configuration.quantities import Seed, Table, Whole, plain

__all__ = ["Axis", "Point", "SweepTable", "axes", "check", "count", "points", "scaled", "some"]

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
            _check_apart(f"sweep.points.{i}", point)
            if set(point) != set((sweep.points or ({},))[0]):
                raise ConfigurationError(
                    f"sweep.points.{i}", ": expected the same keys in every point"
                )
        return
    axes: dict[str, AxisTable] = sweep.axes or {}
    if len(axes) > limits.MOST_AXES:
        raise ConfigurationError("sweep.axes", f": expected at most {limits.MOST_AXES} axes")
    _check_apart("sweep.axes", axes)
    for key, axis in axes.items():
        where = f"sweep.axes.{document.quoted(key)}"
        _check_key("sweep.axes", key)
        check_axis(where, axis, sweep.method, counted=sweep.method not in _RANGED)
    if sweep.method == "zip":
        lengths = {key: length(axis) for key, axis in axes.items()}
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
    lengths = [length(axis) for axis in (sweep.axes or {}).values()]
    if sweep.method == "zip":
        return lengths[0]
    total = 1
    for one in lengths:
        total *= one
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
    columns = {key: values_of(axis) for key, axis in (sweep.axes or {}).items()}
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
        return tuple(labelled(key, values_of(one)) for key, one in (sweep.axes or {}).items())
    if sweep.method == "adaptive":
        ends = ((key, [one.start, one.stop]) for key, one in (sweep.axes or {}).items())
        return tuple(labelled(key, plain(values), "point") for key, values in ends)
    all_points = points(sweep)
    return tuple(labelled(key, [one[key] for one in all_points], "point") for key in all_points[0])


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
        words = ", ".join(SWEPT)
        raise ConfigurationError(
            f"{where}.{document.quoted(key)}",
            f": expected a key inside one of {words}{suggestion(path[0], SWEPT)}",
        )
    if path[0] == "compute" and path[1] in _FIXED:
        raise ConfigurationError(
            f"{where}.{document.quoted(key)}",
            ": cannot vary, for the shape of the results depends on it",
        )


def _check_apart(where: str, keys: Iterable[str]) -> None:
    """Refuse keys of which one lies inside another, or whose coordinates would share a name."""
    paths = [document.parts(key) for key in keys]
    for i, one in enumerate(paths):
        for other in paths[:i]:
            short, long = sorted((one, other), key=len)
            if long[: len(short)] == short or "_".join(one) == "_".join(other):
                raise ConfigurationError(
                    where, f": expected keys apart, not {'.'.join(one)} and {'.'.join(other)}"
                )
