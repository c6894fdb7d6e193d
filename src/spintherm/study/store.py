"""The data of a run: a few Zarr arrays with a row, which is one file, for each task.

    data.zarr/numbers    (task, number)     all short arrays of floats, one after the other
    data.zarr/integers   (task, integer)    likewise of integers
    data.zarr/cells      (task, cell)       ... long arrays stand for themselves

What stands where in the first two is their attribute `contents`. Zarr's store renames a file into
place once it is written; the journal says afterwards which rows are there, with checksums. Rows
are forced to the disk every few seconds together (`settle`): a process that is killed loses
nothing by that, a machine that loses power a few seconds, which the checksums find. Any reader of
Zarr opens the arrays; rows of tasks that are not done are missing.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from spintherm.study.arrays import Array, Record, Values
from spintherm.study.files import Damaged, digest, digest_of_files, force, room_on_disk

_SHORT = 4096
"""Values of an array up to which it shares a file with others."""
_SHARED = {"f": ("numbers", "number"), "i": ("integers", "integer"), "u": ("integers", "integer")}
_TYPES = {"numbers": np.float64, "integers": np.int64}
_MANY = 64
"""Files beyond which everything is forced to the disk in one go."""


class Store:
    """The arrays of a run.

    Parameters
    ----------
    path : Path
        The folder `data.zarr`, made with the first row.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tasks = 1
        self._arrays: dict[str, Any] = {}
        self._unsettled: list[Path] = []

    def expect(self, tasks: int) -> None:
        """Make room for this many rows."""
        self._tasks = max(self._tasks, tasks)

    def write(self, task: int, record: Record) -> tuple[str, int]:
        """Write the row of a task; return the checksum and the size of its files.

        Raises
        ------
        DirectoryFull
            If the file system takes no more.
        ValueError
            If the arrays have other names or shapes than those of the tasks before.
        """
        packed = _packed(record)
        with room_on_disk(self._path):
            self._ensure(packed)
            for name, array in packed.items():
                kept = self._arrays[name]
                if kept.shape[0] < self._tasks:
                    kept.resize((self._tasks, *kept.shape[1:]))
                kept[task] = array.values
            paths = self._files(task)
            self._unsettled += paths
            return digest_of_files(paths), sum(path.stat().st_size for path in paths)

    def settle(self) -> None:
        """Force the rows to the disk that have been written since the last time."""
        paths, self._unsettled = self._unsettled, []
        with room_on_disk(self._path):
            if len(paths) > _MANY and hasattr(os, "sync"):
                os.sync()
                return
            for path in paths:
                with suppress(FileNotFoundError):
                    force(path)

    def layout(self) -> str:
        """Return a checksum of what the arrays are (not of how long); "" if they cannot be read.

        It stands in every commit, so that rows are not read as something that they are not.
        """
        try:
            if not self._open():
                return ""
            found = [(name, _description(self._path / name)) for name in sorted(self._arrays)]
        except (Damaged, OSError, ValueError):
            return ""
        return digest(json.dumps(found, sort_keys=True).encode())

    def discard(self) -> None:
        """Remove all arrays."""
        self._arrays = {}
        shutil.rmtree(self._path, ignore_errors=True)

    def consolidate(self) -> None:
        """Write the description of all arrays into that of the group, for readers elsewhere."""
        import zarr

        with room_on_disk(self._path), _quiet():
            try:
                zarr.open_group(self._path, mode="r")
            except Exception:  # damaged: it holds nothing but what is made again here
                (self._path / "zarr.json").unlink(missing_ok=True)
                zarr.open_group(self._path, mode="a")
            zarr.consolidate_metadata(self._path)

    def checksum(self, task: int) -> str:
        """Return the checksum of the files of a task as they are; "" if one is missing."""
        if not self._open():
            return ""
        try:
            return digest_of_files(self._files(task))
        except OSError:  # missing, or not readable
            return ""

    def row(self, task: int) -> dict[str, Values]:
        """Return the arrays of a task by name.

        Raises
        ------
        Damaged
            If they cannot be decoded.
        """
        self._open()
        found: dict[str, Values] = {}
        try:
            for name, array in self._arrays.items():
                values = np.asarray(array[task])
                if name in _TYPES:
                    found.update(_unpacked(values, array.attrs["contents"]))
                else:
                    found[name] = values
        except Exception as error:  # of any codec
            raise Damaged(f"{self._path}: task {task} cannot be read ({error})") from error
        return found

    def attributes(self) -> dict[str, Mapping[str, Any]]:
        """Return the attributes of the arrays of a task by name."""
        self._open()
        found: dict[str, Mapping[str, Any]] = {}
        for name, array in self._arrays.items():
            if name in _TYPES:
                found.update((one["name"], one["attributes"]) for one in array.attrs["contents"])
            else:
                found[name] = dict(array.attrs)
        return found

    def _files(self, task: int) -> list[Path]:
        paths = []
        for name, array in sorted(self._arrays.items()):
            place = (task, *(0 for _ in array.shape[1:]))
            paths.append(self._path / name / array.metadata.encode_chunk_key(place))
        return paths

    def _open(self) -> bool:
        import zarr

        if self._arrays:
            return True
        found = {}
        with _quiet():
            for path in sorted(self._path.glob("*/zarr.json")):
                try:
                    found[path.parent.name] = zarr.open_array(path.parent, mode="r+")
                except Exception as error:  # whatever a damaged description makes of Zarr
                    raise Damaged(f"{path}: cannot be opened ({error})") from error
        self._arrays = found
        return bool(found)

    def _ensure(self, packed: Record) -> None:
        """Open or make the arrays for writing; what several processes make at once is the same."""
        import zarr

        if set(packed) != set(self._arrays):
            self._open()
        if set(packed) > set(self._arrays):
            with _quiet():
                group = zarr.open_group(self._path, mode="a")
                for name in set(packed) - set(self._arrays):
                    self._arrays[name] = _create(group, name, self._tasks, packed[name])
        _check_same(packed, self._arrays)


