"""A run: tasks handed to workers, what comes back committed, the result collected.

Tasks are pure functions, so that who does them, when, and how often changes nothing. One process
writes: it takes what a worker gives, writes it, and only then says so in the journal. Whatever is
killed at whatever instant, the next run finds what the journal says and the checksums confirm, and
does the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from logging import Logger
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.progress import Progress, Report, reporting
from spintherm.study import tasks as worker
from spintherm.study.adaptive import Refinement
from spintherm.study.arrays import Record
from spintherm.study.collect import merged, write_result
from spintherm.study.directory import Refused, RunDirectory, logged
from spintherm.study.executors import Crew, Workers, started
from spintherm.study.journal import Commit, Journal
from spintherm.study.lock import Locked, held, holder
from spintherm.study.plan import Point, Points, Shard, Task
from spintherm.study.signals import Stop, stopping
from spintherm.study.store import Store

if TYPE_CHECKING:
    from spintherm.configuration import Study

_QUEUED = 2
"""Tasks in the queue for each that runs: nobody waits while results are written."""
_TRIES = 20
_GLANCE = 0.2
_SETTLE = 5.0
"""Seconds between the times at which what was written is forced to the disk."""

Answer = Future[tuple[Record, float]]


class Interrupted(Exception):  # noqa: N818 - what has happened
    """A run stopped before its end; it can be resumed.

    Parameters
    ----------
    path : Path
        The run directory.
    reason : str
        A signal, or that the time was over.
    done, total : int
        Tasks.
    """

    def __init__(self, path: Path, reason: str, done: int, total: int) -> None:
        self.path, self.reason, self.done, self.total = path, reason, done, total
        super().__init__(path, reason, done, total)

    def __str__(self) -> str:
        return (
            f"stopped by {self.reason} with {self.done} of {self.total} tasks done; "
            f"go on with: spintherm run --resume {self.path}"
        )


class TaskFailed(RuntimeError):  # noqa: N818 - what has happened
    """A task cannot be done: the study asks for something that has no answer."""


@dataclass(frozen=True)
class Outcome:
    """What a run has come to.

    Attributes
    ----------
    complete : bool
        Whether the result is there; a shard that is not the last leaves it to the others.
    computed, recomputed, known : int
        Tasks that were done now, those of them that had been done before but were damaged, and
        those that were done before.
    seconds : float
        Wall time.
    """

    complete: bool
    computed: int
    recomputed: int
    known: int
    seconds: float


@dataclass
class _State:
    """What a run knows of its tasks."""

    directory: RunDirectory
    study: Study
    store: Store
    shard: Shard
    log: Logger
    stop: Stop
    points: Points
    layout: str = ""
    settled: float = field(default_factory=time.monotonic)
    done: set[int] = field(default_factory=set)
    damaged: set[int] = field(default_factory=set)
    computed: int = 0
    recomputed: int = 0
    known: int = 0
    began: float = field(default_factory=time.monotonic)


def work(
    directory: RunDirectory,
    study: Study,
    *,
    workers: Workers,
    shard: Shard,
    max_time: float | None = None,
    progress: Progress = None,
) -> Outcome:
    """Do what is left of a run, and collect its result if nothing is left.

    Parameters
    ----------
    directory : RunDirectory
        Sound and of this study.
    study : Study
        The whole study.
    workers : Workers
        Where tasks run.
    shard : Shard
        The share of the tasks that is done here.
    max_time : float, optional
        Seconds after which it stops as if interrupted.
    progress : bool or callable, optional
        See `spintherm.progress`; counts tasks.

    Returns
    -------
    Outcome

    Raises
    ------
    Interrupted
        If a signal or the end of the time stopped it.
    Locked
        If another process works on this directory, or on this shard.
    DirectoryFull
        If the file system takes no more; what was committed is safe.
    TaskFailed
        If a task raises an error.
    """
    name = f"shard-{shard.index}-of-{shard.count}"
    with held(directory.lock(name)), logged(directory.path) as log, stopping() as stop:
        _refuse_others(directory, shard)
        state = _State(directory, study, Store(directory.data), shard, log, stop, Points(study))
        log.info("started: %s, shard %s", workers, shard)
        try:
            complete = _through(state, name, workers, max_time, progress)
        except BaseException as error:
            log.info("ended by %s: %s", type(error).__name__, error)
            raise
        seconds = time.monotonic() - state.began
        log.info("%s after %.1f s", "complete" if complete else "shard done", seconds)
    return Outcome(complete, state.computed, state.recomputed, state.known, seconds)


def _refuse_others(directory: RunDirectory, shard: Shard) -> None:
    """Refuse to work beside shares of another cut."""
    for path in directory.lock("any").parent.glob("shard-*.lock"):
        if path.stem.endswith(f"-of-{shard.count}"):
            continue
        other = holder(path)
        if other is not None:
            raise Locked(
                f"{directory.path}: process {other.process} on {other.host} works in this "
                f"directory ({path.stem.replace('-', ' ')})"
            )


def _through(
    state: _State, name: str, workers: Workers, max_time: float | None, progress: Progress
) -> bool:
    commits = state.directory.commits()
    _check_arrays(state, commits)
    deadline = None if max_time is None else state.began + max_time
    with (
        state.directory.journal_of(name) as journal,
        reporting(progress, "tasks", "tasks") as report,
        _Lazy(workers) as lazy,
    ):
        for batch in _batches(state):
            state.store.expect(state.points.tasks)
            left = _left(state, batch, commits)
            if left:
                _compute(state, lazy, journal, left, deadline, report)
    if not _all_done(state):
        return False
    return _collected(state)


def _check_arrays(state: _State, commits: dict[int, Commit]) -> None:
    """Begin anew where the description of the arrays is damaged: no row can be trusted then."""
    if not commits or state.store.layout() in {commit.layout for commit in commits.values()}:
        return
    if not state.shard.whole:
        raise Refused(f"{state.directory.data}: damaged; resume without shards first")
    state.log.info("the description of the arrays is damaged: all tasks are done again")
    state.store.discard()


def _batches(state: _State) -> Iterator[list[Point]]:
    """Yield points whose tasks can be done together; those of an adaptive sweep come in turns."""
    sweep = state.study.sweep
    if sweep is None or sweep.method != "adaptive":
        yield [state.points.add(values) for values in state.study.points()]
        return
    if not state.shard.whole:
        raise ValueError(
            f"shard={state.shard}: an adaptive sweep chooses points from the results of others; "
            "expected one process, with as many workers as you like"
        )
    refinement = Refinement(state.study)
    while asked := refinement.ask():
        batch = [state.points.add(values) for values in asked]
        yield batch
        refinement.tell([_target(state, refinement.target, point) for point in batch])


def _target(state: _State, name: str, point: Point) -> float:
    for _, record in merged(state.study, state.store, point):
        if name in record:
            return float(np.asarray(record[name].values).ravel()[0])
    raise TaskFailed(f"sweep.target={name!r}: expected a variable of the results")


def _left(state: _State, batch: Sequence[Point], commits: dict[int, Commit]) -> list[Task]:
    """Return the tasks of a batch that are to be done here; damaged ones are among them."""
    left = []
    for task in (task for point in batch for task in point.tasks()):
        if not state.shard.holds(task, len(state.points)):
            continue
        if task.index in commits:
            if state.store.checksum(task.index) == commits[task.index].sha256:
                state.done.add(task.index)
                state.known += 1
                continue
            state.log.info("task %d: damaged, done again", task.index)
            state.damaged.add(task.index)
        left.append(task)
    return left


class _Lazy:
    """Workers that are started when the first task is there for them."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._context: Any = None
        self._crew: Crew | None = None

    def __enter__(self) -> _Lazy:
        return self

    def __exit__(self, *error: Any) -> None:
        if self._context is not None:
            self._context.__exit__(*error)

    @property
    def crew(self) -> Crew:
        """The workers."""
        if self._crew is None:
            self._context = started(self._workers)
            self._crew = self._context.__enter__()
        return self._crew


