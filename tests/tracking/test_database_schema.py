"""A database that is not the installed MLflow's, or not MLflow's, is named and never changed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ablate.errors import TrackingError
from ablate.tracking.store import open_store


def changed(store: Path, *statements: str) -> str:
    """Change a database; return its address."""
    with closing(sqlite3.connect(store)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return f"sqlite:///{store}"


@pytest.mark.parametrize("to_read", [True, False])
@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("0584bdc529eb", r"was made by an older MLflow \(schema 0584bdc529eb.*`mlflow db upgrade 'sqlite:////.*'`$"),
        ("ffffffffffff", "was made by a newer MLflow: its schema ffffffffffff is unknown"),
    ],
)
def test_another_schema_is_named_with_what_to_do_and_never_changed(
    empty_store: Path, tmp_path: Path, schema: str, message: str, to_read: bool
) -> None:
    store = Path(shutil.copy(empty_store, tmp_path / "other.db"))
    uri = changed(store, f"UPDATE alembic_version SET version_num = '{schema}'")
    before = store.read_bytes()
    with pytest.raises(TrackingError, match=message) as error:
        open_store(uri, to_read=to_read)
    assert "\n" not in str(error.value)
    assert store.read_bytes() == before


@pytest.mark.parametrize("to_read", [True, False])
def test_another_program_s_database_is_left_alone(tmp_path: Path, to_read: bool) -> None:
    uri = changed(tmp_path / "mail.db", "CREATE TABLE letters (text)")
    before = (tmp_path / "mail.db").read_bytes()
    with pytest.raises(TrackingError, match=r"mail\.db is no tracking store but another .* \(tables letters\)"):
        open_store(uri, to_read=to_read)
    assert (tmp_path / "mail.db").read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "no runs yet: .* is empty"), (b"text " * 999, "not a database")]
)
def test_a_file_without_tables_is_only_read(tmp_path: Path, content: bytes, message: str) -> None:
    store = tmp_path / "some.db"
    store.write_bytes(content)
    with pytest.raises(TrackingError, match=message):
        open_store(f"sqlite:///{store}", to_read=True)
    assert store.read_bytes() == content


@pytest.mark.parametrize("to_read", [True, False])
def test_an_older_store_that_lacks_a_table_is_not_upgraded_either(
    empty_store: Path, tmp_path: Path, to_read: bool
) -> None:
    # MLflow itself would bring it up to date, and its older version could not read it any more.
    store = Path(shutil.copy(empty_store, tmp_path / "other.db"))
    older = "UPDATE alembic_version SET version_num = '75868b020152'"
    uri = changed(store, older, "DROP TABLE logged_model_params")
    before = store.read_bytes()
    with pytest.raises(TrackingError, match="was made by an older MLflow"):
        open_store(uri, to_read=to_read)
    assert store.read_bytes() == before


@pytest.mark.parametrize("to_read", [True, False])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["DROP TABLE tags", "DROP TABLE runs"], "damaged, or just being made: it lacks the tables runs, tags. If"),
        (["DROP TABLE alembic_version", "DROP TABLE runs"], "it lacks the tables runs. If"),
        (["INSERT INTO alembic_version VALUES ('ffffffffffff')"], "its schema has 2 versions: put a copy"),
    ],
)
def test_a_damaged_store_is_not_filled_up(
    empty_store: Path, tmp_path: Path, change: list[str], message: str, to_read: bool
) -> None:
    # MLflow itself would make empty tables.
    store = Path(shutil.copy(empty_store, tmp_path / "other.db"))
    uri = changed(store, *change)
    before = store.read_bytes()
    with pytest.raises(TrackingError, match=message):
        open_store(uri, to_read=to_read)
    assert store.read_bytes() == before
