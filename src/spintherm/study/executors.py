"""Where tasks run: threads, processes or a Dask cluster, all as `concurrent.futures.Executor`.

Kernels release the interpreter's lock, so that threads are as good as processes for trajectories;
the density engine holds it, and wants processes.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from spintherm import validation
from spintherm.workers import cores

_TRIES = 10


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


class LostWorker(BrokenExecutor):
    """A worker process died again and again at the same task."""


class Processes(Executor):
    """Worker processes that import a task and nothing else, and are replaced when they die.

    Unlike those of `concurrent.futures.ProcessPoolExecutor` they never run the caller's script
    again, and the death of one costs no more than the task that it was at, which is tried again.
    They end with the process that started them, even where that is killed.

    Parameters
    ----------
    count : int
        Number of processes.
    """

    def __init__(self, count: int) -> None:
        self._idle: queue.SimpleQueue[subprocess.Popen[bytes] | None] = queue.SimpleQueue()
        for _ in range(count):
            self._idle.put(None)
        self._pool = ThreadPoolExecutor(count)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._over = False

    def submit(
        self, function: Callable[..., Any], /, *arguments: Any, **options: Any
    ) -> Future[Any]:
        """Run a function of a module on a worker; it, its arguments and its answer are pickled."""
        if options:
            raise TypeError("expected arguments without names")
        return self._pool.submit(self._ask, pickle.dumps((function, *arguments)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers; without `wait` also those that are busy."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)
        with self._lock:
            self._over = True
            running, self._running = self._running, set()
        for process in running:
            _end(process)

    def _ask(self, job: bytes) -> Any:
        for _ in range(_TRIES):
            process = self._idle.get()
            try:
                if process is None:
                    process = self._start()
                done, answer = _exchange(process, job)
            except (OSError, EOFError, pickle.UnpicklingError):
                self._drop(process)
                process = None
                continue
            finally:
                self._idle.put(process)
            if not done:
                raise answer
            return answer
        raise LostWorker(f"{_TRIES} worker processes died at the same task")

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", "from spintherm.workers import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            start_new_session=True,
        )
        with self._lock:
            over = self._over
            self._running.add(process)
        if over:
            _end(process)
            raise LostWorker("the workers have been shut down")
        return process

    def _drop(self, process: subprocess.Popen[bytes] | None) -> None:
        with self._lock:
            over = self._over
            if process is not None:
                self._running.discard(process)
        if process is not None:
            _end(process)
        if over:
            raise LostWorker("the workers have been shut down")


def _exchange(process: subprocess.Popen[bytes], job: bytes) -> tuple[bool, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(job)
    process.stdin.flush()
    done, answer = pickle.load(process.stdout)
    return done, answer


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):
                stream.close()


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
