"""Tracked models: the run that trained one, its configuration, the examples it was evaluated on, and the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import mlflow
import pandas as pd
import yaml
from mlflow.exceptions import MlflowException

from ablate.config.short_names import shorten
from ablate.errors import DataError, TrackingError
from ablate.keras_files.read import load_model as load_any_model
from ablate.tracking import names
from ablate.tracking.keras_model import logged_model
from ablate.tracking.served_model import KERAS_FILE
from ablate.tracking.sqlite import located
from ablate.tracking.stored_runs import artifacts_of, missing, problem, source_of

if TYPE_CHECKING:
    import keras

Read = TypeVar("Read")


@dataclass(frozen=True)
class TrackedModel:
    """A finished run and its model.

    Attributes:
        run_id: The run.
        study: The study that it belongs to.
        variant: Its variant.
        seed: Its seed.
        fingerprint: Of the data that it trained on.
        files: Address of the model's folder; None where the run kept none.
        model_id: What MLflow calls the model; None where the run kept none.
        artifacts: Address of the folder of its artifacts, that of another study's run where the result is cached.
    """

    run_id: str
    study: str
    variant: str
    seed: int
    fingerprint: str
    files: str | None
    artifacts: str
    model_id: str | None = None

    def __str__(self) -> str:
        return f"{shorten(self.variant)}, seed {self.seed}"


def find_model(run_id: str) -> TrackedModel:
    """Find a run of the open store, and its model.

    Raises:
        TrackingError: There is no such run, it cannot be used, it has not finished, or its result is gone.
    """
    client, uri = mlflow.MlflowClient(), mlflow.get_tracking_uri()
    try:
        run = client.get_run(run_id)
        tags = run.data.tags
        if names.IDENTITY_TAG not in tags:
            raise TrackingError(f"run {run_id} is none of `python -m ablate.run`")
        if run.info.status != "FINISHED":
            raise TrackingError(f"run {run_id} has not finished: it is {run.info.status.lower()}")
        if wrong := problem(run):
            raise TrackingError(f"run {run_id} cannot be used: {wrong}. Set it right in MLflow")
        artifacts = artifacts_of([run], uri, client)[run_id]
        gone = missing(run, artifacts)
        if artifacts is None or gone is not None:
            raise TrackingError(f"the result of run {run_id} cannot be read: {gone}. rerun=all trains it again")
        source = run if source_of(run) == run_id else client.get_run(source_of(run))
        study = tags.get(names.STUDY_TAG) or client.get_experiment(run.info.experiment_id).name
        logged = logged_model(client, source)
    except MlflowException as error:
        raise TrackingError(f"run {run_id} cannot be read: {str(error).splitlines()[0]}") from error
    return TrackedModel(
        run_id=run_id,
        study=study,
        variant=tags[names.VARIANT_TAG],
        seed=int(tags[names.SEED_TAG]),
        fingerprint=tags[names.FINGERPRINT_TAG],
        files=None if logged is None else located(logged.artifact_location, uri),
        artifacts=artifacts,
        model_id=None if logged is None else logged.model_id,
    )


def read_config(model: TrackedModel) -> Mapping[str, Any]:
    """Read the resolved configuration of a run.

    Raises:
        TrackingError: It is missing.
    """
    return cast(Mapping[str, Any], yaml.safe_load(_artifact(model, names.CONFIG_FILE).read_text(encoding="utf-8")))


def evaluated_digests(model: TrackedModel) -> frozenset[str]:
    """Return the digests of the examples that a run was evaluated on.

    Raises:
        TrackingError: Its table of them is missing.
    """
    table = pd.read_parquet(_artifact(model, names.PER_EXAMPLE_FILE), columns=["digest"])
    return frozenset(table["digest"])


def load_model(model: TrackedModel) -> keras.Model:
    """Load a model of any task to predict with, see `keras_files.read.load_model`; TensorFlow must be set up.

    Raises:
        TrackingError: It is missing, cannot be read, or is refused.
    """
    return read_model(model, load_any_model)


def read_model(model: TrackedModel, read: Callable[[Path], Read]) -> Read:
    """Read the file of a model; no code that the store holds is run.

    Args:
        model: The model.
        read: What reads a `.keras` file, of `ablate.keras_files.read` or by it.

    Raises:
        TrackingError: It is missing, cannot be read, or is refused.
    """
    assert model.files is not None
    try:
        # Not MLflow's loader, which unpickles what lies beside a model and imports what its description names.
        folder = mlflow.artifacts.download_artifacts(model.files, tracking_uri=mlflow.get_tracking_uri())
        return read(Path(folder) / KERAS_FILE)
    except (DataError, MlflowException, OSError) as error:
        raise TrackingError(f"the model of run {model.run_id} ({model}) cannot be loaded: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _artifact(model: TrackedModel, place: str) -> Path:
    address = f"{model.artifacts.rstrip('/')}/{place}"
    try:
        return Path(mlflow.artifacts.download_artifacts(address, tracking_uri=mlflow.get_tracking_uri()))
    except (MlflowException, OSError) as error:
        raise TrackingError(f"run {model.run_id} has no artifact {place}: {str(error).splitlines()[0]}") from error
