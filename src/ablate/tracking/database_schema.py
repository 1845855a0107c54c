"""The schema of a store's database: that of the installed MLflow, and never changed unasked."""

import re
from pathlib import Path

from ablate.errors import EmptyStore, TrackingError
from ablate.tracking.sqlite import sqlite_file

_VERSION, _EXPERIMENTS = "alembic_version", "experiments"


def check_schema(uri: str, *, to_read: bool) -> None:
    """Make sure that MLflow can use a database as it is, or may make its tables in an empty one.

    MLflow itself upgrades a store of an older version without asking where that lacks a table, and then the older
    version cannot read it any more.

    Args:
        uri: Address of a database.
        to_read: Whether it is only read: an empty one is an error then.

    Raises:
        EmptyStore: It has no tables, and is only read.
        TrackingError: It cannot be read, or is another version's or program's; the message says what to do.
    """
    tables, version = _found(uri)
    if not tables and to_read:
        raise EmptyStore(f"there are no runs yet: {uri} is empty. `python -m ablate.run` makes a store of it")
    # Several programs may share a database that is no file.
    if tables and tables.isdisjoint((_VERSION, _EXPERIMENTS)) and sqlite_file(uri) is not None:
        raise TrackingError(
            f"{uri} is no tracking store but another program's database (tables {', '.join(sorted(tables)[:3])}): "
            "set tracking.uri or MLFLOW_TRACKING_URI to another file"
        )
    if version is not None:
        _check_version(version, uri)


def schema_version(uri: str) -> str | None:
    """Return the version of MLflow's schema in a database, None where there is none.

    Raises:
        TrackingError: It cannot be read.
    """
    return _found(uri)[1]


def _found(uri: str) -> tuple[set[str], str | None]:
    """Return the names of a database's tables, and the version of MLflow's schema."""
    from sqlalchemy import NullPool, create_engine, inspect, text
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with create_engine(uri, poolclass=NullPool).connect() as connection:
            tables = set(inspect(connection).get_table_names())
            version = connection.execute(text(f"SELECT version_num FROM {_VERSION}")) if _VERSION in tables else None
            return tables, None if version is None else version.scalar()
    except (SQLAlchemyError, ImportError) as error:
        raise TrackingError(f"the tracking store {uri} cannot be read: {str(error).splitlines()[0]}") from error


def _check_version(version: str, uri: str) -> None:
    import mlflow

    folder = Path(mlflow.__file__).parent / "store" / "db_migrations" / "versions"
    migrations = {path.name.partition("_")[0]: path.read_text(encoding="utf-8") for path in folder.glob("*_*.py")}
    if version not in migrations:
        raise TrackingError(
            f"the tracking store {uri} was made by a newer MLflow: its schema {version} is unknown to "
            f"{mlflow.__version__}. Install the version that made it"
        )
    if any(re.search(rf"^down_revision\b.*{version}", text, re.MULTILINE) for text in migrations.values()):
        raise TrackingError(
            f"the tracking store {uri} was made by an older MLflow (schema {version}): make a copy of it, then "
            f"`mlflow db upgrade '{uri}'`"
        )
