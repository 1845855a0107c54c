"""Enrollment: who begins takes a place, an algorithm and trials, so that those who finish are balanced."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, exists, func, insert, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from ablate.turing.bundle import Bundle
from ablate.turing.database import Consent, Device, Experiment, Participant, Trial, Withdrawal
from ablate.turing.database.tables import SEVERAL
from ablate.turing.database.withdrawal import next_number
from ablate.turing.serve.assignment import assign_algorithm, assign_trials
from ablate.turing.serve.consent_text import ConsentText
from ablate.turing.serve.designs import Compared
from ablate.turing.serve.recruiting import Recruiting

ColorVision = Literal["normal", "deficient", "unknown"]
QUIET_SECONDS = 1800
"""After so long without an answer, a participant has dropped out, and is replaced."""

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
class Newcomer:
    """Who wants to begin.

    Attributes:
        key: The participant's.
        color_vision: What they say of it.
        consent: What they agreed to; None where that is not known.
        external_id: The id that they came by, if there is one. Their key is made of it.
        device: What the table `devices` has of theirs; None where that is not recorded.
    """

    key: str
    color_vision: ColorVision
    consent: ConsentText | None = None
    external_id: str | None = None
    device: Mapping[str, Any] | None = None


class Enrollment:
    """The places of an experiment. All is done in the transactions of others.

    Args:
        experiment_id: Which experiment.
        bundle: Its bundle.
        recruiting: How participants come, and how many are wanted.
        clock: Seconds since 1970.
    """

    def __init__(self, experiment_id: int, bundle: Bundle, recruiting: Recruiting, clock: Callable[[], float]):
        self._experiment_id, self._bundle, self._clock = experiment_id, bundle, clock
        self._recruiting = recruiting

    def is_full(self, session: Session) -> bool:
        """Return whether as many have finished, or are under way, as are wanted; who leaves makes place."""
        return self._recruiting.finished_per_algorithm is not None and self._is_full(self._taken(session))

    def is_withdrawn(self, session: Session, key: str) -> bool:
        """Return whether the participant with a key withdrew, or was removed."""
        own = Withdrawal.experiment_id == self._experiment_id, Withdrawal.key == key
        return session.scalar(select(Withdrawal).where(*own)) is not None

    def add(self, session: Session, newcomer: Newcomer) -> Participant:
        """Add a participant, whose algorithm and trials are drawn now.

        Raises:
            Closed: The experiment takes no more participants.
            Full: It takes none at the moment.
            Withdrawn: The participant withdrew.
        """
        if self.is_withdrawn(session, newcomer.key):
            raise Withdrawn
        place, seed = self._next_place(session)
        taken = self._taken(session)
        if self._is_full(taken):
            raise Full
        manifest = self._bundle.manifest
        one, counts = manifest.protocol.one_algorithm, [taken[each.name] for each in manifest.algorithms]
        algorithm = assign_algorithm(seed, place, counts) if one else None
        drawn = assign_trials(
            manifest,
            seed=seed,
            algorithm=algorithm,
            place=place,
            taken={} if one else self._taken_comparisons(session),
        )
        participant = self._added(
            session, newcomer, place, SEVERAL if algorithm is None else manifest.algorithms[algorithm].name
        )
        own = {"participant_id": participant.id}
        session.execute(insert(Trial), [{**own, "number": n, **asdict(each)} for n, each in enumerate(drawn, start=1)])
        return participant

    def _next_place(self, session: Session) -> tuple[int, int]:
        """Return the next place, from 0, and the experiment's seed."""
        # With others, which another server has, it takes nobody here.
        questions = self._recruiting.questions
        same_questions = Experiment.questions.is_not_distinct_from(questions and questions.stored)
        # One statement that both counts and locks: no two participants have the same place.
        taken = session.execute(
            update(Experiment)
            .where(Experiment.id == self._experiment_id, Experiment.closed.is_(False), same_questions)
            .values(participants=Experiment.participants + 1)
            .returning(Experiment.participants, Experiment.seed)
        ).one_or_none()
        if taken is None:
            raise Closed
        return taken.participants - 1, taken.seed

    def _added(self, session: Session, newcomer: Newcomer, place: int, algorithm: str) -> Participant:
        consent = newcomer.consent
        if consent is not None:
            kept = {"hash": consent.hash, "language": consent.language, "text": consent.text}
            session.execute(_KEEP_CONSENT, kept)
        participant = Participant(
            id=next_number(session),
            experiment_id=self._experiment_id,
            key=newcomer.key,
            place=place,
            algorithm=algorithm,
            color_vision=newcomer.color_vision,
            started=self._clock(),
            consent=None if consent is None else consent.hash,
            external_id=newcomer.external_id,
        )
        session.add(participant)
        session.flush()
        if newcomer.device is not None:
            session.add(Device(participant_id=participant.id, **newcomer.device))
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
        return Participant.experiment_id == self._experiment_id, Participant.screened_out.is_(None), alive

    def _is_full(self, taken: Counter[str]) -> bool:
        wanted, manifest = self._recruiting.finished_per_algorithm, self._bundle.manifest
        one = manifest.protocol.one_algorithm
        groups = [each.name for each in manifest.algorithms] if one else [SEVERAL]
        return wanted is not None and all(taken[each] >= wanted for each in groups)
