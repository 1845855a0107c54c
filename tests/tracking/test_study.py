"""A study as an experiment of MLflow."""

import os
from pathlib import Path

import mlflow
import pytest

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.store import open_store
from ablate.tracking.study import LIMIT, join_pieces, record_study, study_experiment


@pytest.fixture
def home_store(home: Path) -> Path:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return home


def test_a_deleted_study_is_named(home_store: Path) -> None:
    experiment = study_experiment("adhoc", home_store).experiment_id
    assert study_experiment("adhoc", home_store).experiment_id == experiment
    mlflow.MlflowClient().delete_experiment(experiment)
    with pytest.raises(TrackingError, match="study adhoc was deleted in MLflow: restore it"):
        study_experiment("adhoc", home_store)


@pytest.mark.slow
@pytest.mark.parametrize("length", [1, LIMIT - 60, 3 * LIMIT])
def test_a_long_definition_comes_back_whole(length: int, home_store: Path) -> None:
    record_study("own", {"question": "Why?", "note": "x" * length}, ["a = b"] * length, home_store)
    # A shorter one takes its place.
    record_study("own", {"question": "q" * length, "note": "y" * (length // 2)}, [], home_store)
    tags = mlflow.MlflowClient().get_experiment_by_name("own").tags
    assert join_pieces(tags, names.DEFINITION_TAG).count("y") == length // 2
    assert join_pieces(tags, names.ALIASES_TAG) == "none"
    assert len(tags[names.QUESTION_TAG]) == min(length, LIMIT)
