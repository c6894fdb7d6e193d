"""Where results come from: versions, command, seed, time, machine."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from spintherm import display
from spintherm.version import __version__

_PACKAGES = ("numpy", "scipy", "numba", "xarray", "h5netcdf", "matplotlib")


@dataclass(frozen=True)
class Provenance:
    """What somebody needs to know to get the same numbers.

    Attributes
    ----------
    command : str
        Command line.
    started : str
        Date and time, ISO 8601.
    wall_time : float or None
        Seconds; None where it is not known.
    settings : mapping
        Size, seed, threads, scheme.
    versions : mapping
        Of this package, Python and the packages below it.
    processor, system : str
        Machine.
    """

    command: str
    started: str
    wall_time: float | None
    settings: Mapping[str, object]
    versions: Mapping[str, str]
    processor: str
    system: str

    def rows(self) -> list[tuple[str, str]]:
        """Return names and values for a table."""
        taken = []
        if self.wall_time is not None:
            minutes, seconds = divmod(self.wall_time, 60.0)
            taken = [("wall time", f"{minutes:.0f} min {seconds:.0f} s")]
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return [
            ("command", self.command),
            ("started", self.started),
            *taken,
            *((name, str(value)) for name, value in self.settings.items()),
            ("versions", versions),
            ("processor", self.processor),
            ("system", self.system),
        ]

    def _repr_html_(self) -> str:
        return display.provenance_card(self)


def provenance(
    command: str, started: datetime, wall_time: float, settings: Mapping[str, object]
) -> Provenance:
    """Record where results come from.

    Parameters
    ----------
    command : str
        Command line.
    started : datetime
        When the work began.
    wall_time : float
        Seconds it took.
    settings : mapping
        Choices of the user.

    Returns
    -------
    Provenance
        These, with the versions of packages and the machine.
    """
    versions = {"spintherm": __version__, "Python": platform.python_version()}
    versions |= {name: _version(name) for name in _PACKAGES}
    return Provenance(
        command,
        started.isoformat(timespec="seconds"),
        wall_time,
        dict(settings),
        versions,
        _processor(),
        f"{platform.system()} {platform.machine()}",
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Return the name of the processor, as well as the system tells it."""
    if sys.platform == "linux":
        try:
            lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        except OSError:
            lines = []
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
