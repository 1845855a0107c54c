"""The tables of the database: experiments, participants and trials, by SQLAlchemy.

After a change of them `migrations.VERSION` is the next one, with the statements that bring an older database up to it;
and docs/turing.md and the consent text say what is kept.
"""

from typing import Literal

from sqlalchemy import BigInteger, ForeignKey, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Tables. Times are seconds since 1970, UTC."""


class Setting(Base):
    """What the server has to remember: the version of these tables, its secret, and log-ins that have ended."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Experiment(Base):
    """A bundle that is or was served, and how many participants it has.

    What participants are shown is drawn from `seed`: a random number of its own, since a bundle's seed can be guessed.
    `questions` are the own ones that it asks, as JSON; None where it has none.
    """

    __tablename__ = "experiments"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    checksum: Mapped[str]
    study: Mapped[str | None]
    seed: Mapped[int] = mapped_column(BigInteger)
    folder: Mapped[str] = mapped_column(Text)
    protocol: Mapped[str] = mapped_column(Text)
    algorithms: Mapped[str] = mapped_column(Text)
    participants: Mapped[int] = mapped_column(default=0)
    closed: Mapped[bool] = mapped_column(default=False)
    created: Mapped[float]
    questions: Mapped[str | None] = mapped_column(Text)


class Consent(Base):
    """A text that participants agreed to, once for all of them; `hash` is its SHA-256."""

    __tablename__ = "consents"
    hash: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str]
    text: Mapped[str] = mapped_column(Text)


SEVERAL = ""
"""The algorithm of a participant who judges more than one: the trials have theirs."""


class Participant(Base):
    """A session: no name, no address. `key` is a hash of the number in the participant's cookie.

    `consent` is None where a participant began before texts were kept. `external_id` is the one by which whoever
    recruited the participant knows them; None where they came without. `algorithm` is `SEVERAL` where
    the participant judges more than one. Who failed too many checks may be screened out, and never finishes.
    """

    __tablename__ = "participants"
    __table_args__ = (UniqueConstraint("experiment_id", "place"), UniqueConstraint("experiment_id", "key"))
    id: Mapped[int] = mapped_column(primary_key=True)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), index=True)
    key: Mapped[str]
    place: Mapped[int]
    algorithm: Mapped[str] = mapped_column(Text)
    color_vision: Mapped[str]
    started: Mapped[float]
    finished: Mapped[float | None]
    consent: Mapped[str | None] = mapped_column(ForeignKey("consents.hash"))
    external_id: Mapped[str | None]
    screened_out: Mapped[float | None]
    comment: Mapped[str | None] = mapped_column(Text)


class OwnAnswers(Base):
    """What a participant replied to the own questions of a part, as JSON by their names.

    `questions` is the SHA-256 of those that were asked, `Experiment.questions`.
    """

    __tablename__ = "own_answers"
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    questions: Mapped[str]
    answers: Mapped[str] = mapped_column(Text)
    answered: Mapped[float]


class Device(Base):
    """The window and screen that a participant began with, where the experiment records them.

    Sizes are in CSS pixels; `refresh_rate` is in Hz, as the page measured it.
    """

    __tablename__ = "devices"
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    window_width: Mapped[int]
    window_height: Mapped[int]
    screen_width: Mapped[int]
    screen_height: Mapped[int]
    pixel_ratio: Mapped[float]
    touch: Mapped[bool]
    refresh_rate: Mapped[float]
    browser: Mapped[str]


class TurnedAway(Base):
    """How many browsers a gate has turned away before they began, and nothing of whose they were."""

    __tablename__ = "turned_away"
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), primary_key=True)
    gate: Mapped[str] = mapped_column(primary_key=True)
    browsers: Mapped[int]


By = Literal["participant", "experimenter"]


class Withdrawal(Base):
    """What stays of a participant who withdrew, or whom the experimenter removed: no answer, no time but this one.

    `key` keeps the same browser, or the same id, from taking part again.
    """

    __tablename__ = "withdrawals"
    participant_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiments.id"), index=True)
    key: Mapped[str]
    algorithm: Mapped[str] = mapped_column(Text)
    withdrawn: Mapped[float]
    by: Mapped[str]


MISSED = "missed"
"""The choice of who did not see the pair."""
RATED = "rated"
"""The choice of who rated a picture: `rating` says how."""


class Trial(Base):
    """A pair, or in a rating design a picture, that a participant is shown, and the answer.

    `loads` counts how often its pictures were sent, together; `shown` is set once, when they are shown. `choice` is
    left, right, or `MISSED`: the side of what is taken for the fake, in a preference design for the more natural one.
    In a rating design `recolored` is shown alone, `real_side` is empty, and `choice` is `RATED` or `MISSED`.

    `algorithm` is whose picture `recolored` is, None where that is the participant's, and in checks. `other` is whose
    picture `real` is in a preference design; None where it is the real one, as in the others.
    """

    __tablename__ = "trials"
    participant_id: Mapped[int] = mapped_column(ForeignKey("participants.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str]
    photograph: Mapped[str] = mapped_column(Text)
    real: Mapped[str]
    recolored: Mapped[str]
    real_side: Mapped[str]
    loads: Mapped[int] = mapped_column(default=0)
    shown: Mapped[bool] = mapped_column(default=False)
    exposure_ms: Mapped[float | None]
    choice: Mapped[str | None]
    response_ms: Mapped[float | None]
    answered: Mapped[float | None]
    algorithm: Mapped[str | None] = mapped_column(Text)
    other: Mapped[str | None] = mapped_column(Text)
    rating: Mapped[int | None]

    def file(self, side: str) -> str:
        """Return the file of the picture on a side."""
        return self.real if side == self.real_side else self.recolored
