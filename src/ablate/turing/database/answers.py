"""The answers of an experiment, read from the database as frames."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import func, null, select

from ablate.errors import DataError
from ablate.turing.bundle import Algorithm
from ablate.turing.database.connection import Database
from ablate.turing.database.own_answers import read_devices, read_own_answers, read_turned_away, stored_questions
from ablate.turing.database.tables import MISSED, Consent, Experiment, Participant, Trial, Withdrawal
from ablate.turing.protocol import Protocol
from ablate.turing.questions import Questions

_OF_PARTICIPANTS = ("id", "algorithm", "color_vision", "started", "finished", "screened_out", "consent")
_PERSONAL = ("external_id", "comment")
"""Of participants, too: what may say who they are."""
_OF_WITHDRAWALS = ("algorithm", "by")
_OF_TRIALS = (
    "participant_id", "number", "kind", "other", "photograph", "real", "recolored", "real_side", "choice",
    "rating", "exposure_ms", "response_ms", "loads", "shown", "answered",
)  # fmt: skip
_TRIAL_TYPES = {
    "participant": "int64", "number": "int64", "kind": "str", "algorithm": "str", "other": "str",
    "photograph": "str", "real": "str", "recolored": "str", "real_side": "str", "choice": "str", "rating": "float64",
    "fooled": "bool",
    "loads": "int64", "shown": "bool", "missed": "bool", "exposure_ms": "float64", "response_ms": "float64",
    "answered": "float64",
}  # fmt: skip


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
        participants: Index `participant`; columns algorithm (empty for who judges several), color_vision (normal,
            deficient, unknown), started, finished and screened_out (UTC), language and consent (the hash of a text in
            `consents`; None where it is not known), external_id and comment (None where they were not asked for, too).
        trials: A row an answered trial, by participant and number: columns participant, number, kind (practice, test,
            check), algorithm (whose picture `recolored` is; empty in the checks of who judges several), other (whose
            picture `real` is in a preference design, else empty), photograph, real, recolored (files of the bundle),
            real_side (empty in a rating design, which shows `recolored` alone), choice (left, right, missed, rated),
            rating (NaN where nothing was rated), fooled (whether `recolored` was taken for real, in a preference
            design for the more natural one, or was rated above the middle), loads (how often the pair was sent), shown
            (whether it was shown after that), missed (whether the participant says not to have seen it), exposure_ms,
            response_ms (NaN where it is not known), answered (UTC).
        unanswered: The other trials that participants were to have, alike.
        withdrawals: A row a participant who withdrew, or was removed: columns algorithm, by (participant,
            experimenter). Nothing else is kept of them.
        consents: The texts that participants agreed to, by their SHA-256.
        questions: The own questions that it asks; None where it has none.
        own_answers: A row a participant and part of them: columns participant, part (before, after), answers (by the
            names of questions: text, number, list of choices, or None for what was left out, or is a text and not
            asked for), answered (UTC).
        devices: A row a participant whose device was recorded: columns participant and those of the table `devices`.
        turned_away: How many browsers each gate has turned away before they began, and `any` of them.
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
    unanswered: pd.DataFrame = field(default_factory=pd.DataFrame)
    withdrawals: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(_OF_WITHDRAWALS)))
    consents: Mapping[str, str] = field(default_factory=dict)
    questions: Questions | None = None
    own_answers: pd.DataFrame = field(default_factory=pd.DataFrame)
    devices: pd.DataFrame = field(default_factory=pd.DataFrame)
    turned_away: Mapping[str, int] = field(default_factory=dict)


def experiment_names(database: Database) -> list[str]:
    """Return the names of the experiments in a database, the newest first."""
    with database.reading() as session:
        return list(session.scalars(select(Experiment.name).order_by(Experiment.id.desc())))


def read_answers(database: Database, experiment: str, *, personal: bool = False) -> Answers:
    """Read an experiment's participants and answers.

    Args:
        database: Where they are.
        experiment: Its name.
        personal: Whether to read what may say who participants are: their ids and comments.

    Raises:
        DataError: There is no such experiment.
    """
    with database.reading() as session:
        found = session.scalar(select(Experiment).where(Experiment.name == experiment))
        if found is None:
            raise DataError(
                f"{database.name} has no experiment {experiment}. Its experiments: "
                f"{', '.join(experiment_names(database)) or 'none'}"
            )
        of_it = Participant.experiment_id == found.id
        who = [getattr(Participant, name) if personal else null().label(name) for name in _PERSONAL]
        own = (*(getattr(Participant, name) for name in _OF_PARTICIPANTS), Consent.language, *who)
        participants = session.execute(
            select(*own).select_from(Participant).outerjoin(Consent).where(of_it).order_by(Participant.id)
        ).all()
        texts = session.execute(select(Consent.hash, Consent.text).join(Participant).where(of_it).distinct()).all()
        chosen = [getattr(Trial, name) for name in _OF_TRIALS]
        trials = session.execute(
            select(*chosen, func.coalesce(Trial.algorithm, Participant.algorithm).label("algorithm"))
            .join(Participant)
            .where(of_it)
            .order_by(Trial.participant_id, Trial.number)
        ).all()
        gone = [getattr(Withdrawal, name) for name in _OF_WITHDRAWALS]
        withdrawals = session.execute(select(*gone).where(Withdrawal.experiment_id == found.id)).all()
        own_answers = read_own_answers(session, found, personal=personal)
        devices, turned_away = read_devices(session, found), read_turned_away(session, found)
    known = {row.id for row in participants}
    people = pd.DataFrame(participants, columns=[*_OF_PARTICIPANTS, "language", *_PERSONAL])
    people = people.rename(columns={"id": "participant"})
    # PostgreSQL shows the second query who has begun since the first.
    trials = [row for row in trials if row.participant_id in known]
    drawn = pd.DataFrame(trials, columns=[*_OF_TRIALS, "algorithm"]).rename(columns={"participant_id": "participant"})
    protocol = Protocol.model_validate_json(found.protocol)
    took_real = drawn["choice"] == drawn["real_side"]
    preferred = drawn["choice"].isin(["left", "right"]) & ~took_real
    rated_high = drawn["rating"].astype("float64") > protocol.middle
    drawn = drawn.assign(
        fooled=took_real if protocol.has_fakes else rated_high if protocol.is_rating else preferred,
        other=drawn["other"].fillna(""),
        missed=drawn["choice"] == MISSED,
        shown=drawn["shown"].astype(bool) & (drawn["loads"] > 0),
    )
    drawn = drawn[list(_TRIAL_TYPES)].astype(_TRIAL_TYPES).assign(answered=lambda frame: _times(frame["answered"]))
    answered = drawn["choice"].notna()
    return Answers(
        experiment=found.name,
        study=found.study,
        checksum=found.checksum,
        folder=Path(found.folder),
        protocol=protocol,
        algorithms=[Algorithm.model_validate(each) for each in json.loads(found.algorithms)],
        closed=found.closed,
        participants=people.assign(
            **{at: _times(people[at]) for at in ("started", "finished", "screened_out")}
        ).set_index("participant"),
        trials=drawn[answered].reset_index(drop=True),
        unanswered=drawn[~answered].reset_index(drop=True),
        withdrawals=pd.DataFrame(withdrawals, columns=list(_OF_WITHDRAWALS)),
        consents={each.hash: each.text for each in texts},
        questions=stored_questions(found),
        # As with trials.
        own_answers=own_answers[own_answers["participant"].isin(known)].reset_index(drop=True),
        devices=devices[devices["participant"].isin(known)].reset_index(drop=True),
        turned_away=turned_away,
    )


def _times(seconds: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.to_datetime(seconds.astype("float64"), unit="s", utc=True)
