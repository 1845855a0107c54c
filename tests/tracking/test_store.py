import os
import shutil
import socket
import sqlite3
from pathlib import Path

import mlflow
import pytest

from ablate.errors import TrackingError
from ablate.tracking.store import artifact_folder, is_open, open_store, opened_to_read, store_uri
from tests.support.forked import Forked, ForkedProcess


def test_the_configured_address_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://named:5000")
    assert store_uri("http://given:5000", tmp_path) == "http://given:5000"
    assert store_uri(None, tmp_path) == "http://named:5000"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert store_uri(None, tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_file_s_address_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_uri("sqlite:///runs.db", Path("/elsewhere")) == f"sqlite:///{tmp_path}/runs.db"


def test_artifacts_are_beside_a_file(tmp_path: Path) -> None:
    assert artifact_folder("sqlite:////a/runs.db", tmp_path) == Path("/a/mlartifacts")
    assert artifact_folder("postgresql://host/db", tmp_path) == tmp_path / "mlartifacts"
    assert artifact_folder("http://host:5000", tmp_path) is None


@pytest.mark.slow
def test_two_processes_may_make_the_schema_at_once(tmp_path: Path, forked: Forked) -> None:
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    command = ["-c", f"from ablate.tracking.store import open_store; open_store({uri!r})"]
    outputs = [tmp_path / "one", tmp_path / "other"]
    both = [ForkedProcess(forked, command, folder=tmp_path, output=output) for output in outputs]
    assert [process.finish() for process in both] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]
    tables = sqlite3.connect(tmp_path / "new" / "mlflow.db")
    assert tables.execute("select count(*) from experiments").fetchone() == (1,)
    tables.close()


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrackingError, match=r"file/mlflow.db cannot be written: .* Set tracking.uri or MLFLOW_"):
        open_store(f"sqlite:///{tmp_path}/file/mlflow.db")
    (tmp_path / "text.db").write_text("no database" * 1000)
    with pytest.raises(TrackingError, match="file is not a database"):
        open_store(f"sqlite:///{tmp_path}/text.db")


def test_a_server_that_does_not_answer_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(TrackingError, match=f"http://127.0.0.1:{port} does not answer: Connection refused"):
            open_store(f"http://127.0.0.1:{port}")


def test_an_unknown_kind_of_store_is_named() -> None:
    with pytest.raises(TrackingError, match="nonsense://here cannot be used"):
        open_store("nonsense://here")


def test_nothing_is_made_to_read(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="there are no runs yet"):
        open_store(f"sqlite:///{tmp_path}/mlflow.db", to_read=True)
    assert not list(tmp_path.iterdir())


def test_a_store_that_cannot_be_written_can_be_read(empty_store: Path, tmp_path: Path) -> None:
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    # Reading makes nothing beside it: neither a lock nor a folder for artifacts.
    open_store(f"sqlite:///{tmp_path}/mlflow.db", to_read=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_a_store_that_the_environment_names_is_not_open_before_it_is_opened(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, bar = f"sqlite:///{home / 'mlflow.db'}", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"
    monkeypatch.delenv(bar, raising=False)
    mlflow.set_tracking_uri(uri)
    assert not is_open(uri)
    open_store(uri)
    assert is_open(uri)
    assert os.environ[bar] == "false"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with opened_to_read(uri):
        assert is_open(uri)
    assert not is_open(uri)
