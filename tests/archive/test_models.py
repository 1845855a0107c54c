"""Models in an archive: a file of Keras each, of which the store makes a model again."""

import os
from pathlib import Path

import numpy as np
import pytest

from ablate.archive.read import opened_archive
from ablate.archive.transfer import export_study, import_archive
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from ablate.tracking.tracked_model import find_model, load_model
from tests.support.archives import members_of
from tests.support.tracked_runs import TABLE, TAGS


@pytest.mark.slow
def test_a_model_predicts_the_same_after_import(home: Path, empty_store: Path) -> None:
    import keras
    import mlflow.tensorflow

    from ablate.task import Evaluation, Metric

    uri = os.environ["MLFLOW_TRACKING_URI"]
    open_store(uri)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with track(study="own", name="x", tags=TAGS, project=home) as run:
        run.log_config({"seed": 0})
        run.log_evaluation(Evaluation({"auc": 1.0}, {}, TABLE), [Metric("auc", "AuC", "%", True, "")])
        run.log_model(model)
    export_study("own", uri, home / "plain.zip")
    export_study("own", uri, home / "models.zip", models=True)
    assert len(members_of(home / "models.zip")) == len(members_of(home / "plain.zip")) + 1

    (home / "new").mkdir()
    (home / "new" / "mlflow.db").write_bytes(empty_store.read_bytes())
    fresh = f"sqlite:///{home}/new/mlflow.db"
    open_store(fresh)
    with opened_archive(home / "models.zip") as archive:
        import_archive(archive, fresh, home)
    now = str(read_study("own", fresh).runs.index[0])
    inputs = np.ones((4, 3), np.float32)
    wanted = model.predict(inputs, verbose=0)
    np.testing.assert_array_equal(load_model(find_model(now)).predict(inputs, verbose=0), wanted)
    loaded = mlflow.tensorflow.load_model(f"runs:/{now}/model")
    np.testing.assert_array_equal(loaded.predict(inputs, verbose=0), wanted)
    assert not list((home / "new").rglob("artifacts/model.keras"))
    export_study("own", fresh, home / "again.zip", models=True)
    assert (home / "again.zip").read_bytes() == (home / "models.zip").read_bytes()
