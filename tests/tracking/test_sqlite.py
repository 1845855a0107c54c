"""Addresses of SQLite stores, and of artifacts that moved with one."""

import re
from pathlib import Path

import pytest
from sqlalchemy import make_url

from ablate.errors import TrackingError
from ablate.tracking.sqlite import absolute_address, local_folder, located, sqlite_address, sqlite_file


@pytest.mark.parametrize("name", ["a b", "100%20", "why?", "c#", "日本語 é", "don't", "a+b&c=d", "(1) [2]"])
def test_a_folder_may_be_called_anything(name: str, tmp_path: Path) -> None:
    uri = sqlite_address(tmp_path / name / "mlflow.db")
    assert sqlite_file(uri) == tmp_path / name / "mlflow.db"
    assert absolute_address(uri) == uri
    assert make_url(uri).database == f"{tmp_path / name}/mlflow.db"
    old, new = tmp_path / "old", tmp_path / name / "mlartifacts" / "study" / "f00d"
    new.mkdir(parents=True)
    address = located(old.joinpath("mlartifacts", "study", "f00d").as_uri(), uri)
    assert local_folder(address) == new


@pytest.mark.parametrize(
    ("uri", "absolute"),
    [
        ("sqlite:///runs.db", "sqlite:///{here}/runs.db"),
        ("sqlite:///runs.db?timeout=60", "sqlite:///{here}/runs.db?timeout=60"),
        ("sqlite:///./there/../runs.db", "sqlite:///{here}/runs.db"),
        ("sqlite:////a/runs.db?timeout=60&cached_statements=0", "sqlite:////a/runs.db?timeout=60&cached_statements=0"),
        ("sqlite+pysqlite:///runs.db", "sqlite+pysqlite:///{here}/runs.db"),
        ("postgresql://host/db?sslmode=require", "postgresql://host/db?sslmode=require"),
        ("http://host:5000", "http://host:5000"),
    ],
)
def test_addresses_are_absolute(uri: str, absolute: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_address(uri) == absolute.format(here=tmp_path)


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:a.db?uri=true"])
def test_what_is_no_file_is_refused(uri: str) -> None:
    with pytest.raises(TrackingError, match=r"must be a file, as sqlite:///mlflow\.db"):
        absolute_address(uri)


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("localhost:5000/mlflow", "http://localhost:5000/mlflow"),
        ("a b/runs.db", "sqlite:///a b/runs.db"),
        ("/there/runs.sqlite3", "sqlite:////there/runs.sqlite3"),
    ],
)
def test_an_address_without_a_protocol_is_refused_with_the_one_that_is_meant(uri: str, meant: str) -> None:
    with pytest.raises(TrackingError, match=re.escape(f"names no protocol: write {meant}")):
        absolute_address(uri)


class Moved:
    """A store in `new` whose artifacts were recorded in `old`."""

    def __init__(self, folder: Path):
        self.old, self.new = folder / "old", folder / "new"
        self.uri = f"sqlite:///{self.new}/mlflow.db?timeout=60"
        self.new.mkdir()

    def at(self, home: Path, *, make: bool) -> str:
        place = home / "mlartifacts" / "study" / "f00d" / "artifacts"
        if make:
            place.mkdir(parents=True)
        return place.as_uri()


@pytest.fixture
def moved(tmp_path: Path) -> Moved:
    return Moved(tmp_path)


@pytest.mark.parametrize("copied", [False, True])
def test_what_moved_or_was_copied_is_beside_the_store(moved: Moved, copied: bool) -> None:
    now = moved.at(moved.new, make=True)
    assert located(moved.at(moved.old, make=copied), moved.uri) == now
    assert located(now, moved.uri) == now


def test_what_stayed_is_where_it_was(moved: Moved) -> None:
    then = moved.at(moved.old, make=True)
    assert located(then, moved.uri) == then


def test_what_is_gone_is_missed_beside_the_store(moved: Moved) -> None:
    assert located(moved.at(moved.old, make=False), moved.uri) == moved.at(moved.new, make=False)


def test_another_name_of_the_same_folder_is_no_other_place(moved: Moved) -> None:
    moved.at(moved.new, make=True)
    moved.old.symlink_to(moved.new)
    then = moved.at(moved.old, make=False)
    assert located(then, moved.uri) == then
    assert located(moved.at(moved.new, make=False), f"sqlite:///{moved.old}/mlflow.db") == moved.at(
        moved.new, make=False
    )


@pytest.mark.parametrize("address", ["s3://bucket/mlartifacts/x", "mlflow-artifacts:/1/2/artifacts", "file:///a/b"])
def test_what_lies_elsewhere_stays_there(address: str, moved: Moved) -> None:
    assert located(address, moved.uri) == address
    assert located("file:///old/mlartifacts/x", "http://host:5000") == "file:///old/mlartifacts/x"


def test_folders_called_as_those_of_artifacts_are_told_apart(moved: Moved) -> None:
    place = moved.new / "mlartifacts" / "mlartifacts" / "f00d"
    place.mkdir(parents=True)
    then = Path("/mlartifacts/project/mlartifacts/mlartifacts/f00d")
    assert located(then.as_uri(), moved.uri) == place.as_uri()
    # MLflow's own folder, for the experiment that every store has.
    assert located("/old/mlruns/0", moved.uri) == (moved.new / "mlruns" / "0").as_uri()
    assert [file.name for file in moved.new.iterdir()] == ["mlartifacts"]
