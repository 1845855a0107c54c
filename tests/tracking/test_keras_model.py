"""Models of all kinds: one that cannot be tracked costs its run no result."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import keras
import mlflow
import numpy as np
import pytest
from mlflow.entities import LoggedModelStatus, Run
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from ablate.tracking.keras_model import signature
from ablate.tracking.run import track
from ablate.tracking.store import open_store

TAGS = {"ablate.variant": "baseline", "ablate.seed": "0", "ablate.identity": "i", "ablate.data.fingerprint": "f"}


class Subclassed(keras.Model):
    """A model without `inputs`."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(3)

    def call(self, inputs: object) -> object:
        """Compute."""
        return self.dense(inputs)


class Unserialisable(keras.layers.Layer):
    """A layer that no file can hold."""

    def call(self, inputs: object) -> object:
        """Compute."""
        return inputs

    def get_config(self) -> dict[str, object]:
        """Fail."""
        raise NotImplementedError("not this one")


def plain() -> keras.Model:
    given = keras.Input((None, 4), batch_size=2, name="given")
    return keras.Model(given, keras.layers.Dense(3, name="made")(given))


def several() -> keras.Model:
    a, b = keras.Input((4,), name="a"), keras.Input((2,), name="b")
    return keras.Model({"a": a, "b": b}, {"x": keras.layers.Dense(3, name="x")(a), "y": b})


def subclassed() -> keras.Model:
    model = Subclassed()
    model(np.zeros((1, 4)))
    return model


def unserialisable() -> keras.Model:
    given = keras.Input((4,))
    return keras.Model(given, Unserialisable()(keras.layers.Dense(3)(given)))


@pytest.fixture
def log(home: Path) -> Callable[[object], Run]:
    open_store(os.environ["MLFLOW_TRACKING_URI"])

    def call(model: object) -> Run:
        with track(study="own", name="b", tags=TAGS, project=home) as run:
            run.log_metrics({"eval/auc": 1.0})
            run.flush()
            run.log_model(model)
        return mlflow.MlflowClient().get_run(run.run_id)

    return call


def status(run: Run) -> LoggedModelStatus:
    (output,) = run.outputs.model_outputs
    return mlflow.MlflowClient().get_logged_model(output.model_id).status


def files(home: Path, run: Run) -> set[str]:
    return {str(file.relative_to(home)) for file in home.rglob("model*") if file.is_file()}


def test_signatures_say_what_goes_in_and_comes_out(caplog: pytest.LogCaptureFixture) -> None:
    one, two = signature(plain()), signature(several())
    assert one is not None
    assert [(field.name, field.shape) for field in one.inputs.inputs] == [(None, (-1, -1, 4))]
    assert two is not None
    assert two.inputs.input_names() == ["a", "b"]
    assert len(two.outputs.inputs) == 2
    assert caplog.messages == []
    for unsaid in (subclassed(), Subclassed(), keras.Sequential([keras.layers.Dense(3)])):
        assert signature(unsaid) is None
    assert len(caplog.messages) == 3


@pytest.mark.slow
@pytest.mark.parametrize("make", [plain, several, subclassed])
def test_a_model_is_an_output_of_its_run(
    make: Callable[[], keras.Model], log: Callable[[object], Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow.MlflowClient()
    other = client.create_run("0").info.run_id
    for name, value in {
        "MLFLOW_RUN_ID": other,
        "MLFLOW_EXPERIMENT_ID": "0",
        "MLFLOW_EXPERIMENT_NAME": "Default",
    }.items():
        monkeypatch.setenv(name, value)
    run = log(make())
    assert (run.info.status, status(run)) == ("FINISHED", LoggedModelStatus.READY)
    model = client.get_logged_model(run.outputs.model_outputs[0].model_id)
    assert (model.source_run_id, model.experiment_id) == (run.info.run_id, run.info.experiment_id)
    assert [(metric.key, metric.value) for metric in model.metrics] == [("eval/auc", 1.0)]
    assert "mlflow.user" in model.tags
    assert not client.get_run(other).outputs.model_outputs


@pytest.mark.parametrize("make", [unserialisable, lambda: "no model"])
def test_a_model_that_cannot_be_saved_costs_no_result(
    make: Callable[[], object], log: Callable[[object], Run], home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = make()
    run = log(model)
    assert (run.info.status, run.data.metrics["eval/auc"]) == ("FINISHED", 1.0)
    assert status(run) == LoggedModelStatus.FAILED
    assert f"The model of run {run.info.run_id} cannot be tracked: " in caplog.text
    weights = home / "mlartifacts" / "own" / run.info.run_id / "artifacts" / "model.weights.h5"
    if isinstance(model, keras.Model):
        assert "Its weights are: model.weights.h5" in caplog.text
        unserialisable().load_weights(weights)
    else:
        assert "Neither can its weights: AttributeError" in caplog.text
        assert not weights.exists()


@pytest.mark.slow
def test_a_full_disk_costs_no_result(
    log: Callable[[object], Run], home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(repository: LocalArtifactRepository, folder: str, place: str | None = None) -> None:
        there = Path(repository.artifact_dir) / "model.weights.h5"
        there.parent.mkdir(parents=True, exist_ok=True)
        there.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalArtifactRepository, "log_artifacts", full)
    run = log(plain())
    assert (run.info.status, status(run)) == ("FINISHED", LoggedModelStatus.FAILED)
    assert caplog.text.count("No space left on device") == 2
    # Half of a file would leave no place for the rest.
    assert not list(home.rglob("model.weights.h5"))
