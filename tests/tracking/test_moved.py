"""A store that was moved, copied or emptied: what can be read is a result, and nothing is written where it was."""

import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.tracking._tracking_service.utils import _artifact_repos_cache

from ablate.errors import TrackingError
from ablate.execution.status import STATUS_COLUMNS, RunState, Status, run_state
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.run import track
from ablate.tracking.run_records import runs_of
from ablate.tracking.sqlite import sqlite_address
from ablate.tracking.store import open_store
from ablate.tracking.study_artifacts import log_study_artifacts, read_study_artifacts
from ablate.tracking.study_record import StudyRecord, read_study
from ablate.tracking.tracked_model import find_model, read_config
from tests.support.tracked_runs import TABLE, add_run, open_in


def stands(study: str = "own", identity: str = "i") -> RunState:
    return run_state(runs_of([identity], study, STATUS_COLUMNS), study=study, owner=None)


@pytest.mark.slow
@pytest.mark.parametrize("to_read", [False, True])
def test_a_moved_store_is_read_and_written_where_it_is(old: Path, new: Path, to_read: bool) -> None:
    run = add_run(old)
    report = old / "report.html"
    report.touch()
    log_study_artifacts("own", "report", old, [report])
    log_study_artifacts("own", "turing", old, [report], name="people")
    client = mlflow.MlflowClient()
    model = client.create_logged_model(client.get_run(run).info.experiment_id).model_id
    old.rename(new)
    _artifact_repos_cache.clear()  # as in another process
    uri = open_in(new, to_read=to_read)
    assert stands().status == Status.DONE
    record = read_study("own", uri)
    pd.testing.assert_frame_equal(record.per_example(run), TABLE)
    assert read_config(find_model(run)) == {"seed": 0}
    assert [found.name for found in read_study_artifacts(record.experiment_id, uri, "turing")] == ["people"]
    # Reports and analyses are written into runs of before; a new run, into an experiment of before.
    (new / "report.html").write_text("again")
    log_study_artifacts("own", "report", new, [new / "report.html"])
    assert [file.read_text() for file in new.rglob("artifacts/report/report.html")] == ["again"]
    later = add_run(new, identity="j")
    assert (new / "mlartifacts" / "own" / later / "artifacts" / "config.yaml").is_file()
    # MLflow's own pages and functions find them as well.
    assert mlflow.artifacts.load_text(f"runs:/{run}/config.yaml") == "seed: 0\n"
    assert client.get_logged_model(model).artifact_location.startswith(new.as_uri())
    assert not old.exists()


def test_a_run_resumes_where_its_store_is(old: Path, new: Path) -> None:
    with pytest.raises(KeyboardInterrupt), track(study="own", name="run", tags={}, project=old) as run:
        raise KeyboardInterrupt
    old.rename(new)
    open_in(new)
    with track(study="own", name="run", tags={}, project=new, run_id=run.run_id) as again:
        again.log_text("words", "note.txt")
    assert len(list(new.rglob("note.txt"))) == 1
    assert not old.exists()


@pytest.mark.slow
def test_a_copy_is_a_store_of_its_own(old: Path, new: Path) -> None:
    run = add_run(old)
    shutil.copytree(old, new)
    uri = open_in(new)
    shutil.rmtree(old / "mlartifacts")
    assert read_study("own", uri).per_example(run).equals(TABLE)
    later = add_run(new, identity="j")
    assert (new / "mlartifacts" / "own" / later).is_dir()
    assert not (old / "mlartifacts").exists()
    # Without its artifacts, a copy is read from where they are.
    bare = new.with_name("bare")
    bare.mkdir()
    shutil.copy(new / "mlflow.db", bare)
    assert read_study("own", open_in(bare)).per_example(run).equals(TABLE)


@pytest.mark.slow
def test_options_and_links_make_no_other_store(old: Path, new: Path) -> None:
    run = add_run(old)
    new.symlink_to(old)
    for uri in (f"sqlite:///{old}/mlflow.db?timeout=60", sqlite_address(new / "mlflow.db")):
        open_store(uri)
        assert read_study("own", uri).per_example(run).equals(TABLE)
    with closing(sqlite3.connect(old / "mlflow.db")) as store:
        (address,) = store.execute("SELECT artifact_uri FROM runs").fetchone()
    assert address.startswith(old.as_uri())


def empty(home: Path, run: str) -> str:
    shutil.rmtree(home / "mlartifacts")
    return "metrics.json is gone"


def hollow(home: Path, run: str) -> str:
    (table,) = home.rglob(f"{run}/artifacts/evaluation/per_example.parquet")
    table.write_bytes(b"")
    return "per_example.parquet is gone"


def unmeasured(home: Path, run: str) -> str:
    with closing(sqlite3.connect(home / "mlflow.db")) as store, store:
        store.execute("DELETE FROM latest_metrics")
    return "it has no evaluation metrics"


