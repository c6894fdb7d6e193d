"""Worker processes for jobs that hold the interpreter's lock.

A worker imports the task it is sent and nothing else: unlike those of `multiprocessing` it never
runs the caller's script again, so that no script needs a guard. Each keeps to one thread of linear
algebra.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

Job: TypeAlias = tuple[Any, ...]
Runner: TypeAlias = Callable[[Iterable[Job]], Iterator[Any]]


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
    import subprocess
    import sys
    from concurrent.futures import ThreadPoolExecutor
    from queue import SimpleQueue

    command = [sys.executable, "-c", f"from {__name__} import serve; serve()"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    processes = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True)
        for _ in range(count)
    ]
    idle: SimpleQueue[Any] = SimpleQueue()
    for process in processes:
        idle.put(process)

    def ask(job: Job) -> Any:
        process = idle.get()
        try:
            pickle.dump(job, process.stdin)
            process.stdin.flush()
            done, answer = pickle.load(process.stdout)
        finally:
            idle.put(process)
        if not done:
            raise answer
        return answer

    pool = ThreadPoolExecutor(count)
    try:
        yield lambda jobs: pool.map(ask, jobs)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()


def serve() -> None:
    """Answer jobs from standard input until it closes: what a worker process does."""
    import sys

    while True:
        try:
            job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = (True, _call(job))
        except Exception as problem:
            answer = (False, problem)
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _call(job: Job) -> Any:
    task, *arguments = job
    return task(*arguments)
