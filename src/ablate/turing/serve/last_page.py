"""The last page of a participant: what it was about, a comment, the way back, and withdrawal."""

from typing import Annotated

from fastapi import APIRouter, Form
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from ablate.turing.serve.arrival import Key
from ablate.turing.serve.own_session import DEPTH, PREFIX, OwnForm, OwnSession, check_form
from ablate.turing.serve.recruiting import Exit
from ablate.turing.serve.security import withdrawal_code
from ablate.turing.serve.session_state import SessionState
from ablate.turing.serve.sessions import Sessions
from ablate.turing.serve.text_numbers import text_numbers
from ablate.turing.serve.web import CurrentSessions, CurrentSite, render_page

router = APIRouter(prefix=PREFIX)


class Comment(OwnForm):
    """What a participant writes at the end: a thousand letters, and a line's end is sent as two."""

    comment: Annotated[str, Field(max_length=2000)] = ""


@router.get("/thanks")
def thanks(own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite) -> Response:
    """Say that it is over, and what it was about, or that it has ended early."""
    state = sessions.find(own)
    if state is None:
        return RedirectResponse("./", 303)
    if state.trial is not None:
        return RedirectResponse("trial", 303)
    part = sessions.asked(own)
    if part is not None:
        return RedirectResponse(f"questions/{part}", 303)
    found, judged = sessions.score(own)
    return render_page(
        site,
        "thanks",
        sessions=sessions,
        depth=DEPTH,
        numbers={**text_numbers(sessions), "found": found, "judged": judged},
        judged=judged,
        code=withdrawal_code(own),
        screened_out=state.participant.screened_out is not None,
        comment=(state.participant.comment or "").strip(),
        csrf=site.signer.form_token(key or ""),
        leaving=_leaving(sessions, state),
    )


@router.post("/comment")
def comment(
    form: Annotated[Comment, Form()], own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Keep a comment, and show it."""
    check_form(site.signer, key, form.csrf)
    sessions.comment(own, form.comment)
    return RedirectResponse("thanks", 303)


@router.get("/complete")
def complete(own: OwnSession, sessions: CurrentSessions, site: CurrentSite) -> Response:
    """Send who has finished, or is screened out, back to where they were recruited, which the experimenter has set."""
    state = sessions.find(own)
    leaving = None if state is None or sessions.asked(own) else _leaving(sessions, state)
    address = leaving.to(state.participant.external_id) if state and leaving else None
    return RedirectResponse(address or "thanks", 303)


def _leaving(sessions: Sessions, state: SessionState) -> Exit | None:
    """Return how a participant leaves; None for who is not at the end."""
    if state.trial is not None:
        return None
    screened_out = state.participant.screened_out is not None
    return sessions.recruiting.screen_out if screened_out else sessions.recruiting.completion


@router.get("/withdraw")
def withdraw(own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite) -> Response:
    """Say what a withdrawal removes and what stays, and ask whether that is wanted; nothing is removed yet."""
    if sessions.find(own) is None:
        return RedirectResponse("./", 303)
    csrf = site.signer.form_token(key or "")
    return render_page(
        site,
        "withdraw",
        sessions=sessions,
        depth=DEPTH,
        numbers=text_numbers(sessions),
        code=withdrawal_code(own),
        with_id=sessions.recruiting.id_parameter is not None,
        csrf=csrf,
    )


@router.post("/withdraw")
def withdrawn(
    form: Annotated[OwnForm, Form()], own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Remove a participant's answers; the first page then says that they are gone."""
    check_form(site.signer, key, form.csrf)
    sessions.withdraw(own)
    return RedirectResponse("./", 303)