@pytest.mark.slow
@pytest.mark.parametrize("damage", [empty, hollow, unmeasured])
def test_what_cannot_be_read_is_no_result(old: Path, damage: Callable[[Path, str], str]) -> None:
    run = add_run(old)
    why = damage(old, run)
    found = stands()
    assert found.status == Status.TODO
    assert found.reason.startswith("its result cannot be read, run trains it again: ")
    assert found.reason.endswith(why)
    record = read_study("own", open_in(old))
    assert not record.readable[run]
    assert record.runs.loc[run, "missing"].endswith(why)
    with pytest.raises(TrackingError, match=rf"the result of run {run} cannot be read: .*{why}\. rerun=all trains"):
        find_model(run)
    # Trained again, it is a result.
    add_run(old)
    assert stands().status == Status.DONE


def test_a_damaged_table_is_named(old: Path) -> None:
    run = add_run(old)
    (table,) = old.rglob("per_example.parquet")
    table.write_bytes(table.read_bytes()[:100])
    with pytest.raises(TrackingError, match=rf"per_example\.parquet of run {run} is damaged: .* rerun=all"):
        read_study("own", open_in(old)).per_example(run)


@pytest.mark.parametrize(
    ("place", "contents", "read", "said"),
    [
        ("evaluation/per_example.parquet", {"digest": ["d"]}, StudyRecord.per_example, "it has no column example"),
        (
            "evaluation/per_example.parquet",
            {"example": ["a", None]},
            StudyRecord.per_example,
            "an example has no name",
        ),
        ("evaluation/samples.parquet", {"example": ["a"]}, StudyRecord.samples, "it has no column kind"),
        (
            "evaluation/metrics.json",
            [{"name": "auc"}],
            StudyRecord.metric_specs,
            "its metrics have no higher_is_better",
        ),
        ("provenance/environment.json", [], StudyRecord.packages, "'list' object has no"),
        ("provenance/code.json", {"modules": {}}, StudyRecord.code, "libraries"),
    ],
)
def test_an_artifact_of_other_contents_is_named(
    old: Path, place: str, contents: object, read: Callable[[StudyRecord, str], object], said: str
) -> None:
    run = add_run(old)
    (evaluation,) = old.rglob("evaluation")
    file = evaluation.parent / place
    file.parent.mkdir(exist_ok=True)
    if file.suffix == ".parquet":
        pd.DataFrame(contents).to_parquet(file)
    else:
        file.write_text(json.dumps(contents))
    with pytest.raises(TrackingError, match=rf"{place} of run {run} is damaged: .*{said}.* rerun=all"):
        read(read_study("own", open_in(old)), run)


def collect(study: str) -> None:
    """Delete a study, and what `mlflow gc` does then."""
    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name(study)
    assert experiment is not None
    store = SqlAlchemyStore(mlflow.get_tracking_uri(), "unused")
    runs = client.search_runs([experiment.experiment_id])
    client.delete_experiment(experiment.experiment_id)
    for run in runs:
        shutil.rmtree(Path(mlflow.artifacts.download_artifacts(run.info.artifact_uri)))
        store._hard_delete_run(run.info.run_id)
    store._hard_delete_experiment(experiment.experiment_id)


@pytest.mark.slow
def test_a_cached_result_ends_with_the_study_that_made_it(old: Path) -> None:
    source = add_run(old, study="source")
    link_cached_run(source, study="own", variant="baseline", project=old)
    cached = stands()
    assert (cached.status, cached.study) == (Status.CACHED, "own")
    # A study that is only deleted can be restored, and read.
    client, experiment = mlflow.MlflowClient(), mlflow.get_experiment_by_name("source")
    assert experiment is not None
    client.delete_experiment(experiment.experiment_id)
    assert stands().status == Status.CACHED
    client.restore_experiment(experiment.experiment_id)
    collect("source")
    found = stands()
    assert found.status == Status.TODO
    assert found.reason.endswith(f"run {source}, whose result it shows, is gone")
    record = read_study("own", open_in(old))
    (run,) = record.runs.index
    assert record.artifacts[run] is None
    assert not record.readable[run]
    with pytest.raises(TrackingError, match=f"run {run} has no artifact evaluation/per_example.parquet: run {source}"):
        record.per_example(run)
    with pytest.raises(
        TrackingError, match=f"run {source}, whose result it shows, is gone. rerun=all trains it again"
    ):
        find_model(run)
    # It may be a third study's as well.
    add_run(old, study="third")
    assert (stands().status, stands().study) == (Status.CACHED, "third")


@pytest.mark.slow
def test_reading_asks_the_store_no_more_for_more_runs(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[str]()
    whole = SqlAlchemyStore.search_runs

    def search_runs(store: SqlAlchemyStore, *arguments: object, **options: object) -> object:
        asked.append(json.dumps([str(argument) for argument in arguments]))
        return whole(store, *arguments, **options)

    monkeypatch.setattr(SqlAlchemyStore, "search_runs", search_runs)
    counts = []
    for many in (1, 3):
        for place in range(many):
            link_cached_run(
                add_run(old, study="source", identity=f"{many}{place}"), study="own", variant="b", project=old
            )
        asked.clear()
        read_study("own", os.fspath(open_in(old)))
        counts.append(len(asked))
    assert counts == [2, 2]
