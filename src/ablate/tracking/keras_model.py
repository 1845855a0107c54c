"""A Keras model in MLflow's format, as the output of one run."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.entities import Run
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec

from ablate.tracking import provenance
from ablate.tracking.sqlite import local_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import keras

log = logging.getLogger(__name__)


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
