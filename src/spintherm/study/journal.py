"""The journal: one line of JSON for each task whose data are on the disk.

A line is the commit marker of a task and is written last and in one piece. It
holds a checksum of the task's files and one of itself, so that neither a torn line nor a damaged
chunk is believed. Every process that works in a directory has a journal of its own; they are read
together.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from spintherm.study.files import is_sealed, room_on_disk, sealed

SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Commit:
    """A task that is done.

    Attributes
    ----------
    task : int
        Its index.
    sha256 : str
        Of its files.
    layout : str
        Checksum of what the arrays are, see `Store.layout`.
    seconds : float
        How long it took where it ran.
    size : int
        Bytes of its files.
    """

    task: int
    sha256: str
    layout: str
    seconds: float
    size: int


class Journal:
    """The journal of one process, open for appending.

    Parameters
    ----------
    path : Path
        The file; a torn last line in it is closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with room_on_disk(path):
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
            self._file = os.open(path, flags, 0o666)
        self._clean = not self._torn()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def append(self, commit: Commit) -> None:
        """Write the line of a task.

        Raises
        ------
        DirectoryFull
            If there is no room.
        """
        line = json.dumps(sealed(asdict(commit))).encode() + b"\n"
        if not self._clean:
            line = b"\n" + line
        self._clean = False
        with room_on_disk(self._path):
            written = os.write(self._file, line)
            while written < len(line):
                written += os.write(self._file, line[written:])
        self._clean = True

    def settle(self) -> None:
        """Force the lines to the disk.

        Raises
        ------
        DirectoryFull
            If there is no room.
        """
        with room_on_disk(self._path):
            os.fsync(self._file)

    def _torn(self) -> bool:
        size = os.fstat(self._file).st_size
        return size > 0 and os.pread(self._file, 1, size - 1) != b"\n"


def read(folder: Path) -> dict[int, Commit]:
    """Return the last commit of each task in all journals of a folder, by task."""
    commits: dict[int, Commit] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        commits.update((commit.task, commit) for commit in _lines(path))
    return commits


def _lines(path: Path) -> Iterator[Commit]:
    for line in path.read_bytes().split(b"\n"):
        try:
            data = json.loads(line)
        except ValueError:
            continue
        if is_sealed(data):
            data.pop("checksum")
            try:
                yield Commit(**data)
            except TypeError:
                continue
