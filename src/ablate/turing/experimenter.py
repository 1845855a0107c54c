"""The experimenter's pages, behind a token: how an experiment stands, its answers as files, and its end."""

import io
import time
from typing import Annotated, Literal

import pandas as pd
from fastapi import APIRouter, Depends, Form, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from ablate.turing.database import Answers, read_answers
from ablate.turing.exclusions import apply_rules
from ablate.turing.progress import overview
from ablate.turing.security import new_key, same
from ablate.turing.web import OurSessions, OurSite, Site, address_of, page, secure

router = APIRouter(prefix="/experimenter")

COOKIE = "turing-experimenter"
_HOURS = 12


class Login(BaseModel):
    """The form that asks for the token."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=500)]


class Change(BaseModel):
    """A form that changes something."""

    model_config = ConfigDict(extra="forbid")
    csrf: Annotated[str, Field(max_length=200)]


def _logged_in(request: Request, site: OurSite) -> str:
    """Return the session's key of somebody who has given the token."""
    content = site.signer.read(COOKIE, request.cookies.get(COOKIE))
    key, _, since = (content or "").partition(" ")
    if not key or time.time() - float(since) > 3600 * _HOURS:
        raise HTTPException(401)
    return key


Experimenter = Annotated[str, Depends(_logged_in)]


@router.get("")
def without_slash() -> Response:
    """Go to where relative links work."""
    return RedirectResponse("experimenter/", 307)


@router.get("/login")
def form(site: OurSite) -> Response:
    """Ask for the token."""
    return page(site, "login", depth=1, wrong=False)


@router.post("/login")
def login(request: Request, form: Annotated[Login, Form()], site: OurSite) -> Response:
    """Compare the token."""
    # Wrong ones alone count, so that whoever knows it is not kept out by somebody who guesses behind the same address.
    if not site.limits.test("tokens", address_of(request)):
        raise HTTPException(429)
    if not same(form.token, site.token):
        site.limits.hit("tokens", address_of(request))
        return page(site, "login", depth=1, status=403, wrong=True)
    response = RedirectResponse("./", 303)
    response.set_cookie(
        COOKIE,
        site.signer.sign(COOKIE, f"{new_key()} {time.time():.0f}"),
        max_age=3600 * _HOURS,
        path=None,
        secure=secure(request),
        httponly=True,
        samesite="strict",
    )
    return response


@router.get("/")
def experiments(key: Experimenter, site: OurSite) -> Response:
    """Show all experiments."""
    found = [(name, sessions, _answers(site, name)) for name, sessions in site.experiments.items()]
    shown = [
        {
            "name": name,
            "closed": answers.closed,
            "started": len(answers.participants),
            "finished": int(answers.participants["finished"].notna().sum()),
            "answers": len(answers.trials),
        }
        for name, _, answers in found
    ]
    return page(site, "experiments", depth=1, experiments=shown)


@router.get("/{experiment}/")
def experiment(experiment: str, key: Experimenter, sessions: OurSessions, site: OurSite) -> Response:
    """Show how an experiment stands."""
    answers = _answers(site, experiment)
    return page(
        site,
        "experiment",
        depth=2,
        answers=answers,
        rows=overview(answers, time.time()),
        rules=apply_rules(answers.participants, answers.trials, answers.protocol)[1].to_dict("records"),
        csrf=site.signer.form_token(key),
        at=time.strftime("%H:%M:%S UTC", time.gmtime()),
    )


@router.get("/{experiment}/{part}.{ending}")
def export(
    experiment: str,
    part: Literal["trials", "participants"],
    ending: Literal["csv", "parquet"],
    key: Experimenter,
    sessions: OurSessions,
    site: OurSite,
) -> Response:
    """Send all answers, those left out by rules too, or all participants."""
    answers = _answers(site, experiment)
    frame = answers.trials if part == "trials" else answers.participants.reset_index()
    name = f"{experiment}-{part}.{ending}"
    return Response(
        _file(frame, ending),
        media_type="text/csv" if ending == "csv" else "application/vnd.apache.parquet",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/{experiment}/{change}")
def change(
    change: Literal["close", "reopen"],
    form: Annotated[Change, Form()],
    key: Experimenter,
    sessions: OurSessions,
    site: OurSite,
) -> Response:
    """Close an experiment for new participants, or open it again."""
    if not site.signer.is_form_token(key, form.csrf):
        raise HTTPException(403)
    sessions.set_closed(change == "close")
    return RedirectResponse("./", 303)


def _answers(site: Site, experiment: str) -> Answers:
    return read_answers(site.database, experiment)


def _file(frame: pd.DataFrame, ending: str) -> bytes:
    if ending == "csv":
        return frame.to_csv(index=False).encode()
    file = io.BytesIO()
    frame.to_parquet(file, index=False)
    return file.getvalue()
