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
    ours = not tables.isdisjoint((_VERSION, _EXPERIMENTS))
    # Several programs may share a database that is no file.
    if tables and not ours and sqlite_file(uri) is not None:
        raise TrackingError(
            f"{uri} is no tracking store but another program's database (tables {', '.join(sorted(tables)[:3])}): "
            "set tracking.uri or MLFLOW_TRACKING_URI to another file"
        )
    if to_read and not ours:
        what = "has no tables of MLflow's" if tables else "is empty"
        raise EmptyStore(f"there are no runs yet: {uri} {what}. `python -m ablate.run` makes a store of it")
    if version is not None:
        _check_version(version, uri)
    if ours:
        _check_tables(tables, uri)


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
            found = connection.execute(text(f"SELECT version_num FROM {_VERSION}")) if _VERSION in tables else None
            versions = [] if found is None else found.scalars().all()
    except (SQLAlchemyError, ImportError) as error:
        raise TrackingError(f"the tracking store {uri} cannot be read: {str(error).splitlines()[0]}") from error
    if len(versions) > 1:
        raise TrackingError(
            f"the tracking store {uri} is damaged, its schema has {len(versions)} versions: put a copy in its place"
        )
    return tables, versions[0] if versions else None


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


def _check_tables(tables: set[str], uri: str) -> None:
    import mlflow.store.db.base_sql_model
    import mlflow.store.db.utils  # which imports all of MLflow's tables

    # MLflow would make them anew, and empty, also where a store is only read.
    lacking = sorted(set(mlflow.store.db.base_sql_model.Base.metadata.tables) - tables)
    if lacking:
        some = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
        raise TrackingError(
            f"the tracking store {uri} is damaged, or just being made: it lacks the tables {some}. "
            "If that stays, put a copy in its place"
        )
