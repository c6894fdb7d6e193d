"""The application: a page, its files, and an address for every kind of question.

POST /api/KIND with {"page": text, "question": ...}, the kinds being those of `bench.KINDS` and
"script". What is quick is answered by one JSON object; what takes long by lines of JSON, each with
a "type" and a "value" (`bench`). What is wrong in a question is its answer too, {"error": {field:
text}}, with status 200; a question that cannot be read has status 400, one that a newer one of the
same page has replaced 409, one too many 503.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintherm.explorer.guard import Guard, Receive, Scope, Send
from spintherm.explorer.lanes import Busy, Lane, Line, Superseded, failed
from spintherm.validation import complaint

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

STATIC = Path(__file__).with_name("static")
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/explorer.js": ("explorer.js", "text/javascript; charset=utf-8"),
    "/explorer.css": ("explorer.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    "/licences.txt": ("licences.txt", "text/plain; charset=utf-8"),
}
QUICK = ("steady", "material")
SLOW = ("diagram", "distribution", "histogram", "paths", "film")
QUICK_LIMIT, SLOW_LIMIT = 20.0, 120.0
SLOW_PROCESSES = 2
HEAD_START = 1.0
"""Seconds by which the process of the sliders starts before the others, which load as much."""
LONGEST_NAME = 64
STATUS = {"refused": 200, "failed": 500, "stopped": 409}
BUSY = "too many questions are waiting; try again"


def application(port: int) -> Guard:
    """Return the application for a page served at a port of loopback.

    Parameters
    ----------
    port : int
        Only requests for this port of loopback are answered.

    Returns
    -------
    ASGI application
    """
    return Guard(_starlette(), port)


def _starlette() -> Starlette:
    from starlette.applications import Starlette
    from starlette.routing import Route

    quick, slow = Lane(1, QUICK_LIMIT), Lane(SLOW_PROCESSES, SLOW_LIMIT, patient=True)
    lanes = {**dict.fromkeys(QUICK, quick), **dict.fromkeys(SLOW, slow)}

    async def later() -> None:
        await asyncio.sleep(HEAD_START)
        await slow.warm()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await quick.warm()
        warming = asyncio.create_task(later())
        yield
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        for lane in (quick, slow):
            await lane.close()

    async def ask(request: Request) -> Response | Stream:
        kind = request.path_params["kind"]
        if kind not in lanes:
            return _answer(404, error={"": f"no such question: {kind!r}"})
        try:
            page, question = asked(await request.body())
        except ValueError as problem:
            return _answer(400, error={"": str(problem)})
        lines = lanes[kind].ask(page, kind, question)
        return Stream(lines) if kind in SLOW else await _whole(lines)

    routes = [Route(path, _file(*about)) for path, about in FILES.items()]
    routes += [
        Route("/api/presets", _presets),
        Route("/api/script", _script, methods=["POST"]),
        Route("/api/{kind}", ask, methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def asked(body: bytes) -> tuple[str, Any]:
    """Return the page's name and its question.

    Parameters
    ----------
    body : bytes
        JSON, {"page": text, "question": anything}.

    Raises
    ------
    ValueError
        If it is anything else.
    """
    expected = 'JSON, {"page": text, "question": ...}'
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"body: expected {expected}: {problem}") from problem
    if not isinstance(data, dict) or set(data) != {"page", "question"}:
        raise ValueError(f"body: expected {expected}")
    page = data["page"]
    if not isinstance(page, str) or len(page) > LONGEST_NAME:
        raise ValueError(complaint("page", page, f"a text of at most {LONGEST_NAME} letters"))
    return page, data["question"]


class Stream:
    """A response of JSON lines that is given up as soon as nobody listens.

    Parameters
    ----------
    lines : async generator
    """

    def __init__(self, lines: AsyncGenerator[Line, None]) -> None:
        self.lines = lines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the lines, as ASGI asks."""

        async def gone() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        tasks = [asyncio.create_task(work) for work in (self._send(send), gone())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
        if isinstance(results[0], Exception):
            raise results[0]

    async def _send(self, send: Send) -> None:
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async with aclosing(self.lines):
            async for line in _told(self.lines):
                body = b'{"type":"%s","value":%s}\n' % (line.sort.encode(), line.value)
                await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _told(lines: AsyncGenerator[Line, None]) -> AsyncIterator[Line]:
    """Yield the lines, and why there are none if there are none."""
    try:
        async for line in lines:
            yield line
    except Superseded:
        yield Line("stopped", b'"superseded"')
    except Busy:
        yield failed(BUSY)


async def _whole(lines: AsyncGenerator[Line, None]) -> Response:
    from starlette.responses import Response

    try:
        async with aclosing(lines):
            async for line in lines:
                if line.sort == "answer":
                    body = b'{"answer":%s}' % line.value
                    return Response(body, media_type="application/json")
                if line.ends:
                    value = json.loads(line.value)
                    error = value if isinstance(value, Mapping) else {"": value}
                    return _answer(STATUS[line.sort], error=error)
    except Superseded:
        return _answer(409, error={"": "superseded"})
    except Busy:
        return _answer(503, error={"": BUSY})
    return _answer(500, error={"": "no answer"})


def _answer(status: int, **content: Any) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse(content, status)


async def _presets(_request: Request) -> Response:
    from spintherm.explorer.presets import presets

    return _answer(200, answer=presets())


async def _script(request: Request) -> Response:
    from spintherm.explorer.questions import Refused
    from spintherm.explorer.script import script

    try:
        _, question = asked(await request.body())
        return _answer(200, answer=script(question))
    except Refused as problem:
        return _answer(200, error=problem.complaints)
    except ValueError as problem:
        return _answer(400, error={"": str(problem)})


def _file(name: str, media_type: str) -> Any:
    async def serve(_request: Request) -> Response:
        from starlette.responses import Response

        with suppress(OSError):
            return Response((STATIC / name).read_bytes(), media_type=media_type)
        return _answer(404, error={"": f"{name} is missing from the installation"})

    return serve
