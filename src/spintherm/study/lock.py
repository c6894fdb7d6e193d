"""One process in a run directory, or one for each shard.

A lock is a file that its holder keeps locked by the operating system, which lets go when the holder
dies, however it dies. Where a shared file system keeps such locks to one host, the file's content
tells others: host, process, a token, and a time that the holder refreshes.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

HEARTBEAT = 10.0
"""Seconds between signs of life."""
STALE = 60.0
"""Seconds without a sign of life after which the holder on another host is taken for dead."""
_RUNNING = {"host", "process", "token", "time"}


class Locked(RuntimeError):  # noqa: N818 - what has happened
    """Another process works in this directory."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: host, process, a token of its own, and when it gave the last sign of life.

    The time is that of the holder's clock, in seconds since 1970.
    """

    host: str
    process: int
    token: str
    time: float


@contextmanager
def held(path: Path) -> Iterator[Holder]:
    """Hold a lock.

    Parameters
    ----------
    path : Path
        The file of the lock; it stays, empty, when the lock is given up.

    Raises
    ------
    Locked
        If another process holds it; the message says which.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
    try:
        if not _taken(file):
            raise Locked(_refusal(path, _read(file)))
        other = _read(file)
        if other is not None and _alive_elsewhere(other):
            raise Locked(_refusal(path, other))
        me = Holder(socket.gethostname(), os.getpid(), uuid.uuid4().hex, time.time())
        _write(file, me)
        with _beating(file, me):
            yield me
        with suppress(OSError):
            os.ftruncate(file, 0)
    finally:
        os.close(file)


def holder(path: Path) -> Holder | None:
    """Return who holds a lock; None if nobody does."""
    try:
        file = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError:
        return None
    try:
        found = _read(file)
        if not _taken(file):
            return found or Holder("?", 0, "", time.time())
        return found if found is not None and _alive_elsewhere(found) else None
    finally:
        os.close(file)


def _taken(file: int) -> bool:
    """Lock an open file for this process, without waiting; return whether that was possible."""
    try:
        import fcntl
    except ImportError:  # no such locks: the content of the file alone tells
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _alive_elsewhere(other: Holder) -> bool:
    """Whether a holder that this system knows nothing about gave a sign of life a short time ago.

    On this host the system's lock has told already, except where there is none.
    """
    if other.host == socket.gethostname():
        return not _has_locks() and other.process != os.getpid() and _runs(other.process)
    return abs(time.time() - other.time) < STALE


def _has_locks() -> bool:
    try:
        import fcntl  # noqa: F401
    except ImportError:
        return False
    return True


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _read(file: int) -> Holder | None:
    try:
        data = json.loads(os.pread(file, 4096, 0))
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or set(data) != _RUNNING:
        return None
    return Holder(**data)


def _write(file: int, me: Holder) -> None:
    content = json.dumps(asdict(me)).encode().ljust(256)
    with suppress(OSError):  # on a full file system the system's lock still holds
        os.pwrite(file, content, 0)
        os.ftruncate(file, len(content))


@contextmanager
def _beating(file: int, me: Holder) -> Iterator[None]:
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(HEARTBEAT):
            _write(file, Holder(me.host, me.process, me.token, time.time()))

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _refusal(path: Path, other: Holder | None) -> str:
    who = "another process" if other is None else f"process {other.process} on {other.host}"
    return f"{path.parent.parent}: {who} works in this directory"
