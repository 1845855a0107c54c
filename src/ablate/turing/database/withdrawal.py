"""Withdrawal: all that is kept of a participant is removed, but that somebody withdrew."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from ablate.turing.database.tables import By, Device, OwnAnswers, Participant, Trial, Withdrawal

_OF_PARTICIPANTS: tuple[type[Trial | OwnAnswers | Device], ...] = (Trial, OwnAnswers, Device)


def remove(session: Session, participant: Participant, by: By, now: float) -> None:
    """Delete a participant and all that was answered, and note the withdrawal.

    The place among participants is not given again, so that nobody is shown what this one was.

    Args:
        session: A transaction that writes.
        participant: Who.
        by: Whose wish it is.
        now: Seconds since 1970.
    """
    session.add(
        Withdrawal(
            participant_id=participant.id,
            experiment_id=participant.experiment_id,
            key=participant.key,
            algorithm=participant.algorithm,
            withdrawn=now,
            by=by,
        )
    )
    for table in _OF_PARTICIPANTS:
        session.execute(delete(table).where(table.participant_id == participant.id))
    session.delete(participant)


def next_number(session: Session) -> int | None:
    """Return the number of the next participant; None where the database never gives one again, as PostgreSQL does.

    SQLite would give that of the newest participant again who withdrew.
    """
    if session.get_bind().dialect.name != "sqlite":
        return None
    highest = (session.scalar(select(func.max(each))) for each in (Participant.id, Withdrawal.participant_id))
    return 1 + max(number or 0 for number in highest)
