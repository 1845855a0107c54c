"""Sessions of participants in the database. Whatever is returned is on the disk by then."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Experiment, Participant, Trial
from ablate.turing.serve.assignment import SIDES, Side, assign_algorithm, assign_trials

ColorVision = Literal["normal", "deficient", "unknown"]

_Found = TypeVar("_Found")


class Closed(Exception):
    """The experiment takes no more participants."""


@dataclass(frozen=True)
class SessionState:
    """The state of a participant's session.

    Attributes:
        participant: Who.
        trial: The trial that is to be answered next, None after the last one.
    """

    participant: Participant
    trial: Trial | None


class Sessions:
    """The sessions of one experiment.

    Args:
        database: Where they are kept.
        experiment_id: Which experiment.
        bundle: Its bundle.
        clock: Seconds since 1970.
    """

    def __init__(self, database: Database, experiment_id: int, bundle: Bundle, clock: Callable[[], float] = time.time):
        self.database, self.experiment_id, self.bundle, self._clock = database, experiment_id, bundle, clock

    @property
    def closed(self) -> bool:
        """Whether the experiment takes no more participants."""
        with self.database.reading() as session:
            return session.get_one(Experiment, self.experiment_id).closed

    def counts(self) -> Mapping[str, Any]:
        """Return the experiment's name, whether it is closed, and how many have started, finished, and answered."""
        of_it = Participant.experiment_id == self.experiment_id
        people = select(func.count(), func.count(Participant.finished)).where(of_it)
        answers = select(func.count()).select_from(Trial).join(Participant).where(of_it, Trial.choice.is_not(None))
        with self.database.reading() as session:
            started, finished = session.execute(people).one()
            return {
                "name": self.bundle.manifest.name,
                "closed": session.get_one(Experiment, self.experiment_id).closed,
                "started": started,
                "finished": finished,
                "answers": session.scalar(answers),
            }

    def find(self, key: str) -> SessionState | None:
        """Return the state of the session with a key; None where there is none."""
        with self.database.reading() as session:
            participant = session.scalar(select(Participant).where(*self._own(key)))
            return None if participant is None else _state(session, participant)

    def begin(self, key: str, color_vision: ColorVision) -> SessionState:
        """Make a participant, whose algorithm and trials are drawn now; the same key again changes nothing.

        Raises:
            Closed: The experiment takes no more participants.
        """
        try:
            with self.database.writing() as session:
                found = session.scalar(select(Participant).where(*self._own(key)))
                return _state(session, found or self._added(session, key, color_vision))
        except IntegrityError:  # the same form, sent twice at once
            state = self.find(key)
            if state is None:
                raise
            return state

    def _added(self, session: Session, key: str, color_vision: ColorVision) -> Participant:
        # One statement that both counts and locks: no two participants have the same place.
        taken = session.execute(
            update(Experiment)
            .where(Experiment.id == self.experiment_id, Experiment.closed.is_(False))
            .values(participants=Experiment.participants + 1)
            .returning(Experiment.participants, Experiment.seed)
        ).one_or_none()
        if taken is None:
            raise Closed
        place, seed, manifest = taken.participants - 1, taken.seed, self.bundle.manifest
        algorithm = assign_algorithm(seed, place, len(manifest.algorithms))
        participant = Participant(
            experiment_id=self.experiment_id,
            key=key,
            place=place,
            algorithm=manifest.algorithms[algorithm].name,
            color_vision=color_vision,
            started=self._clock(),
        )
        session.add(participant)
        session.flush()
        for number, drawn in enumerate(assign_trials(manifest, seed=seed, algorithm=algorithm, place=place), start=1):
            session.add(
                Trial(
                    participant_id=participant.id,
                    number=number,
                    kind=drawn.kind,
                    photograph=drawn.photograph,
                    real=drawn.real,
                    recolored=drawn.recolored,
                    real_side=drawn.real_side,
                )
            )
        session.flush()
        return participant

    def load(self, key: str) -> SessionState | None:
        """Return the state of a session whose next trial is being loaded, and count that."""
        return self._changed(key, lambda session, state: _count_load(state))

    def show(self, key: str, number: int) -> bool:
        """Note that a trial's pictures are seen now; they are not sent again.

        Returns:
            Whether that trial was to be answered next.
        """

        def seen(session: Session, state: SessionState) -> bool:
            if state.trial is None or state.trial.number != number:
                return False
            state.trial.shown = True
            return True

        return bool(self._changed(key, seen))

    def answer(
        self, key: str, number: int, choice: Side, *, exposure_ms: float | None, response_ms: float | None
    ) -> Trial | None:
        """Keep an answer, if it is that to the next trial; another one to the same trial changes nothing.

        Args:
            key: The participant's.
            number: The trial's.
            choice: The side of the picture that is taken for the recoloured one.
            exposure_ms: For how long the pictures were seen; None where the page does not know.
            response_ms: Time from their end to the answer; None alike.

        Returns:
            The answered trial, with the answer that counts; None where there is no such trial, or another is next.
        """

        def answered(session: Session, state: SessionState) -> Trial | None:
            trial = state.trial
            if trial is None or trial.number != number:
                earlier = session.get(Trial, (state.participant.id, number))
                return earlier if earlier is not None and earlier.choice is not None else None
            trial.choice, trial.exposure_ms, trial.response_ms = choice, exposure_ms, response_ms
            trial.answered = self._clock()
            if number == self.bundle.manifest.protocol.photographs:
                state.participant.finished = trial.answered
            return trial

        return self._changed(key, answered)

    def practiced(self, key: str, number: int) -> Trial | None:
        """Return an answered practice trial; None for any other."""
        state = self.find(key)
        if state is None:
            return None
        with self.database.reading() as session:
            trial = session.get(Trial, (state.participant.id, number))
        return trial if trial is not None and trial.kind == "practice" and trial.choice is not None else None

    def pictures(self, trial: Trial) -> dict[Side, bytes]:
        """Return both pictures of a trial: reading them in the same order takes as long for either."""
        return {side: self.bundle.picture(trial.file(side)) for side in SIDES}

    def set_closed(self, closed: bool) -> None:
        """Take no more participants, or take them again; those who have begun can finish."""
        with self.database.writing() as session:
            session.get_one(Experiment, self.experiment_id).closed = closed

    def _changed(self, key: str, change: Callable[[Session, SessionState], _Found]) -> _Found | None:
        with self.database.writing() as session:
            # PostgreSQL lets two tabs in at once: the second one waits here.
            participant = session.scalar(select(Participant).where(*self._own(key)).with_for_update())
            return None if participant is None else change(session, _state(session, participant))

    def _own(self, key: str) -> Sequence[Any]:
        return Participant.experiment_id == self.experiment_id, Participant.key == key


def _count_load(state: SessionState) -> SessionState:
    if state.trial is not None and not state.trial.shown:
        state.trial.loads += 1
    return state


def _state(session: Session, participant: Participant) -> SessionState:
    own = Trial.participant_id == participant.id
    trial = session.scalar(select(Trial).where(own, Trial.choice.is_(None)).order_by(Trial.number).limit(1))
    return SessionState(participant, trial)
