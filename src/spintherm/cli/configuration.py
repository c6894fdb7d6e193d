"""The TOML file of a process: a magnet, a protocol, and options of `simulate`.

[magnet] and [protocol] have the form of `Magnet.to_dict` and `Protocol.to_dict`::

    [magnet]
    moment = 1.7320508075688772
    gyromagnetic_ratio = 1.0
    damping = 0.5
    temperature = 1.0

    [protocol]
    duration = 1.0
    field = { kind = "ramp", start = [0, 0, 1], stop = [0, 0, -1], duration = 1.0 }
    spin_torque = { kind = "triangle", peak = [0, 1, 1], duration = 1.0 }

    [simulate]
    trajectories = 100000
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spintherm import validation
from spintherm.cli.failure import UsageError
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol

OPTIONS = ("trajectories", "seed", "steps", "tolerance", "scheme", "fast", "initial", "save_at")


@dataclass(frozen=True)
class Configuration:
    """What a file says."""

    magnet: Magnet
    protocol: Protocol
    options: dict[str, Any]


def read(path: Path) -> Configuration:
    """Read a file.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Configuration
        Magnet, protocol, options.

    Raises
    ------
    UsageError
        If the file cannot be read, is no TOML, or holds a key or value that is refused; the
        message names the file and what is wrong.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: expected text in UTF-8 ({error.reason})") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: expected TOML: {error}") from error
    try:
        return _built(data)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from error


def _built(data: dict[str, Any]) -> Configuration:
    tables = validation.mapping("file", data, ("magnet", "protocol"), ("simulate",))
    options = validation.mapping("simulate", tables.get("simulate", {}), (), OPTIONS)
    return Configuration(
        Magnet.from_dict(tables["magnet"]), Protocol.from_dict(tables["protocol"]), options
    )
