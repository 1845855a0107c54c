"""A run that is written: metrics, configuration and artifacts."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from ablate.tracking.study_record import StudyRecord

Study = Callable[[], StudyRecord]


@pytest.mark.slow
def test_metrics_of_a_run_are_written_together_and_none_is_lost(start: Callable, study: Study) -> None:
    with start() as run:
        for step in range(2500):
            run.log_metrics({"train/loss": float(step)}, step)
    assert study().curve(run.run_id, "train/loss")["value"].tolist() == list(range(2500))


@pytest.mark.slow
def test_long_values_and_odd_keys_of_a_configuration_are_kept(start: Callable, study: Study) -> None:
    config = {"a": {"b": [1, 2], "empty": {}}, "long": "x" * 10_000, "none": None}
    with start() as run:
        run.log_config(config)
    params = study().params.loc[run.run_id]
    assert (params["a.b"], params["a.empty"], params["none"]) == ("[1, 2]", "{}", "None")
    assert params["long"] == "x" * 6000
    assert "x" * 10_000 in mlflow.artifacts.load_text(f"runs:/{run.run_id}/config.yaml")


def test_artifacts_lie_beside_the_store(start: Callable, home: Path) -> None:
    with start() as run:
        run.log_text("words", "note.txt")
    assert (home / "mlartifacts" / "adhoc" / run.run_id / "artifacts" / "note.txt").read_text() == "words"