def _compute(
    state: _State,
    lazy: _Lazy,
    journal: Journal,
    left: Sequence[Task],
    deadline: float | None,
    report: Report,
) -> None:
    """Do tasks, and commit each as soon as it is there."""
    crew = lazy.crew
    waiting = iter(left)
    pending: dict[Answer, Task] = {}
    tries: dict[int, int] = {}
    total = state.known + state.computed + len(left)
    report(state.known + state.computed, total)
    try:
        while True:
            _look_at_clock(state, deadline)
            while not state.stop and len(pending) < (1 + _QUEUED) * crew.size:
                task = next(waiting, None)
                if task is None:
                    break
                pending[_submitted(crew, task)] = task
            if not pending:
                break
            if state.stop:
                _let_finish(state, journal, pending)
                break
            for future in wait(pending, _GLANCE, FIRST_COMPLETED).done:
                task = pending.pop(future)
                if _committed(state, crew, journal, task, future, tries):
                    report(state.known + state.computed, total)
                else:
                    pending[_submitted(crew, task)] = task
    except TaskFailed:
        _let_finish(state, journal, pending)
        raise
    finally:
        for future in pending:
            future.cancel()
    if state.stop:
        raise Interrupted(
            state.directory.path, state.stop.reason, state.known + state.computed, total
        )


