"""Who is served, and where: lanes of computing processes, the newest question of each page first.

What is quick and what takes long have lanes of their own, so that a slider never waits for a
density. In a lane a question replaces the older one of the same page and kind, waiting or running:
the older one is told that it is superseded. A question that nobody waits for any more is given up:
its process is asked to stop and, if it does not within `GRACE`, killed and replaced, as it is when
a question exceeds its time.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from spintherm.workers import environment

LONGEST_LINE = 1 << 26
GRACE = 0.7
"""Seconds that a process has to stop by itself."""
COMPILING = 900.0
"""Seconds that it may take to compile; who interrupts that would have to begin anew."""
MOST_WAITING = 64
ENDS = frozenset({"answer", "refused", "failed", "stopped"})
_COMMAND = "from spintherm.explorer.bench import serve; serve(patient={patient})"

Key = tuple[str, str]


@dataclass(frozen=True)
class Line:
    """One line of an answer: its type (`bench`), and its value as JSON."""

    sort: str
    value: bytes

    @property
    def ends(self) -> bool:
        """Whether it is the last one."""
        return self.sort in ENDS


class Superseded(Exception):  # noqa: N818 - what happened
    """The same page has asked something newer."""


class Busy(Exception):  # noqa: N818 - what happened
    """Too many questions are waiting."""


class Process:
    """One computing process; started when it is first asked.

    Parameters
    ----------
    patient : bool
        Whether it gives way to others.
    """

    def __init__(self, patient: bool = False) -> None:
        self.command = _COMMAND.format(patient=patient)
        self.process: asyncio.subprocess.Process | None = None
        self.number = 0
        self.compiling = False

    async def start(self) -> asyncio.subprocess.Process:
        """Return the running process."""
        if self.process is None or self.process.returncode is not None:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-c",
                self.command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=environment(),
                limit=LONGEST_LINE,
                start_new_session=True,
            )
        return self.process

    async def ask(self, kind: str, question: Any) -> int:
        """Send a question and return its number."""
        self.number += 1
        await self._send({"id": self.number, "kind": kind, "question": question})
        return self.number

    async def line(self) -> Line:
        """Return the next line of the present question; one of sort "failed" if there is none."""
        process = await self.start()
        assert process.stdout is not None
        while text := await process.stdout.readline():
            number, sort, value = text.rstrip(b"\n").split(b" ", 2)
            if sort in (b"compiling", b"compiled"):
                self.compiling = sort == b"compiling"
            if int(number) == self.number:
                return Line(sort.decode(), value)
        await self.kill()
        return failed("the computation ended without an answer")

    async def give_up(self) -> None:
        """Ask the process to stop; kill it if it does not."""
        with suppress(ConnectionError, TimeoutError):
            await self._send({"stop": self.number})
            async with asyncio.timeout(COMPILING if self.compiling else GRACE):
                while not (await self.line()).ends:
                    pass
            return
        await self.kill()

    async def kill(self) -> None:
        """End the process at once."""
        process, self.process, self.compiling = self.process, None, False
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _send(self, line: dict[str, Any]) -> None:
        process = await self.start()
        assert process.stdin is not None
        process.stdin.write(json.dumps(line).encode() + b"\n")
        await process.stdin.drain()


class Ticket:
    """The place of one question in a lane."""

    def __init__(self) -> None:
        self.superseded = asyncio.Event()
        self.turn: asyncio.Future[Process] = asyncio.get_running_loop().create_future()


class Lane:
    """Some processes and the questions that wait for them.

    Parameters
    ----------
    processes : int
    limit : float
        Seconds that a question may take.
    patient : bool
        Whether the processes give way to others, such as those of another lane.
    """

    def __init__(self, processes: int, limit: float, *, patient: bool = False) -> None:
        self.processes = [Process(patient) for _ in range(processes)]
        self.idle = deque(self.processes)
        self.waiting: deque[Ticket] = deque()
        self.tickets: dict[Key, Ticket] = {}
        self.limit = limit
        self.cleaning: set[asyncio.Task[None]] = set()

    async def ask(self, page: str, kind: str, question: Any) -> AsyncGenerator[Line, None]:
        """Yield the lines of an answer; the last one's sort is one of `ENDS`.

        Parameters
        ----------
        page, kind : str
            A newer question with the same two replaces this one.
        question : object
            To be sent as JSON.

        Raises
        ------
        Superseded
            If it was replaced.
        Busy
            If too many questions are waiting.
        """
        key, ticket = (page, kind), Ticket()
        if key in self.tickets:
            self.tickets[key].superseded.set()
        self.tickets[key] = ticket
        process, ended = None, False
        try:
            process = await self._take(ticket)
            await process.ask(kind, question)
            async with asyncio.timeout(self.limit) as clock:
                while not ended:
                    line = await unless(process.line(), ticket.superseded)
                    ended = line.ends
                    if line.sort in ("compiling", "compiled"):
                        allowed = COMPILING if process.compiling else self.limit
                        clock.reschedule(asyncio.get_running_loop().time() + allowed)
                    yield line
        except TimeoutError:
            ended = True
            if process is not None:
                await process.kill()
            text = f"took longer than {self.limit:g} seconds and was stopped; ask for less"
            yield failed(text)
        finally:
            if self.tickets.get(key) is ticket:
                del self.tickets[key]
            if process is not None:
                self._leave(process, ended=ended)

    async def warm(self) -> None:
        """Start all processes, so that the first question need not wait for that."""
        await asyncio.gather(*(process.start() for process in self.processes))

    async def close(self) -> None:
        """End all processes."""
        for task in self.cleaning:
            task.cancel()
        await asyncio.gather(*(process.kill() for process in self.processes))

    def _leave(self, process: Process, *, ended: bool) -> None:
        """Hand the process on; one that still computes stops in the background first."""
        if ended:
            self._release(process)
            return

        async def stop() -> None:
            try:
                await process.give_up()
            finally:
                self._release(process)

        task = asyncio.get_running_loop().create_task(stop())
        self.cleaning.add(task)
        task.add_done_callback(self.cleaning.discard)

    async def _take(self, ticket: Ticket) -> Process:
        if self.idle:
            return self.idle.popleft()
        if len(self.waiting) >= MOST_WAITING:
            raise Busy
        self.waiting.append(ticket)
        try:
            process: Process = await unless(asyncio.shield(ticket.turn), ticket.superseded)
            return process
        except BaseException:
            if ticket in self.waiting:
                self.waiting.remove(ticket)
            elif ticket.turn.done():
                self._release(ticket.turn.result())
            raise

    def _release(self, process: Process) -> None:
        while self.waiting:
            ticket = self.waiting.popleft()
            if not ticket.superseded.is_set():
                ticket.turn.set_result(process)
                return
        self.idle.append(process)


def failed(text: str) -> Line:
    """Return the line that ends an answer which could not be given."""
    return Line("failed", json.dumps(text).encode())


async def unless(awaitable: Any, event: asyncio.Event) -> Any:
    """Return what is awaited; raise `Superseded` as soon as the event is set."""
    work, end = asyncio.ensure_future(awaitable), asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
        if event.is_set():
            raise Superseded
        return work.result()
    finally:
        for task in (work, end):
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
