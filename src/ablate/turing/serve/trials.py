"""The pages of trials: a pair or a picture is sent, shown once and judged."""

import base64
from typing import Annotated, Literal

from fastapi import APIRouter, Form, HTTPException
from pydantic import Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from ablate.turing.database.tables import MISSED, Trial
from ablate.turing.protocol import Protocol
from ablate.turing.serve.arrival import Key
from ablate.turing.serve.assignment import Side
from ablate.turing.serve.own_session import DEPTH, PREFIX, Number, OwnForm, OwnSession, check_form
from ablate.turing.serve.sessions import Choice
from ablate.turing.serve.text_numbers import text_numbers
from ablate.turing.serve.web import CurrentSessions, CurrentSite, render_page

router = APIRouter(prefix=PREFIX)

Milliseconds = Annotated[float, Field(ge=0, le=86_400_000, allow_inf_nan=False)]
Rating = Annotated[int, Field(ge=1, le=11)]


class Pair(OwnForm):
    """What a page asks for, or says to be shown now."""

    number: Number


class Answer(OwnForm):
    """What a page sends when a picture was chosen; times are empty where a reload has lost them."""

    number: Number
    choice: Choice | Rating
    exposure_ms: Milliseconds | Literal[""] = ""
    response_ms: Milliseconds | Literal[""] = ""


@router.get("/trial")
def trial(own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite) -> Response:
    """Show the pair that is to be judged next."""
    state = sessions.find(own)
    if state is None:
        return RedirectResponse("./", 303)
    if state.trial is None:
        return RedirectResponse("thanks", 303)
    part = sessions.asked(own)
    if part is not None:
        return RedirectResponse(f"questions/{part}", 303)
    manifest = sessions.bundle.manifest
    protocol, number = manifest.protocol, state.trial.number
    return render_page(
        site,
        "trial",
        sessions=sessions,
        depth=DEPTH,
        numbers=text_numbers(sessions, number),
        trial=state.trial,
        trials=protocol.photographs,
        points=range(1, protocol.points + 1) if protocol.is_rating else None,
        # After a pair of the practice its feedback comes, which has pictures of its own to load.
        ahead=None if _has_feedback(state.trial, protocol) or number == protocol.photographs else number + 1,
        exposure_ms=protocol.exposure_ms,
        picture_side=manifest.side,
        csrf=site.signer.form_token(key or ""),
    )


@router.post("/pair")
def pair(
    form: Annotated[Pair, Form()], own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Send both pictures of the next pair, together, until it has been shown; each time counts.

    While a pair is judged, the one after it can be had, too.
    """
    check_form(site.signer, key, form.csrf)
    # No pair before the questions that come before all of them.
    if sessions.asked(own) is not None:
        raise HTTPException(409)
    trial = sessions.sendable(own, form.number)
    if trial is None:
        raise HTTPException(409)
    # What cannot be read is not sent, and does not count as if it were.
    pictures = sessions.pictures(trial).items()
    if sessions.send(own, form.number) is None:
        raise HTTPException(409)
    return JSONResponse({side: f"data:image/png;base64,{base64.b64encode(png).decode()}" for side, png in pictures})


@router.get("/picture/{number}/{side}")
def picture(number: Number, side: Side, own: OwnSession, sessions: CurrentSessions) -> Response:
    """Send a picture of a practice pair once that is answered."""
    practiced = sessions.practiced(own, number)
    if practiced is None:
        raise HTTPException(404)
    return Response(sessions.pictures(practiced)[side], media_type="image/png")


@router.post("/shown")
def shown(
    form: Annotated[Pair, Form()], own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Note that a pair is shown now, which is done once."""
    check_form(site.signer, key, form.csrf)
    return Response(status_code=204 if sessions.show(own, form.number) else 409)


@router.post("/answer")
def answer(
    form: Annotated[Answer, Form()], own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Keep an answer, and say which page comes next."""
    check_form(site.signer, key, form.csrf)
    if not _is_possible(form.choice, sessions.protocol):
        raise HTTPException(422)
    answered = sessions.answer(
        own,
        form.number,
        form.choice,
        exposure_ms=None if form.exposure_ms == "" else form.exposure_ms,
        response_ms=None if form.response_ms == "" else form.response_ms,
    )
    if answered is None:
        raise HTTPException(409)
    judged = answered.choice != MISSED and _has_feedback(answered, sessions.protocol)
    return JSONResponse({"next": f"feedback/{answered.number}" if judged else "trial"})


def _is_possible(choice: Choice | int, protocol: Protocol) -> bool:
    """Return whether a choice is one that the trials of an experiment offer."""
    if isinstance(choice, int):
        return protocol.is_rating and choice <= protocol.points
    return choice == MISSED or not protocol.is_rating


def _has_feedback(trial: Trial, protocol: Protocol) -> bool:
    """Return whether an answer to a trial is told to be right or wrong."""
    return trial.kind == "practice" and protocol.has_fakes


@router.get("/feedback/{number}")
def feedback(number: Number, own: OwnSession, sessions: CurrentSessions, site: CurrentSite) -> Response:
    """Say whether a practice pair was judged rightly."""
    practiced = sessions.practiced(own, number)
    if practiced is None:
        return RedirectResponse("../trial", 303)
    return render_page(
        site,
        "feedback",
        sessions=sessions,
        depth=DEPTH + 1,
        numbers=text_numbers(sessions, number),
        trial=practiced,
        fooled=practiced.choice == practiced.real_side,
        last=number == sessions.bundle.manifest.protocol.practice,
        picture_side=sessions.bundle.manifest.side,
    )
