"""The commands for files of studies and their flags; importing this module registers them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from spintherm.cli.app import Flag, app

__all__ = ["Overrides", "app", "check", "init", "schema"]

Overrides = Annotated[
    list[str] | None, Parameter(name="--set", negative="", allow_leading_hyphen=True)
]


@app.command
def init(file: Path = Path("study.toml"), /) -> int:
    """Write a study with a comment at every key, to begin from.

    Parameters
    ----------
    file
        Where to; a file that exists is not touched.
    """
    from spintherm.cli import study_files

    return study_files.init(file)


@app.command
def check(
    file: Path,
    /,
    *words: str,
    overrides: Overrides = None,
    speed: float | None = None,
    measure: Flag = False,
    json: Flag = False,
) -> int:
    """Check a study and say what it will cost: points, tasks, steps, bytes, time.

    Parameters
    ----------
    file
        The study.
    words
        KEY=VALUE in place of single keys of the file, such as compute.trajectories=1000000.
    overrides
        Likewise, one for each flag.
    speed
        Spin-steps per second and core to reckon with; a measured constant if not given.
    measure
        Measure the speed of this study on this machine first, which takes seconds.
    json
        Print JSON.
    """
    from spintherm.cli import study_files

    given = (*words, *(overrides or ()))
    return study_files.check(file, given, speed, measure=measure, as_json=json)


@app.command
def schema() -> int:
    """Print the JSON schema of a study, for completion and checks in an editor."""
    from spintherm.cli import study_files

    return study_files.schema()
