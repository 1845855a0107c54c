"""Served models, described by a file of their own or by one from elsewhere."""

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import mlflow
import numpy as np
import pytest

from ablate.errors import DataError
from ablate.task import ServedModel
from ablate.tracking.keras_model import import_keras_model
from ablate.tracking.served_model import read_served
from ablate.tracking.store import open_store
from tests.support.tracked_runs import add_run

SERVED = ServedModel(
    loader="ablate.colorize.served",
    settings={"color": {"temperature": 0.38}},
    inputs={"picture": "binary", "name": "string"},
    outputs={"picture": "binary"},
    params={"temperature": 0.5, "output": "pictures", "many": 3, "fast": False},
    example=["aGk="],
)


def written(folder: Path, **changes: Any) -> Path:
    (folder / "served.json").write_text(json.dumps({**asdict(SERVED), **changes}))
    return folder / "served.json"


def test_a_file_says_how_a_model_is_served(tmp_path: Path) -> None:
    assert read_served(written(tmp_path)) == SERVED
    assert read_served(written(tmp_path, loader="lab.own")) == replace(SERVED, loader="lab.own")


BROKEN = {
    "settings": {"settings": [1]},
    "a type": {"inputs": {"picture": "photograph"}},
    "no inputs": {"inputs": {}},
    "no loader": {"loader": None},
    "a parameter": {"params": {"x": [1]}},
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_says_something_else_is_named(tmp_path: Path, what: str) -> None:
    with pytest.raises(DataError, match=r"served\.json does not say how the model is served"):
        read_served(written(tmp_path, **BROKEN[what]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "loader"),
    [
        ({}, "ablate.tracking.served_model"),
        ({"loader": "mlflow.sklearn"}, None),
        ({"loader": "ablated.evil"}, None),
        *((each, None) for each in BROKEN.values()),
        (None, None),
    ],
)
def test_a_model_from_elsewhere_is_served_by_this_package_alone(
    home: Path, changes: dict[str, Any] | None, loader: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    client, run_id = mlflow.MlflowClient(), add_run(home)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.save(home / "model.keras")
    served = home / "served.json" if changes is None else written(home, **changes)
    import_keras_model(client, client.get_run(run_id), home / "model.keras", served)
    flavors = mlflow.models.get_model_info(f"runs:/{run_id}/model").flavors
    assert flavors.get("python_function", {}).get("loader_module") == loader
    assert ("takes and gives arrays" in caplog.text) == (loader is None and changes is not None)
    assert not served.exists()
    inputs = np.ones((1, 3), np.float32)
    same = mlflow.tensorflow.load_model(f"runs:/{run_id}/model").predict(inputs, verbose=0)
    np.testing.assert_array_equal(same, model.predict(inputs, verbose=0))
