"""Migrations of the database: its version, and the statements that bring an older one up to this one.

Each step only adds, so that a server of the older version that still runs continues, and is one transaction with those
before it.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from ablate.errors import DataError
from ablate.turing.database.tables import Base, Experiment, Setting

VERSION = 6
STEPS: Mapping[int, Sequence[str]] = {
    1: (
        "CREATE TABLE consents (hash VARCHAR NOT NULL, language VARCHAR NOT NULL, text TEXT NOT NULL, "
        "PRIMARY KEY (hash))",
        "ALTER TABLE participants ADD COLUMN consent VARCHAR REFERENCES consents (hash)",
        "CREATE TABLE withdrawals (participant_id INTEGER NOT NULL, experiment_id INTEGER NOT NULL, "
        "key VARCHAR NOT NULL, algorithm TEXT NOT NULL, withdrawn DOUBLE PRECISION NOT NULL, by VARCHAR NOT NULL, "
        "PRIMARY KEY (participant_id), FOREIGN KEY (experiment_id) REFERENCES experiments (id))",
        "CREATE INDEX ix_withdrawals_experiment_id ON withdrawals (experiment_id)",
    ),
    2: (
        "ALTER TABLE participants ADD COLUMN external_id VARCHAR",
        "ALTER TABLE participants ADD COLUMN screened_out DOUBLE PRECISION",
        "ALTER TABLE participants ADD COLUMN comment TEXT",
    ),
    3: (
        "ALTER TABLE experiments ADD COLUMN questions TEXT",
        "CREATE TABLE own_answers (participant_id INTEGER NOT NULL, part VARCHAR NOT NULL, "
        "questions VARCHAR NOT NULL, answers TEXT NOT NULL, answered DOUBLE PRECISION NOT NULL, "
        "PRIMARY KEY (participant_id, part), FOREIGN KEY (participant_id) REFERENCES participants (id))",
        "CREATE TABLE devices (participant_id INTEGER NOT NULL, window_width INTEGER NOT NULL, "
        "window_height INTEGER NOT NULL, screen_width INTEGER NOT NULL, screen_height INTEGER NOT NULL, "
        "pixel_ratio DOUBLE PRECISION NOT NULL, touch BOOLEAN NOT NULL, refresh_rate DOUBLE PRECISION NOT NULL, "
        "browser VARCHAR NOT NULL, PRIMARY KEY (participant_id), "
        "FOREIGN KEY (participant_id) REFERENCES participants (id))",
        "CREATE TABLE turned_away (experiment_id INTEGER NOT NULL, gate VARCHAR NOT NULL, browsers INTEGER NOT NULL, "
        "PRIMARY KEY (experiment_id, gate), FOREIGN KEY (experiment_id) REFERENCES experiments (id))",
    ),
    4: (
        "ALTER TABLE trials ADD COLUMN algorithm TEXT",
        "ALTER TABLE trials ADD COLUMN other TEXT",
    ),
    5: ("ALTER TABLE trials ADD COLUMN rating INTEGER",),
}
"""By version, what brings a database from it to the next one; SQLite and PostgreSQL both understand it."""
_SETTING = "schema version"
_UNNAMED = 1
"""The version of a database that names none: the last one before versions were kept."""
_LOCK = 0x7475_7269
"""Of PostgreSQL's advisory locks, the one that servers take that start at once."""


def stored_version(connection: Connection) -> int | None:
    """Return the version of a database; None where it has no tables yet."""
    if not inspect(connection).has_table(Experiment.__tablename__):
        return None
    found = Session(connection).get(Setting, _SETTING)
    return _UNNAMED if found is None else int(found.value)


def migrate(connection: Connection) -> None:
    """Make the tables of an empty database, and bring an older one up to `VERSION`. Safe to be done by two at once.

    Args:
        connection: In a transaction, which no other writer is in beside it where the database is SQLite.

    Raises:
        DataError: The database was made by a later version of this package.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    found = stored_version(connection)
    if found is None:
        Base.metadata.create_all(connection)
    elif found > VERSION:
        raise DataError(f"it has version {found}, and this is for version {VERSION}: use the ablate that made it")
    else:
        for version in range(found, VERSION):
            for statement in STEPS[version]:
                connection.execute(text(statement))
    if found != VERSION:
        session = Session(connection)
        session.merge(Setting(name=_SETTING, value=str(VERSION)))
        session.flush()
