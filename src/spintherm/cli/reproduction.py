"""`spintherm reproduce`: the experiments, a table of verdicts, and an exit code that judges."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from spintherm import validation
from spintherm.cli.configuration import study_of
from spintherm.cli.densities import resolved
from spintherm.cli.failure import Failed, UsageError, usage


def run(
    size: str,
    out: Path,
    seed: int | None,
    threads: int | None,
    scheme: str | None,
    magnet: Path | None = None,
) -> int:
    """Reproduce, print, and return 0 if no verdict fails, else 1."""
    options: dict[str, Any] = {}
    with usage():
        if seed is not None:
            options["seed"] = validation.seed("seed", seed)
        if threads is not None:
            options["threads"] = validation.positive_integer("threads", threads)
    if magnet is not None:
        options["magnet"] = study_of(magnet).magnet()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"out={out}: expected a folder that can be made ({error})") from error
    from spintherm.experiments import reproduce
    from spintherm.report import print_verdicts

    command = _command(size, out, seed, threads, scheme, magnet)
    try:
        with resolved():
            result = reproduce(size, out, scheme=scheme, command=command, **options)
    except OSError as error:
        raise Failed(str(error)) from error
    print_verdicts(result.verdicts)
    print(f"{result.folder / 'report.html'} ({result.wall_time:.0f} s)")
    return 0 if result.passed else 1


def _command(
    size: str,
    out: Path,
    seed: int | None,
    threads: int | None,
    scheme: str | None,
    magnet: Path | None,
) -> str:
    flags = {"size": size, "out": out, "seed": seed, "threads": threads, "scheme": scheme}
    flags["magnet"] = magnet
    words = [f"--{name} {shlex.quote(str(x))}" for name, x in flags.items() if x is not None]
    return " ".join(("spintherm reproduce", *words))
