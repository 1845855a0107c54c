"""A study as an experiment of MLflow."""

import os
from itertools import pairwise
from pathlib import Path

import mlflow
import pytest
import yaml

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.store import open_store
from ablate.tracking.study import LIMIT, definition_of, join_pieces, parse_yaml, record_study, study_experiment
from ablate.tracking.study_note import study_note


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


LAUGHS = ", ".join(
    ["[&a [x, x, x, x]", *(f"&{one} [*{before}, *{before}, *{before}]" for before, one in pairwise("abcdefghijklm"))]
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 5000, "it nests too deeply"),
        (f"{LAUGHS}]", "its aliases stand for more"),
        ("&a [*a]", "its aliases stand"),
    ],
)
def test_yaml_that_was_made_to_do_harm_is_refused(text: str, said: str) -> None:
    with pytest.raises(yaml.YAMLError, match=said):
        parse_yaml(text)
    assert definition_of({names.DEFINITION_TAG: text}) is None
    assert parse_yaml("{a: &a [1], b: *a}") == {"a": [1], "b": [1]}


def test_a_definition_that_was_edited_to_something_else_is_described_as_none() -> None:
    whole = {"question": "Why?", "baseline": {"a": 1}, "factors": {"a": [1, 2]}, "design": "list", "seeds": [0]}
    whole["metric"] = {"name": "auc", "direction": "maximize"}
    assert "**Why?**" in study_note(whole, name="own", experiment_id="1", limit=LIMIT)
    for key, value in (("seeds", 5), ("design", "mine"), ("factors", [1]), ("metric", "auc"), ("baseline", {})):
        said = study_note({**whole, key: value}, name="own", experiment_id="1", limit=LIMIT)
        assert "study=own` compares them" in said
