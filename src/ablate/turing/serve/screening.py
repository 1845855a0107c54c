"""Screening: who fails more checks than the rules allow is sent back before the end."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from ablate.turing.database import Trial
from ablate.turing.database.tables import MISSED
from ablate.turing.protocol import Protocol
from ablate.turing.serve.assignment import SIDES


def fails_too_many(session: Session, trial: Trial, protocol: Protocol) -> bool:
    """Return whether an answer is the failed check by which its participant is screened out.

    Args:
        session: The transaction in which it was given.
        trial: What was answered.
        protocol: The experiment's.
    """
    if trial.kind != "check" or trial.choice == MISSED:
        return False
    session.flush()
    own = Trial.participant_id == trial.participant_id, Trial.kind == "check", _fooled(protocol)
    failed = session.scalar(select(func.count()).select_from(Trial).where(*own)) or 0
    return failed > protocol.rules.max_failed_checks


def _fooled(protocol: Protocol) -> ColumnElement[bool]:
    """Whether a trial's fake was taken for real, or for the more natural one, or was rated above the middle."""
    if protocol.is_rating:
        return Trial.rating > protocol.middle
    fake = Trial.choice != Trial.real_side
    return Trial.choice.in_(SIDES) & (~fake if protocol.has_fakes else fake)
