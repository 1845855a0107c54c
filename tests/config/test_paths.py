"""Relative paths: against the folder that the command was given in, whichever one a job works in."""

from pathlib import Path

import pytest

from ablate.cli.command_line import CommandLine
from ablate.config import paths as config
from ablate.config.hydra_job import current_hydra_job
from ablate.config.paths import absolute, start_folder
from ablate.config.sections import CheckpointConfig
from ablate.tracking.store import store_uri


def test_they_are_the_current_folder_s_outside_of_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert start_folder() == tmp_path
    assert absolute("a/../b") == tmp_path / "a" / ".." / "b"
    assert absolute("/a") == Path("/a")
    assert absolute("~/a") == Path.home() / "a"


def test_a_job_s_are_those_of_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "_CHECKOUT", tmp_path / "none")  # as an installed package
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///named.db")
    (tmp_path / "experiments").mkdir()
    (tmp_path / "output").mkdir()
    monkeypatch.chdir(tmp_path)
    shipped = Path(__file__).parents[2] / "conf"
    for module in ("ablate.config.paths", "ablate.cli.command_line"):
        monkeypatch.setattr(f"{module}.conf_dir", lambda: shipped)
    composed = CommandLine(["--config-path", str(shipped)]).compose()
    monkeypatch.chdir(tmp_path / "output")
    with current_hydra_job(composed):
        assert config.project_dir() == tmp_path
        assert config.experiment_folders() == [tmp_path / "experiments"]
        assert store_uri(None, Path("/project")) == f"sqlite:///{tmp_path}/named.db"
        assert store_uri("sqlite:///a/b.db", Path("/project")) == f"sqlite:///{tmp_path}/a/b.db"
        assert CheckpointConfig(dir=Path("kept"), minutes=1, lease_timeout_minutes=1).dir == tmp_path / "kept"
    assert start_folder() == tmp_path / "output"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("mlruns", "{here}/mlruns"),
        ("./mlruns", "{here}/mlruns"),
        ("file:mlruns", "file://{here}/mlruns"),
        ("file:///a", "file:///a"),
        ("/a", "/a"),
        ("databricks", "databricks"),
        ("postgresql://host/db", "postgresql://host/db"),
    ],
)
def test_a_store_of_files_is_found_from_any_folder(
    given: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert store_uri(given, tmp_path) == expected.format(here=tmp_path)
