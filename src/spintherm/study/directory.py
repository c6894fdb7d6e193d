"""The run directory: everything about a run, and nothing outside.

    study.toml        what was asked, resolved: a study that can be run again
    provenance.json   versions, kernels, processor, command, seed, checksum of study.toml
    data.zarr/        arrays with a row for each task (see `store`)
    commits/          a journal for each process that worked here (see `journal`)
    locks/            who works here now (see `lock`)
    run.log           what happened when
    result.nc         the result, once everything is done

Nothing else is needed to go on with the run, on this machine or another.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spintherm.study import journal
from spintherm.study.files import (
    digest,
    digest_of_file,
    is_sealed,
    sealed,
    write_first,
    write_whole,
)

STUDY, PROVENANCE, DATA, RESULT, LOG = (
    "study.toml",
    "provenance.json",
    "data.zarr",
    "result.nc",
    "run.log",
)
COMMITS, LOCKS, FINISHED, REPORT = "commits", "locks", "finished.json", "report.html"
_OURS = {STUDY, PROVENANCE, DATA, RESULT, LOG, COMMITS, LOCKS, FINISHED, REPORT}


class Refused(ValueError):  # noqa: N818 - what has happened
    """A directory that cannot be used for this run."""


@dataclass(frozen=True)
class RunDirectory:
    """A run directory whose description is sound.

    Attributes
    ----------
    path : Path
        Of the directory.
    study : str
        Content of study.toml.
    provenance : mapping
        Content of provenance.json.
    """

    path: Path
    study: str
    provenance: Mapping[str, Any]

    @property
    def data(self) -> Path:
        """The Zarr group."""
        return self.path / DATA

    @property
    def result(self) -> Path:
        """The result."""
        return self.path / RESULT

    def journal_of(self, name: str) -> journal.Journal:
        """Open the journal of a process that has this name."""
        folder = self.path / COMMITS
        folder.mkdir(exist_ok=True)
        return journal.Journal(folder / f"{name}{journal.SUFFIX}")

    def commits(self) -> dict[int, journal.Commit]:
        """Return the commits of all tasks."""
        return journal.read(self.path / COMMITS)

    def lock(self, name: str) -> Path:
        """Return the file of a lock."""
        folder = self.path / LOCKS
        folder.mkdir(exist_ok=True)
        return folder / f"{name}.lock"

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Record that the result is complete, with its checksum."""
        record = sealed({**summary, "result_sha256": digest_of_file(self.result)})
        write_whole(self.path / FINISHED, json.dumps(record, indent=1).encode() + b"\n")

    def finished(self) -> Mapping[str, Any] | None:
        """Return what `finish` recorded if the result is complete and undamaged, else None."""
        try:
            record = json.loads((self.path / FINISHED).read_bytes())
            whole = is_sealed(record) and record["result_sha256"] == digest_of_file(self.result)
        except (OSError, ValueError, KeyError):
            return None
        return record if whole else None


def is_run(path: Path) -> bool:
    """Return whether there is a run in a folder."""
    return (path / PROVENANCE).exists()


def create(path: Path, study: str, provenance: Mapping[str, Any]) -> RunDirectory:
    """Make a run directory, or open it where another process has just made the same.

    Parameters
    ----------
    path : Path
        A folder that is not there yet, or empty; its parent must exist.
    study : str
        The resolved study.
    provenance : mapping
        Versions and so on.

    Raises
    ------
    Refused
        If the folder cannot be made, or holds something else.
    DirectoryFull
        If the file system is full.
    """
    if path.exists() and not path.is_dir():
        raise Refused(f"{path}: expected a folder")
    if not path.absolute().parent.is_dir():
        raise Refused(f"{path}: expected a folder inside one that exists")
    try:
        path.mkdir(exist_ok=True)
        strange = [one.name for one in path.iterdir() if one.name not in _OURS]
    except OSError as error:
        raise Refused(f"{path}: cannot be used ({error.strerror})") from error
    if not is_run(path) and any(not name.startswith(".") for name in strange):
        raise Refused(f"{path}: holds {sorted(strange)[0]!r} and no run; expected an empty folder")
    if not (path / PROVENANCE).exists():
        write_whole(path / STUDY, study.encode())
    record = sealed({**provenance, "study_sha256": digest(study.encode())})
    write_first(path / PROVENANCE, json.dumps(record, indent=1).encode() + b"\n")
    found = open_run(path)
    if found.study != study:
        raise Refused(f"{path}: holds the run of another study")
    return found


def open_run(path: Path) -> RunDirectory:
    """Open a run directory.

    Raises
    ------
    Refused
        If there is none, or its description is damaged.
    """
    if not is_run(path):
        raise Refused(f"{path}: holds no run")
    try:
        study = (path / STUDY).read_bytes()
        provenance = json.loads((path / PROVENANCE).read_bytes())
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: its description is damaged ({error})") from error
    if not is_sealed(provenance) or provenance.get("study_sha256") is None:
        raise Refused(f"{path / PROVENANCE}: damaged: its checksum is wrong")
    if provenance["study_sha256"] != digest(study):
        raise Refused(
            f"{path / STUDY}: damaged or changed: its checksum is not that in {PROVENANCE}; "
            "changed studies need directories of their own"
        )
    return RunDirectory(path, study.decode(), provenance)


@contextmanager
def logged(path: Path) -> Iterator[logging.Logger]:
    """Yield a logger that appends to run.log; what cannot be written there is lost silently."""
    logger = logging.Logger("spintherm.study", logging.INFO)
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError):
        handler = logging.FileHandler(path / LOG, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(process)d %(message)s"))
        handler.handleError = lambda _record: None  # type: ignore[method-assign, assignment]
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        with suppress(OSError):
            handler.close()
