"""A tracked run ends in the right state, whatever happens."""

import os
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow
import pytest

from ablate.errors import Diverged, Interrupted, TrackingError
from ablate.tracking.provenance import git_commit, git_diff
from ablate.tracking.run import fail_orphaned_run, track
from ablate.tracking.store import open_store
from ablate.tracking.study_record import StudyRecord
from ablate.tracking.tracked_run import TrackedRun

Study = Callable[[], StudyRecord]
TAGS = {
    "ablate.variant": "baseline",
    "ablate.seed": "0",
    "ablate.identity": "i",
    "ablate.setting": "s",
    "ablate.data.fingerprint": "f",
}


@pytest.fixture
def start(home: Path) -> Callable[[], "object"]:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return lambda: track(study="adhoc", name="baseline", tags=TAGS, project=home)


def fail(run: TrackedRun, error: BaseException) -> None:
    run.log_metrics({"train/loss": 1.0}, 1)
    raise error


@pytest.mark.parametrize(
    ("error", "status", "reason"),
    [
        (Diverged("NaN"), "FAILED", "diverged"),
        (MemoryError(), "FAILED", "MemoryError"),
        (KeyboardInterrupt(), "KILLED", "interrupted"),
        (Interrupted("SIGTERM"), "KILLED", "interrupted"),
    ],
)
def test_a_run_that_ends_early_keeps_what_was_logged(
    error: BaseException, status: str, reason: str, start: Callable, study: Study
) -> None:
    with pytest.raises(type(error)), start() as run:
        fail(run, error)
    record = study()
    assert (record.runs["status"].iloc[0], record.runs["reason"].iloc[0]) == (status, reason)
    assert record.curve(run.run_id, "train/loss")["value"].tolist() == [1.0]
    assert mlflow.active_run() is None


def log_without_tables(run: TrackedRun, home: Path) -> None:
    with closing(sqlite3.connect(home / "mlflow.db")) as database:
        for table in ("metrics", "latest_metrics", "tags"):
            database.execute(f"DROP TABLE {table}")
    fail(run, ZeroDivisionError())


def test_a_store_that_fails_at_the_end_of_a_run_hides_no_error(
    start: Callable, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ZeroDivisionError), start() as run:
        log_without_tables(run, home)
    assert f"The end of run {run.run_id} could not be tracked" in caplog.text
    # The next run does not begin inside it.
    assert mlflow.active_run() is None


def log_what_is_refused(run: TrackedRun) -> None:
    run.log_metrics({"no name?*": 1.0}, 1)
    run.flush()


def test_a_run_that_the_store_refuses_a_part_of_has_failed(start: Callable, study: Study) -> None:
    with pytest.raises(TrackingError, match="cannot be tracked any more") as error, start() as run:
        log_what_is_refused(run)
    assert "\n" not in str(error.value)
    runs = study().runs
    assert (runs["status"].iloc[0], runs["reason"].iloc[0]) == ("FAILED", "TrackingError")
    assert mlflow.active_run() is None


def test_metrics_of_a_run_are_written_together_and_none_is_lost(start: Callable, study: Study) -> None:
    with start() as run:
        for step in range(2500):
            run.log_metrics({"train/loss": float(step)}, step)
    assert study().curve(run.run_id, "train/loss")["value"].tolist() == list(range(2500))


def test_long_values_and_odd_keys_of_a_configuration_are_kept(start: Callable, study: Study) -> None:
    config = {"a": {"b": [1, 2], "empty": {}}, "long": "x" * 10_000, "none": None}
    with start() as run:
        run.log_config(config)
    params = study().params.loc[run.run_id]
    assert (params["a.b"], params["a.empty"], params["none"]) == ("[1, 2]", "{}", "None")
    assert params["long"] == "x" * 6000
    assert "x" * 10_000 in mlflow.artifacts.load_text(f"runs:/{run.run_id}/config.yaml")


def test_a_deleted_study_is_named(start: Callable, study: Study) -> None:
    with start():
        pass
    mlflow.MlflowClient().delete_experiment(study().experiment_id)
    with pytest.raises(TrackingError, match="study adhoc was deleted in MLflow: restore it"), start():
        pass


def test_artifacts_lie_beside_the_store(start: Callable, home: Path) -> None:
    with start() as run:
        run.log_text("words", "note.txt")
    assert (home / "mlartifacts" / "adhoc" / run.run_id / "artifacts" / "note.txt").read_text() == "words"


def test_a_commit_is_only_that_of_the_checkout_itself(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=n", "-c", "user.email=e"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init")
    (tmp_path / "a.txt").write_bytes(b"one\n\n")
    git("add", ".")
    git("commit", "-m", "first")
    (tmp_path / "inside").mkdir()
    assert len(git_commit(tmp_path) or "") == 40
    # A package that is installed below somebody's repository does not come from it.
    assert git_commit(tmp_path / "inside") is None
    assert git_diff(tmp_path) == ""
    (tmp_path / "a.txt").write_bytes(b"\xff two\n\n\n")
    (tmp_path / "new.yaml").touch()
    diff = git_diff(tmp_path)
    assert "two\n" in diff
    assert diff.endswith("# not in git: new.yaml\n")


def test_a_lost_run_is_ended_and_one_that_had_ended_is_not(start: Callable, study: Study) -> None:
    with start() as finished:
        pass
    fail_orphaned_run(finished.run_id, "killed")
    client = mlflow.MlflowClient()
    lost = client.create_run(study().experiment_id, tags=TAGS).info.run_id
    fail_orphaned_run(lost, "killed")
    runs = study().runs
    assert runs.loc[finished.run_id, "status"] == "FINISHED"
    assert runs.loc[lost, ["status", "reason"]].tolist() == ["FAILED", "killed"]


def test_the_machine_s_load_is_recorded_and_said_nowhere(
    home: Path, study: Study, capfd: pytest.CaptureFixture[str]
) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])

    def session(run_id: str | None = None) -> str:
        with track(study="adhoc", name="b", tags=TAGS, project=home, run_id=run_id, monitored=True) as run:
            run.log_metrics({"train/loss": 1.0}, 1)
        return run.run_id

    run_id = session()
    session(run_id)
    record = study()
    assert record.curve(run_id, "system/cpu_utilization_percentage")["step"].tolist() == [0, 1]
    assert record.metrics.filter(like="system/").notna().all(axis=None)
    assert not [thread for thread in threading.enumerate() if thread.name == "SystemMetricsMonitor"]
    assert capfd.readouterr() == ("", "")


def test_a_load_that_cannot_be_recorded_ends_no_run(
    home: Path, study: Study, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object) -> None:
        raise mlflow.MlflowException("database is locked")

    open_store(os.environ["MLFLOW_TRACKING_URI"])
    monkeypatch.setattr("mlflow.system_metrics.system_metrics_monitor.SystemMetricsMonitor.publish_metrics", refuse)
    with track(study="adhoc", name="b", tags=TAGS, project=home, monitored=True):
        pass
    assert list(study().runs["status"]) == ["FINISHED"]
    assert "The last system metrics are not recorded: database is locked" in caplog.text
