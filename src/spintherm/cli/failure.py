"""What can go wrong on the command line: the user's words, or the work itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class UsageError(Exception):
    """Bad flags, bad files, bad values."""


class Failed(Exception):  # noqa: N818 - the word that the user reads
    """The work could not be done.

    Parameters
    ----------
    problem : str
        What the user reads.
    code : int
        The exit code.
    """

    def __init__(self, problem: str, code: int = 1) -> None:
        super().__init__(problem)
        self.code = code


@contextmanager
def usage() -> Iterator[None]:
    """Turn what the package says about an argument into a usage error."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
