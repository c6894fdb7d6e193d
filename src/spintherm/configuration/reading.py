"""Reading: from a file or a text to a `Study`, with older versions migrated and keys overridden."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from spintherm.configuration import document, limits
from spintherm.configuration.migration import migrate, named_before
from spintherm.configuration.problem import ConfigurationError
from spintherm.configuration.study import Study, built


def load(path: str | PathLike[str], overrides: Sequence[str] = ()) -> Study:
    """Read a study from a file.

    Parameters
    ----------
    path : path
        A TOML file of any version.
    overrides : sequence of str
        "key.path=value" in the words of the present version; the value is TOML, or else text.

    Returns
    -------
    Study

    Raises
    ------
    ConfigurationError
        If the file cannot be read, or a key or value is refused: one line with the file, the key,
        what is wrong and what would be right.
    """
    name = str(path)
    try:
        return loads(_bytes(Path(path)), overrides)
    except ConfigurationError as error:
        raise error.of(name) from None


def loads(text: str | bytes, overrides: Sequence[str] = ()) -> Study:
    """Read a study from a text.

    Parameters
    ----------
    text : str or bytes
        TOML of any version.
    overrides : sequence of str
        As in `load`.

    Returns
    -------
    Study

    Raises
    ------
    ConfigurationError
        If a key or value is refused.
    """
    data = document.parse(text)
    try:
        return built(document.overridden(migrate(data), overrides))
    except ConfigurationError as error:
        old = named_before(error.key, data)
        raise error if old == error.key else ConfigurationError(old, error.problem) from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limits.LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError("", f"cannot be read ({reason})") from None
