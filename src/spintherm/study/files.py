"""Files that are whole or not there, and digests of them.

A file is written beside its place, forced to the disk and renamed: whoever is killed in between
leaves the old file or none. A file system that is full makes `DirectoryFull`.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
TEMPORARY = ".partial"


class DirectoryFull(OSError):  # noqa: N818 - what has happened
    """The file system of a run directory takes no more."""


class Damaged(ValueError):  # noqa: N818 - what has happened
    """A file of a run directory is not what was written."""


@contextmanager
def room_on_disk(path: Path) -> Iterator[None]:
    """Turn the errors of a full file system, a quota or a limit into `DirectoryFull`."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DirectoryFull(error.errno, f"{path}: {os.strerror(error.errno)}") from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically, replacing another.

    Raises
    ------
    DirectoryFull
        If the file system takes no more; the old file is still there.
    OSError
        If it cannot be written for another reason.
    """
    with room_on_disk(path), _beside(path, content) as temporary:
        os.replace(temporary, path)
        force_folder(path.parent)


def write_first(path: Path, content: bytes) -> bool:
    """Write a file atomically unless there is one; return whether this did it.

    Raises
    ------
    DirectoryFull, OSError
        As `write_whole`.
    """
    with room_on_disk(path), _beside(path, content) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        except OSError:  # no links on this file system
            if path.exists():
                return False
            os.replace(temporary, path)
        force_folder(path.parent)
    return True


@contextmanager
def _beside(path: Path, content: bytes) -> Iterator[Path]:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}{TEMPORARY}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def force(path: Path) -> None:
    """Force the content of a file to the disk."""
    _force(path, os.O_RDONLY)


def force_folder(path: Path) -> None:
    """Force the names in a folder to the disk, where the system knows how to."""
    if os.name == "posix":
        _force(path, os.O_RDONLY | os.O_DIRECTORY)


def _force(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest_of_file(path: Path) -> str:
    """Return the SHA-256 of a file of any size, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of_files(paths: list[Path]) -> str:
    """Return the SHA-256 of the contents of files, one after the other with their lengths."""
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(len(content).to_bytes(8, "little"))
        found.update(content)
    return found.hexdigest()


def sealed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dictionary with a checksum of itself."""
    bare = {name: value for name, value in data.items() if name != "checksum"}
    return {**bare, "checksum": digest(_canonical(bare))}


def is_sealed(data: object) -> bool:
    """Return whether a dictionary holds the right checksum of itself."""
    return isinstance(data, dict) and data.get("checksum") == sealed(data)["checksum"]


def _canonical(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()
