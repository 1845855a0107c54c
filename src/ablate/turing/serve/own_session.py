"""The session of a participant whose browser asks for more, and the forms that its pages send."""

from typing import Annotated

from fastapi import Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from ablate.turing.serve.arrival import Key
from ablate.turing.serve.security import Signer, hash_key
from ablate.turing.serve.web import CurrentSite

PREFIX = "/e/{experiment}"
DEPTH = 2
"""Of `/e/NAME/trial` below the root."""
Number = Annotated[int, Field(ge=1, le=1000)]
"""Of a trial, from 1."""


class OwnForm(BaseModel):
    """What every form has, and nothing else: the token by which it is this session's."""

    model_config = ConfigDict(extra="forbid")
    csrf: Annotated[str, Field(max_length=200)]


def check_form(signer: Signer, key: str | None, token: str) -> None:
    """Refuse a form whose token is not that of the session.

    Raises:
        HTTPException: 403.
    """
    if key is None or not signer.is_form_token(key, token):
        raise HTTPException(403)


def _session(key: Key, site: CurrentSite) -> str:
    """Return what the database knows a session by, whose browser may ask for more."""
    if key is None:
        raise HTTPException(403)
    if not site.limits.hit("requests", key):
        raise HTTPException(429)
    return hash_key(key)


OwnSession = Annotated[str, Depends(_session)]
