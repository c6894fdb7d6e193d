"""What a process that computes for the explorer does: read questions, write answers, line by line.

A question is a line of JSON, {"id", "kind", "question"}, an answer a line of three words: the id,
the type and the value as JSON, so that whoever hands it on need not read it. The types are
"compiling" and "compiled" (kernels, once after an installation), "progress", "part", "answer",
"refused", "failed" and "stopped"; the last four end an answer. A line
{"stop": id} asks to give up, which is noticed at the next report of progress. The process ends when
its input closes.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from queue import SimpleQueue
from typing import Any, BinaryIO

from spintherm.explorer import questions

KINDS: dict[str, Any] = {
    "steady": questions.Point,
    "diagram": questions.Diagram,
    "distribution": questions.Density,
    "histogram": questions.Histogram,
    "paths": questions.Paths,
    "material": questions.Material,
}
"""What can be asked, by kind; the answer is the function of that name in `answers`."""


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
    """Answers one question after the other; a thread of its own reads them."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self.source, self.sink = source, sink
        self.waiting: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self.stopped: set[int] = set()

    def serve(self) -> None:
        """Answer until the input closes."""
        threading.Thread(target=self._read, daemon=True).start()
        for line in self._asked():
            self._answer(line["id"], line["kind"], line["question"])
            self.stopped.discard(line["id"])

    def _asked(self) -> Iterator[dict[str, Any]]:
        while (line := self.waiting.get()) is not None:
            yield line

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


def serve() -> None:
    """Serve on standard input and output; what is printed on the way goes to standard error."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    threading.Thread(target=_prepare, daemon=True).start()
    Bench(sys.stdin.buffer, sink).serve()


def _prepare() -> None:
    """Load what the first answer needs while nobody asks yet."""
    import_module("spintherm.explorer.answers")
    import_module("spintherm.fokker_planck.steady")
