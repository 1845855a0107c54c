"""The database: experiments that are registered again, the secret, and addresses."""

import threading
import time
from pathlib import Path

import pytest

from ablate.errors import DataError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, experiment_names, read_answers
from ablate.turing.database.tables import Setting
from tests.support.bundles import make_bundle


def test_an_experiment_is_resumed(bundle: Bundle, database: Database, tmp_path: Path) -> None:
    first = database.register(bundle, 1.0)
    assert database.register(bundle, 2.0) == first
    assert experiment_names(database) == ["drawn"]
    with pytest.raises(DataError, match="drawn was begun with another bundle"):
        database.register(make_bundle(tmp_path / "again"), 3.0)
    other = database.register(make_bundle(tmp_path / "other", "other"), 4.0)
    assert other != first
    assert experiment_names(database) == ["other", "drawn"]
    assert read_answers(database, "drawn").participants.empty
    with pytest.raises(DataError, match=r"no experiment third\. Its experiments: other, drawn"):
        read_answers(database, "third")


def test_who_writes_waits_in_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # SQLite itself would give up.
    monkeypatch.setattr("ablate.turing.database.connection._PATIENCE_MS", 0)
    database = Database(f"sqlite:///{tmp_path / 'turing.db'}")
    order, threads = list[int](), list[threading.Thread]()

    def write(number: int) -> None:
        with database.writing() as session:
            session.add(Setting(name=str(number), value=""))
            order.append(number)

    with database.writing():
        for number in range(20):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            while len(database._turn._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(20))
    with database.reading() as session:
        assert sum(each.name.isdigit() for each in session.query(Setting)) == 20
    database.engine.dispose()


def test_the_secret_stays(database: Database, tmp_path: Path) -> None:
    secret = database.secret()
    assert len(secret) == 32
    again = Database(f"sqlite:///{tmp_path / 'turing.db'}")
    assert again.secret() == secret
    again.engine.dispose()


def test_a_missing_database_is_not_made_to_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no database .*nothing\.db"):
        Database(f"sqlite:///{tmp_path / 'nothing.db'}", create=False)
    assert not (tmp_path / "nothing.db").exists()


def test_passwords_are_not_shown() -> None:
    for create in (True, False):
        with pytest.raises(DataError, match="cannot be used") as error:
            Database("postgresql://me:secret@127.0.0.1:1/nothing", create=create)
        assert "me:" in str(error.value)
        assert "secret" not in str(error.value)
