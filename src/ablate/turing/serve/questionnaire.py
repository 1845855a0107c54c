"""The pages of own questions, before and after the trials."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from ablate.turing.questions import Choice, FreeText, Number, Part, Question, Scale, Several, text_in
from ablate.turing.questions.loading import PREFIX
from ablate.turing.serve.arrival import Key
from ablate.turing.serve.own_session import OwnSession
from ablate.turing.serve.replies import Replies, read_replies
from ablate.turing.serve.sessions import Sessions
from ablate.turing.serve.texts import fill
from ablate.turing.serve.web import CurrentSessions, CurrentSite, Site, render_page

router = APIRouter(prefix="/e/{experiment}/questions")

_DEPTH = 3
"""Of `/e/NAME/questions/before` below the root."""
_NOTHING = Replies({}, {}, {})
_CSRF = "csrf"
_FORM = "application/x-www-form-urlencoded"


async def _sent(request: Request) -> Sequence[tuple[str, str]]:
    """Return the fields of a form with their values; which there are depends on the questions."""
    if not request.headers.get("content-type", "").startswith(_FORM):
        raise HTTPException(422)  # the other kind may have files
    return [(name, str(value)) for name, value in (await request.form()).multi_items()]


Sent = Annotated[Sequence[tuple[str, str]], Depends(_sent)]


@router.get("/{part}")
def questions(part: Part, own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite) -> Response:
    """Ask the questions of a part, whose turn it is."""
    if sessions.asked(own) != part:
        return RedirectResponse("../trial", 303)
    return _page(site, sessions, part, key or "", _NOTHING)


@router.post("/{part}")
def answered(
    part: Part, sent: Sent, own: OwnSession, key: Key, sessions: CurrentSessions, site: CurrentSite
) -> Response:
    """Keep the answers to a part, or say what is wrong with which; sent again, they change nothing."""
    tokens = [value for name, value in sent if name == _CSRF]
    if key is None or len(tokens) != 1 or not site.signer.is_form_token(key, tokens[0]):
        raise HTTPException(403)
    if sessions.asked(own) != part:
        return RedirectResponse("../trial", 303)
    try:
        replies = read_replies(_of(sessions, part), [each for each in sent if each[0] != _CSRF])
    except ValueError:
        raise HTTPException(422) from None
    if replies.faults:
        return _page(site, sessions, part, key, replies)
    sessions.keep_replies(own, part, replies.answers)
    return RedirectResponse("../trial", 303)


def _of(sessions: Sessions, part: Part) -> Sequence[Question]:
    asked = sessions.recruiting.questions
    return () if asked is None else asked.of(part)


def _page(site: Site, sessions: Sessions, part: Part, key: str, replies: Replies) -> Response:
    asked = _of(sessions, part)
    return render_page(
        site,
        "questions",
        sessions=sessions,
        depth=_DEPTH,
        numbers={"asked": len(asked), "faulty": len(replies.faults)},
        status=422 if replies.faults else 200,
        part=part,
        asked=[_view(question, site.texts, replies) for question in asked],
        csrf=site.signer.form_token(key),
    )


def _view(question: Question, texts: Mapping[str, Any], replies: Replies) -> dict[str, Any]:
    """Return what the page shows of a question: texts in its language, what was replied, and what is wrong with it."""
    language, given = texts["language"], replies.given.get(question.name, [])
    said = fill({"reply": texts["reply"]}, _numbers(question))["reply"]
    fault = replies.faults.get(question.name)
    name = f"{PREFIX}{question.name}"
    shown: dict[str, Any] = {
        "id": name,
        "kind": question.kind,
        "question": text_in(question.question, language),
        "optional": not question.required,
        "help": None if question.help is None else text_in(question.help, language),
        "fault": None if fault is None else said[fault],
        "given": given[0] if given else "",
        "hint": None,
        "ends": None,
        "options": [],
    }
    if isinstance(question, Choice | Several):
        labels = {value: text_in(label, language) for value, label in question.choices.items()}
        shown["options"] = [(value, label, value in given) for value, label in labels.items()]
    elif isinstance(question, Scale):
        points = map(str, range(1, question.points + 1))
        shown["options"] = [(point, point, point in given) for point in points]
        shown["ends"] = [
            f"1: {text_in(question.low, language)}",
            f"{question.points}: {text_in(question.high, language)}",
        ]
    elif isinstance(question, Number):
        shown |= {"hint": said["whole" if question.whole else "number"], "whole": question.whole}
    else:
        shown |= {"hint": said["text"], "longest": question.longest}
    described = [part for part in ("help", "hint", "ends", "fault") if shown[part]]
    return shown | {"described": " ".join(f"{name}-{part}" for part in described)}


def _numbers(question: Question) -> dict[str, object]:
    """Return what stands in the texts for {low} and the like."""
    low, high = (question.minimum, question.maximum) if isinstance(question, Number) else (0.0, 0.0)
    longest = question.longest if isinstance(question, FreeText) else 0
    return {"low": _written(low), "high": _written(high), "longest": longest}


def _written(number: float) -> str:
    return str(int(number)) if number.is_integer() else str(number)
