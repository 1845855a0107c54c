"""A served model: a `python_function` flavour of MLflow that hands requests to the code that a task names.

MLflow imports this module where it loads such a model; see `ablate.task.ServedModel`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

from mlflow import pyfunc
from mlflow.exceptions import MlflowException
from mlflow.models import Model, ModelSignature, convert_input_example_to_serving_input
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE
from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema
from pydantic import TypeAdapter, ValidationError

from ablate.errors import AblateError, DataError
from ablate.task import ServedModel
from ablate.tracking.names import SERVED_FILE

KERAS_FILE = "data/model.keras"
"""Where MLflow keeps what Keras saved, in the folder of a model."""
_EXAMPLE_FILE, _REQUEST_FILE = "input_example.json", "serving_input_example.json"
_TYPES = {bool: DataType.boolean, int: DataType.long, float: DataType.double, str: DataType.string}


def write_served(served: ServedModel, described: Model, folder: Path, **environment: str) -> None:
    """Make a model in MLflow's format one that is served as its task says.

    Args:
        served: How.
        described: The model's description, which gets the flavour, the signature and the example.
        folder: Of the model.
        environment: What `pyfunc.add_to_model` takes as the files of its environment.
    """
    (folder / SERVED_FILE).write_text(json.dumps(asdict(served), indent=1))
    (folder / _EXAMPLE_FILE).write_text(json.dumps(served.example))
    (folder / _REQUEST_FILE).write_text(convert_input_example_to_serving_input(served.example) or "")
    described.saved_input_example_info = {
        "artifact_path": _EXAMPLE_FILE,
        "serving_input_path": _REQUEST_FILE,
        "type": "json_object",
    }
    described.signature = signature_of(served)
    pyfunc.add_to_model(described, loader_module=__name__, **environment)


def read_served(file: Path) -> ServedModel:
    """Read how a model is served.

    Raises:
        DataError: The file does not say.
    """
    try:
        served = TypeAdapter(ServedModel).validate_json(file.read_bytes())
        # What MLflow makes of it has to be possible, too.
        signature_of(served)
        convert_input_example_to_serving_input(served.example)
        return served
    except (OSError, ValidationError, KeyError, TypeError, MlflowException) as error:
        raise DataError(f"{file.name} does not say how the model is served: {str(error).splitlines()[0]}") from None


def signature_of(served: ServedModel) -> ModelSignature:
    """Return the signature that MLflow shows, which leaves the check of what comes in to the model.

    MLflow's own check of a column of bytes takes no arrays. It checks nothing where a signature comes from the type
    hint of a Python model, which then does.
    """
    said = ModelSignature(
        Schema([ColSpec(DataType[kind], name) for name, kind in served.inputs.items()]),
        Schema([ColSpec(DataType[kind], name) for name, kind in served.outputs.items()]),
        ParamSchema([ParamSpec(name, _TYPES[type(value)], value) for name, value in served.params.items()]),
    )
    described = Model.from_dict({"signature": said.to_dict(), "is_signature_from_type_hint": True})
    assert isinstance(described.signature, ModelSignature)
    return described.signature


class Refused(MlflowException):
    """An error of a request whose message stays as it is: MLflow's server would put the whole request before it."""

    @property
    def message(self) -> str:
        """What is wrong."""
        return self._message

    @message.setter
    def message(self, text: str) -> None:
        self._message: str = getattr(self, "_message", text)


class _Predictor:
    """What MLflow predicts with: one request at a time, so that memory is that of one."""

    def __init__(self, predict: Callable[[Any, Mapping[str, Any]], Any], params: Mapping[str, Any]):
        self._predict, self._params, self._lock = predict, params, Lock()

    def predict(self, data: Any, params: Mapping[str, Any] | None = None) -> Any:
        """Predict, see `PyFuncModel.predict`.

        Raises:
            Refused: The task cannot take the request.
        """
        with self._lock:
            try:
                return self._predict(data, {**self._params, **(params or {})})
            except AblateError as error:
                raise Refused(str(error), INVALID_PARAMETER_VALUE) from None


def _load_pyfunc(path: str) -> _Predictor:
    """Load a model for MLflow, from the folder that has it."""
    folder = Path(path)
    served = read_served(folder / SERVED_FILE)
    load = import_module(served.loader).load_served
    return _Predictor(load(folder / KERAS_FILE, served.settings), served.params)
