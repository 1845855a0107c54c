"""The machine's load as metrics of a run."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study_record import StudyRecord

Study = Callable[[], StudyRecord]
TAGS = {
    "ablate.variant": "baseline",
    "ablate.seed": "0",
    "ablate.identity": "i",
    "ablate.setting": "s",
    "ablate.data.fingerprint": "f",
}


@pytest.mark.slow
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
