"""`spintherm run`: from flags to a run directory, and from what happens to an exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spintherm.cli.failure import Failed, UsageError, usage

if TYPE_CHECKING:
    from spintherm.configuration import Study
    from spintherm.study.running import Opened

FULL, CHECKPOINTED = 74, 75
"""Exit codes: EX_IOERR and EX_TEMPFAIL of sysexits.h."""


@dataclass(frozen=True)
class Request:
    """The flags of `spintherm run`."""

    file: Path
    overrides: tuple[str, ...]
    out: Path | None
    resume: bool
    seed: int | None
    max_time: str | None
    dry_run: bool
    threads: int | None
    processes: int | None
    workers: int | None
    scheduler: str | None
    shard: str | None
    quiet: bool

    @property
    def place(self) -> tuple[Path | None, Path]:
        """The file of the study (None where the directory alone is named), and the directory."""
        if self.resume and self.out is None:
            return None, self.file
        if self.out is None:
            raise UsageError(
                "out: missing; expected --out DIR, or --resume DIR to go on with a run"
            )
        return self.file, self.out


def execute(request: Request) -> int:
    """Do what the flags say; return the exit code."""
    from spintherm.study.plan import Shard

    with usage():
        shard = Shard() if request.shard is None else Shard.parse(request.shard)
        seconds = None if request.max_time is None else _seconds(request.max_time)
    if request.dry_run:
        return _dry_run(request)
    return _run(request, shard, seconds)


def _run(request: Request, shard: object, seconds: float | None) -> int:
    from spintherm.study.executors import Workers
    from spintherm.study.files import DirectoryFull
    from spintherm.study.plan import Shard
    from spintherm.study.runner import Interrupted
    from spintherm.study.running import execute as carry_out
    from spintherm.study.running import opened_run

    assert isinstance(shard, Shard)
    file, path = request.place
    try:
        with usage():
            where = Workers(request.threads, request.processes, request.workers, request.scheduler)
            opened = opened_run(
                file,
                path,
                overrides=request.overrides,
                seed=request.seed,
                resume=request.resume,
                shared=not shard.whole,
            )
            outcome = carry_out(
                opened,
                where,
                shard=shard,
                max_time=seconds,
                progress=not request.quiet,
            )
    except Interrupted as stop:
        raise Failed(str(stop), CHECKPOINTED) from stop
    except DirectoryFull as full:
        raise Failed(
            f"{full.strerror}; what was committed is safe: free some space, then "
            f"spintherm run --resume {path}",
            FULL,
        ) from full
    except RuntimeError as error:  # locked, a task that fails, a cluster that does not start
        raise Failed(str(error)) from error
    except ImportError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise Failed(f"{path}: {error}") from error
    if outcome is None:
        print(f"{path}: complete already")
    elif outcome.complete:
        again = f", {outcome.recomputed} of them damaged before" if outcome.recomputed else ""
        print(
            f"{path}: complete; {outcome.computed} tasks in {outcome.seconds:.1f} s{again}, "
            f"{outcome.known} known before"
        )
        _report(opened)
    else:
        print(f"{path}: shard {shard} done, {outcome.computed} tasks; others are not")
    return 0


def _report(opened: Opened) -> None:
    """Write the report; what was computed is safe if that fails."""
    from spintherm.study.page import write_report

    try:
        print(write_report(opened.directory, opened.study))
    except OSError as error:
        path = opened.directory.path
        raise Failed(
            f"the result is complete, its report could not be written ({error}): "
            f"spintherm show {path} does it later"
        ) from error


def _seconds(words: str) -> float:
    from spintherm import units, validation

    try:
        number = float(words)
    except ValueError:
        number = units.quantity("max_time", words, units.TIME)
    return validation.finite_scalar("max_time", number, positive=True)


def _dry_run(request: Request) -> int:
    from spintherm.study.directory import Refused, open_run
    from spintherm.study.running import study_from, study_from_directory

    with usage():
        said = [*request.overrides]
        said += [] if request.seed is None else [f"compute.seed={request.seed}"]
        if request.resume and request.out is None:
            if said:
                raise Refused(f"{request.file}: a run goes on as it was begun")
            study = study_from_directory(open_run(request.file))
        else:
            study = study_from(request.file, said)
    _print_cost(study)
    return 0


def _print_cost(study: Study) -> None:
    from spintherm.progress import duration

    cost = study.cost()
    steps = (
        f"{cost.steps[0]} to {cost.steps[1]}" if cost.steps[0] < cost.steps[1] else cost.steps[0]
    )
    print(
        f"{study.title or study.compute.quantity}: {cost.points} points, about {cost.tasks} tasks"
    )
    if cost.spin_steps:
        print(f"  {cost.spin_steps:.3g} spin-steps, {steps} steps each")
    print(f"  {duration(cost.seconds)} of one core, at most {cost.bytes / 1e6:.3g} MB")
