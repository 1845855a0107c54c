"""The first page of a participant: what it is about, consent, and who cannot take part."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from ablate.turing.device import MeasuredDevice, browser_family, read_device
from ablate.turing.serve.arrival import COOKIE_SECONDS, Arrival, Arrived, Key, cookie_name, id_query, may_come
from ablate.turing.serve.consent_text import ConsentText, consent_text, optional_parts
from ablate.turing.serve.enrollment import Closed, ColorVision, Full, Newcomer, Withdrawn
from ablate.turing.serve.own_session import DEPTH, PREFIX, OwnForm, check_form
from ablate.turing.serve.security import hash_key, new_key
from ablate.turing.serve.sessions import Sessions
from ablate.turing.serve.text_numbers import text_numbers
from ablate.turing.serve.texts import fill, texts_of_design
from ablate.turing.serve.web import CurrentSessions, CurrentSite, Site, client_address, render_page, set_signed_cookie

router = APIRouter(prefix=PREFIX)


class Consent(OwnForm):
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
        depth=DEPTH,
        numbers=text_numbers(sessions),
        begun=state is not None,
        optional=optional_parts(sessions.recruiting),
        external_id=arrival.external_id,
        # In the address, too, so that whatever page comes of it can lead back here.
        query=id_query(sessions, arrival.external_id),
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
    check_form(site.signer, _agreeing(key, agreed), form.csrf)
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
        return _page_of_gates(site, sessions, failed, f"./{id_query(sessions, form.external_id if with_id else None)}")
    kept = _kept(measured, request) if measured is not None and gates.record else None
    external_id = form.external_id if with_id else None
    try:
        sessions.begin(Newcomer(hash_key(key), form.color_vision, agreed, external_id, kept))
    except Closed:
        return _said(site, "closed", sessions)
    except Full:
        return _said(site, "full", sessions)
    except Withdrawn:
        return RedirectResponse("./", 303)
    return RedirectResponse("trial", 303)


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
        depth=DEPTH,
        status=403,
        numbers=text_numbers(sessions),
        failed=failed,
        again=again,
    )


def _consent(site: Site, sessions: Sessions) -> ConsentText:
    texts = texts_of_design(site.texts, sessions.protocol.design)
    return consent_text(texts, text_numbers(sessions), sessions.recruiting)


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
    numbers = text_numbers(sessions)
    texts = fill(texts_of_design(site.texts, sessions.protocol.design), numbers)[name]
    return render_page(
        site,
        "message",
        sessions=sessions,
        depth=DEPTH,
        status=status,
        numbers=numbers,
        heading=texts["heading"],
        lines=texts["text"],
        back=None,
    )
