"""What a process that computes for the explorer does: read questions, write answers, line by line.

A question is a line of JSON, {"id", "kind", "question"}, an answer a line of three words: the id,
the type and the value as JSON, so that whoever hands it on need not read it. The types are
"compiling" and "compiled" (kernels, once after an installation), "progress", "part", "answer",
"refused", "failed" and "stopped"; the last four end an answer. A line
{"stop": id} asks to give up, which is noticed at the next report of progress. The process ends when
its input closes.

While nobody asks, a process that answers sliders looks ahead of them (`answers.ahead`): the first
state of a truncation needs its operators, which take longer than the state.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any, BinaryIO

from spintherm.explorer import questions

KINDS: dict[str, Any] = {
    "steady": questions.Point,
    "diagram": questions.Diagram,
    "distribution": questions.Density,
    "histogram": questions.Histogram,
    "paths": questions.Paths,
    "film": questions.Film,
    "material": questions.Material,
}
"""What can be asked, by kind; the answer is the function of that name in `answers`."""


PATIENCE = 10
REST = 0.15
"""Seconds without a question after which a process looks ahead."""
START = {
    "magnet": {"moment": 3**0.5, "gyromagnetic_ratio": 1.0, "damping": 0.5, "temperature": 1.0},
    "field": 2.0,
    "spin_torque": 0.8,
    "angle": 60.0,
}
"""The working point with which the page begins: [II], in the middle of its sliders."""


class Stopped(Exception):  # noqa: N818 - what happened
    """Nobody wants the answer any more."""


def computed(kind: str, question: Any, tell: Callable[[str, Any], None]) -> Any:
    """Return the answer to a question as it came from the page.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    question : object
        From JSON.
    tell : callable
        Receives ("progress", [done, total]) and ("part", what is known so far).

    Raises
    ------
    Refused
        If the question is wrong or too much.
    """
    from spintherm.explorer import answers
    from spintherm.fokker_planck import ResolutionError

    try:
        return getattr(answers, kind)(KINDS[kind].from_dict(question), tell)
    except questions.Refused:
        raise
    except ResolutionError as problem:
        raise questions.Refused({"": " ".join(str(problem).split())}) from problem
    except (TypeError, ValueError) as problem:
        raise questions.Refused.of(problem) from problem


class Bench:
    """Answers one question after the other; a thread of its own reads them.

    Parameters
    ----------
    source, sink : binary files
    begin : iterable, optional
        What to do before the first question, in pieces; it is left when one comes.
    """

    def __init__(self, source: BinaryIO, sink: BinaryIO, begin: Iterable[None] = ()) -> None:
        self.source, self.sink = source, sink
        self.waiting: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self.stopped: set[int] = set()
        self.idle: Iterator[None] = iter(begin)

    def serve(self) -> None:
        """Answer until the input closes."""
        threading.Thread(target=self._read, daemon=True).start()
        rest = 0.0
        while True:
            line = self._next(rest)
            self._answer(line["id"], line["kind"], line["question"])
            self.stopped.discard(line["id"])
            rest = REST

    def _next(self, rest: float) -> dict[str, Any]:
        """Return the next question; look ahead, piece by piece, until it comes."""
        with suppress(Empty):
            return self.waiting.get(timeout=rest)
        for _ in self.idle:
            with suppress(Empty):
                return self.waiting.get_nowait()
        return self.waiting.get()

    def _read(self) -> None:
        for text in self.source:
            line = json.loads(text)
            if "stop" in line:
                self.stopped.add(line["stop"])
            else:
                self.waiting.put(line)
        os._exit(0)  # nobody is left to answer to

    def _answer(self, number: int, kind: str, question: Any) -> None:
        def tell(sort: str, value: Any) -> None:
            if number in self.stopped:
                raise Stopped
            self._write(number, sort, value)

        try:
            self._write(number, "answer", computed(kind, question, tell))
            if kind == "steady":
                self.idle = _ahead(question)
        except Stopped:
            self._write(number, "stopped", None)
        except questions.Refused as problem:
            self._write(number, "refused", problem.complaints)
        except MemoryError:
            self._write(number, "failed", "not enough memory")
        except Exception as problem:
            text = " ".join(f"{type(problem).__name__}: {problem}".split())
            self._write(number, "failed", text)

    def _write(self, number: int, sort: str, value: Any) -> None:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
        self.sink.write(f"{number} {sort} {text}\n".encode())
        self.sink.flush()


def serve(*, patient: bool = False) -> None:
    """Serve on standard input and output; what is printed on the way goes to standard error.

    Parameters
    ----------
    patient : bool
        Whether the system is to let other processes go first, where it can.
    """
    if patient and hasattr(os, "nice"):
        os.nice(PATIENCE)
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    Bench(sys.stdin.buffer, sink, islice(_ahead(START), 1)).serve()


def _ahead(question: Any) -> Iterator[None]:
    """Load what an answer needs, then look ahead of the sliders at a working point."""
    from spintherm.explorer import answers

    point = questions.Point.from_dict(question)
    answers.steady(point, lambda _sort, _value: None)
    yield
    yield from answers.ahead(point)
