"""What a run directory says about where its numbers come from, and whether we can go on with it."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintherm.report.provenance import provenance
from spintherm.study.directory import Refused, RunDirectory
from spintherm.version import __version__

if TYPE_CHECKING:
    from spintherm.configuration import Study

FORMAT = 1
"""Of the run directory."""


def kernel_digest() -> str:
    """Return a digest of the sources of the kernels, on which the bits of trajectories depend."""
    import spintherm.kernels

    digest = hashlib.sha256()
    for source in sorted(Path(str(spintherm.kernels.__file__)).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def describe(study: Study) -> dict[str, Any]:
    """Return what is recorded when a run directory is made."""
    settings = {"seed": getattr(study.compute, "seed", None)}
    found = asdict(provenance(" ".join(sys.argv), datetime.now().astimezone(), 0.0, settings))
    found.pop("wall_time")  # is in the journals
    return {"format": FORMAT, **found, "kernels": kernel_digest()}


def check(directory: RunDirectory) -> None:
    """Refuse a run that this version would not go on with to the same bits.

    Raises
    ------
    Refused
        If the run was begun by a version with another format or other kernels.
    """
    begun: Mapping[str, Any] = directory.provenance
    if begun.get("format") != FORMAT:
        raise Refused(
            f"{directory.path}: its format is {begun.get('format')!r}, this version writes {FORMAT}"
        )
    version = begun.get("versions", {}).get("spintherm")
    if version != __version__ or begun.get("kernels") != kernel_digest():
        raise Refused(
            f"{directory.path}: begun with spintherm {version}, whose kernels differ from those of "
            f"this version ({__version__}): half of the results would not be reproducible; go on "
            "with that version, or run its study.toml in a new directory"
        )
