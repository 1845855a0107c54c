"""The database: experiments that are registered again, the secret, and addresses."""

from pathlib import Path

import pytest

from ablate.errors import DataError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, experiment_names, read_answers
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
    database = Database("postgresql://me:secret@127.0.0.1:1/nothing", create=False)
    assert "secret" not in database.name
    with pytest.raises(DataError, match="cannot be used") as error:
        Database("postgresql://me:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(error.value)
