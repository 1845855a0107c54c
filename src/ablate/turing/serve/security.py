"""Security of the server: signed cookies, tokens against forged forms, and rate limits."""

import hashlib
import hmac
import secrets

from itsdangerous import BadSignature, URLSafeSerializer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter


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

    def session_key(self, experiment: str, external_id: str) -> str:
        """Return the key of a participant's session: the same for the same id, in whichever browser."""
        return hmac.new(self._secret, f"participant {experiment} {external_id}".encode(), hashlib.sha256).hexdigest()

    def new_invitation(self, experiment: str) -> str:
        """Return a new id that `is_invitation` knows again."""
        name = secrets.token_hex(8)
        return f"{name}.{self._invitation(experiment, name)}"

    def is_invitation(self, experiment: str, external_id: str) -> bool:
        """Return whether an id is one that was made for an experiment here."""
        name, _, signature = external_id.partition(".")
        return equal_secrets(self._invitation(experiment, name), signature)

    def _invitation(self, experiment: str, name: str) -> str:
        return hmac.new(self._secret, f"invitation {experiment} {name}".encode(), hashlib.sha256).hexdigest()[:24]

    def preview_key(self, experiment: str) -> str:
        """Return what the address of a preview has, which nobody can guess."""
        return hmac.new(self._secret, f"preview {experiment}".encode(), hashlib.sha256).hexdigest()[:24]

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


def withdrawal_code(key: str) -> str:
    """Return what a participant can tell the experimenter, who finds the session by it; no other page says it.

    Args:
        key: The session's, as the database has it.
    """
    return key[:8]


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
