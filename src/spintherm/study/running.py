"""`run` and `sweep`: a study from Python, with the directory and the bits of `spintherm run`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeAlias

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.progress import Progress
from spintherm.protocol import Protocol
from spintherm.study.executors import Workers
from spintherm.study.plan import Shard

if TYPE_CHECKING:
    import xarray

    from spintherm.configuration import Study
    from spintherm.study.directory import RunDirectory
    from spintherm.study.runner import Outcome

Config: TypeAlias = "Study | Mapping[str, Any] | str | os.PathLike[str]"


def run(
    config: Config | None = None,
    out: str | os.PathLike[str] | None = None,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    resume: bool = False,
    threads: int | None = None,
    processes: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    max_time: float | None = None,
    progress: Progress = None,
) -> xarray.Dataset:
    """Run a study.

    Parameters
    ----------
    config : Study, mapping, or path, optional
        The study, its tables, or its TOML file. Not needed to resume.
    out : path, optional
        Run directory, made anew; see docs/running-studies.md. Without one nothing is kept on the
        disk.
    overrides : sequence of str
        "key.path=value", in place of single keys.
    seed : int, optional
        In place of that of the study.
    resume : bool
        Go on with the run in `out`. One that is complete is only opened.
    threads, processes, workers, scheduler
        Where tasks run, one of: threads of this process (as many as there are processors, if
        nothing is said), processes, worker processes of a Dask cluster on this machine, or the
        address of a Dask scheduler. The result does not depend on it.
    max_time : float, optional
        Seconds after which it stops as if interrupted.
    progress : bool or callable, optional
        See `spintherm.progress`; counts tasks.

    Returns
    -------
    xarray.Dataset
        The result. With a sweep, the variables of the quantity have the dimensions of the sweep in
        front. With `out`, the file result.nc, opened.

    Raises
    ------
    ConfigurationError
        If the study is refused; the message names the key.
    Refused
        If the directory holds something else, or its description is damaged.
    Interrupted
        If it was interrupted (SIGINT, SIGTERM) or the time was over: with `out` it can be resumed.
    TypeError, ValueError
        If another argument is refused.
    """
    import xarray

    where = Workers(threads, processes, workers, scheduler)
    if out is None:
        if resume:
            raise ValueError("resume=True without out: expected the run directory")
        with TemporaryDirectory(prefix="spintherm-") as folder:
            path = Path(folder) / "run"
            opened = opened_run(config, path, overrides=overrides, seed=seed)
            execute(opened, where, max_time=max_time, progress=progress)
            return xarray.load_dataset(opened.directory.result, engine="h5netcdf")
    opened = opened_run(config, Path(out), overrides=overrides, seed=seed, resume=resume)
    execute(opened, where, max_time=max_time, progress=progress)
    return xarray.open_dataset(opened.directory.result, engine="h5netcdf")


def sweep(
    magnet: Magnet,
    protocol: Protocol,
    axes: Mapping[str, Sequence[Any]],
    *,
    quantity: str = "statistics",
    method: str = "grid",
    out: str | os.PathLike[str] | None = None,
    resume: bool = False,
    threads: int | None = None,
    processes: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    max_time: float | None = None,
    progress: Progress = None,
    **options: Any,
) -> xarray.Dataset:
    """Compute a quantity along axes of parameters.

    Parameters
    ----------
    magnet : Magnet
        The magnet, where no axis says otherwise.
    protocol : Protocol
        Likewise; without callables, which no file can hold.
    axes : mapping of str to sequence
        Values by dotted key: ``{"magnet.temperature": [0.5, 1.0], "protocol.field.peak": [...]}``.
    quantity : str
        "statistics", "trajectories", "evolution", "moments" or "distribution".
    method : {"grid", "zip"}
        The product of the axes, or all of them in step.
    out, resume, threads, processes, workers, scheduler, max_time, progress
        As in `run`.
    **options
        Of the quantity: `trajectories`, `seed`, `steps`, `bins`, ...

    Returns
    -------
    xarray.Dataset
        As `run` returns it, with the axes as coordinates; their names have underscores for dots.

    Raises
    ------
    ConfigurationError, Refused, Interrupted, TypeError, ValueError
        As `run`.
    """
    if not isinstance(magnet, Magnet):
        raise TypeError(validation.complaint("magnet", magnet, "a Magnet"))
    if not isinstance(protocol, Protocol):
        raise TypeError(validation.complaint("protocol", protocol, "a Protocol"))
    tables = {
        "version": 1,
        "magnet": magnet.to_dict(),
        "protocol": protocol.to_dict(),
        "compute": {"quantity": quantity, **{k: _plain(v) for k, v in options.items()}},
        "sweep": {
            "method": method,
            "axes": {key: {"values": _plain(values)} for key, values in axes.items()},
        },
    }
    return run(
        tables,
        out,
        resume=resume,
        threads=threads,
        processes=processes,
        workers=workers,
        scheduler=scheduler,
        max_time=max_time,
        progress=progress,
    )


@dataclass(frozen=True)
class Opened:
    """A run directory and its study, ready to be worked on."""

    directory: RunDirectory
    study: Study


def opened_run(
    config: Config | None,
    path: Path,
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    resume: bool = False,
    shared: bool = False,
) -> Opened:
    """Make a run directory, or open one that is there.

    Parameters
    ----------
    config, overrides, seed
        As in `run`.
    path : Path
        The directory.
    resume : bool
        Go on with a run that is there, if there is one.
    shared : bool
        Likewise, as one shard of several that begin at the same time.

    Raises
    ------
    ConfigurationError, Refused
        As `run`.
    """
    from spintherm.study import description
    from spintherm.study.directory import Refused, create, is_run, open_run

    said = [*overrides, *([] if seed is None else [f"compute.seed={seed}"])]
    study = None if config is None else study_from(config, said)
    there = is_run(path)
    if there and not (resume or shared):
        raise Refused(f"{path}: holds a run already; resume it, or name another folder")
    if not there and study is None:
        raise Refused(f"{path}: holds no run to resume")
    if there:
        directory = open_run(path)
    else:
        assert study is not None
        directory = create(path, study.dumps(), description.describe(study))
    if directory.finished() is None:
        description.check(directory)
    if study is None and said:
        raise Refused(f"{path}: a run goes on as it was begun; {said[0]!r} would change it")
    if study is not None and study.dumps() != directory.study:
        raise Refused(f"{path}: holds the run of another study; name another folder")
    return Opened(directory, study_from_directory(directory) if study is None else study)


def study_from(config: Config, overrides: Sequence[str] = ()) -> Study:
    """Return a study from whatever describes it.

    Raises
    ------
    ConfigurationError
        If it is refused.
    TypeError
        If it is none of the possibilities.
    """
    from spintherm.configuration import Study, load, loads
    from spintherm.configuration.document import write

    if isinstance(config, Study):
        return loads(config.dumps(), overrides) if overrides else config
    if isinstance(config, Mapping):
        return loads(write(config), overrides)
    if isinstance(config, str | os.PathLike):
        return load(config, overrides)
    raise TypeError(validation.complaint("config", config, "a Study, a mapping or a TOML file"))


def study_from_directory(directory: RunDirectory) -> Study:
    """Return the study of a run directory.

    Raises
    ------
    Refused
        If this version does not understand it.
    """
    from spintherm.configuration import ConfigurationError, loads
    from spintherm.study.directory import STUDY, Refused

    try:
        return loads(directory.study)
    except ConfigurationError as error:
        raise Refused(f"{directory.path / STUDY}: {error}") from error


def execute(
    opened: Opened,
    workers: Workers,
    *,
    shard: Shard | None = None,
    max_time: float | None = None,
    progress: Progress = None,
) -> Outcome | None:
    """Do what is left of a run; None if nothing was.

    Raises
    ------
    Interrupted, Locked, DirectoryFull, TaskFailed
        As `runner.work`.
    """
    from spintherm.study.runner import work

    if max_time is not None:
        validation.finite_scalar("max_time", max_time, positive=True)
    if opened.directory.finished() is not None:
        return None
    return work(
        opened.directory,
        opened.study,
        workers=workers,
        shard=shard or Shard(),
        max_time=max_time,
        progress=progress,
    )


def _plain(value: Any) -> Any:
    """Return arrays and tuples as lists, numbers of NumPy as those of Python."""
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(inner) for inner in value]
    return value
