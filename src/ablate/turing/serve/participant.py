"""The participants' pages."""

import base64
import math
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from ablate.turing.database.tables import MISSED, Trial
from ablate.turing.device import MeasuredDevice, browser_family, read_device
from ablate.turing.protocol import Protocol
from ablate.turing.serve.arrival import COOKIE_SECONDS, Arrival, Arrived, Key, cookie_name, may_come
from ablate.turing.serve.assignment import Side
from ablate.turing.serve.consent_text import ConsentText, consent_text, optional_parts
from ablate.turing.serve.recruiting import Exit
from ablate.turing.serve.security import Signer, hash_key, new_key, withdrawal_code
from ablate.turing.serve.sessions import Choice, Closed, ColorVision, Full, Sessions, SessionState, Withdrawn
from ablate.turing.serve.texts import fill, texts_of_design
from ablate.turing.serve.web import CurrentSessions, CurrentSite, Site, client_address, render_page, set_signed_cookie

router = APIRouter(prefix="/e/{experiment}")

_DEPTH = 2
"""Of `/e/NAME/trial` below the root."""
_ANSWER_SECONDS = 6
"""Time of a pair beside its exposure: loading, thinking, answering; to say how long it will be."""
_IN_JSON = 4 / 3
"""Bytes of a picture as it is sent, in base64, to one of its pixels' values; the feedback has the file itself."""
Milliseconds = Annotated[float, Field(ge=0, le=86_400_000, allow_inf_nan=False)]
Number = Annotated[int, Field(ge=1, le=1000)]
Rating = Annotated[int, Field(ge=1, le=11)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")
    csrf: Annotated[str, Field(max_length=200)]


class Consent(_Form):
    """The form on the first page; its script fills in `able`, once cookies and scripts have proved to work."""

    able: Literal["", "yes"] = ""
    color_vision: ColorVision
    agree: Literal["yes"]
    external_id: Annotated[str, Field(max_length=100)] = ""
    device: Annotated[str, Field(max_length=400)] = ""


class Measured(BaseModel):
    """What the first page's script has measured, before anything begins."""

    model_config = ConfigDict(extra="forbid")
    device: Annotated[str, Field(max_length=400)]


class Comment(_Form):
    """What a participant writes at the end: a thousand letters, and a line's end is sent as two."""

    comment: Annotated[str, Field(max_length=2000)] = ""


class Pair(_Form):
    """What a page asks for, or says to be shown now."""

    number: Number


class Answer(_Form):
    """What a page sends when a picture was chosen; times are empty where a reload has lost them."""

    number: Number
    choice: Choice | Rating
    exposure_ms: Milliseconds | Literal[""] = ""
    response_ms: Milliseconds | Literal[""] = ""


def _session(key: Key, site: CurrentSite) -> str:
    """Return what the database knows a session by, whose browser may ask for more."""
    if key is None:
        raise HTTPException(403)
    if not site.limits.hit("requests", key):
        raise HTTPException(429)
    return hash_key(key)


OwnSession = Annotated[str, Depends(_session)]


def _check(signer: Signer, key: str | None, token: str) -> None:
    if key is None or not signer.is_form_token(key, token):
        raise HTTPException(403)


@router.get("/")
def welcome(
    request: Request, experiment: str, arrival: Arrived, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Show what it is about, and the form that begins it."""
    own = arrival.key or new_key()
    response = _first_page(own, arrival, sessions, site)
    # Who is turned away keeps no cookie.
    if own != key and response.status_code < 400:
        set_signed_cookie(request, response, cookie_name(experiment), own, seconds=COOKIE_SECONDS)
    return response


def _first_page(key: str, arrival: Arrival, sessions: Sessions, site: Site) -> Response:
    state = sessions.find(hash_key(key))
    if state is None and sessions.is_withdrawn(hash_key(key)):
        return _said(site, "withdrawn", sessions, status=200)
    if state is None and sessions.closed:
        return _said(site, "closed", sessions)
    needs_id = sessions.recruiting.id_parameter is not None and not sessions.preview
    if state is None and needs_id and arrival.external_id is None:
        return _said(site, "no_id", sessions)
    if state is None and sessions.full:
        return _said(site, "full", sessions)
    if state is not None and state.trial is None:
        return RedirectResponse("thanks", 303)
    return render_page(
        site,
        "welcome",
        sessions=sessions,
        depth=_DEPTH,
        numbers=_numbers(sessions),
        begun=state is not None,
        optional=optional_parts(sessions.recruiting),
        external_id=arrival.external_id,
        gates=sessions.recruiting.gates,
        csrf=site.signer.form_token(_agreeing(key, _consent(site, sessions))),
    )


@router.get("/cookie")
def cookie(key: Key) -> Response:
    """Say whether the browser keeps cookies: before a session is made that it could not continue."""
    return JSONResponse({"kept": key is not None})


@router.post("/device")
def device(
    request: Request, form: Annotated[Measured, Form()], key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Say which gates a device does not pass, before anything begins; nothing of it is kept."""
    if key is None:
        raise HTTPException(403)
    if not site.limits.hit("requests", client_address(request)):
        raise HTTPException(429)
    return JSONResponse({"failed": _turned_away(key, _measured(form.device), sessions)})


@router.post("/consent")
def consent(
    request: Request,
    experiment: str,
    form: Annotated[Consent, Form()],
    key: Key,
    sessions: CurrentSessions,
    site: CurrentSite,
) -> Response:
    """Begin a session, in a browser that can take part."""
    if key is None or not form.able:
        return _said(site, "unable", sessions)
    agreed = _consent(site, sessions)
    _check(site.signer, _agreeing(key, agreed), form.csrf)
    with_id = sessions.recruiting.id_parameter is not None and not sessions.preview
    if with_id and not (
        may_come(site, sessions, experiment, form.external_id)
        and key == site.signer.session_key(experiment, form.external_id)
    ):
        raise HTTPException(403)
    if not site.limits.hit("sessions", client_address(request)):
        raise HTTPException(429)
    gates = sessions.recruiting.gates
    measured = _measured(form.device) if gates.measures else None
    # Who has begun continues with any device.
    begun = sessions.find(hash_key(key)) is not None
    failed = [] if measured is None or begun else _turned_away(key, measured, sessions)
    if failed:
        query = urlencode([(sessions.recruiting.id_parameter or "", form.external_id)]) if with_id else ""
        return _page_of_gates(site, sessions, failed, f"./?{query}")
    kept = _kept(measured, request) if measured is not None and gates.record else None
    try:
        sessions.begin(hash_key(key), form.color_vision, agreed, form.external_id if with_id else None, kept)
    except Closed:
        return _said(site, "closed", sessions)
    except Full:
        return _said(site, "full", sessions)
    except Withdrawn:
        return RedirectResponse("./", 303)
    return RedirectResponse("trial", 303)


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
        depth=_DEPTH,
        numbers=_numbers(sessions, number),
        trial=state.trial,
        trials=protocol.photographs,
        # After a pair of the practice its feedback comes, which has pictures of its own to load.
        points=range(1, protocol.points + 1) if protocol.is_rating else None,
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
    _check(site.signer, key, form.csrf)
    # No pair before the questions that come before all of them.
    if sessions.asked(own) is not None:
        raise HTTPException(409)
    sent = sessions.send(own, form.number)
    if sent is None:
        raise HTTPException(409)
    pictures = sessions.pictures(sent).items()
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
    _check(site.signer, key, form.csrf)
    return Response(status_code=204 if sessions.show(own, form.number) else 409)


@router.post("/answer")
def answer(
    form: Annotated[Answer, Form()], own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Keep an answer, and say which page comes next."""
    _check(site.signer, key, form.csrf)
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
        depth=_DEPTH + 1,
        numbers=_numbers(sessions, number),
        trial=practiced,
        fooled=practiced.choice == practiced.real_side,
        last=number == sessions.bundle.manifest.protocol.practice,
        picture_side=sessions.bundle.manifest.side,
    )


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
        depth=_DEPTH,
        numbers={**_numbers(sessions), "found": found, "judged": judged},
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
    _check(site.signer, key, form.csrf)
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
        depth=_DEPTH,
        numbers=_numbers(sessions),
        code=withdrawal_code(own),
        with_id=sessions.recruiting.id_parameter is not None,
        csrf=csrf,
    )


@router.post("/withdraw")
def withdrawn(
    form: Annotated[_Form, Form()], own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Remove a participant's answers; the first page then says that they are gone."""
    _check(site.signer, key, form.csrf)
    sessions.withdraw(own)
    return RedirectResponse("./", 303)


def _measured(sent: str) -> MeasuredDevice:
    found = read_device(sent)
    if found is None:
        raise HTTPException(422)
    return found


def _turned_away(key: str, measured: MeasuredDevice, sessions: Sessions) -> list[str]:
    """Return the gates that a device does not pass, and count them."""
    failed = sessions.recruiting.gates.failed(measured)
    if failed:
        sessions.turned_away.count(hash_key(key), failed)
    return failed


def _kept(measured: MeasuredDevice, request: Request) -> dict[str, Any]:
    """Return what the database keeps of a device: of what the browser says it is, its family alone."""
    return {**measured.model_dump(), "browser": browser_family(request.headers.get("user-agent", ""))}


def _page_of_gates(site: Site, sessions: Sessions, failed: list[str], again: str) -> Response:
    return render_page(
        site,
        "gates",
        sessions=sessions,
        depth=_DEPTH,
        status=403,
        numbers=_numbers(sessions),
        failed=failed,
        again=again,
    )


def _consent(site: Site, sessions: Sessions) -> ConsentText:
    texts = texts_of_design(site.texts, sessions.protocol.design)
    return consent_text(texts, _numbers(sessions), sessions.recruiting)


def _agreeing(key: str, agreed: ConsentText) -> str:
    """Return what a token of the consent form is for: these words, and no others that the page had before."""
    return f"{key} {agreed.hash}"


def _said(
    site: Site,
    name: Literal["closed", "unable", "withdrawn", "no_id", "full"],
    sessions: Sessions,
    *,
    status: int = 403,
) -> Response:
    numbers = _numbers(sessions)
    texts = fill(texts_of_design(site.texts, sessions.protocol.design), numbers)[name]
    return render_page(
        site,
        "message",
        sessions=sessions,
        depth=_DEPTH,
        status=status,
        numbers=numbers,
        heading=texts["heading"],
        lines=texts["text"],
        back=None,
    )


def _numbers(sessions: Sessions, number: int | None = None) -> dict[str, object]:
    """Return what stands in the texts for {trials} and the like, in those of a trial if it has a number."""
    manifest, own = sessions.bundle.manifest, sessions.recruiting.questions
    protocol = manifest.protocol
    sent = protocol.photographs * _IN_JSON + protocol.practice * protocol.has_fakes
    numbers = {
        "practice": protocol.practice,
        "test": protocol.test,
        "trials": protocol.test + protocol.checks,
        "seconds": f"{protocol.exposure_ms / 1000:g}",
        "minutes": math.ceil(protocol.photographs * (protocol.exposure_ms / 1000 + _ANSWER_SECONDS) / 60),
        "megabytes": math.ceil(sent * (1 if protocol.is_rating else 2) * 3 * manifest.side**2 / 1e6),
        "points": protocol.points,
        "questions": len(own.all) if own else 0,
        **sessions.recruiting.gates.numbers,
    }
    return numbers if number is None else {**numbers, "number": number, "trials": protocol.photographs}
