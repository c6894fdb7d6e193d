"""Where tasks run: threads, processes or a Dask cluster, all as `concurrent.futures.Executor`.

Kernels release the interpreter's lock, so that threads are as good as processes for trajectories;
the density engine holds it, and wants processes.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from spintherm import validation
from spintherm.workers import Processes, cores


@dataclass(frozen=True)
class Workers:
    """Where tasks should run; at most one of these, threads on all cores if none.

    Attributes
    ----------
    threads, processes : int or None
        Number of threads of this process, or of processes.
    cluster : int or None
        Number of worker processes of a Dask cluster on this machine.
    scheduler : str or None
        Address of a Dask scheduler.
    """

    threads: int | None = None
    processes: int | None = None
    cluster: int | None = None
    scheduler: str | None = None

    def __post_init__(self) -> None:
        names = ("threads", "processes", "cluster")
        given = {name: value for name in names if (value := getattr(self, name)) is not None}
        for name, value in given.items():
            validation.positive_integer(name, value)
        if self.scheduler is not None:
            given["scheduler"] = self.scheduler
        if len(given) > 1:
            said = " and ".join(f"{name}={value!r}" for name, value in given.items())
            raise ValueError(f"{said}: expected one of them")

    def __str__(self) -> str:
        if self.scheduler is not None:
            return f"the Dask cluster at {self.scheduler}"
        if self.cluster is not None:
            return f"a Dask cluster of {self.cluster} workers"
        if self.processes is not None:
            return f"{self.processes} processes"
        return f"{self.threads or cores()} threads"


@dataclass(frozen=True)
class Crew:
    """An executor, how many tasks it does at a time, and which errors mean a lost worker."""

    executor: Executor
    size: int
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)


@contextmanager
def started(workers: Workers) -> Iterator[Crew]:
    """Start workers; they are gone when the block is left.

    Raises
    ------
    ImportError
        If Dask is asked for and not installed.
    OSError
        If the scheduler does not answer.
    """
    if workers.scheduler is not None or workers.cluster is not None:
        with _dask(workers) as crew:
            yield crew
        return
    if workers.processes is not None:
        processes = Processes(workers.processes)
        try:
            yield Crew(processes, workers.processes)
        finally:
            processes.shutdown(wait=False, cancel_futures=True)
        return
    threads = workers.threads or cores()
    with ThreadPoolExecutor(threads) as pool:
        yield Crew(pool, threads)


@contextmanager
def _dask(workers: Workers) -> Iterator[Crew]:
    try:
        import dask
        import distributed
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise ImportError(
            "a cluster needs Dask: pip install 'spintherm[cluster]'", name=error.name
        ) from error
    settings = {
        "distributed.scheduler.allowed-failures": 1000,
        "distributed.worker.daemon": True,
        "distributed.comm.timeouts.connect": "10s",
    }
    distributed_any: Any = distributed  # its classes have no types
    with dask.config.set(settings):
        if workers.scheduler is not None:
            with distributed_any.Client(workers.scheduler, set_as_default=False) as client:
                yield _crew(client, (KilledWorker, BrokenExecutor, CancelledError))
            return
        with (
            distributed_any.LocalCluster(
                n_workers=workers.cluster,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=50,
            ) as cluster,
            distributed_any.Client(cluster, set_as_default=False) as client,
        ):
            client.wait_for_workers(workers.cluster)
            yield _crew(client, (KilledWorker, BrokenExecutor, CancelledError))


def _crew(client: Any, lost: tuple[type[BaseException], ...]) -> Crew:
    threads = sum(client.nthreads().values())
    return Crew(client.get_executor(pure=False), max(threads, 1), lost)
