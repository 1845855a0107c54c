"""Own questions, devices and gates in the database: fixed when the first participant begins, and read as frames."""

import json
from typing import Any

import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ablate.errors import DataError
from ablate.report.number_format import quantity
from ablate.turing.database.connection import Database
from ablate.turing.database.tables import Device, Experiment, OwnAnswers, Participant, TurnedAway
from ablate.turing.questions import FreeText, Questions

_OF_DEVICES = (
    "participant_id", "window_width", "window_height", "screen_width", "screen_height", "pixel_ratio", "touch",
    "refresh_rate", "browser",
)  # fmt: skip


def fix_questions(database: Database, experiment_id: int, questions: Questions | None) -> None:
    """Note the own questions of an experiment, which do not change once a participant has begun.

    Args:
        database: Where it is.
        experiment_id: Which experiment.
        questions: That are to be asked; None for none.

    Raises:
        DataError: Participants have begun with others.
    """
    wanted = None if questions is None else questions.stored
    with database.writing() as session:
        experiment = session.get_one(Experiment, experiment_id, with_for_update=True)
        if experiment.questions == wanted:
            return
        of_it = Participant.experiment_id == experiment_id
        begun = session.scalar(select(func.count()).select_from(Participant).where(of_it))
        if begun:
            had = "without own questions" if experiment.questions is None else "with other questions= than these"
            raise DataError(
                f"experiment {experiment.name} was begun {had} ({quantity(begun, 'participant')}): answers would be "
                "mixed. Serve it with the same questions= as before, or build it under another name (name=NAME) for "
                "new ones"
            )
        experiment.questions = wanted


def stored_questions(experiment: Experiment) -> Questions | None:
    """Return the own questions of an experiment; None where it has none."""
    return None if experiment.questions is None else Questions.model_validate_json(experiment.questions)


def read_own_answers(session: Session, experiment: Experiment, *, personal: bool) -> pd.DataFrame:
    """Return what was replied: see `Answers.own_answers`.

    Args:
        session: A transaction.
        experiment: Which experiment.
        personal: Whether to read texts, too, in which people may say who they are.
    """
    questions = stored_questions(experiment)
    texts = (
        {each.name for each in questions.all if isinstance(each, FreeText)} if questions and not personal else set()
    )
    chosen = select(OwnAnswers).join(Participant, Participant.id == OwnAnswers.participant_id)
    of_it = chosen.where(Participant.experiment_id == experiment.id)
    rows: list[dict[str, Any]] = [
        {
            "participant": row.participant_id,
            "part": row.part,
            "answers": {name: None if name in texts else each for name, each in json.loads(row.answers).items()},
            "answered": row.answered,
        }
        for row in session.scalars(of_it.order_by(OwnAnswers.participant_id, OwnAnswers.part))
    ]
    frame = pd.DataFrame(rows, columns=["participant", "part", "answers", "answered"])
    return frame.assign(answered=pd.to_datetime(frame["answered"].astype("float64"), unit="s", utc=True))


def read_devices(session: Session, experiment: Experiment) -> pd.DataFrame:
    """Return the devices that were recorded: see `Answers.devices`."""
    chosen = select(*(getattr(Device, name) for name in _OF_DEVICES)).join(Participant)
    rows = session.execute(chosen.where(Participant.experiment_id == experiment.id).order_by(Device.participant_id))
    return pd.DataFrame(rows.all(), columns=list(_OF_DEVICES)).rename(columns={"participant_id": "participant"})


def read_turned_away(session: Session, experiment: Experiment) -> dict[str, int]:
    """Return how many browsers each gate has turned away, and `device.ANY` of them; empty where none has."""
    own = select(TurnedAway).where(TurnedAway.experiment_id == experiment.id).order_by(TurnedAway.gate)
    return {row.gate: row.browsers for row in session.scalars(own)}
