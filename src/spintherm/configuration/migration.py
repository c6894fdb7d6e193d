"""Migration: files of older versions in the words of the present one, a step for each version.

Version 0 had no version: [magnet], [protocol] and [simulate], the options of `simulate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spintherm.configuration.document import quoted
from spintherm.configuration.problem import ConfigurationError, unknown

VERSION = 1
_TABLES_OF_0 = ("magnet", "protocol", "simulate")


def migrate(data: dict[str, Any]) -> dict[str, Any]:
    """Return a document in the words of the present version.

    Parameters
    ----------
    data : dict
        A document of any version; it is not changed.

    Returns
    -------
    dict
        Of version `VERSION`.

    Raises
    ------
    ConfigurationError
        If the version is none that is known, or is missing where it is needed.
    """
    version = data.get("version", 0)
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        raise ConfigurationError("version", f"={version!r}: expected {VERSION}")
    if version > VERSION:
        raise ConfigurationError(
            "version", f"={version}: expected at most {VERSION}; a newer spintherm wrote this"
        )
    while version < VERSION:
        data = STEPS[version](data)
        version += 1
    return data


def _from_0(data: dict[str, Any]) -> dict[str, Any]:
    for key in data:
        if key in ("version", *_TABLES_OF_0):
            continue
        if key in ("title", "material", "point", "compute", "sweep", "output"):
            raise ConfigurationError("version", f": missing; expected version = {VERSION}")
        raise unknown(quoted(key), key, _TABLES_OF_0)
    options = data.get("simulate", {})
    if not isinstance(options, dict):
        raise ConfigurationError("simulate", ": expected a table")
    if "quantity" in options:
        raise unknown("simulate.quantity", "quantity", ("trajectories", "seed", "steps", "scheme"))
    kept: dict[str, Any] = {key: data[key] for key in ("magnet", "protocol") if key in data}
    return {"version": 1, **kept, "compute": {"quantity": "trajectories", **options}}


def named_before(key: str, data: dict[str, Any]) -> str:
    """Return a dotted key of the present version as the document itself has it.

    Parameters
    ----------
    key : str
        Of the present version.
    data : dict
        The document as it was read.
    """
    if "version" not in data and key.startswith("compute.") and "simulate" in data:
        return f"simulate.{key.removeprefix('compute.')}"
    return key


STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {0: _from_0}
"""From each version to the next."""
