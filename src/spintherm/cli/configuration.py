"""The file of a process, for the commands that take one point of a study and run it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintherm.cli.failure import UsageError

if TYPE_CHECKING:
    from spintherm.configuration import Study
    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol


@dataclass(frozen=True)
class Configuration:
    """What a file says: the magnet, the protocol, and options of `simulate`."""

    magnet: Magnet
    protocol: Protocol
    options: dict[str, Any]


@contextmanager
def configuring() -> Iterator[None]:
    """Turn what is wrong with a study into a usage error."""
    from spintherm.configuration import ConfigurationError

    try:
        yield
    except ConfigurationError as error:
        raise UsageError(str(error)) from error


def study_of(path: Path, overrides: Sequence[str] = ()) -> Study:
    """Read a study of any version.

    Raises
    ------
    UsageError
        If the file cannot be read, or a key or value is refused; the message names file and key.
    """
    from spintherm.configuration import load

    with configuring():
        return load(path, overrides)


def read(path: Path) -> Configuration:
    """Read a study of one process.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Configuration
        Magnet and protocol in reduced units, and what [compute] says about sampling.

    Raises
    ------
    UsageError
        If the file cannot be read, a key or value is refused, or it has a sweep or no protocol.
    """
    study = study_of(path)
    if study.sweep is not None:
        raise UsageError(f"{path}: sweep: expected one process; `spintherm run` computes sweeps")
    with configuring():
        options = study.options() if study.compute.sampled else {}
        options.pop("bins", None)
        return Configuration(study.magnet(), study.protocol(), options)