def _check_same(packed: Record, arrays: Mapping[str, Any]) -> None:
    """Refuse a row that is not like those before."""
    for name in {*packed, *arrays}:
        if name not in packed or name not in arrays:
            raise ValueError(_other_shape(name))
        if arrays[name].shape[1:] != packed[name].values.shape:
            raise ValueError(_other_shape(name))
        if name in _TYPES:
            now, before = packed[name].attributes["contents"], arrays[name].attrs["contents"]
            for one, other in zip(now, before, strict=True):
                if (one["name"], one["shape"]) != (other["name"], list(other["shape"])):
                    raise ValueError(_other_shape(one["name"]))


def _other_shape(name: str) -> str:
    return (
        f"{name} has one shape at one point of the sweep and another one, or none, at another: "
        "expected results of one shape; sweep such settings in studies of their own"
    )


def _packed(record: Record) -> dict[str, Array]:
    """Return long arrays as they are, and all short ones of a kind as one."""
    packed: dict[str, Array] = {}
    shared: dict[str, list[Array]] = {}
    contents: dict[str, list[dict[str, Any]]] = {}
    for name, array in sorted(record.items()):
        values = array.values
        if values.size > _SHORT:
            packed[name] = array
            continue
        where, dim = _SHARED[values.dtype.kind]
        shared.setdefault(where, []).append(Array((dim,), values.ravel().astype(_TYPES[where])))
        contents.setdefault(where, []).append(
            {
                "name": name,
                "dims": list(array.dims),
                "shape": list(values.shape),
                "dtype": values.dtype.str,
                "attributes": dict(array.attributes),
            }
        )
    for where, arrays in shared.items():
        together = np.concatenate([one.values for one in arrays])
        packed[where] = Array(arrays[0].dims, together, {"contents": contents[where]})
    return packed


def _unpacked(values: Values, contents: list[dict[str, Any]]) -> dict[str, Values]:
    found, at = {}, 0
    for one in contents:
        size = math.prod(one["shape"])
        found[one["name"]] = values[at : at + size].reshape(one["shape"]).astype(one["dtype"])
        at += size
    return found


def _description(path: Path) -> dict[str, Any]:
    data = json.loads((path / "zarr.json").read_bytes())
    data.pop("shape")
    return dict(data)


def _create(group: Any, name: str, tasks: int, array: Array) -> Any:
    values = array.values
    return group.create_array(
        name,
        shape=(tasks, *values.shape),
        chunks=(1, *(max(size, 1) for size in values.shape)),
        dtype=values.dtype,
        dimension_names=("task", *array.dims),
        attributes=dict(array.attributes),
        fill_value=np.nan if values.dtype.kind == "f" else 0,
        config={"write_empty_chunks": True},
        overwrite=True,
    )


def _quiet() -> Any:
    """Silence Zarr's remarks about what its specification does not say yet."""
    return warnings.catch_warnings(action="ignore")
