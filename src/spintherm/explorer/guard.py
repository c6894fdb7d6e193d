"""The door: only the page itself may ask, and it may contact nobody else.

A page of another site can make a browser send requests to loopback. Such a request names another
origin, or, where a foreign name was made to resolve to loopback (DNS rebinding), another host: both
are refused, as is a body that is not JSON or is too large. A strict Content-Security-Policy allows
the page no address but its own, no code but its own file and no style but its own sheet.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 64 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Refuses what does not come from the page itself, and sets the headers of every answer.

    Parameters
    ----------
    app : ASGI application
    port : int
        Where the page is served.
    """

    def __init__(self, app: App, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in LOOPBACK}
        if port == 80:
            self.hosts |= set(LOOPBACK)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI asks."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = [pair for pair in message["headers"] if pair[0].decode() not in HEADERS]
                ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
                message["headers"] = given + ours
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(sealed, *refusal)
            return
        body = b""
        if scope["method"] == "POST":
            whole = await _body(receive)
            if whole is None:
                text = f"the question is larger than {LARGEST_BODY} bytes"
                await _refuse(sealed, 413, text)
                return
            body = whole
        await self.app(scope, _again(body, receive), sealed)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return status and reason if the request must not be served."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        hosts = headers.get("host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return 421, "this page is served on loopback only"
        if any(origin != f"http://{hosts[0]}" for origin in headers.get("origin", [])):
            return 403, "requests of other pages are not answered"
        sites = headers.get("sec-fetch-site", [])
        api = scope["path"].startswith("/api/")
        if api and any(site not in ("same-origin", "none") for site in sites):
            return 403, "requests of other pages are not answered"
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405, "only GET and POST are known here"
        if scope["method"] == "POST":
            kind = ";".join(headers.get("content-type", [""])).split(";")[0].strip().lower()
            if kind != "application/json":
                return 415, "questions are JSON"
        return None


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body, or None if it is too large."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b"".join(parts)
        part = message.get("body", b"")
        size += len(part)
        if size > LARGEST_BODY:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once more and then what comes after it."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


async def _refuse(send: Send, status: int, text: str) -> None:
    body = json.dumps({"error": {"": text}}).encode()
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
