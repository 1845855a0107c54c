"""Two runs that write what they share at the same moment."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
import sqlalchemy
from mlflow.exceptions import MlflowException

from ablate.tracking.retry import retry_taken
from ablate.tracking.store import open_store
from ablate.tracking.study import set_experiment_tags, study_experiment
from tests.support.stores import DATA


@contextmanager
def just_before(statement: str, other: Callable[[], object]) -> Iterator[list[str]]:
    """Let another process do something between MLflow's look at the store and its first such statement."""
    seen = list[str]()

    def act(*arguments: object) -> None:
        text = str(arguments[2])
        if statement in text and not seen:
            seen.append(text)
            other()

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", act)
    try:
        yield seen
    finally:
        sqlalchemy.event.remove(sqlalchemy.engine.Engine, "before_cursor_execute", act)


def test_two_runs_that_log_the_same_data_set_at_once_both_have_it(start: Callable) -> None:
    with start() as first, start() as second:
        with just_before("INSERT INTO datasets", lambda: second.log_data(DATA)) as seen:
            first.log_data(DATA)
        assert seen
        runs = [mlflow.get_run(run.run_id) for run in (first, second)]
    inputs = [sorted((one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs) for run in runs]
    assert inputs[0] == inputs[1] != []


def test_two_runs_that_describe_their_study_at_once_both_succeed(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    study = study_experiment("both", home)
    with just_before("INSERT INTO experiment_tags", lambda: set_experiment_tags(study, {"what": "second"})) as seen:
        set_experiment_tags(study, {"what": "first"})
    assert seen
    assert study_experiment("both", home).tags["what"] == "first"


def test_other_errors_of_the_store_are_raised_at_once() -> None:
    calls = list[int]()

    def write() -> None:
        calls.append(1)
        raise MlflowException("disk I/O error")

    with pytest.raises(MlflowException, match="disk I/O error"):
        retry_taken(write)
    assert len(calls) == 1
