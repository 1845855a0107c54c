"""A Keras model in MLflow's format, as the output of one run."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.entities import LoggedModelOutput, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from ablate.tracking import provenance
from ablate.tracking.sqlite import local_folder, located

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import keras

log = logging.getLogger(__name__)

KERAS_FILE = "data/model.keras"
"""Where MLflow keeps what Keras saved, in the folder of a model."""


def log_keras_model(client: mlflow.MlflowClient, run: Run, model: keras.Model, tags: Mapping[str, str]) -> None:
    """Write a model of which `mlflow.keras.load_model` makes the same again.

    Args:
        client: The store.
        run: The run that trained it, whatever MLflow's environment calls the active run, experiment or model.
        model: The model.
        tags: Tags of the model.

    Raises:
        Exception: Keras, MLflow or the disk cannot save it; what was written of it is removed, and MLflow shows a
            model that failed.
    """
    import mlflow.tensorflow

    logged = client.create_logged_model(
        run.info.experiment_id,
        name="model",
        source_run_id=run.info.run_id,
        tags=dict(tags),
        params=run.data.params,
    )
    try:
        mlflow.tensorflow.log_model(
            model,
            name="model",
            run_id=run.info.run_id,
            model_id=logged.model_id,
            pip_requirements=[f"{name}=={version}" for name, version in provenance.package_versions().items()],
            signature=signature(model),
        )
    except BaseException:
        # Half of a model on a full disk would leave no place for the run's end.
        folder = local_folder(logged.artifact_location)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def import_keras_model(client: mlflow.MlflowClient, run: Run, file: Path) -> None:
    """Make a file of Keras the model of a run: no more than that is taken from where it comes.

    Args:
        client: The store.
        run: The run.
        file: The file, which is moved.
    """
    logged = client.create_logged_model(
        run.info.experiment_id, name="model", source_run_id=run.info.run_id, params=run.data.params
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / KERAS_FILE).parent.mkdir()
        shutil.move(file, folder / KERAS_FILE)
        described = Model(artifact_path=logged.artifact_location, run_id=run.info.run_id, model_id=logged.model_id)
        described.add_flavor("tensorflow", model_type="keras", data="data", save_format="tf", code=None)
        described.save(str(folder / "MLmodel"))
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run.info.run_id, [LoggedModelOutput(logged.model_id, 0)])


def model_files(client: mlflow.MlflowClient, run: Run, uri: str) -> str | None:
    """Return the address of the folder of a run's model; None where none was saved whole."""
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs:
        return None
    try:
        model = client.get_logged_model(outputs[-1].model_id)
    except MlflowException:
        return None  # deleted
    return located(model.artifact_location, uri) if model.status == LoggedModelStatus.READY else None


def signature(model: keras.Model) -> ModelSignature | None:
    """Return what goes into a model and comes out; None where it does not say, or MLflow has no word for it."""
    try:
        return ModelSignature(inputs=_schema(model.inputs), outputs=_schema(model.outputs))
    except (AttributeError, TypeError, ValueError) as error:
        # A subclassed model has no such tensors, a sequential one none before it is called.
        log.warning("The model is tracked without a signature: %s", str(error).splitlines()[0])
        return None


def _schema(ends: Sequence[Any]) -> Schema:
    return Schema(
        [
            TensorSpec(
                np.dtype(end.dtype),
                (-1, *(-1 if side is None else side for side in end.shape[1:])),
                end.name if len(ends) > 1 else None,
            )
            for end in ends
        ]
    )
