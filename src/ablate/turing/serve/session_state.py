"""The state of a participant's session, as a transaction finds it by the session's key."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ablate.turing.database import Participant, Trial


@dataclass(frozen=True)
class SessionState:
    """The state of a participant's session.

    Attributes:
        participant: Who.
        trial: The trial that is to be answered next, None after the last one, or after being screened out.
    """

    participant: Participant
    trial: Trial | None


def of_key(experiment_id: int, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Say whose session has a key in an experiment."""
    return Participant.experiment_id == experiment_id, Participant.key == key


def find_state(session: Session, experiment_id: int, key: str, *, lock: bool = False) -> SessionState | None:
    """Return the state of the session with a key; None where there is none.

    Args:
        session: A transaction.
        experiment_id: Which experiment.
        key: The participant's.
        lock: Whether others that ask so wait until the transaction ends, as PostgreSQL lets two tabs in at once.
    """
    own = select(Participant).where(*of_key(experiment_id, key))
    participant = session.scalar(own.with_for_update() if lock else own)
    return None if participant is None else state_of(session, participant)


def state_of(session: Session, participant: Participant) -> SessionState:
    """Return the state of a participant's session."""
    if participant.screened_out is not None:
        return SessionState(participant, None)
    own = Trial.participant_id == participant.id
    trial = session.scalar(select(Trial).where(own, Trial.choice.is_(None)).order_by(Trial.number).limit(1))
    return SessionState(participant, trial)
