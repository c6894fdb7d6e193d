"""`run` and `show`: studies and their directories; importing this module registers them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from spintherm.cli.app import Flag, Whole, app
from spintherm.cli.studies import Overrides

__all__ = ["app", "run", "show"]

Text = Annotated[str | None, Parameter(allow_leading_hyphen=True)]


@app.command
def run(
    file: Path,
    /,
    *words: str,
    overrides: Overrides = None,
    out: Path | None = None,
    resume: Flag = False,
    seed: Whole | None = None,
    max_time: Text = None,
    dry_run: Flag = False,
    threads: Whole | None = None,
    processes: Whole | None = None,
    workers: Whole | None = None,
    scheduler: str | None = None,
    shard: str | None = None,
    quiet: Flag = False,
) -> int:
    """Run a study, or go on with one: spintherm run --resume DIR.

    It can be interrupted at any time: everything that was committed stays, and the result is the
    same to the bit. SIGINT and SIGTERM finish what is running and exit with 75.

    Parameters
    ----------
    file
        The study, a TOML file (see `spintherm init`); or, with --resume, a run directory.
    words
        KEY=VALUE in place of single keys of the file.
    overrides
        Likewise, one for each flag.
    out
        Run directory; it must not exist, or be empty.
    resume
        Go on with the run in the directory; one that is complete is left as it is.
    seed
        Seed, in place of that of the file.
    max_time
        Stop after this time, "2 h" or seconds.
    dry_run
        Print points, tasks and cost; compute and write nothing.
    threads
        Number of threads; as many as there are processors if nothing is said.
    processes
        Processes instead: for quantities of the density engine.
    workers
        Worker processes of a Dask cluster on this machine.
    scheduler
        Address of a Dask scheduler, tcp://HOST:PORT.
    shard
        I/N: every N-th task, for the I-th of N jobs that share the directory. The last one to end
        writes the result.
    quiet
        Show no progress.
    """
    from spintherm.cli.study_running import Request, execute

    return execute(
        Request(
            file=file,
            overrides=(*words, *(overrides or ())),
            out=out,
            resume=resume,
            seed=seed,
            max_time=max_time,
            dry_run=dry_run,
            threads=threads,
            processes=processes,
            workers=workers,
            scheduler=scheduler,
            shard=shard,
            quiet=quiet,
        )
    )


@app.command
def show(
    directory: Path,
    /,
    *,
    variable: str | None = None,
    figure: Path | None = None,
    csv: Path | None = None,
    netcdf: Path | None = None,
    json: Flag = False,
) -> int:
    """Summarise a run directory, plot its result, export it.

    Parameters
    ----------
    directory
        A run directory.
    variable
        What to plot and tabulate: a variable of the result, or one with a label, such as
        mean:entropy_production.
    figure
        Draw it, as PNG and PDF with this name.
    csv
        Write a table with a row for each point.
    netcdf
        Write a copy of the result.
    json
        Print JSON.
    """
    from spintherm.cli.study_showing import show as showing

    return showing(directory, variable, figure, csv, netcdf, as_json=json)
