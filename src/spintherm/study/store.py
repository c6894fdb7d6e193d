"""The data of a run: one Zarr array for each name, one row and one file for each task.

    data.zarr/moments    (task, moment)
    data.zarr/cells      (task, cell)     ...

A row is written in one piece and renamed into place by Zarr's store; `files.force` and the journal
make it last. Any reader of Zarr opens it; rows of tasks that are not done are missing.
"""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spintherm.study.arrays import Record, Values
from spintherm.study.files import (
    Damaged,
    digest,
    digest_of_files,
    force,
    force_folder,
    room_on_disk,
)


class Store:
    """The arrays of a run.

    Parameters
    ----------
    path : Path
        The folder `data.zarr`, made with the first row.
    tasks : int
        Number of rows; `expect` can raise it.
    """

    def __init__(self, path: Path, tasks: int) -> None:
        self._path = path
        self._tasks = tasks
        self._arrays: dict[str, Any] = {}

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
        with room_on_disk(self._path):
            self._ensure(record)
            for name, array in record.items():
                kept = self._arrays[name]
                if kept.shape[1:] != array.values.shape:
                    raise ValueError(
                        f"{name} has the shape {array.values.shape} at one point of the sweep and "
                        f"{kept.shape[1:]} at another: expected results of one shape; sweep such "
                        "settings in studies of their own"
                    )
                if kept.shape[0] < self._tasks:
                    kept.resize((self._tasks, *kept.shape[1:]))
                kept[task] = array.values
            paths = self._files(task)
            for path in paths:
                force(path)
            for folder in {above for path in paths for above in (path.parent, path.parent.parent)}:
                force_folder(folder)
        return digest_of_files(paths), sum(path.stat().st_size for path in paths)

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
        """Return the row of a task.

        Raises
        ------
        Damaged
            If it cannot be decoded.
        """
        self._open()
        try:
            return {name: np.asarray(array[task]) for name, array in self._arrays.items()}
        except Exception as error:  # of any codec
            raise Damaged(f"{self._path}: task {task} cannot be read ({error})") from error

    def describe(self) -> dict[str, tuple[tuple[str, ...], Mapping[str, Any]]]:
        """Return dimensions (without that of tasks) and attributes of each array."""
        self._open()
        return {
            name: (tuple(array.metadata.dimension_names[1:]), dict(array.attrs))
            for name, array in self._arrays.items()
        }

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

    def _ensure(self, record: Record) -> None:
        """Open or make the arrays for writing; what several processes make at once is the same."""
        import zarr

        if set(record) == set(self._arrays):
            return
        self._open()
        strange = set(self._arrays) - set(record)
        if strange:
            raise ValueError(
                f"{min(strange)} is told of some points of the sweep and not of others: expected "
                "the same variables at all points"
            )
        with _quiet():
            group = zarr.open_group(self._path, mode="a")
            for name, array in record.items():
                if name not in self._arrays:
                    self._arrays[name] = _create(group, name, self._tasks, array)


def _description(path: Path) -> dict[str, Any]:
    data = json.loads((path / "zarr.json").read_bytes())
    data.pop("shape")
    return dict(data)


def _create(group: Any, name: str, tasks: int, array: Any) -> Any:
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
