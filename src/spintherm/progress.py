"""Progress of long work: a bar with rate and time left on standard error, or a callable.

The bar appears once the work has taken two seconds, and never where standard error is no terminal.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

Report = Callable[[int, int], object]
Progress = bool | Report | None

PATIENCE = 2.0


@contextmanager
def reporting(progress: Progress, task: str, unit: str) -> Iterator[Report]:
    """Yield a function (done, total) that reports progress.

    Parameters
    ----------
    progress : bool, callable or None
        A callable receives (done, total) itself; True and None show a bar on a terminal, False
        shows nothing.
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
    if progress is False or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    bar = _Bar(task, unit)
    try:
        yield bar
    finally:
        bar.close()


class _Bar:
    """A bar of rich, started only when the work turns out to be long."""

    def __init__(self, task: str, unit: str) -> None:
        self.task, self.unit = task, unit
        self.began = time.monotonic()
        self.bars: Bars | None = None

    def __call__(self, done: int, total: int) -> None:
        elapsed = time.monotonic() - self.began
        if elapsed < PATIENCE:
            return
        if self.bars is None:
            self.bars = _bars()
            self.bars.add_task(self.task, total=total, rate="")
            self.bars.start()
        rate = f"{done / elapsed:.3g} {self.unit}/s"
        self.bars.update(self.bars.task_ids[0], completed=done, total=total, rate=rate)

    def close(self) -> None:
        if self.bars is not None:
            self.bars.stop()


def _bars() -> Bars:
    from rich import progress
    from rich.console import Console

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
