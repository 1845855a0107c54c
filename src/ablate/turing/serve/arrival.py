"""Arrival: whose session a request is for, by the cookie or by an id in the address."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request

from ablate.turing.serve.recruiting import is_id
from ablate.turing.serve.sessions import Sessions
from ablate.turing.serve.web import CurrentSessions, CurrentSite, Site

COOKIE_SECONDS = 86400 * 60


def cookie_name(experiment: str) -> str:
    """Return the name of the cookie that holds a session's key."""
    return f"turing-{experiment}"


def _key(request: Request, experiment: str, site: CurrentSite) -> str | None:
    """Return the session's key that a browser keeps; None for a new one."""
    return site.signer.read(cookie_name(experiment), request.cookies.get(cookie_name(experiment)))


Key = Annotated[str | None, Depends(_key)]


def may_come(site: Site, sessions: Sessions, experiment: str, external_id: str) -> bool:
    """Return whether an id lets somebody in: one that can be, and that was made here where only those are wanted."""
    if not is_id(external_id):
        return False
    return not sessions.recruiting.invited or site.signer.is_invitation(experiment, external_id)


@dataclass(frozen=True)
class Arrival:
    """Who opens the first page.

    Attributes:
        key: The session's key, by the id in the address, else by the cookie; None for who has neither.
        external_id: The id in the address; None where there is none, or none that can be one.
    """

    key: str | None
    external_id: str | None


def id_query(sessions: Sessions, external_id: str | None) -> str:
    """Return the part of an address by which who came by an id comes again; nothing for who came without."""
    name = sessions.recruiting.id_parameter
    return "" if name is None or external_id is None else f"?{urlencode({name: external_id})}"


def first_page(request: Request, sessions: Sessions) -> str:
    """Return the address of the first page, from one beside it, with the id that a request's own address has."""
    given = _given(request, sessions)
    return "./" + id_query(sessions, given[0] if len(given) == 1 and is_id(given[0]) else None)


def _given(request: Request, sessions: Sessions) -> list[str]:
    name = sessions.recruiting.id_parameter
    return [] if name is None else request.query_params.getlist(name)


def _arrival(request: Request, experiment: str, key: Key, sessions: CurrentSessions, site: CurrentSite) -> Arrival:
    given = _given(request, sessions)
    if not given:
        return Arrival(key, None)
    # An id that is none does not continue the session of whoever used this browser before.
    if len(given) > 1 or not may_come(site, sessions, experiment, given[0]):
        return Arrival(None, None)
    return Arrival(site.signer.session_key(experiment, given[0]), given[0])


Arrived = Annotated[Arrival, Depends(_arrival)]
