"""Sessions of participants in the database. Whatever is returned is on the disk by then."""

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, exists, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from ablate.turing.bundle import Bundle
from ablate.turing.database import (
    Consent,
    Database,
    Device,
    Experiment,
    OwnAnswers,
    Participant,
    Trial,
    Withdrawal,
)
from ablate.turing.database.own_answers import fix_questions
from ablate.turing.database.tables import MISSED, RATED, SEVERAL, By
from ablate.turing.database.withdrawal import next_number, remove
from ablate.turing.protocol import Protocol
from ablate.turing.questions import Part
from ablate.turing.serve.assignment import SIDES, Side, assign_algorithm, assign_trials
from ablate.turing.serve.consent_text import ConsentText
from ablate.turing.serve.designs import Compared
from ablate.turing.serve.recruiting import ANYBODY, Recruiting
from ablate.turing.serve.turned_away import TurnedAwayCounter

ColorVision = Literal["normal", "deficient", "unknown"]
Choice = Side | Literal["missed"]
ALONE = "alone"
"""In place of a side, of a picture that nothing is beside."""
QUIET_SECONDS = 1800
"""After so long without an answer, a participant has dropped out, and is replaced."""

_Found = TypeVar("_Found")
_KEEP_CONSENT = text(
    f"INSERT INTO {Consent.__tablename__} (hash, language, text) VALUES (:hash, :language, :text) "
    "ON CONFLICT (hash) DO NOTHING"
)
"""Two that begin at once both keep the text, in either database."""


class Closed(Exception):
    """The experiment takes no more participants."""


class Full(Exception):
    """As many have finished, or are under way, as are wanted."""


class Withdrawn(Exception):
    """The participant withdrew, and does not begin again."""


