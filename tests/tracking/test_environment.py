"""MLflow's environment: it says where the store is, and nothing else about a run."""

import os
from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Run

from ablate.task import DataSummary
from ablate.tracking.run import track
from ablate.tracking.store import open_store

TAGS = {"ablate.variant": "baseline", "ablate.seed": "5", "ablate.identity": "i"}


@pytest.fixture
def uri(home: Path) -> str:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    open_store(uri)
    return uri


def logged(uri: str, home: Path) -> Run:
    """Track a run from its first word to its last; a command opens its store before."""
    open_store(uri)
    with track(study="own", name="ours", tags=TAGS, project=home) as run:
        run.log_config({"seed": 5})
        run.log_data(DataSummary(name="d", source="s", fingerprint="f" * 64, counts={"train": 3}, problems=[]))
        run.log_metrics({"train/loss": 1.0}, 1)
        run.log_text("words", "note.txt")
    return mlflow.MlflowClient().get_run(run.run_id)


@pytest.mark.slow
def test_a_run_is_written_where_its_study_says(uri: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = mlflow.MlflowClient()
    theirs = client.create_experiment("theirs")
    finished = client.create_run(theirs, run_name="finished")
    client.set_terminated(finished.info.run_id)
    model = client.create_logged_model(theirs, name="theirs")
    before = client.get_run(finished.info.run_id).to_dictionary()
    for name, value in {
        "MLFLOW_RUN_ID": finished.info.run_id,
        "MLFLOW_EXPERIMENT_ID": theirs,
        "MLFLOW_EXPERIMENT_NAME": "theirs",
        "MLFLOW_ACTIVE_MODEL_ID": model.model_id,
        "_MLFLOW_ACTIVE_MODEL_ID": model.model_id,
        "MLFLOW_RUN_CONTEXT": f'{{"mlflow.parentRunId": "{finished.info.run_id}", "ablate.resumable": "true"}}',
        "MLFLOW_REGISTRY_URI": "nonsense://here",
        "MLFLOW_ENABLE_WORKSPACES": "true",
        "MLFLOW_WORKSPACE": "theirs",
        "MLFLOW_ENABLE_ASYNC_LOGGING": "true",
        "MLFLOW_TRUNCATE_LONG_VALUES": "false",
    }.items():
        monkeypatch.setenv(name, value)
    runs = [logged(uri, home), logged(uri, home)]
    assert client.get_run(finished.info.run_id).to_dictionary() == before
    assert client.get_logged_model(model.model_id).metrics in (None, [])
    assert len({run.info.run_id for run in runs}) == 2
    for run in runs:
        assert client.get_experiment(run.info.experiment_id).name == "own"
        assert (run.info.status, run.info.run_name) == ("FINISHED", "ours")
        assert (run.data.tags["ablate.seed"], run.data.params["seed"]) == ("5", "5")
        assert run.data.metrics == {"train/loss": 1.0, "data/train": 3.0}
        assert run.inputs.dataset_inputs[0].tags[0].value == "training"
        assert {"mlflow.user", "mlflow.source.name", "mlflow.source.type"} <= run.data.tags.keys()
        assert not {"mlflow.parentRunId", "ablate.resumable"} & run.data.tags.keys()


def test_a_run_that_is_active_already_is_not_ours(uri: str, home: Path) -> None:
    with mlflow.start_run(run_name="theirs") as theirs:
        run = logged(uri, home)
        active = mlflow.active_run()
        assert active is not None
        assert active.info.run_id == theirs.info.run_id
    assert run.data.tags.get("mlflow.parentRunId") is None
    assert not mlflow.get_run(theirs.info.run_id).data.metrics


@pytest.mark.slow
def test_a_resumed_run_is_the_one_that_was_asked_for(uri: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, other = mlflow.MlflowClient(), logged(uri, home)
    with pytest.raises(KeyboardInterrupt), track(study="own", name="b", tags=TAGS, project=home) as run:
        raise KeyboardInterrupt
    client.set_tag(run.run_id, "ablate.attempts", "edited")
    monkeypatch.setenv("MLFLOW_RUN_ID", other.info.run_id)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "Default")
    with track(study="own", name="b", tags=TAGS, project=home, run_id=run.run_id) as again:
        assert client.get_run(run.run_id).info.status == "RUNNING"
    ended = client.get_run(again.run_id)
    assert (again.run_id, ended.info.status, ended.data.tags["ablate.attempts"]) == (run.run_id, "FINISHED", "2")
    assert "ablate.reason" not in ended.data.tags
    assert client.get_run(other.info.run_id).to_dictionary() == other.to_dictionary()


def test_a_load_that_cannot_be_measured_as_said_ends_no_run(
    uri: str, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "often")
    with track(study="own", name="b", tags=TAGS, project=home, monitored=True) as run:
        pass
    assert mlflow.get_run(run.run_id).info.status == "FINISHED"
    assert "The machine's load is not recorded: " in caplog.text
