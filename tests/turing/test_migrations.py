"""Migrations: a database that the code of an earlier version made keeps its answers, and serves on."""

import threading
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from ablate.errors import DataError
from ablate.turing.analyse.exclusions import apply_rules
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, read_answers
from ablate.turing.database.migrations import STEPS, VERSION, stored_version
from ablate.turing.export.tables import tables
from ablate.turing.serve.consent_text import ConsentText
from ablate.turing.serve.enrollment import Newcomer
from ablate.turing.serve.sessions import Sessions

ASSETS = Path(__file__).parent / "assets"
"""The tables as the code of each version made them, and seven answers of one participant, three of another."""
SERVER = [pytest.mark.database, pytest.mark.slow]


@pytest.fixture(params=range(1, VERSION))
def version(request: pytest.FixtureRequest) -> int:
    """A version before this one."""
    return int(request.param)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=SERVER)])
def old(request: pytest.FixtureRequest, version: int, tmp_path: Path) -> str:
    """Address of a database of that version."""
    url = f"sqlite:///{tmp_path / 'old.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres")
    engine = _engine(url)
    with engine.begin() as connection:
        for file in (f"{request.param}.sql", "rows.sql"):
            for statement in (ASSETS / f"version_{version}" / file).read_text().split(";\n"):
                if statement.strip():
                    connection.exec_driver_sql(statement)
    engine.dispose()
    return url


def _engine(url: str) -> Engine:
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def described(engine: Engine) -> dict[str, Any]:
    """Return what a database's tables are, whatever their types are called."""
    found = inspect(engine)
    return {
        table: (
            {each["name"]: (each["type"]._type_affinity, each["nullable"]) for each in found.get_columns(table)},
            found.get_pk_constraint(table)["constrained_columns"],
            sorted((each["constrained_columns"], each["referred_table"]) for each in found.get_foreign_keys(table)),
            sorted(each["column_names"] for each in found.get_unique_constraints(table)),
            # PostgreSQL has an index for each unique constraint.
            sorted(each["column_names"] for each in found.get_indexes(table) if not each["unique"]),
        )
        for table in found.get_table_names()
    }


def test_every_version_before_this_one_has_its_step() -> None:
    assert sorted(STEPS) == list(range(1, VERSION))


def test_an_old_database_keeps_its_answers_and_goes_on(old: str, bundle: Bundle) -> None:
    database = Database(old, create=False)
    answers = read_answers(database, "drawn")
    assert answers.trials["number"].tolist() == [*range(1, 8), 1, 2, 3]
    assert answers.unanswered["number"].tolist() == [4, 5, 6, 7]
    assert answers.trials["shown"].all()
    assert not answers.trials["missed"].any()
    assert answers.participants[["consent", "language"]].isna().all(axis=None)
    assert read_answers(database, "drawn", personal=True).participants["external_id"].isna().all()
    assert answers.withdrawals.empty
    assert answers.questions is None
    assert answers.own_answers.empty
    assert answers.devices.empty
    assert answers.turned_away == {}
    people, trials = tables(answers).values()
    assert people["consent"].isna().tolist() == [True, True]
    assert trials["choice"].isna().tolist() == [False] * 10 + [True] * 4
    kept, _ = apply_rules(answers.participants, answers.trials, answers.protocol)
    assert len(kept) == answers.protocol.test
    assert set(kept["participant"]) == {1}
    sessions = Sessions(database, 1, bundle, clock=lambda: 1_700_000_060.0)
    for number in range(4, 8):
        assert sessions.send("under way", number)
        assert sessions.show("under way", number)
        assert sessions.answer("under way", number, "left", exposure_ms=200.0, response_ms=800.0)
    again = read_answers(database, "drawn")
    assert again.participants["finished"].notna().all()
    pd.testing.assert_frame_equal(again.trials.iloc[:10], answers.trials)
    # What the new version brings works on what the old one made.
    assert sessions.begin(Newcomer("new", "normal", ConsentText("de", "Text"), "their id")).participant.id == 3
    assert sessions.withdraw("finished")
    last = read_answers(database, "drawn")
    assert last.participants.index.tolist() == [2, 3]
    assert last.participants.loc[3, "language"] == "de"
    assert read_answers(database, "drawn", personal=True).participants.loc[3, "external_id"] == "their id"
    assert last.withdrawals.to_dict("records") == [{"algorithm": "loss=regression", "by": "participant"}]
    database.engine.dispose()


def test_a_migrated_database_is_as_a_new_one(old: str, tmp_path: Path) -> None:
    migrated = Database(old)
    with migrated.engine.connect() as connection:
        assert stored_version(connection) == VERSION
    if migrated.engine.dialect.name == "sqlite":
        fresh = Database(f"sqlite:///{tmp_path / 'new.db'}")
    else:
        server = _engine(old)
        with server.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text(f"CREATE DATABASE {server.url.database}_fresh"))
        server.dispose()
        fresh = Database(f"{old}_fresh")
    with fresh.engine.connect() as connection:
        assert stored_version(connection) == VERSION
    assert described(migrated.engine) == described(fresh.engine)
    for each in (migrated, fresh):
        each.engine.dispose()


def test_servers_that_start_at_once_migrate_once(old: str) -> None:
    opened, errors = list[Database](), list[BaseException]()
    start = threading.Barrier(8)

    def opening() -> None:
        start.wait()
        try:
            opened.append(Database(old))
        except BaseException as error:  # shown below
            errors.append(error)

    threads = [threading.Thread(target=opening) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert [len(read_answers(each, "drawn").participants) for each in opened] == [2] * 8
    for each in opened:
        each.engine.dispose()


def test_a_migration_that_fails_changes_nothing(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = _engine(old)
    before = described(engine)
    with monkeypatch.context() as broken:
        failing = {**STEPS, VERSION - 1: (*STEPS[VERSION - 1], "CREATE TABLE nonsense")}
        broken.setattr("ablate.turing.database.migrations.STEPS", failing)
        with pytest.raises(DataError, match="cannot be used"):
            Database(old)
    assert described(engine) == before
    engine.dispose()
    Database(old).engine.dispose()


def test_a_database_of_a_later_version_is_not_touched(old: str) -> None:
    database = Database(old)
    with database.writing() as session:
        session.execute(text(f"UPDATE settings SET value = '{VERSION + 1}' WHERE name = 'schema version'"))
    database.engine.dispose()
    with pytest.raises(DataError, match=f"has version {VERSION + 1}, and this is for version {VERSION}"):
        Database(old)


def test_a_database_of_something_else_is_not_made_one_by_reading(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    file.touch()
    with pytest.raises(DataError, match="it has no experiments"):
        Database(f"sqlite:///{file}", create=False)