@dataclass(frozen=True)
class SessionState:
    """The state of a participant's session.

    Attributes:
        participant: Who.
        trial: The trial that is to be answered next, None after the last one, or after being screened out.
    """

    participant: Participant
    trial: Trial | None


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
        if self.recruiting.finished_per_algorithm is None:
            return False
        with self.database.reading() as session:
            return self._full(self._taken(session))

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

    def is_withdrawn(self, key: str) -> bool:
        """Return whether the participant with a key withdrew, or was removed."""
        with self.database.reading() as session:
            return self._withdrawal(session, key) is not None

    def begin(
        self,
        key: str,
        color_vision: ColorVision,
        consent: ConsentText | None = None,
        external_id: str | None = None,
        device: Mapping[str, Any] | None = None,
    ) -> SessionState:
        """Make a participant, whose algorithm and trials are drawn now; the same key again changes nothing.

        Args:
            key: The participant's.
            color_vision: What they say of it.
            consent: What they agreed to; None where that is not known.
            external_id: The id that they came by, if there is one. Their key is made of it.
            device: What the table `devices` has of theirs; None where that is not recorded.

        Raises:
            Closed: The experiment takes no more participants.
            Full: It takes none at the moment.
            Withdrawn: The participant withdrew.
        """
        try:
            with self.database.writing() as session:
                found = session.scalar(select(Participant).where(*self._own(key)))
                return _state(session, found or self._added(session, key, color_vision, consent, external_id, device))
        except IntegrityError:  # the same form, sent twice at once
            state = self.find(key)
            if state is None:
                raise
            return state

    def _added(
        self,
        session: Session,
        key: str,
        color_vision: ColorVision,
        consent: ConsentText | None,
        external_id: str | None,
        device: Mapping[str, Any] | None,
    ) -> Participant:
        if self._withdrawal(session, key) is not None:
            raise Withdrawn
        # With others, which another server has, it takes nobody here.
        questions = self.recruiting.questions
        same_questions = Experiment.questions.is_not_distinct_from(questions and questions.stored)
        # One statement that both counts and locks: no two participants have the same place.
        taken = session.execute(
            update(Experiment)
            .where(Experiment.id == self.experiment_id, Experiment.closed.is_(False), same_questions)
            .values(participants=Experiment.participants + 1)
            .returning(Experiment.participants, Experiment.seed)
        ).one_or_none()
        if taken is None:
            raise Closed
        place, seed, manifest = taken.participants - 1, taken.seed, self.bundle.manifest
        taken_by = self._taken(session)
        if self._full(taken_by):
            raise Full
        one, counts = self.protocol.one_algorithm, [taken_by[each.name] for each in manifest.algorithms]
        algorithm = assign_algorithm(seed, place, counts) if one else None
        compared = {} if one else self._taken_comparisons(session)
        if consent is not None:
            kept = {"hash": consent.hash, "language": consent.language, "text": consent.text}
            session.execute(_KEEP_CONSENT, kept)
        participant = Participant(
            id=next_number(session),
            experiment_id=self.experiment_id,
            key=key,
            place=place,
            algorithm=SEVERAL if algorithm is None else manifest.algorithms[algorithm].name,
            color_vision=color_vision,
            started=self._clock(),
            consent=None if consent is None else consent.hash,
            external_id=external_id,
        )
        session.add(participant)
        session.flush()
        if device is not None:
            session.add(Device(participant_id=participant.id, **device))
        drawn = assign_trials(manifest, seed=seed, algorithm=algorithm, place=place, taken=compared)
        own = {"participant_id": participant.id}
        session.execute(insert(Trial), [{**own, "number": n, **asdict(each)} for n, each in enumerate(drawn, start=1)])
        return participant

    def _taken(self, session: Session) -> Counter[str]:
        """Return how many participants have finished or are under way, by algorithm; nobody who is screened out."""
        return Counter(session.scalars(select(Participant.algorithm).where(*self._staying())))

    def _taken_comparisons(self, session: Session) -> Mapping[Compared, int]:
        """Return how many trials of the test such participants have of each comparison."""
        compared = Trial.algorithm, Trial.other
        counts = select(*compared, func.count()).select_from(Trial).join(Participant).group_by(*compared)
        found = session.execute(counts.where(*self._staying(), Trial.kind == "test")).all()
        return {Compared(algorithm or "", other): count for algorithm, other, count in found}

    def _staying(self) -> Sequence[ColumnElement[bool]]:
        """Say who has finished or is under way, and is not screened out."""
        since = self._clock() - QUIET_SECONDS
        own = aliased(Trial)
        answering = exists().where(own.participant_id == Participant.id, own.answered > since)
        alive = or_(Participant.finished.is_not(None), Participant.started > since, answering)
        return Participant.experiment_id == self.experiment_id, Participant.screened_out.is_(None), alive

    def _full(self, taken: Counter[str]) -> bool:
        wanted = self.recruiting.finished_per_algorithm
        manifest = self.bundle.manifest
        groups = [each.name for each in manifest.algorithms] if self.protocol.one_algorithm else [SEVERAL]
        return wanted is not None and all(taken[each] >= wanted for each in groups)

    def send(self, key: str, number: int) -> Trial | None:
        """Return a trial whose pictures are about to be sent, and count that.

        Returns:
            None where it is neither the next one, nor the one after that while the next one is judged; or where it
            was shown already.
        """

        def counted(session: Session, state: SessionState) -> Trial | None:
            trial = state.trial
            if trial is not None and trial.shown and number == trial.number + 1:
                trial = session.get(Trial, (state.participant.id, number))
            if trial is None or trial.number != number or trial.shown:
                return None
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
            if self._fails(session, trial):
                state.participant.screened_out = trial.answered
            elif number == self.protocol.photographs:
                state.participant.finished = trial.answered
            return trial

        return self._changed(key, answered)

    def _fails(self, session: Session, trial: Trial) -> bool:
        """Return whether an answer is the failed check by which its participant is screened out."""
        if self.recruiting.screen_out is None or trial.kind != "check" or trial.choice == MISSED:
            return False
        session.flush()
        own = Trial.participant_id == trial.participant_id, Trial.kind == "check", self._fooled
        failed = session.scalar(select(func.count()).select_from(Trial).where(*own)) or 0
        return failed > self.protocol.rules.max_failed_checks

    @property
    def _fooled(self) -> ColumnElement[bool]:
        """Whether a trial's fake was taken for real, or for the more natural one, or was rated above the middle."""
        if self.protocol.is_rating:
            return Trial.rating > self.protocol.middle
        fake = Trial.choice != Trial.real_side
        return Trial.choice.in_(SIDES) & (~fake if self.protocol.has_fakes else fake)

    def practiced(self, key: str, number: int) -> Trial | None:
        """Return a practice trial that was judged, which has feedback; None for any other."""
        if not self.protocol.has_fakes:
            return None
        judged = Trial.number == number, Trial.kind == "practice", Trial.choice.in_(SIDES)
        with self.database.reading() as session:
            return session.scalar(select(Trial).join(Participant).where(*self._own(key), *judged))

    def score(self, key: str) -> tuple[int, int]:
        """Return in how many trials of the test the fake was found, and how many were judged."""
        own = Trial.kind == "test", Trial.choice != MISSED
        counts = select(func.count().filter(Trial.choice != Trial.real_side), func.count()).select_from(Trial)
        with self.database.reading() as session:
            found, judged = session.execute(counts.join(Participant).where(*self._own(key), *own)).one()
            return found, judged

    def comment(self, key: str, comment: str) -> None:
        """Keep what a participant writes at the end, in place of what they wrote before; nothing removes it."""

        def kept(session: Session, state: SessionState) -> None:
            if state.trial is None:
                state.participant.comment = plain_text(comment) or None

        self._changed(key, kept)

    def asked(self, key: str) -> Part | None:
        """Return the part of the own questions that a participant has to answer now; None for neither."""
        if self.recruiting.questions is None:
            return None
        with self.database.reading() as session:
            participant = session.scalar(select(Participant).where(*self._own(key)))
            return None if participant is None else self._part(session, _state(session, participant))

    def keep_replies(self, key: str, part: Part, answers: Mapping[str, Any]) -> None:
        """Keep what a participant replied to a part of the own questions, if that is to be answered: once.

        Args:
            key: The participant's.
            part: Which part.
            answers: By the questions' names, checked.
        """
        questions = self.recruiting.questions

        def kept(session: Session, state: SessionState) -> None:
            if questions is not None and self._part(session, state) == part:
                session.add(
                    OwnAnswers(
                        participant_id=state.participant.id,
                        part=part,
                        questions=questions.hash,
                        answers=json.dumps(answers, ensure_ascii=False),
                        answered=self._clock(),
                    )
                )

        self._changed(key, kept)

    def _part(self, session: Session, state: SessionState) -> Part | None:
        part: Part = "before" if state.trial is not None else "after"
        questions = self.recruiting.questions
        if questions is None or not questions.of(part) or state.participant.screened_out is not None:
            return None
        return None if session.get(OwnAnswers, (state.participant.id, part)) else part

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

    def _withdrawal(self, session: Session, key: str) -> Withdrawal | None:
        own = Withdrawal.experiment_id == self.experiment_id, Withdrawal.key == key
        return session.scalar(select(Withdrawal).where(*own))

    def _changed(self, key: str, change: Callable[[Session, SessionState], _Found]) -> _Found | None:
        with self.database.writing() as session:
            # PostgreSQL lets two tabs in at once: the second one waits here.
            participant = session.scalar(select(Participant).where(*self._own(key)).with_for_update())
            return None if participant is None else change(session, _state(session, participant))

    def _own(self, key: str) -> Sequence[Any]:
        return Participant.experiment_id == self.experiment_id, Participant.key == key


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


def plain_text(text: str) -> str:
    """Return a text without what neither databases nor tables can have; spreadsheets take none for a formula."""
    kept = "".join(each for each in text.replace("\r\n", "\n") if each == "\n" or each.isprintable()).strip()
    return f" {kept}" if kept.startswith(("=", "+", "-", "@")) else kept


def _state(session: Session, participant: Participant) -> SessionState:
    if participant.screened_out is not None:
        return SessionState(participant, None)
    own = Trial.participant_id == participant.id
    trial = session.scalar(select(Trial).where(own, Trial.choice.is_(None)).order_by(Trial.number).limit(1))
    return SessionState(participant, trial)
