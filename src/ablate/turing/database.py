"""Where participants and answers are kept: SQLite or PostgreSQL, by SQLAlchemy."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ForeignKey, Text, UniqueConstraint, create_engine, event, select
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from ablate.config.paths import project_dir
from ablate.errors import ConfigError, DataError
from ablate.tracking.sqlite import sqlite_address
from ablate.turing.bundle import Algorithm, Bundle
from ablate.turing.protocol import Protocol

_SQLITE = "sqlite"
_BACKENDS = (_SQLITE, "postgresql")
_PATIENCE_MS = 30_000
"""How long a writer waits for another one."""


class Base(DeclarativeBase):
    """Tables. Times are seconds since 1970, UTC."""


class Setting(Base):
    """What the server has to remember: the secret that it signs with."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Experiment(Base):
    """A bundle that is or was served, and how many participants it has.

    What participants are shown is drawn from `seed`: a random number of its own, since a bundle's seed can be guessed.
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


class Participant(Base):
    """A session: no name, no address. `key` is a hash of the random number in the participant's cookie."""

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


class Trial(Base):
    """A pair that a participant is shown, and the answer."""

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

    def file(self, side: str) -> str:
        """Return the file of the picture on a side."""
        return self.real if side == self.real_side else self.recolored


class Database:
    """An open database.

    Args:
        url: As SQLAlchemy has it, such as `sqlite:///turing.db` or `postgresql://user@host/name`.
        create: Whether to make what is missing; else a SQLite file must be there.

    Raises:
        ConfigError: The address is wrong, or a package for it is missing.
        DataError: The database cannot be used.
    """

    def __init__(self, url: str, *, create: bool = True):
        self.engine = _engine(url, create)
        self._writing = self.engine.execution_options(immediate=True)
        try:
            if create:
                Base.metadata.create_all(self._writing, checkfirst=True)
        except SQLAlchemyError as error:
            raise DataError(f"the database {self.name} cannot be used: {_said(error)}") from None

    @property
    def name(self) -> str:
        """Its address without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that writes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction, and commit it: when the block has ended, the disk has it."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def secret(self) -> bytes:
        """Return the secret that cookies are signed with, the same for as long as the database is there."""
        name = "secret"
        with self.reading() as session:
            found = session.get(Setting, name)
        if found is None:
            try:
                with self.writing() as session:
                    session.add(Setting(name=name, value=secrets.token_hex(32)))
            except IntegrityError:  # another server was faster
                pass
            with self.reading() as session:
                found = session.get_one(Setting, name)
        return bytes.fromhex(found.value)

    def register(self, bundle: Bundle, now: float) -> int:
        """Return the experiment of a bundle, made where there is none.

        Raises:
            DataError: There is one of that name with another bundle.
        """
        manifest = bundle.manifest
        with self.writing() as session:
            found = session.scalar(select(Experiment).where(Experiment.name == manifest.name))
            if found is None:
                found = Experiment(
                    name=manifest.name,
                    checksum=bundle.checksum,
                    study=manifest.study,
                    seed=secrets.randbits(63),
                    folder=str(bundle.folder.absolute()),
                    protocol=manifest.protocol.model_dump_json(),
                    algorithms=json.dumps([each.model_dump() for each in manifest.algorithms]),
                    created=now,
                )
                session.add(found)
            elif found.checksum != bundle.checksum:
                raise DataError(
                    f"experiment {manifest.name} was begun with another bundle: its answers would be mixed. "
                    "Build this one under another name (name=NAME), or serve it with another database"
                )
            else:
                found.folder = str(bundle.folder.absolute())
            session.flush()
            return found.id


def default_database() -> str:
    """Return the address of the database where none is named: a file in the project."""
    return sqlite_address(project_dir() / "turing.db")


def _engine(url: str, create: bool) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in _BACKENDS:
            raise ConfigError(f"database={url} must begin with one of {', '.join(_BACKENDS)}")
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_size=20, max_overflow=20, pool_pre_ping=not url.startswith(_SQLITE))
    except ModuleNotFoundError:
        raise ConfigError(f"database={url} needs another package: pip install -e '.[postgres]'") from None
    except (ArgumentError, NoSuchModuleError, TypeError) as error:
        raise ConfigError(f"database={url} is no address of SQLite or PostgreSQL: {_said(error)}") from None
    if engine.dialect.name == _SQLITE:
        file = Path(parsed.database or "")
        if not create and not file.is_file():
            raise DataError(f"there is no database {file}: `python -m ablate.turing serve` makes it")
        _prepare_sqlite(engine)
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: Any, record: Any) -> None:
        # The driver's own transactions would begin too late to wait for other writers.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_PATIENCE_MS}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _said(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


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
            was taken for real), exposure_ms, response_ms (NaN where it is not known), loads, answered (UTC).
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
    answered = answered.assign(fooled=answered["choice"] == answered["real_side"])
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
    "response_ms", "loads", "answered",
)  # fmt: skip
_TRIAL_TYPES = {
    "participant": "int64", "number": "int64", "kind": "str", "algorithm": "str", "photograph": "str", "real": "str",
    "recolored": "str", "fooled": "bool", "exposure_ms": "float64", "response_ms": "float64", "loads": "int64",
    "answered": "float64",
}  # fmt: skip


def _times(seconds: "pd.Series[Any]") -> "pd.Series[Any]":
    return pd.to_datetime(seconds.astype("float64"), unit="s", utc=True)
