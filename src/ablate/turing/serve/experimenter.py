"""The experimenter's pages, behind a token: how an experiment stands, its data as files, its participants, its end."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Form, HTTPException, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.analyse.turned_away_text import turned_away_words
from ablate.turing.database import read_answers
from ablate.turing.export.own_columns import tables_of
from ablate.turing.export.psych_ds import CODEBOOK, psych_ds_files, table_file, zipped
from ablate.turing.export.tables import tables
from ablate.turing.serve.preview import preview_name
from ablate.turing.serve.progress import progress_by_algorithm, standings
from ablate.turing.serve.security import equal_secrets, hash_key, new_key, withdrawal_code
from ablate.turing.serve.web import (
    CurrentSite,
    ServedSessions,
    Site,
    client_address,
    render_page,
    set_signed_cookie,
)

router = APIRouter(prefix="/experimenter")

COOKIE = "turing-experimenter"
_HOURS = 12


Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


class Login(BaseModel):
    """The form that asks for the token."""

    model_config = ConfigDict(extra="forbid")
    token: Annotated[str, Field(max_length=500)]


class Change(BaseModel):
    """A form that changes something."""

    model_config = ConfigDict(extra="forbid")
    csrf: Annotated[str, Field(max_length=200)]


def _purpose(site: Site) -> str:
    """Return what a log-in's signature is good for: this token, and no other that there was before."""
    return f"{COOKIE} {site.signer.form_token(site.token)}"


def _logged_in(request: Request, site: CurrentSite) -> str:
    """Return the session's key of somebody who has given the token, and has not logged out."""
    content = site.signer.read(_purpose(site), request.cookies.get(COOKIE))
    key, _, since = (content or "").partition(" ")
    if not key or time.time() - float(since) > 3600 * _HOURS or site.database.is_ended(hash_key(key)):
        raise HTTPException(401)
    return key


Experimenter = Annotated[str, Depends(_logged_in)]


@router.get("")
def without_slash() -> Response:
    """Go to where relative links work."""
    return RedirectResponse("experimenter/", 307)


@router.get("/login")
def form(site: CurrentSite) -> Response:
    """Ask for the token."""
    return render_page(site, "login", depth=1, wrong=False)


@router.post("/login")
def login(request: Request, form: Annotated[Login, Form()], site: CurrentSite) -> Response:
    """Compare the token."""
    # The right one always opens, so that nobody who guesses behind the same address keeps out who knows it.
    if not equal_secrets(form.token, site.token):
        if not site.limits.hit("tokens", client_address(request)):
            raise HTTPException(429)
        return render_page(site, "login", depth=1, status=403, wrong=True)
    response = RedirectResponse("./", 303)
    content, purpose = f"{new_key()} {time.time():.0f}", _purpose(site)
    set_signed_cookie(request, response, COOKIE, content, seconds=3600 * _HOURS, purpose=purpose, strict=True)
    return response


@router.post("/logout")
def logout(request: Request, form: Annotated[Change, Form()], key: Experimenter, site: CurrentSite) -> Response:
    """End a log-in: its cookie is worth nothing any more, wherever it has got to."""
    if not site.signer.is_form_token(key, form.csrf):
        raise HTTPException(403)
    site.database.end(hash_key(key))
    response = RedirectResponse("login", 303)
    set_signed_cookie(request, response, COOKIE, "", seconds=0, strict=True)
    return response


@router.get("/")
def experiments(key: Experimenter, site: CurrentSite) -> Response:
    """Show all experiments."""
    return render_page(
        site,
        "experiments",
        depth=1,
        experiments=[sessions.counts() for sessions in site.experiments.values()],
        csrf=site.signer.form_token(key),
    )


@router.get("/{experiment}/")
def experiment(experiment: str, key: Experimenter, sessions: ServedSessions, site: CurrentSite) -> Response:
    """Show how an experiment stands."""
    answers = read_answers(site.database, experiment)
    kept, exclusions = apply_rules(answers.participants, answers.trials, answers.protocol)
    return render_page(
        site,
        "experiment",
        depth=2,
        answers=answers,
        rows=progress_by_algorithm(answers, kept, time.time()),
        standings=standings(answers, kept),
        points=answers.protocol.points if answers.protocol.is_rating else None,
        has_fakes=answers.protocol.has_fakes,
        has_checks=answers.protocol.checks > 0,
        rules=exclusions.to_dict("records"),
        withdrawals=answers.withdrawals["by"].value_counts().to_dict(),
        turned_away=turned_away_words(answers.turned_away) if answers.turned_away else None,
        parts=list(tables_of(answers)),
        preview_name=preview_name(site.signer, experiment),
        csrf=site.signer.form_token(key),
        at=time.strftime("%H:%M:%S UTC", time.gmtime()),
    )


