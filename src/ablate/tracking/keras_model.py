"""A Keras model in MLflow's format, as the output of one run."""

from __future__ import annotations

import logging
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature
from mlflow.types import Schema, TensorSpec

from ablate.errors import DataError
from ablate.tracking import provenance
from ablate.tracking.served_model import KERAS_FILE, read_served, write_served
from ablate.tracking.sqlite import local_folder, located

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import keras

    from ablate.task import ServedModel

log = logging.getLogger(__name__)

_ENVIRONMENT = {"conda_env": "conda.yaml", "python_env": "python_env.yaml"}
"""The files in which MLflow keeps what a model needs."""
_OWN_LOADERS = "ablate."
"""Beginning of the modules that a model from elsewhere may be served by: they ship with this package."""


def log_keras_model(
    client: mlflow.MlflowClient,
    run: Run,
    model: keras.Model,
    tags: Mapping[str, str],
    served: ServedModel | None = None,
) -> None:
    """Write a model of which `mlflow.tensorflow.load_model` and `mlflow.keras.load_model` make the same again.

    Args:
        client: The store.
        run: The run that trained it, whatever MLflow's environment calls the active run, experiment or model.
        model: The model.
        tags: Tags of the model.
        served: What `mlflow.pyfunc.load_model` makes of it, and `mlflow models serve`; None for Keras' arrays.

    Raises:
        Exception: Keras, MLflow or the disk cannot save it; what was written of it is removed, and MLflow shows a
            model that failed.
    """
    logged = client.create_logged_model(
        run.info.experiment_id,
        name="model",
        source_run_id=run.info.run_id,
        tags=dict(tags),
        params=run.data.params,
    )
    try:
        Model.log(
            artifact_path=None,
            name="model",
            flavor=_Format,
            run_id=run.info.run_id,
            model_id=logged.model_id,
            model=model,
            served=served,
            # It would load the model and predict, in every run.
            validate_serving_input=False,
        )
    except BaseException:  # raised again
        # Half of a model on a full disk would leave no place for the run's end.
        folder = local_folder(logged.artifact_location)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
        raise


class _Format:
    """What MLflow saves a model with: its own format of Keras' models, with more than it has."""

    @staticmethod
    def save_model(
        path: str, mlflow_model: Model, model: keras.Model, served: ServedModel | None, **_options: bool
    ) -> None:
        """Write a model to a folder."""
        import mlflow.tensorflow

        described = signature(model)
        if described is None:  # which it says as well
            logging.getLogger("mlflow.tensorflow").setLevel(logging.ERROR)
        mlflow.tensorflow.save_model(
            model,
            path,
            mlflow_model=mlflow_model,
            pip_requirements=[f"{name}=={version}" for name, version in provenance.package_versions().items()],
            signature=described,
        )
        _complete(mlflow_model, Path(path), served, **_ENVIRONMENT)


def _complete(described: Model, folder: Path, served: ServedModel | None, **environment: str) -> None:
    """Describe a model of Keras to `mlflow.keras` as well, and how it is served."""
    described.add_flavor("keras", **described.flavors["tensorflow"])
    if served is not None:
        write_served(served, described, folder, **environment)
    described.save(str(folder / "MLmodel"))


def import_keras_model(client: mlflow.MlflowClient, run: Run, file: Path, served: Path) -> None:
    """Make a file of Keras the model of a run: no more is taken from where it comes than how it is served.

    Args:
        client: The store.
        run: The run.
        file: The file, which is moved.
        served: A file that says how it is served, which is moved where there is one. It counts where the code that
            serves it is this package's own.
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
        _complete(described, folder, _own(served, run))
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run.info.run_id, [LoggedModelOutput(logged.model_id, 0)])


def _own(file: Path, run: Run) -> ServedModel | None:
    """Read how a model from elsewhere is served; None where nothing says so, or it is by code that is not ours."""
    if not file.is_file():
        return None
    try:
        served = read_served(file)
        if not served.loader.startswith(_OWN_LOADERS):
            raise DataError(f"it is served by {served.loader}, and no code of others is run")
    except DataError as error:
        log.warning("The model of run %s takes and gives arrays: %s", run.info.run_id, error)
        return None
    finally:
        file.unlink()
    return served


def logged_model(client: mlflow.MlflowClient, run: Run) -> LoggedModel | None:
    """Return the model of a run; None where none was saved whole."""
    outputs = run.outputs.model_outputs if run.outputs else []
    if not outputs:
        return None
    try:
        model = client.get_logged_model(outputs[-1].model_id)
    except MlflowException:
        return None  # deleted
    return model if model.status == LoggedModelStatus.READY else None


def model_files(client: mlflow.MlflowClient, run: Run, uri: str) -> str | None:
    """Return the address of the folder of a run's model; None where none was saved whole."""
    model = logged_model(client, run)
    return None if model is None else located(model.artifact_location, uri)


def signature(model: keras.Model) -> ModelSignature | None:
    """Return what goes into a model and comes out; None where it does not say, or MLflow has no word for it."""
    try:
        return ModelSignature(inputs=_schema(model.inputs), outputs=_schema(model.outputs))
    except AttributeError:
        # A subclassed model has no such tensors, a sequential one none before it is called.
        log.warning("The model is tracked without a signature: a subclassed one does not say what it takes and gives")
    except (TypeError, ValueError) as error:
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
