"""The command: what nobody needs any more is removed, and nothing else."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from ablate.clean.__main__ import main
from ablate.clean.find import find, remove
from ablate.execution.lease import acquire_lease
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.registry import register
from ablate.tracking.run import track
from ablate.tracking.store import checkpoint_folder, open_store
from tests.support.commands import TINY, Command, called_here
from tests.support.forked import Forked, ForkedProcess
from tests.support.mlflow_server import mlflow_server
from tests.support.sweeps import assert_same_bits, found
from tests.support.tracked_runs import add_run, open_in

Clean = Callable[..., str]


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Clean:
    """Run `python -m ablate.clean ARGUMENTS` here; return what it prints."""
    return called_here(main, "ablate.clean", monkeypatch, capsys)


def artifacts(home: Path, run_id: str, study: str = "own") -> Path:
    return home / "mlartifacts" / study / run_id


def checkpoint(home: Path, identity: str, uri: str = "") -> Path:
    folder = (checkpoint_folder(uri, home, None) if uri else home / "checkpoints") / identity
    folder.mkdir(parents=True)
    (folder / "checkpoint.npz").write_bytes(bytes(2**20))
    return folder


def interrupted(home: Path, identity: str) -> None:
    """Track a run that was interrupted, and can be resumed."""
    tags = {"ablate.variant": "baseline", "ablate.seed": "0", "ablate.identity": identity}
    with pytest.raises(KeyboardInterrupt), track(study="own", name="x", tags=tags, project=home):
        raise KeyboardInterrupt


def test_artifacts_of_deleted_runs_go_once_nothing_shows_them(home: Path, clean: Clean) -> None:
    uri = open_in(home)
    kept, gone, shown, restored = (add_run(home, identity=identity) for identity in ("a", "b", "c", "d"))
    link_cached_run(shown, study="other", variant="baseline", project=home)
    assert clean() == "Nothing to clean\n"
    client = mlflow.MlflowClient()
    for run_id in (gone, shown, restored):
        client.delete_run(run_id)
    listed = clean()
    assert "its run was deleted in MLflow" in listed
    assert "2 things" in listed
    assert listed.endswith("Nothing was removed: yes=true removes them\n")
    assert artifacts(home, gone).is_dir()
    items = find(uri, home, None)
    client.restore_run(restored)
    assert [remove(item, uri) for item in items if item.run == restored] == [False]
    assert "Removed 1 thing," in clean("yes=true")
    assert not artifacts(home, gone).exists()
    assert all(artifacts(home, run_id).is_dir() for run_id in (kept, shown, restored))
    assert clean("yes=true") == "Nothing to clean\n"


def test_what_a_run_of_an_earlier_version_shows_stays(home: Path, clean: Clean) -> None:
    open_in(home)
    shown = add_run(home, identity="a")
    client = mlflow.MlflowClient()
    client.set_tag(add_run(home, study="other", identity="a"), "ablate.reused_from", shown)
    client.delete_run(shown)
    assert clean("yes=true") == "Nothing to clean\n"


def test_what_a_registered_model_needs_stays(home: Path, clean: Clean) -> None:
    open_in(home)
    run_id = add_run(home)
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("own")
    assert experiment is not None
    made = [client.create_logged_model(experiment.experiment_id, name="model", source_run_id=run_id) for _ in range(2)]
    for model in made:
        folder = home / "mlartifacts" / "own" / "models" / model.model_id / "artifacts"
        folder.mkdir(parents=True)
        (folder / "model.keras").write_bytes(bytes(1000))
        client.finalize_logged_model(model.model_id, "READY")
    register(made[0].model_id, name="best", alias="champion", tags={}, description="")
    client.delete_run(run_id)
    assert clean() == "Nothing to clean\n"
    client.delete_registered_model("best")
    assert "Removed 3 things" in clean("yes=true")
    assert not artifacts(home, run_id).exists()
    assert not any((home / "mlartifacts" / "own" / "models").iterdir())
    assert not client.search_logged_models([experiment.experiment_id])


def test_a_model_that_was_registered_by_its_path_stays(home: Path, clean: Clean) -> None:
    open_in(home)
    run_id = add_run(home)
    client = mlflow.MlflowClient()
    client.create_registered_model("mine")
    client.create_model_version("mine", source=str(artifacts(home, run_id) / "artifacts"))
    client.delete_run(run_id)
    assert clean("yes=true") == "Nothing to clean\n"


def test_of_two_at_once_the_slower_removes_nothing(home: Path) -> None:
    uri = open_in(home)
    run_id = add_run(home, identity="a")
    checkpoint(home, "b")
    for identity in ("b", "c"):
        mlflow.MlflowClient().delete_run(add_run(home, identity=identity))
    mlflow.MlflowClient().delete_run(run_id)
    items = find(uri, home, None)
    assert len(items) == 4
    assert all(remove(item, uri) for item in items)
    assert not any(remove(item, uri) for item in items)


def test_what_cannot_be_removed_is_named_and_the_rest_goes(home: Path, clean: Clean) -> None:
    open_in(home)
    stuck, gone = (add_run(home, identity=identity) for identity in ("a", "b"))
    for run_id in (stuck, gone):
        mlflow.MlflowClient().delete_run(run_id)
    aside = artifacts(home, stuck).with_name(f".{stuck}.{os.getpid()}")
    (aside / "in the way").mkdir(parents=True)
    said = "Directory not empty: cannot be removed. Mend that, and give the command again"
    assert clean("yes=true") == f"Error: {artifacts(home, stuck)}: {said}. See docs/runs.md#cleaning\n"
    assert not artifacts(home, gone).exists()


def test_after_a_kill_in_the_middle_the_same_command_removes_the_rest(home: Path, clean: Clean) -> None:
    open_in(home)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    study = artifacts(home, add_run(home)).parent
    left = study / f".{'0' * 32}.{ended.pid}"
    (left / "artifacts").mkdir(parents=True)
    assert "Removed 1 thing, 0.0 KiB" in clean("yes=true")
    assert not list(study.glob(".*"))


def test_only_checkpoints_that_no_run_resumes_from_go(home: Path, clean: Clean) -> None:
    open_in(home)
    for identity in ("finished", "held", "again"):
        add_run(home, identity=identity)
    interrupted(home, "resumable")
    interrupted(home, "again")  # rerun=all
    mlflow.MlflowClient().delete_run(add_run(home, identity="deleted"))
    folders = {
        name: checkpoint(home, name)
        for name in ("finished", "held", "again", "resumable", "deleted", "another store's")
    }
    with acquire_lease(folders["held"], timeout_minutes=10) as lease:
        assert lease is not None
        assert "its run has finished" in clean("yes=true")
        assert {name for name, folder in folders.items() if folder.exists()} == {
            *("held", "again", "resumable", "another store's"),
        }


def test_a_checkpoint_that_is_taken_after_the_question_stays(home: Path) -> None:
    uri = open_in(home)
    add_run(home, identity="i")
    folder = checkpoint(home, "i")
    (item,) = find(uri, home, None)
    interrupted(home, "i")
    assert not remove(item, uri)
    assert folder.exists()


def test_what_another_store_in_the_folder_needs_stays(home: Path, clean: Clean) -> None:
    open_in(home)
    run_id = add_run(home, identity="i")
    checkpoint(home, "i")
    shutil.copy(home / "mlflow.db", home / "copy.db")
    mlflow.MlflowClient().delete_run(run_id)
    assert clean("yes=true") == "Nothing to clean\n"
    (home / "copy.db").unlink()
    assert "Removed 2 things" in clean("yes=true")


def test_left_over_files_of_processes_that_are_gone_go(home: Path, clean: Clean) -> None:
    open_in(home)
    run_id = add_run(home)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder = checkpoint(home, "unknown")
    old, fresh, alive, foreign = (
        folder / f".checkpoint.npz.{ended.pid}",
        folder / f".progress.json.{ended.pid}",
        folder / f".lease.json.{os.getpid()}",
        folder / f".of-mine.{ended.pid}",
    )
    own = artifacts(home, run_id) / "artifacts" / f".notes.{ended.pid}"
    for file in (old, fresh, alive, foreign, own):
        file.write_text("")
        if file is not fresh:
            os.utime(file, (0, 0))
    assert f"process {ended.pid} is gone" in clean("yes=true")
    assert [file.exists() for file in (old, fresh, alive, foreign, own)] == [False, True, True, True, True]


def test_a_link_to_another_place_is_no_result_of_the_project(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    uri = open_in(home)
    run_id = add_run(home)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / run_id
    shutil.move(artifacts(home, run_id), elsewhere)
    artifacts(home, run_id).symlink_to(elsewhere)
    mlflow.MlflowClient().delete_run(run_id)
    assert find(uri, home, None) == []


@pytest.mark.slow
def test_on_a_server_checkpoints_go_and_artifacts_are_left_to_its_keeper(
    home: Path, empty_store: Path, clean: Clean, forked_m: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mlflow_server(home, empty_store) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        open_store(uri)
        kept, gone, shown = (add_run(home, identity=identity) for identity in ("a", "b", "c"))
        link_cached_run(shown, study="other", variant="baseline", project=home)
        interrupted(home, "resumable")
        folders = {name: checkpoint(home, name, uri) for name in ("a", "b", "resumable", "unknown")}
        assert "mlflow gc" not in clean()
        client = mlflow.MlflowClient()
        for run_id in (gone, shown):
            client.delete_run(run_id)
        printed = clean("yes=true")
        assert "Removed 2 things" in printed
        assert "artifacts of 1 deleted run are on the store's server" in printed
        assert f"mlflow gc --run-ids {gone}\n" in printed
        assert {name for name, folder in folders.items() if folder.exists()} == {"resumable", "unknown"}
        served = {path.name: path for path in (home / "kept").glob("*/*")}
        assert served.keys() >= {kept, gone, shown}

        collected = forked_m("mlflow", "gc", "--run-ids", gone, "--backend-store-uri", f"sqlite:///{home}/server.db")
        assert collected.returncode == 0, collected.stderr
        assert not any(path.is_file() for path in served[gone].rglob("*"))
        assert any(path.is_file() for path in served[shown].rglob("*"))
        assert clean() == "Nothing to clean\n"
    assert "does not answer" in clean()


@pytest.mark.slow
@pytest.mark.database
def test_on_postgresql_artifacts_and_checkpoints_go_as_with_a_file(
    home: Path, postgres: str, clean: Clean, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgres)
    assert "there are no runs yet" in clean()
    open_store(postgres)
    kept, gone, shown = (add_run(home, identity=identity) for identity in ("a", "b", "c"))
    link_cached_run(shown, study="other", variant="baseline", project=home)
    interrupted(home, "resumable")
    folders = {name: checkpoint(home, name, postgres) for name in ("a", "resumable", "unknown")}
    for run_id in (gone, shown):
        mlflow.MlflowClient().delete_run(run_id)
    printed = clean("yes=true")
    assert "Removed 2 things" in printed
    assert "mlflow gc" not in printed
    assert [artifacts(home, run_id).exists() for run_id in (kept, gone, shown)] == [True, False, True]
    assert {name for name, folder in folders.items() if folder.exists()} == {"resumable", "unknown"}
    assert clean("yes=true") == "Nothing to clean\n"


@pytest.mark.slow
def test_beside_a_sweep_that_trains_nothing_that_it_needs_goes(
    home: Path, empty_store: Path, clean: Clean, forked: Forked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clean again and again while a sweep trains: its results are those of an undisturbed one, in one attempt each."""

    def start(folder: Path) -> ForkedProcess:
        command = ["ablate.run", "-m", *TINY, "seed=0,1", "hardware.threads=1"]
        return ForkedProcess(forked, command, folder=folder, output=folder / "log.txt")

    alone = start(home)
    said = alone.finish()
    assert alone.returncode == 0, said
    cleaned = home / "cleaned"
    cleaned.mkdir()
    shutil.copy(empty_store, cleaned / "mlflow.db")
    monkeypatch.chdir(cleaned)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", open_in(cleaned))
    mlflow.MlflowClient().delete_run(add_run(cleaned, study="old", identity="old"))
    beside, printed = start(cleaned), list[str]()
    try:
        while beside.is_running():
            printed.append(clean("yes=true"))
        said = beside.finish()
    finally:
        beside.end()
    assert beside.returncode == 0, said
    assert not [text for text in printed if text.startswith("Error")]
    assert sum("Removed" in text for text in printed) == 1
    assert len(printed) > 2
    assert clean() == "Nothing to clean\n"
    one, other = (found(folder, "adhoc", runs=2) for folder in (home, cleaned))
    assert_same_bits(one, other)
    assert set(other.attempts) == {1}


def test_wrong_arguments_and_stores_are_one_line(home: Path, clean: Clean) -> None:
    assert (
        clean("yse=true")
        == "Error: unknown key: yse. Allowed: uri, yes. Did you mean yes? See docs/runs.md#cleaning\n"
    )
    assert clean("uri=sqlite:///none.db").startswith("Error: there are no runs yet: ")
    assert not (home / "none.db").exists()
