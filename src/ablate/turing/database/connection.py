"""The database of participants and answers: SQLite or PostgreSQL, by SQLAlchemy."""

import json
import secrets
import sqlite3
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, select
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session

from ablate.config.paths import project_dir, results_dir
from ablate.errors import ConfigError, DataError
from ablate.tracking.sqlite import sqlite_address
from ablate.turing.bundle import Bundle
from ablate.turing.database.fair_lock import FairLock
from ablate.turing.database.migrations import VERSION, migrate, stored_version
from ablate.turing.database.tables import Experiment, Setting

_SQLITE = "sqlite"
_BACKENDS = (_SQLITE, "postgresql")
_PATIENCE_MS = 30_000
"""How long a writer waits for one in another process."""
_FILE = "turing.db"
_ENDED = "ended "


class Database:
    """An open database.

    Args:
        url: As SQLAlchemy has it, such as `sqlite:///turing.db` or `postgresql://user@host/name`.
        create: Whether to make what is missing; else it must be there. One of an older version is brought up to this
            one either way.

    Raises:
        ConfigError: The address is wrong, or a package for it is missing.
        DataError: The database cannot be used, or was made by a later version of this package.
    """

    def __init__(self, url: str, *, create: bool = True):
        self.engine = _engine(url, create)
        # Connections in its pool are closed with it: Python warns of those of SQLite that are merely forgotten.
        weakref.finalize(self, self.engine.dispose)
        self._writing = self.engine.execution_options(immediate=True)
        # SQLite has one writer, and lets the next one in by chance: of a hundred that wait some would wait too long.
        one_writer = self.engine.dialect.name == _SQLITE
        self._turn: FairLock | nullcontext[None] = FairLock() if one_writer else nullcontext()
        try:
            self._bring_up(create)
        except (SQLAlchemyError, DataError) as error:
            self.engine.dispose()
            raise self.unusable(error) from None

    def _bring_up(self, create: bool) -> None:
        # Read first: who only reads a database of this version need not be allowed to write.
        with self.engine.connect() as connection:
            found = stored_version(connection)
        if found is None and not create:
            raise DataError("it has no experiments; `python -m ablate.turing serve` makes them")
        if found != VERSION:
            with self._writing.begin() as connection:
                migrate(connection)

    @property
    def name(self) -> str:
        """Its address without a password."""
        return self.engine.url.render_as_string(hide_password=True)

    def unusable(self, error: Exception) -> DataError:
        """Return an error that says why it cannot be used, in one line."""
        return DataError(f"the database {self.name} cannot be used: {_first_line(error)}")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that writes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction, and commit it: when the block has ended, the disk has it."""
        with self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def forget(self) -> None:
        """Take out of SQLite's log what was deleted, as far as no reader needs it; the file itself has zeros there."""
        if self.engine.dialect.name == _SQLITE:
            with self._turn, self.engine.connect() as connection:
                # Not in a transaction of SQLAlchemy's, in which SQLite could not do it.
                connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

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

    def end(self, login: str) -> None:
        """Remember that a log-in has ended, which the experimenter's browser had by a cookie.

        Args:
            login: A hash of its key.
        """
        with self.writing() as session:
            session.merge(Setting(name=_ENDED + login, value=""))

    def is_ended(self, login: str) -> bool:
        """Return whether a log-in has ended."""
        with self.reading() as session:
            return session.get(Setting, _ENDED + login) is not None

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
    """Return the address of the database where none is named: a file among the results, or an older one at the top."""
    top = project_dir() / _FILE
    return sqlite_address(top if top.is_file() else results_dir() / _FILE)


def _engine(url: str, create: bool) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() not in _BACKENDS:
            raise ConfigError(f"database={url} must begin with one of {', '.join(_BACKENDS)}")
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        # Errors go to the log, and what participants send does not.
        engine = create_engine(
            parsed, pool_size=20, max_overflow=20, pool_pre_ping=not url.startswith(_SQLITE), hide_parameters=True
        )
    except ModuleNotFoundError:
        raise ConfigError(f"database={url} needs another package: pip install 'ablate[postgres]'") from None
    except (ArgumentError, NoSuchModuleError, TypeError) as error:
        raise ConfigError(f"database={url} is no address of SQLite or PostgreSQL: {_first_line(error)}") from None
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
        # What is deleted is overwritten: who withdraws is not in the file any more.
        pragmas = ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", f"busy_timeout={_PATIENCE_MS}")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        _keep_log(connection)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _keep_log(connection: Any) -> None:
    """Have a SQLite file written by way of a log, in which readers and the writer do not wait for each other.

    The first one to do so has to be alone with the file for a moment, for which SQLite does not wait by itself.
    """
    deadline = time.monotonic() + _PATIENCE_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
