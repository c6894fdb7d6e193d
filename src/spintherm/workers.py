"""Worker processes for jobs that hold the interpreter's lock.

A worker imports the task it is sent and nothing else: unlike those of `multiprocessing` it never
runs the caller's script again, so that no script needs a guard. Each keeps to one thread of linear
algebra.
"""

from __future__ import annotations

import os
import pickle
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

Job: TypeAlias = tuple[Any, ...]
Runner: TypeAlias = Callable[[Iterable[Job]], Iterator[Any]]

_TRIES = 10


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def worker_processes(count: int) -> Iterator[Runner]:
    """Start worker processes; yield a function that runs jobs on them.

    It takes jobs, (task, argument, ...) each, starts on all of them at once and yields their
    results in order. With a count of 1 the jobs run in this process, one by one as their results
    are asked for. Workers that are still busy when the block is left are killed.

    Parameters
    ----------
    count : int
        Number of processes.
    """
    if count == 1:
        yield lambda jobs: map(_call, jobs)
        return
    pool = Processes(count)

    def run(jobs: Iterable[Job]) -> Iterator[Any]:
        started = [pool.submit(*job) for job in jobs]
        return (one.result() for one in started)

    try:
        yield run
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


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
            [sys.executable, "-c", f"from {__name__} import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
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


def environment() -> dict[str, str]:
    """Return the environment of a worker: this one, with one thread of linear algebra."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def serve() -> None:
    """Answer jobs from standard input until it closes: what a worker process does.

    It closes when the process that started this one ends: then a job in hand is given up.
    """
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(jobs,), daemon=True).start()
    while True:
        job = jobs.get()
        try:
            answer = (True, _call(job))
        except Exception as problem:
            answer = (False, problem)
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _listen(jobs: queue.SimpleQueue[Job]) -> None:
    """Pass on jobs from standard input; end the process where none can come."""
    try:
        while True:
            jobs.put(pickle.load(sys.stdin.buffer))
    except EOFError:
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _call(job: Job) -> Any:
    task, *arguments = job
    return task(*arguments)
