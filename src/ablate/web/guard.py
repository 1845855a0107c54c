"""The guard before every page: the headers of answers, and bounds on what is read."""

import asyncio
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
BODY_SECONDS = 60.0
"""In which a body must have come."""


class Guard:
    """Middleware: refuses large and slow bodies, adds the headers that every answer has, and answers HEAD as GET.

    A body of GET is not read: no page has a use for one, and any number of them may come.

    Args:
        app: What it guards.
        max_body: Bytes of the largest body.
        bodies: How many requests with a body are read and answered at a time; the others wait, unread. None for any
            number.
        too_large: What is said of a larger body.
    """

    def __init__(self, app: ASGIApp, *, max_body: int, bodies: int | None = None, too_large: str = "Too large"):
        self._app = app
        self._too_large = too_large.encode()
        self._max_body = max_body
        self._bodies = None if bodies is None else asyncio.Semaphore(bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # The server itself leaves the body out.
            scope = {**scope, "method": "GET"}
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["method"] == "GET":
            await self._app(scope, receive, with_headers)
        elif self._bodies is None:
            await self._guarded(scope, receive, with_headers)
        else:
            async with self._bodies:
                await self._guarded(scope, receive, with_headers)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, and hand it on where it is there whole."""
        try:
            # Who sends slowly must not keep the others waiting.
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._read(receive)
        except TimeoutError:
            await send({"type": "http.response.start", "status": 408, "headers": [(b"connection", b"close")]})
            await send({"type": "http.response.body", "body": b"Too slow"})
            return
        except ClientDisconnect:
            return
        if body is None:
            kind = (b"content-type", b"text/plain; charset=utf-8")
            await send({"type": "http.response.start", "status": 413, "headers": [kind]})
            await send({"type": "http.response.body", "body": self._too_large})
            return
        waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

        async def given() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, given, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """Return a request's body; None where it is too large, of which no more is read.

        Raises:
            ClientDisconnect: It was cut off.
        """
        parts, size = list[bytes](), 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(bytes(message.get("body", b"")))
            size += len(parts[-1])
            if size > self._max_body:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)
