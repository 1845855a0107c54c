"""Security of the server: signed cookies, tokens against forged forms, rate limits, and headers."""

import hashlib
import hmac
import secrets
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 4096
"""Bytes: no form of these pages has more."""
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


class Signer:
    """Signs what browsers keep, so that nobody can make it up.

    Args:
        secret: Of the server.
    """

    def __init__(self, secret: bytes):
        self._secret = secret

    def sign(self, purpose: str, value: str) -> str:
        """Return a value with its signature; one purpose's is worth nothing for another."""
        return str(URLSafeSerializer(self._secret, salt=purpose).dumps(value))

    def read(self, purpose: str, signed: str | None) -> str | None:
        """Return a signed value; None where there is none, or the signature is not ours."""
        if signed is None:
            return None
        try:
            value = URLSafeSerializer(self._secret, salt=purpose).loads(signed)
        except BadSignature:
            return None
        return value if isinstance(value, str) else None

    def form_token(self, key: str) -> str:
        """Return what the forms of a session hold, which no other page can know."""
        return hmac.new(self._secret, f"form {key}".encode(), hashlib.sha256).hexdigest()

    def is_form_token(self, key: str, token: str) -> bool:
        """Compare a form's token, in a time that does not depend on it."""
        return equal_secrets(self.form_token(key), token)


def equal_secrets(one: str, other: str) -> bool:
    """Compare secrets in a time that does not depend on where they differ, nor on their lengths."""
    return hmac.compare_digest(*(hashlib.sha256(each.encode()).digest() for each in (one, other)))


def new_key() -> str:
    """Return a random key of a session."""
    return secrets.token_urlsafe(24)


def hash_key(key: str) -> str:
    """Return what the database has of a session's key: whoever reads that cannot resume the session."""
    return hashlib.sha256(key.encode()).hexdigest()


class RateLimits:
    """How often something may happen in a minute, for each address or session. Kept in memory alone.

    Args:
        allowed: By the name of what happens.
    """

    def __init__(self, **allowed: int):
        self._allowed = {name: RateLimitItemPerMinute(count) for name, count in allowed.items()}
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def hit(self, name: str, who: str) -> bool:
        """Count once more, and return whether that is still allowed."""
        return self._limiter.hit(self._allowed[name], name, who)

    def test(self, name: str, who: str) -> bool:
        """Return whether once more would be allowed."""
        return self._limiter.test(self._allowed[name], name, who)


class Guard:
    """Middleware: refuses large bodies and adds the headers that every answer has."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
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

        body = await _read(receive)
        if body is None:
            await with_headers({"type": "http.response.start", "status": 413, "headers": []})
            await with_headers({"type": "http.response.body", "body": b"Too large"})
            return
        waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

        async def given() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, given, with_headers)


async def _read(receive: Receive) -> bytes | None:
    """Return a request's body; None where it is too large, of which no more is read."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return body
