"""The result: the tasks of every point merged in the order of their index, as one netCDF file.

It is written point by point, so that memory does not grow with the sweep, and its content depends
on the study alone: neither the time, nor who ran the tasks, nor in which order, is in it.
"""

from __future__ import annotations

import errno
import io
import math
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.study.arrays import Array, Values, Values_of
from spintherm.study.files import TEMPORARY, DirectoryFull, force, force_folder, write_whole
from spintherm.study.plan import Point
from spintherm.study.quantities import COORDINATES, QUANTITIES
from spintherm.study.store import Store

if TYPE_CHECKING:
    from spintherm.configuration import Study

_LARGE = 4096
"""Values of a variable at one point from which it is compressed."""
_HELD = 1 << 24
"""Bytes of a variable up to which it is written in one go at the end."""
_IN_MEMORY = 1 << 28
"""Bytes up to which the file is made in memory: HDF5 does not survive a full disk."""


@dataclass(frozen=True)
class Layout:
    """The dimensions of the sweep: names, lengths, and coordinates that label them."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    coordinates: Mapping[str, Array]

    def place(self, index: int) -> tuple[int, ...]:
        """Return where a point lies along these dimensions."""
        return tuple(int(i) for i in np.unravel_index(index, self.shape)) if self.shape else ()


def layout(study: Study, points: Sequence[Point]) -> Layout:
    """Return the dimensions of a sweep."""
    if study.sweep is None:
        return Layout((), (), {})
    adaptive = study.sweep.method == "adaptive"
    axes = study.axes()
    coordinates: dict[str, Array] = {}
    for axis in axes:
        values: Any = axis.numbers
        if adaptive:
            values = _adaptive_values([point.values[axis.key] for point in points])
        name = axis.name
        dims: tuple[str, ...] = (axis.dim,)
        held = np.asarray(values if values is not None else [str(v) for v in axis.values])
        if held.ndim > 1:  # vectors: beside the dimension, which counts them
            name, dims = f"{name}_vector", (axis.dim, "component")
        attributes = {"long_name": axis.key} | ({"units": axis.unit} if axis.unit else {})
        coordinates[name] = Array(dims, held, attributes)
    if study.sweep.method == "grid":
        return Layout(
            tuple(axis.dim for axis in axes),
            tuple(len(axis.values) for axis in axes),
            coordinates,
        )
    return Layout(("point",), (len(points),), coordinates)


def _adaptive_values(values: list[Any]) -> list[Any]:
    """Return the numbers of values such as "3.5 K"."""

    def number(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [number(one) for one in value]
        return float(value.split()[0]) if isinstance(value, str) else float(value)

    return [number(value) for value in values]


def merged(study: Study, store: Store, point: Point) -> Iterator[tuple[int, Mapping[str, Array]]]:
    """Yield the result of a point, in pieces along its trajectories."""
    rows: Iterator[Values_of] = (store.row(task.index) for task in point.tasks())
    wanted = study.output.variables
    for first, record in QUANTITIES[study.compute.quantity].merged(rows, store.attributes()):
        kept = {k: v for k, v in record.items() if wanted is None or _wanted(k, v, wanted)}
        yield first, kept


def _wanted(name: str, array: Array, wanted: Sequence[str]) -> bool:
    return name in wanted or array.attributes.get("role") == "coordinate" or name == "time"


def write_result(
    path: Path,
    study: Study,
    points: Sequence[Point],
    store: Store,
    report: Callable[[int, int], object] = lambda _done, _total: None,
) -> None:
    """Write result.nc, atomically.

    Parameters
    ----------
    path : Path
        The file.
    study : Study
        The whole study.
    points : sequence of Point
        All of them, with all tasks done.
    store : Store
        Their data.
    report : callable
        Progress, by points.

    Raises
    ------
    DirectoryFull
        If the file system takes no more.
    """
    size = len(points) * sum(
        array.values.nbytes
        for _, record in merged(study, store, points[0])
        for array in record.values()
    )
    if size <= _IN_MEMORY:
        buffer = io.BytesIO()
        _fill(buffer, study, points, store, report)
        write_whole(path, buffer.getvalue())
        return
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise DirectoryFull(
            errno.ENOSPC, f"{path}: may take {size:.3g} bytes, and {free:.3g} are free"
        )
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    try:
        _fill(temporary, study, points, store, report)
        force(temporary)
        temporary.replace(path)
        force_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _fill(
    target: Path | io.BytesIO,
    study: Study,
    points: Sequence[Point],
    store: Store,
    report: Callable[[int, int], object],
) -> None:
    import h5netcdf

    with h5netcdf.File(target, "w") as file:
        writer = _Writer(file, layout(study, points), study)
        for done, point in enumerate(points):
            for first, record in merged(study, store, point):
                writer.write(point, first, record)
            report(done + 1, len(points))
        writer.label()


class _Writer:
    """An open netCDF file that takes the results of points."""

    def __init__(self, file: Any, here: Layout, study: Study) -> None:
        self._file, self._here, self._study = file, here, study
        self._trajectories = _kept_trajectories(study)
        self._coordinates: dict[str, Values] = {}
        self._held: dict[str, Values] = {}
        for dim, size in zip(here.dims, here.shape, strict=True):
            file.dimensions[dim] = size
        self._seeds = bool(study.compute.sampled)
        if self._seeds:
            self._variable("seed", here.dims, np.dtype(np.uint64), {"long_name": "seed"})

    def write(self, point: Point, first: int, record: Mapping[str, Array]) -> None:
        """Put what is known of a point in its place."""
        place = self._here.place(point.index)
        if self._seeds and first == 0:
            self._put("seed", place, np.asarray(point.seed, np.uint64))
        for name, array in record.items():
            if name in array.dims:
                self._coordinate(point, name, array)
            elif array.dims[:1] == ("trajectory",):
                self._define(name, array.values.dtype, array)
                self._put(name, (*place, slice(first, first + len(array.values))), array.values)
            else:
                self._define(name, array.values.dtype, array)
                self._put(name, place, array.values)

    def label(self) -> None:
        """Write coordinates and attributes."""
        from spintherm.version import __version__

        for name, held in self._held.items():
            self._file.variables[name][...] = held
        for name, array in self._here.coordinates.items():
            self._labels(name, array)
        known = COORDINATES if self._study.compute.sampled else {"component": ["x", "y", "z"]}
        for name, values in known.items():
            if name in self._file.dimensions and name not in self._coordinates:
                self._labels(name, Array((name,), np.asarray(values), {}))
        for name, values in self._coordinates.items():
            if f"{name}_of_point" in self._file.variables:
                continue
            self._labels(name, Array((name,), values, {"long_name": name}))
        attributes = self._file.attrs
        if self._study.title:
            attributes["title"] = self._study.title
        beside = [name for name in self._here.coordinates if name not in self._here.dims]
        if beside:
            attributes["coordinates"] = " ".join(beside)
        attributes["quantity"] = self._study.compute.quantity
        attributes["study"] = self._study.dumps()
        attributes["study_sha256"] = self._study.digest()
        attributes["spintherm_version"] = __version__

    def _define(self, name: str, dtype: np.dtype[Any], array: Array) -> None:
        if name in self._file.variables:
            return
        sizes = dict(zip(array.dims, array.values.shape, strict=True))
        if "trajectory" in array.dims:
            sizes["trajectory"] = self._trajectories
        for dim in array.dims:
            if dim not in self._file.dimensions:
                self._file.dimensions[dim] = sizes[dim]
        attributes = {k: v for k, v in array.attributes.items() if k in ("units", "long_name")}
        self._variable(name, (*self._here.dims, *array.dims), dtype, attributes)

    def _variable(
        self, name: str, dims: tuple[str, ...], dtype: np.dtype[Any], attributes: Mapping[str, Any]
    ) -> None:
        shape = [len(self._file.dimensions[dim]) for dim in dims]
        inner = shape[len(self._here.dims) :]
        options: dict[str, Any] = {}
        if math.prod(inner) > _LARGE:
            most = max(1, (1 << 20) // max(math.prod(inner[1:]), 1))
            chunk = [1] * len(self._here.dims) + [min(inner[0], most), *inner[1:]]
            options = {"chunks": tuple(chunk), "compression": "gzip", "compression_opts": 1}
            options["shuffle"] = True
        kind: Any = _string() if dtype.kind == "O" else dtype
        variable = self._file.create_variable(name, dims, kind, **options)
        for key, value in attributes.items():
            variable.attrs[key] = value
        if dtype.kind == "O" or math.prod(shape) * dtype.itemsize <= _HELD:
            self._held[name] = np.empty(shape, dtype)

    def _put(self, name: str, place: tuple[Any, ...], values: Any) -> None:
        target = self._held.get(name)
        whole = self._file.variables[name] if target is None else target
        whole[place or ...] = values[()] if np.ndim(values) == 0 else values

    def _coordinate(self, point: Point, name: str, array: Array) -> None:
        """Keep the coordinate of a dimension; where it differs between points, as a variable."""
        if point.index == 0:
            self._coordinates[name] = array.values
            if name not in self._file.dimensions:
                self._file.dimensions[name] = len(array.values)
            return
        varying = f"{name}_of_point"
        if varying not in self._file.variables:
            if np.array_equal(self._coordinates[name], array.values):
                return
            meaning = {"long_name": f"{name} at each point"}
            self._variable(varying, (*self._here.dims, name), array.values.dtype, meaning)
            for earlier in range(point.index):
                self._put(varying, self._here.place(earlier), self._coordinates[name])
        self._put(varying, self._here.place(point.index), array.values)

    def _labels(self, name: str, array: Array) -> None:
        for dim, size in zip(array.dims, array.values.shape, strict=True):
            if dim not in self._file.dimensions:
                self._file.dimensions[dim] = size
        if array.values.dtype.kind in "UO":
            variable = self._file.create_variable(name, array.dims, _string())
            variable[...] = array.values.astype(object)
        else:
            variable = self._file.create_variable(name, array.dims, array.values.dtype)
            variable[...] = array.values
        for key, value in array.attributes.items():
            variable.attrs[key] = value


def _string() -> Any:
    import h5py  # type: ignore[import-untyped]

    return h5py.string_dtype()


def _kept_trajectories(study: Study) -> int:
    count = int(getattr(study.compute, "trajectories", 0))
    return -(-count // study.output.trajectory_stride)
