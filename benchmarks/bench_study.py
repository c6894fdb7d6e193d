"""What a run directory costs: a commit, a task's way to a worker and back, a point of the result.

    python -m benchmarks study

Shares are of chunks of two seconds. A worker is idle while it has no task: that share, unlike the
wall time of two workers against one, says something on a busy machine too.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.figures import Figure, exactly
from spintherm.configuration import Study, loads
from spintherm.study import tasks
from spintherm.study.collect import write_result
from spintherm.study.executors import Workers, started
from spintherm.study.journal import Commit, Journal
from spintherm.study.plan import Points
from spintherm.study.running import execute, opened_run
from spintherm.study.store import Store

CHUNK_SECONDS = 2.0
COMMITS = 100
ECHOES = 200
TEXT = """
version = 1
[magnet]
moment = 1.3
gyromagnetic_ratio = 1.7
damping = 0.4
temperature = 0.8
[protocol]
duration = 0.9
field = {{ kind = "ramp", start = [0.3, -0.2, 0.9], stop = [-0.5, 0.7, -0.4], duration = 0.9 }}
spin_torque = {{ kind = "triangle", peak = [0.4, 0.8, -0.7], duration = 0.9 }}
[compute]
quantity = "statistics"
trajectories = {trajectories}
steps = {steps}
seed = 20
chunk = {chunk}
"""


def study(chunks: int, steps: int, chunk: int = 16_384) -> Study:
    return loads(TEXT.format(trajectories=chunks * chunk, steps=steps, chunk=chunk))


def commits() -> tuple[list[Figure], int]:
    """Seconds and bytes of a commit, default histograms."""
    one = study(1, 60)
    record, _ = tasks.perform(one.dumps(), 20, 0)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "data.zarr")
        store.expect(COMMITS + 1)
        seconds, size = [], 0
        with Journal(Path(folder) / "journal.jsonl") as journal:
            for task in range(COMMITS + 1):
                began = time.thread_time(), time.perf_counter()
                checksum, size = store.write(task, record)
                journal.append(Commit(task, checksum, "", 0.0, size))
                ended = time.thread_time(), time.perf_counter()
                seconds.append((ended[0] - began[0], ended[1] - began[1]))
            began_settling = time.perf_counter()
            store.settle()
            settling = time.perf_counter() - began_settling
        processor, wall = ([s[i] for s in seconds[1:]] for i in (0, 1))
    value = statistics.median(wall)
    share = 100.0 * value / CHUNK_SECONDS
    return [
        Figure("a commit: wall time", value, min(wall), max(wall), "s"),
        exactly("its processor time", statistics.median(processor), "s"),
        exactly(f"forcing {COMMITS} commits to the disk", settling, "s"),
        exactly("writing, share of a chunk of two seconds", share, "%"),
        exactly("bytes of a task, 128 bins", size, "bytes"),
    ], size


def echo(workers: Workers) -> list[Figure]:
    """A task that does nothing, there and back, with all that is sent both ways."""
    one = study(1, 60)
    text = one.dumps()
    record, _ = tasks.perform(text, 20, 0)
    with started(workers) as crew:
        list(crew.executor.map(_give_back, [record] * 2 * crew.size))
        began = time.perf_counter()
        pending = [crew.executor.submit(_give_back, record) for _ in range(ECHOES)]
        for future in pending:
            future.result()
        value = (time.perf_counter() - began) / ECHOES
    name = f"a task's way to {workers} and back"
    share = 100.0 * value * crew.size / CHUNK_SECONDS
    return [
        exactly(name, value, "s"),
        exactly(f"scheduling on {workers}, share of a chunk", share, "%"),
    ]


def _give_back(record: object) -> object:
    return record


def idle(workers: int, chunks: int, steps: int) -> tuple[float, float, float]:
    """Wall time of a run by threads, share of it that they had no task, wall time of a task."""
    lock, busy, spans = threading.Lock(), [0.0], []
    perform = tasks.perform

    def timed(text: str, seed: int, chunk: int) -> object:
        began = time.perf_counter()
        try:
            return perform(text, seed, chunk)
        finally:
            ended = time.perf_counter()
            with lock:
                busy[0] += ended - began
                spans.append((began, ended))

    with tempfile.TemporaryDirectory() as folder:
        opened = opened_run(study(chunks, steps), Path(folder) / "run")
        tasks.perform = timed  # type: ignore[assignment]
        try:
            execute(opened, Workers(threads=workers), progress=False)
        finally:
            tasks.perform = perform
    first, last = min(s[0] for s in spans), max(s[1] for s in spans)
    # the tail, when fewer tasks are left than workers, is no scheduling
    level = sorted(s[1] for s in spans)[-workers]
    work = sum(max(0.0, min(s[1], level) - s[0]) for s in spans)
    share = 1.0 - work / (workers * (level - first))
    return last - first, share, busy[0] / len(spans)


def parallel() -> list[Figure]:
    """One thread against two on chunks of about two seconds, in turns."""
    steps = _steps_of_two_seconds()
    found: dict[int, list[tuple[float, float, float]]] = {1: [], 2: []}
    for _ in range(3):
        for workers, runs in found.items():
            runs.append(idle(workers, 8, steps))
    wall = {workers: min(run[0] for run in runs) for workers, runs in found.items()}
    spare = [run[1] for run in found[2]]
    middle = 100.0 * statistics.median(spare)
    return [
        exactly("wall time of a chunk", statistics.median(run[2] for run in found[1]), "s"),
        exactly("two threads over one, least of three each", wall[1] / wall[2], "x"),
        Figure("two threads: without a task", middle, 100 * min(spare), 100 * max(spare), "%"),
    ]


def _steps_of_two_seconds() -> int:
    one = study(2, 2000)
    tasks.perform(one.dumps(), 20, 1)
    began = time.perf_counter()
    tasks.perform(one.dumps(), 21, 1)
    return max(int(2000 * CHUNK_SECONDS / (time.perf_counter() - began)), 100)


def points() -> list[Figure]:
    """Planning and collecting a sweep, by point."""
    text = TEXT.format(trajectories=16_384, steps=60, chunk=16_384)
    text += '[sweep]\naxes."magnet.temperature" = { start = 0.5, stop = 2.0, count = 100 }\n'
    whole = loads(text)
    began = time.thread_time()
    planned = Points(whole)
    for values in whole.points():
        planned.add(values)
    for point in planned:
        _ = point.text, point.seed
    planning = (time.thread_time() - began) / len(planned)
    record, _ = tasks.perform(next(iter(planned)).text, 20, 0)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "data.zarr")
        store.expect(planned.tasks)
        for task in range(planned.tasks):
            store.write(task, record)
        began, wall = time.thread_time(), time.perf_counter()
        write_result(Path(folder) / "result.nc", whole, list(planned), store)
        collecting = (time.thread_time() - began) / len(planned)
        took = (time.perf_counter() - wall) / len(planned)
        size = (Path(folder) / "result.nc").stat().st_size / len(planned)
    return [
        exactly("planning a point: processor time", planning, "s"),
        exactly("collecting a point of one task: processor time", collecting, "s"),
        exactly("collecting a point: wall time", took, "s"),
        exactly("bytes of a point in result.nc, 128 bins", size, "bytes"),
    ]


def figures() -> list[Figure]:
    """All of them."""
    written, _ = commits()
    found = [*written, *points()]
    for workers in (Workers(threads=2), Workers(processes=2), Workers(cluster=2)):
        found += echo(workers)
    return found + parallel()
