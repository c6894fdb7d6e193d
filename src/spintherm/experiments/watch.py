"""Watching a series of experiments: one bar for all, with rate and time left, on standard error.

Work is counted in steps of trajectories, plus what it costs to begin a trajectory and to look at
its end; with that the time left is about right from the beginning. The bar appears after two
seconds, and never where standard error is no terminal.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spintherm.progress import PATIENCE, Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars


OVERHEAD = 80
"""Beginning and evaluating a trajectory takes as long as this many steps."""

Show = Callable[[str, int, int, int], None]


class Stopped(Exception):  # noqa: N818 - it is no error
    """Raised in the threads of a series that was told to stop."""


class Watch:
    """What is being done and how much of it; several threads may report.

    Parameters
    ----------
    total : int
        All work, as `work` counts it.
    experiments : int
        Number of experiments.
    show : callable
        Receives text, work done, work in all and trajectories done.
    """

    def __init__(self, total: int, experiments: int, show: Show) -> None:
        self.total, self.experiments, self._show = total, experiments, show
        self.done = self.trajectories = self._number = 0
        self._label = ""
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def begin(self, label: str) -> None:
        """Begin the next experiment."""
        self._number += 1
        self._label = f"experiment {self._number} of {self.experiments}: {label}"
        self._tell()

    def say(self, label: str) -> None:
        """Say what is done after the experiments."""
        self._label = label
        self._tell()

    def stop(self) -> None:
        """Make every ensemble that is still running stop at its next report."""
        self._stop.set()

    def ensemble(self, steps: int) -> Callable[[int, int], None]:
        """Return the progress callback of one ensemble with that many steps a trajectory."""
        before = 0

        def report(done: int, total: int) -> None:
            nonlocal before
            if self._stop.is_set():
                raise Stopped
            with self._lock:
                self.done += work(done - before, steps)
                self.trajectories += done - before
                before = done
                self._tell()

        return report

    def _tell(self) -> None:
        self._show(self._label, self.done, self.total, self.trajectories)


def work(trajectories: int, steps: int) -> int:
    """Return the work of an ensemble."""
    return trajectories * (steps + OVERHEAD)


@contextmanager
def watching(progress: Progress, total: int, experiments: int) -> Iterator[Watch]:
    """Yield a watch over a series of experiments.

    Parameters
    ----------
    progress : bool, callable or None
        A callable receives (done, total) itself; True and None show a bar on a terminal, False
        shows nothing.
    total : int
        All work, as `work` counts it.
    experiments : int
        Number of experiments.

    Raises
    ------
    TypeError
        If progress is anything else.
    """
    if callable(progress):
        report = progress
        yield Watch(total, experiments, lambda _text, done, all_, _n: _ignore(report(done, all_)))
        return
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress={progress!r}: expected True, False, None or a callable")
    if progress is False or not sys.stderr.isatty():
        yield Watch(total, experiments, lambda _text, _done, _all, _n: None)
        return
    bar = _Bar()
    try:
        yield Watch(total, experiments, bar)
    finally:
        bar.close()


class _Bar:
    """A bar of rich, started only when the work turns out to be long."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.bars: Bars | None = None

    def __call__(self, text: str, done: int, total: int, trajectories: int) -> None:
        elapsed = time.monotonic() - self.began
        if elapsed < PATIENCE:
            return
        if self.bars is None:
            self.bars = _bars()
            self.bars.add_task(text, total=total, rate="")
            self.bars.start()
        rate = f"{trajectories / elapsed:.2g} trajectories/s"
        task = self.bars.task_ids[0]
        self.bars.update(task, completed=done, total=total, description=text, rate=rate)

    def close(self) -> None:
        if self.bars is not None:
            self.bars.stop()


def _bars() -> Bars:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _ignore(_value: object) -> None:
    return None
