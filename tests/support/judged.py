"""Experiments with participants of all kinds, without a browser: who finishes, leaves, misses pairs, is excluded."""

from collections.abc import Callable

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Trial
from ablate.turing.database.own_answers import fix_questions
from ablate.turing.serve.consent_text import ConsentText, consent_text
from ablate.turing.serve.enrollment import ColorVision, Newcomer
from ablate.turing.serve.recruiting import ANYBODY, Recruiting
from ablate.turing.serve.sessions import Choice, Sessions
from ablate.turing.serve.text_numbers import text_numbers
from ablate.turing.serve.texts import load_texts

START = 1_700_000_000.75


def opened(
    database: Database, bundle: Bundle, recruiting: Recruiting = ANYBODY, clock: Callable[[], float] | None = None
) -> Sessions:
    """Return a bundle's experiment, whose clock advances by a second whenever it is read, where no other is given."""
    now, experiment = iter(range(10**6)), database.register(bundle, START)
    fix_questions(database, experiment, recruiting.questions)
    return Sessions(database, experiment, bundle, recruiting, clock=clock or (lambda: START + next(now)))


def english(sessions: Sessions) -> ConsentText:
    """Return what participants agree to."""
    return consent_text(load_texts(), text_numbers(sessions), sessions.recruiting)


def take_part(
    sessions: Sessions,
    key: str,
    choose: Callable[[Trial], Choice | int] = lambda trial: "left",
    *,
    trials: int | None = None,
    vision: ColorVision = "normal",
    exposure_ms: float = 200.0,
    external_id: str | None = None,
) -> int:
    """Begin and answer so many trials, or all of them, and return the participant's number."""
    participant = sessions.begin(Newcomer(key, vision, english(sessions), external_id)).participant
    last = sessions.bundle.manifest.protocol.photographs if trials is None else trials
    for number in range(1, last + 1):
        sent = sessions.send(key, number)
        assert sent is not None
        assert sessions.show(key, number)
        answered = sessions.answer(key, number, choose(sent), exposure_ms=exposure_ms, response_ms=800.5)
        assert answered is not None
    return participant.id
