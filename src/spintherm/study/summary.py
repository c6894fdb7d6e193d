"""What a run directory holds, in numbers: how far it is, what came out, as rows of a table."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.study.directory import RunDirectory
from spintherm.study.plan import Points

if TYPE_CHECKING:
    import xarray

    from spintherm.configuration import Study

_MOST_COLUMNS = 64
"""Values of a variable at one point beyond which it is no columns of a table."""


@dataclass(frozen=True)
class State:
    """How far a run is.

    Attributes
    ----------
    points, tasks, done : int
        Points and tasks, and tasks committed; of an adaptive sweep as many as are known.
    task_seconds : float
        Processor time of the tasks.
    size : int
        Bytes of their files.
    complete : bool
        Whether the result is there and undamaged.
    """

    points: int
    tasks: int
    done: int
    task_seconds: float
    size: int
    complete: bool


def state_of(directory: RunDirectory, study: Study) -> State:
    """Return how far a run is."""
    commits = directory.commits()
    finished = directory.finished()
    if finished is not None:
        points, tasks = int(finished["points"]), int(finished["tasks"])
    elif study.sweep is not None and study.sweep.method == "adaptive":
        points, tasks = int(study.sweep.samples or 0), len(commits)
    else:
        planned = Points(study)
        for values in study.points():
            planned.add(values)
        points, tasks = len(planned), planned.tasks
    return State(
        points,
        tasks,
        len(commits),
        sum(one.seconds for one in commits.values()),
        sum(one.size for one in commits.values()),
        finished is not None,
    )


def sweep_dims(result: xarray.Dataset, study: Study) -> tuple[str, ...]:
    """Return the dimensions of the sweep."""
    if study.sweep is None:
        return ()
    dims = tuple(axis.dim for axis in study.axes()) if study.sweep.method == "grid" else ("point",)
    return tuple(dim for dim in dims if dim in result.dims)


def columns(result: xarray.Dataset, dims: tuple[str, ...]) -> dict[str, xarray.DataArray]:
    """Return everything that has few values at each point, one value each, by name.

    Parameters
    ----------
    result : xarray.Dataset
        Of a run.
    dims : tuple of str
        Of the sweep.

    Returns
    -------
    dict of str to xarray.DataArray
        Along `dims`. What has labels of its own is named by variable and label, such as
        ``mean:work``.
    """
    found = {}
    for name in result.data_vars:
        for label, values in _labelled(result, str(name), dims):
            found[label] = values
    return found


def _labelled(
    result: xarray.Dataset, name: str, dims: tuple[str, ...]
) -> Iterator[tuple[str, xarray.DataArray]]:
    values = result[name]
    inner = [dim for dim in values.dims if dim not in dims]
    count = math.prod(values.sizes[dim] for dim in inner)
    if count > _MOST_COLUMNS or any(dim not in result.coords for dim in inner):
        return
    if not inner:
        yield name, values
        return
    for place in np.ndindex(*(values.sizes[dim] for dim in inner)):
        chosen = dict(zip(inner, place, strict=True))
        labels = (str(result[dim].values[i]) for dim, i in chosen.items())
        yield ":".join((name, *labels)), values.isel(chosen)


def rows(
    result: xarray.Dataset, dims: tuple[str, ...], variable: str | None = None
) -> Iterator[list[Any]]:
    """Yield a header and a row for each point, coordinates first.

    Parameters
    ----------
    result, dims
        As for `columns`.
    variable : str, optional
        Only what has this name, or begins with it and a colon.
    """
    shown = {
        name: values
        for name, values in columns(result, dims).items()
        if variable is None or name == variable or name.startswith(f"{variable}:")
    }
    labels = _coordinates(result, dims)
    yield [*labels, *shown]
    shape = tuple(result.sizes[dim] for dim in dims)
    arrays = [
        np.broadcast_to(values.transpose(*[d for d in dims if d in values.dims]).values, shape)
        if set(values.dims) == set(dims)
        else None
        for values in shown.values()
    ]
    for place in np.ndindex(*shape):
        here = dict(zip(dims, place, strict=True))
        at = [label[tuple(here[d] for d in label_dims)] for label_dims, label in labels.values()]
        yield [
            *(_bare(value) for value in at),
            *(_bare(array[place]) for array in arrays if array is not None),
        ]


def _coordinates(
    result: xarray.Dataset, dims: tuple[str, ...]
) -> dict[str, tuple[tuple[str, ...], Any]]:
    """Return what labels points, by name: its dimensions and values."""
    found: dict[str, tuple[tuple[str, ...], Any]] = {}
    for name, variable in result.variables.items():
        own = tuple(str(dim) for dim in variable.dims)
        if own and set(own) <= set(dims) and (name in result.coords or len(own) == 1):
            is_label = name in dims or "." in str(variable.attrs.get("long_name", ""))
            if is_label:
                found[str(name)] = (own, variable.values)
        elif (
            str(name).endswith("_vector")
            and own[-1:] == ("component",)
            and set(own[:-1]) <= {*dims}
        ):
            for i, part in enumerate("xyz"):
                found[f"{name}_{part}"] = (own[:-1], variable.values[..., i])
    return found


def _bare(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def write_csv(
    path: Path, result: xarray.Dataset, dims: tuple[str, ...], variable: str | None = None
) -> int:
    """Write a table with a row for each point; return the number of rows.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    count = -1
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for row in rows(result, dims, variable):
            writer.writerow(row)
            count += 1
    return count


def numbers(result: xarray.Dataset, dims: tuple[str, ...]) -> Mapping[str, Any]:
    """Return a result as plain numbers, for JSON: rows by point."""
    table = iter(rows(result, dims))
    header = next(table)
    return {"columns": header, "rows": [[_finite(v) for v in row] for row in table]}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
