"""The answers of an experiment, read from the database as frames."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import select

from ablate.errors import DataError
from ablate.turing.bundle import Algorithm
from ablate.turing.database.connection import Database
from ablate.turing.database.tables import MISSED, Experiment, Participant, Trial
from ablate.turing.protocol import Protocol


@dataclass(frozen=True)
class Answers:
    """What an experiment has brought so far.

    Attributes:
        experiment: Its name.
        study: The study that it belongs to.
        checksum: Of its bundle.
        folder: Where the bundle was when it was served last.
        protocol: How it goes.
        algorithms: What is compared.
        closed: Whether it takes no more participants.
        participants: Index `participant`; columns algorithm, color_vision (normal, deficient, unknown), started and
            finished (UTC).
        trials: A row an answered trial, by participant and number: columns participant, number, kind (practice, test,
            check), algorithm, photograph, real, recolored (files of the bundle), fooled (whether the recoloured one
            was taken for real), loads (how often the pair was sent), shown (whether it was shown after that), missed
            (whether the participant says not to have seen it), exposure_ms, response_ms (NaN where it is not known),
            answered (UTC).
    """

    experiment: str
    study: str | None
    checksum: str
    folder: Path
    protocol: Protocol
    algorithms: list[Algorithm]
    closed: bool
    participants: pd.DataFrame
    trials: pd.DataFrame


def experiment_names(database: Database) -> list[str]:
    """Return the names of the experiments in a database, the newest first."""
    with database.reading() as session:
        return list(session.scalars(select(Experiment.name).order_by(Experiment.id.desc())))


def read_answers(database: Database, experiment: str) -> Answers:
    """Read an experiment's participants and answers.

    Raises:
        DataError: There is no such experiment.
    """
    own = (Participant.id, Participant.algorithm, Participant.color_vision, Participant.started, Participant.finished)
    with database.reading() as session:
        found = session.scalar(select(Experiment).where(Experiment.name == experiment))
        if found is None:
            raise DataError(
                f"{database.name} has no experiment {experiment}. Its experiments: "
                f"{', '.join(experiment_names(database)) or 'none'}"
            )
        of_it = Participant.experiment_id == found.id
        participants = session.execute(select(*own).where(of_it).order_by(Participant.id)).all()
        chosen = [getattr(Trial, name) for name in _OF_TRIALS]
        trials = session.execute(
            select(*chosen, Participant.algorithm)
            .join(Participant)
            .where(of_it, Trial.choice.is_not(None))
            .order_by(Trial.participant_id, Trial.number)
        ).all()
    people = pd.DataFrame(participants, columns=["participant", "algorithm", "color_vision", "started", "finished"])
    answered = pd.DataFrame(trials, columns=[*_OF_TRIALS, "algorithm"]).rename(
        columns={"participant_id": "participant"}
    )
    answered = answered.assign(
        fooled=answered["choice"] == answered["real_side"],
        missed=answered["choice"] == MISSED,
        shown=answered["shown"].astype(bool) & (answered["loads"] > 0),
    )
    answered = answered[list(_TRIAL_TYPES)].astype(_TRIAL_TYPES)
    return Answers(
        experiment=found.name,
        study=found.study,
        checksum=found.checksum,
        folder=Path(found.folder),
        protocol=Protocol.model_validate_json(found.protocol),
        algorithms=[Algorithm.model_validate(each) for each in json.loads(found.algorithms)],
        closed=found.closed,
        participants=people.assign(**{at: _times(people[at]) for at in ("started", "finished")}).set_index(
            "participant"
        ),
        trials=answered.assign(answered=_times(answered["answered"])),
    )


_OF_TRIALS = (
    "participant_id", "number", "kind", "photograph", "real", "recolored", "real_side", "choice", "exposure_ms",
    "response_ms", "loads", "shown", "answered",
)  # fmt: skip
_TRIAL_TYPES = {
    "participant": "int64", "number": "int64", "kind": "str", "algorithm": "str", "photograph": "str", "real": "str",
    "recolored": "str", "fooled": "bool", "loads": "int64", "shown": "bool", "missed": "bool",
    "exposure_ms": "float64", "response_ms": "float64", "answered": "float64",
}  # fmt: skip


def _times(seconds: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.to_datetime(seconds.astype("float64"), unit="s", utc=True)