@router.get("/{experiment}/data.zip")
def data(
    experiment: str, key: Experimenter, sessions: ServedSessions, site: CurrentSite, personal: bool = False
) -> Response:
    """Send all data as a Psych-DS folder: the tables, their codebook, and the consent texts."""
    content = psych_ds_files(read_answers(site.database, experiment, personal=personal), time.time())
    return _file(f"{experiment}-data.zip", zipped(content, f"{experiment}-data"), "application/zip")


@router.get("/{experiment}/" + CODEBOOK)
def codebook(experiment: str, key: Experimenter, sessions: ServedSessions, site: CurrentSite) -> Response:
    """Send what each column of the tables is."""
    content = psych_ds_files(read_answers(site.database, experiment), time.time())[CODEBOOK]
    return _file(f"{experiment}-{CODEBOOK}", content, "application/json")


@router.get("/{experiment}/{part}.{ending}")
def table(
    experiment: str,
    part: Literal["trials", "participants", "questions", "devices"],
    ending: Literal["csv", "parquet"],
    key: Experimenter,
    sessions: ServedSessions,
    site: CurrentSite,
) -> Response:
    """Send one table alone."""
    found = tables(read_answers(site.database, experiment))
    if part not in found:
        raise HTTPException(404)
    content = table_file(found[part], ending)
    media = "text/csv" if ending == "csv" else "application/vnd.apache.parquet"
    return _file(f"{experiment}-{part}.{ending}", content, media)


@router.get("/{experiment}/participants/")
def participants(experiment: str, key: Experimenter, sessions: ServedSessions, site: CurrentSite) -> Response:
    """List the participants, with the code that each was told and a link to remove them."""
    rows = [
        {
            "number": person.id,
            "code": withdrawal_code(person.key),
            "external_id": person.external_id or "-",
            "algorithm": person.algorithm or "several",
            "started": time.strftime("%Y-%m-%d %H:%M", time.gmtime(person.started)),
            "answers": answers,
            "comment": person.comment or "",
            "finished": "screened out" if person.screened_out else "yes" if person.finished else "no",
        }
        for person, answers in sessions.everyone()
    ]
    return render_page(site, "participants", depth=3, experiment=experiment, rows=rows)


@router.get("/{experiment}/participants/{number}")
def removal(
    experiment: str, number: Number, key: Experimenter, sessions: ServedSessions, site: CurrentSite
) -> Response:
    """Say what the removal of a participant removes, and ask whether that is wanted; nothing is removed yet."""
    found = next(((person, answers) for person, answers in sessions.everyone() if person.id == number), None)
    if found is None:
        raise HTTPException(404)
    person, answers = found
    return render_page(
        site,
        "removal",
        depth=3,
        experiment=experiment,
        number=number,
        code=withdrawal_code(person.key),
        answers=answers,
        csrf=site.signer.form_token(key),
    )


@router.post("/{experiment}/participants/{number}")
def removed(
    number: Number, form: Annotated[Change, Form()], key: Experimenter, sessions: ServedSessions, site: CurrentSite
) -> Response:
    """Remove a participant, or find that somebody else was faster."""
    if not site.signer.is_form_token(key, form.csrf):
        raise HTTPException(403)
    sessions.remove(number)
    return RedirectResponse("./", 303)


@router.post("/{experiment}/{change}")
def change(
    change: Literal["close", "reopen"],
    form: Annotated[Change, Form()],
    key: Experimenter,
    sessions: ServedSessions,
    site: CurrentSite,
) -> Response:
    """Close an experiment for new participants, or open it again."""
    if not site.signer.is_form_token(key, form.csrf):
        raise HTTPException(403)
    sessions.set_closed(change == "close")
    return RedirectResponse("./", 303)


def _file(name: str, content: bytes, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)
