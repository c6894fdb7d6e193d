"""Progress of long work: a bar with rate and time left, lines in a log, or a callable.

The bar appears on standard error once the work has taken two seconds, on a terminal and in a
notebook. Elsewhere, when asked for, a line is written every half minute::

    tasks: 120 of 4000 (3 %), 1.7 tasks/s, 38 min left
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

Report = Callable[[int, int], object]
Progress = bool | Report | None

PATIENCE = 2.0
"""Seconds before a bar appears."""
INTERVAL = 30.0
"""Seconds between the lines of a log."""


@contextmanager
def reporting(progress: Progress, task: str, unit: str) -> Iterator[Report]:
    """Yield a function (done, total) that reports progress.

    Parameters
    ----------
    progress : bool, callable or None
        A callable receives (done, total) itself. None shows a bar on a terminal and in a notebook;
        True does too, and writes lines to standard error where it is neither. False shows nothing.
    task : str
        What is being done, shown before the bar.
    unit : str
        What is counted, shown with the rate.

    Raises
    ------
    TypeError
        If progress is anything else.
    """
    if callable(progress):
        yield progress
        return
    if progress is not None and not isinstance(progress, bool):
        raise TypeError(f"progress={progress!r}: expected True, False, None or a callable")
    shown = None if progress is False else _shown(task, unit, lines=progress is True)
    if shown is None:
        yield lambda _done, _total: None
        return
    try:
        yield shown
    finally:
        shown.close()


class _Shown(Protocol):
    def __call__(self, done: int, total: int) -> None: ...

    def close(self) -> None: ...


def _shown(task: str, unit: str, *, lines: bool) -> _Shown | None:
    if sys.stderr.isatty() or _in_notebook():
        return _Bar(task, unit)
    return _Lines(task, unit, sys.stderr) if lines else None


def _in_notebook() -> bool:
    """Whether rich can draw a bar below the cell of a notebook."""
    if not {"ipykernel", "ipywidgets"} <= set(sys.modules):
        return False
    from rich.console import Console

    return Console().is_jupyter


class _Pace:
    """How fast work goes since the first report, without what had been done before."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.first: tuple[float, int] | None = None

    def rate(self, done: int) -> tuple[float, float]:
        """Return the seconds since the beginning, and the rate."""
        now = time.monotonic()
        began, known = self.first or (self.began, 0)
        if self.first is None:
            self.first = (now, done) if done else (self.began, 0)
        return now - self.began, (done - known) / max(now - began, 1e-9)


class _Bar:
    """A bar of rich, started only when the work turns out to be long."""

    def __init__(self, task: str, unit: str) -> None:
        self.task, self.unit = task, unit
        self.pace = _Pace()
        self.bars: Bars | None = None

    def __call__(self, done: int, total: int) -> None:
        elapsed, rate = self.pace.rate(done)
        if elapsed < PATIENCE:
            return
        if self.bars is None:
            self.bars = _bars()
            self.bars.add_task(self.task, total=total, rate="")
            self.bars.start()
        words = f"{rate:.3g} {self.unit}/s"
        self.bars.update(self.bars.task_ids[0], completed=done, total=total, rate=words)

    def close(self) -> None:
        if self.bars is not None:
            self.bars.stop()


class _Lines:
    """A line in a log now and then; the first after one interval."""

    def __init__(self, task: str, unit: str, file: TextIO) -> None:
        self.task, self.unit, self.file = task, unit, file
        self.pace = _Pace()
        self.last = self.pace.began

    def __call__(self, done: int, total: int) -> None:
        _, rate = self.pace.rate(done)
        now = time.monotonic()
        if now - self.last < INTERVAL:
            return
        self.last = now
        self.file.write(line(self.task, self.unit, done, total, rate) + "\n")
        self.file.flush()

    def close(self) -> None:
        pass


def line(task: str, unit: str, done: int, total: int, rate: float) -> str:
    """Return what a log says of progress.

    Parameters
    ----------
    task, unit : str
        As in `reporting`.
    done, total : int
        How many.
    rate : float
        Per second.
    """
    share = f" ({100 * done // total} %)" if total else ""
    left = f", {duration((total - done) / rate)} left" if rate > 0.0 else ""
    return f"{task}: {done} of {total}{share}, {rate:.3g} {unit}/s{left}"


def duration(seconds: float) -> str:
    """Return a duration in words, to two figures or so."""
    for size, name in ((86_400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2.0 * size:
            return (
                f"{seconds / size:.0f} {name}"
                if seconds > 9.5 * size
                else (f"{seconds / size:.1f} {name}")
            )
    return f"{seconds:.0f} s"


def _bars() -> Bars:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=not _in_notebook()),
        transient=True,
    )
