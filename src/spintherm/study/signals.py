"""Interruptions: the first signal asks for a checkpoint, the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

CHECKPOINTED = 75
"""Exit code of a run that stopped early and can be resumed: EX_TEMPFAIL of sysexits.h."""
_SIGNALS = ("SIGINT", "SIGTERM", "SIGXCPU", "SIGUSR2")
# batch systems announce the end of the time by SIGTERM, SIGXCPU or what the user asks for


class Stop:
    """Whether, and why, the work should stop."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.reason = ""

    def __bool__(self) -> bool:
        return self._event.is_set()

    def ask(self, reason: str) -> None:
        """Ask for a stop; the first reason counts."""
        if not self._event.is_set():
            self.reason = reason
            self._event.set()


@contextmanager
def stopping() -> Iterator[Stop]:
    """Yield a `Stop` that the signals SIGINT, SIGTERM, SIGXCPU and SIGUSR2 ask.

    A second signal ends the process at once with the same exit code: whatever was committed is on
    the disk. Outside the main thread no signal is handled.
    """
    stop = Stop()

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop:
            os._exit(CHECKPOINTED)
        stop.ask(signal.Signals(number).name)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
