"""Sessions of participants in the database. Whatever is returned is on the disk by then."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, Experiment, Participant, Trial
from ablate.turing.database.own_answers import fix_questions
from ablate.turing.database.tables import MISSED, RATED, By
from ablate.turing.database.withdrawal import remove
from ablate.turing.protocol import Protocol
from ablate.turing.questions import Part
from ablate.turing.serve.assignment import SIDES, Side
from ablate.turing.serve.enrollment import Closed, Enrollment, Full, Newcomer
from ablate.turing.serve.own_questions import keep_replies, part_due
from ablate.turing.serve.plain_text import plain_text
from ablate.turing.serve.recruiting import ANYBODY, Recruiting
from ablate.turing.serve.screening import fails_too_many
from ablate.turing.serve.session_state import SessionState, find_state, of_key, state_of
from ablate.turing.serve.turned_away import TurnedAwayCounter

Choice = Side | Literal["missed"]
ALONE = "alone"
"""In place of a side, of a picture that nothing is beside."""

_Found = TypeVar("_Found")


class Sessions:
    """The sessions of one experiment.

    Args:
        database: Where they are kept.
        experiment_id: Which experiment.
        bundle: Its bundle.
        recruiting: How participants come and leave.
        clock: Seconds since 1970.
        preview: Whether nothing of it counts, since it is in a database of its own.
    """

    def __init__(
        self,
        database: Database,
        experiment_id: int,
        bundle: Bundle,
        recruiting: Recruiting = ANYBODY,
        clock: Callable[[], float] = time.time,
        *,
        preview: bool = False,
    ):
        self.database, self.experiment_id, self.bundle, self._clock = database, experiment_id, bundle, clock
        self.recruiting, self.preview = recruiting, preview
        self.turned_away = TurnedAwayCounter(database, experiment_id)
        self._enrollment = Enrollment(experiment_id, bundle, recruiting, clock)

    @property
    def protocol(self) -> Protocol:
        """How the experiment goes."""
        return self.bundle.manifest.protocol

    @property
    def closed(self) -> bool:
        """Whether the experiment takes no more participants."""
        with self.database.reading() as session:
            return session.get_one(Experiment, self.experiment_id).closed

    @property
    def full(self) -> bool:
        """Whether as many have finished, or are under way, as are wanted; who leaves makes place."""
        with self.database.reading() as session:
            return self._enrollment.is_full(session)

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
            return find_state(session, self.experiment_id, key)

    def is_withdrawn(self, key: str) -> bool:
        """Return whether the participant with a key withdrew, or was removed."""
        with self.database.reading() as session:
            return self._enrollment.is_withdrawn(session, key)

    def begin(self, newcomer: Newcomer) -> SessionState:
        """Make a participant, whose algorithm and trials are drawn now; the same key again changes nothing.

        Args:
            newcomer: Who, and what they agreed to.

        Raises:
            Closed: The experiment takes no more participants.
            Full: It takes none at the moment.
            Withdrawn: The participant withdrew.
        """
        try:
            with self.database.writing() as session:
                found = find_state(session, self.experiment_id, newcomer.key)
                return found or state_of(session, self._enrollment.add(session, newcomer))
        except (IntegrityError, Closed, Full):
            state = self.find(newcomer.key)
            if state is None:
                raise
            return state  # the same form, sent twice at once: the other one has begun, with the last place it may be

    def sendable(self, key: str, number: int) -> Trial | None:
        """Return a trial whose pictures may be sent now; `send` counts that they are.

        Returns:
            None where it is neither the next one, nor the one after that while the next one is judged; or where it
            was shown already.
        """
        with self.database.reading() as session:
            state = find_state(session, self.experiment_id, key)
            return None if state is None else _sendable(session, state, number)

    def send(self, key: str, number: int) -> Trial | None:
        """Return a trial whose pictures are about to be sent, and count that; None as with `sendable`."""

        def counted(session: Session, state: SessionState) -> Trial | None:
            trial = _sendable(session, state, number)
            if trial is not None:
                trial.loads += 1
            return trial

        return self._changed(key, counted)

    def show(self, key: str, number: int) -> bool:
        """Note that a trial's pictures are shown now: once, and only if they were sent. They are not sent again.

        Returns:
            Whether they may be shown.
        """

        def noted(session: Session, state: SessionState) -> bool:
            trial = state.trial
            if trial is None or trial.number != number or trial.shown or not trial.loads:
                return False
            trial.shown = True
            return True

        return bool(self._changed(key, noted))

    def answer(
        self, key: str, number: int, choice: Choice | int, *, exposure_ms: float | None, response_ms: float | None
    ) -> Trial | None:
        """Keep an answer, if it is that to the next trial and its pair was shown; a second answer changes nothing.

        Args:
            key: The participant's.
            number: The trial's.
            choice: The side of the picture that is taken for the recoloured one, or in a preference design for the
                more natural one; in a rating design the rating; or that the pair was missed.
            exposure_ms: For how long the pictures were seen; None where the page does not know.
            response_ms: Time from their end to the answer; None alike.

        Returns:
            The answered trial, with the answer that counts; None where another is next, or it was not shown.
        """

        def answered(session: Session, state: SessionState) -> Trial | None:
            trial = state.trial
            if trial is None or trial.number != number:
                earlier = session.get(Trial, (state.participant.id, number))
                return earlier if earlier is not None and earlier.choice is not None else None
            if not trial.shown:
                return None
            trial.choice, trial.rating = (RATED, choice) if isinstance(choice, int) else (choice, None)
            trial.exposure_ms = exposure_ms
            trial.response_ms = None if choice == MISSED else response_ms
            trial.answered = self._clock()
            if self.recruiting.screen_out is not None and fails_too_many(session, trial, self.protocol):
                state.participant.screened_out = trial.answered
            elif number == self.protocol.photographs:
                state.participant.finished = trial.answered
            return trial

        return self._changed(key, answered)

    def practiced(self, key: str, number: int) -> Trial | None:
        """Return a practice trial that was judged, which has feedback; None for any other."""
        if not self.protocol.has_fakes:
            return None
        judged = Trial.number == number, Trial.kind == "practice", Trial.choice.in_(SIDES)
        with self.database.reading() as session:
            return session.scalar(select(Trial).join(Participant).where(*of_key(self.experiment_id, key), *judged))

    def score(self, key: str) -> tuple[int, int]:
        """Return in how many trials of the test the fake was found, and how many were judged."""
        own = Trial.kind == "test", Trial.choice != MISSED
        counts = select(func.count().filter(Trial.choice != Trial.real_side), func.count()).select_from(Trial)
        with self.database.reading() as session:
            found, judged = session.execute(
                counts.join(Participant).where(*of_key(self.experiment_id, key), *own)
            ).one()
            return found, judged

    def comment(self, key: str, comment: str) -> None:
        """Keep what a participant writes at the end, in place of what they wrote before; nothing removes it."""

        def kept(session: Session, state: SessionState) -> None:
            if state.trial is None:
                state.participant.comment = plain_text(comment) or None

        self._changed(key, kept)

    def asked(self, key: str) -> Part | None:
        """Return the part of the own questions that a participant has to answer now; None for neither."""
        questions = self.recruiting.questions
        if questions is None:
            return None
        with self.database.reading() as session:
            state = find_state(session, self.experiment_id, key)
            return None if state is None else part_due(session, state, questions)

    def keep_replies(self, key: str, part: Part, answers: Mapping[str, Any]) -> None:
        """Keep what a participant replied to a part of the own questions, if that is to be answered: once.

        Args:
            key: The participant's.
            part: Which part.
            answers: By the questions' names, checked.
        """
        questions = self.recruiting.questions

        def kept(session: Session, state: SessionState) -> None:
            if questions is not None:
                keep_replies(session, state, questions, part, answers, self._clock())

        self._changed(key, kept)

    def withdraw(self, key: str) -> bool:
        """Remove the participant with a key, at their wish: see `withdrawal.remove`.

        Returns:
            Whether there was one.
        """
        return self._removed(Participant.key == key, "participant")

    def remove(self, number: int) -> bool:
        """Remove the participant of a number, at the experimenter's wish."""
        return self._removed(Participant.id == number, "experimenter")

    def everyone(self) -> Sequence[tuple[Participant, int]]:
        """Return all participants, the newest first, and how many trials of each are answered."""
        of_it = Participant.experiment_id == self.experiment_id
        answers = select(func.count(Trial.choice)).where(Trial.participant_id == Participant.id).scalar_subquery()
        with self.database.reading() as session:
            found = session.execute(select(Participant, answers).where(of_it).order_by(Participant.id.desc())).all()
            return [(participant, count) for participant, count in found]

    def pictures(self, trial: Trial) -> dict[str, bytes]:
        """Return the pictures of a trial, by side; in a rating design the one there is, as `ALONE`."""
        if self.protocol.is_rating:
            return {ALONE: self.bundle.picture(trial.recolored)}
        return {side: self.bundle.picture(trial.file(side)) for side in SIDES}

    def set_closed(self, closed: bool) -> None:
        """Take no more participants, or take them again; those who have begun can finish."""
        with self.database.writing() as session:
            session.get_one(Experiment, self.experiment_id).closed = closed

    def _removed(self, who: ColumnElement[bool], by: By) -> bool:
        with self.database.writing() as session:
            own = select(Participant).where(Participant.experiment_id == self.experiment_id, who)
            participant = session.scalar(own.with_for_update())
            if participant is not None:
                remove(session, participant, by, self._clock())
        self.database.forget()
        return participant is not None

    def _changed(self, key: str, change: Callable[[Session, SessionState], _Found]) -> _Found | None:
        with self.database.writing() as session:
            state = find_state(session, self.experiment_id, key, lock=True)
            return None if state is None else change(session, state)


def _sendable(session: Session, state: SessionState, number: int) -> Trial | None:
    trial = state.trial
    if trial is not None and trial.shown and number == trial.number + 1:
        trial = session.get(Trial, (state.participant.id, number))
    return None if trial is None or trial.number != number or trial.shown else trial


def open_sessions(
    database: Database, bundle: Bundle, recruiting: Recruiting = ANYBODY, *, preview: bool = False
) -> Sessions:
    """Return the sessions of a bundle's experiment, which is made where there is none.

    Raises:
        DataError: It was begun with another bundle, or with other questions.
    """
    experiment = database.register(bundle, time.time())
    fix_questions(database, experiment, recruiting.questions)
    return Sessions(database, experiment, bundle, recruiting, preview=preview)
