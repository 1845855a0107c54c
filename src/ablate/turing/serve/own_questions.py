"""The own questions of a session: whose turn they are, and what was replied, kept once."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from ablate.turing.database import OwnAnswers
from ablate.turing.questions import Part, Questions
from ablate.turing.serve.session_state import SessionState


def part_due(session: Session, state: SessionState, questions: Questions | None) -> Part | None:
    """Return the part of the own questions that a participant has to answer now; None for neither.

    Args:
        session: A transaction.
        state: The participant's.
        questions: Those of the experiment; None where it has none.
    """
    part: Part = "before" if state.trial is not None else "after"
    if questions is None or not questions.of(part) or state.participant.screened_out is not None:
        return None
    return None if session.get(OwnAnswers, (state.participant.id, part)) else part


def keep_replies(
    session: Session, state: SessionState, questions: Questions, part: Part, answers: Mapping[str, Any], now: float
) -> None:
    """Keep what a participant replied to a part, if that is due: once.

    Args:
        session: A transaction that writes.
        state: The participant's.
        questions: Those of the experiment.
        part: Which part.
        answers: By the questions' names, checked.
        now: Seconds since 1970.
    """
    if part_due(session, state, questions) != part:
        return
    session.add(
        OwnAnswers(
            participant_id=state.participant.id,
            part=part,
            questions=questions.hash,
            answers=json.dumps(answers, ensure_ascii=False),
            answered=now,
        )
    )