def _look_at_clock(state: _State, deadline: float | None) -> None:
    if deadline is not None and time.monotonic() >= deadline:
        state.stop.ask("the end of the time")


def _submitted(crew: Crew, task: Task) -> Answer:
    return crew.executor.submit(worker.perform, task.point.text, task.point.seed, task.chunk)


def _let_finish(state: _State, journal: Journal, pending: dict[Answer, Task]) -> None:
    """Commit what is running, and give up what has not begun."""
    for future in list(pending):
        if future.cancel():
            pending.pop(future)
    for future, task in list(pending.items()):
        pending.pop(future)
        try:
            record, seconds = future.result()
        except Exception:
            continue
        _commit(state, journal, task, record, seconds)


def _committed(
    state: _State,
    crew: Crew,
    journal: Journal,
    task: Task,
    future: Answer,
    tries: dict[int, int],
) -> bool:
    """Commit what a task gave; return False if its worker was lost and it must be done again."""
    try:
        record, seconds = future.result()
    except crew.lost as error:
        tries[task.index] = tries.get(task.index, 0) + 1
        state.log.info("task %d: worker lost (%s)", task.index, type(error).__name__)
        if tries[task.index] >= _TRIES:
            raise TaskFailed(
                f"{task.point}: its workers were lost {_TRIES} times; not enough memory?"
            ) from error
        return False
    except (ValueError, TypeError, ArithmeticError, RuntimeError, MemoryError) as error:
        raise TaskFailed(f"{task.point}: {error}") from error
    _commit(state, journal, task, record, seconds)
    return True


def _commit(state: _State, journal: Journal, task: Task, record: Record, seconds: float) -> None:
    checksum, size = state.store.write(task.index, record)
    if not state.layout:
        state.layout = state.store.layout()
    journal.append(Commit(task.index, checksum, state.layout, round(seconds, 6), size))
    if time.monotonic() - state.settled > _SETTLE:
        state.store.settle()
        journal.settle()
        state.settled = time.monotonic()
    state.done.add(task.index)
    state.computed += 1
    state.recomputed += task.index in state.damaged


def _all_done(state: _State) -> bool:
    """Whether the tasks of all shards are committed, and undamaged."""
    if len(state.done) == state.points.tasks:
        return True
    commits = state.directory.commits()
    others = [task for task in range(state.points.tasks) if task not in state.done]
    return all(task in commits for task in others) and all(
        state.store.checksum(task) == commits[task].sha256 for task in others
    )


def _collected(state: _State) -> bool:
    """Write the result, unless another shard is about to."""
    path = state.directory.lock("collect")
    try:
        with held(path):
            if state.directory.finished() is None:
                write_result(state.directory.result, state.study, list(state.points), state.store)
                state.store.consolidate()
                state.directory.finish(_summary(state))
    except Locked:
        if state.shard.whole:
            raise
        return False
    return True


def _summary(state: _State) -> dict[str, Any]:
    commits = state.directory.commits().values()
    return {
        "points": len(state.points),
        "tasks": state.points.tasks,
        "task_seconds": round(sum(commit.seconds for commit in commits), 3),
        "bytes": sum(commit.size for commit in commits),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
