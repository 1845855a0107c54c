"""Reading the files of runs: where they are, without asking the store for each."""

import os
from pathlib import Path

import pandas as pd
import pytest
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

from ablate.errors import TrackingError
from ablate.task import Evaluation, Metric
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.run import track
from ablate.tracking.store import open_store
from ablate.tracking.study_record import StudyRecord, read_study

TABLE = pd.DataFrame({"example": ["cat", "dog"], "digest": ["c", "d"], "auc": [1.0, 2.0]})
SPREAD = pd.DataFrame({"a": [0, 1], "b": [0, 1], "truth": [3, 4], "output": [5, 6]})


def add_run(home: Path, distribution: pd.DataFrame | None) -> str:
    tags = {"ablate.variant": "baseline", "ablate.seed": "0", "ablate.identity": "i"}
    tags["ablate.data.fingerprint"] = "f"
    with track(study="own", name="run", tags=tags, project=home) as run:
        evaluation = Evaluation({"auc": 1.5}, {}, TABLE, distribution=distribution)
        run.log_evaluation(evaluation, [Metric("auc", "AuC", "%", True, "")])
    return run.run_id


@pytest.fixture
def uri(home: Path) -> str:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    open_store(uri)
    return uri


def check_files(record: StudyRecord, full: str, bare: str) -> None:
    for run in (full, bare):
        pd.testing.assert_frame_equal(record.per_example(run), TABLE)
        assert record.metric_specs(run).index.tolist() == ["auc"]
        assert record.samples(run).empty
    found = record.distribution(full)
    assert found is not None
    pd.testing.assert_frame_equal(found, SPREAD)
    assert record.distribution(bare) is None


def test_files_are_read_without_asking_the_store_for_their_run(
    home: Path, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, bare = add_run(home, SPREAD), add_run(home, None)
    record = read_study("own", uri)
    monkeypatch.delattr(SqlAlchemyStore, "get_run")
    check_files(record, full, bare)


@pytest.mark.slow
def test_files_of_a_cached_run_are_those_of_its_source(home: Path, uri: str) -> None:
    sources = [add_run(home, SPREAD), add_run(home, None)]
    for run in sources:
        link_cached_run(run, study="other", variant="baseline", project=home)
    record = read_study("other", uri)
    full, bare = (record.runs.index[record.runs["cached_from"] == run].item() for run in sources)
    check_files(record, full, bare)


def test_a_missing_file_is_named(home: Path, uri: str) -> None:
    run = add_run(home, None)
    next(home.rglob("per_example.parquet")).unlink()
    with pytest.raises(TrackingError, match=f"run {run} has no artifact evaluation/per_example.parquet: No such"):
        read_study("own", uri).per_example(run)


def test_results_are_told_from_circumstances_by_their_group(home: Path, uri: str) -> None:
    evaluated = add_run(home, None)
    tags = {"ablate.variant": "baseline", "ablate.seed": "1", "ablate.identity": "j"}
    tags["ablate.data.fingerprint"] = "f"
    with track(study="own", name="run", tags=tags, project=home) as run:
        run.log_metrics({"medieval/age": 1.0, "train/loss": 2.0, "system/disk_usage": 3.0, "loss": 4.0})
    record = read_study("own", uri)
    assert record.results.loc[run.run_id].dropna().to_dict() == {"medieval/age": 1.0, "train/loss": 2.0, "loss": 4.0}
    assert record.readable.to_dict() == {evaluated: True, run.run_id: False}
