"""Import into stores that have something already: nothing twice, no second result of an identity, nothing half."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from ablate.archive.read import opened_archive
from ablate.archive.transfer import Imported, export_study, import_archive, temporary_store
from ablate.errors import DataError, TrackingError
from ablate.execution.status import STATUS_COLUMNS, Status, run_state
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.run import track
from ablate.tracking.run_records import runs_of
from ablate.tracking.store import open_store
from ablate.tracking.study_artifacts import log_study_artifacts, read_study_artifacts
from ablate.tracking.study_record import read_study
from tests.support.archives import changed, members_of, with_runs, write_members
from tests.support.stores import ODD, add_run, record_hand_made

Store = Callable[..., str]


@pytest.fixture
def store(tmp_path: Path, empty_store: Path) -> Store:
    """Make and open a store of a name; it is only opened where it is there already."""

    def make(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        if not (folder / "mlflow.db").exists():
            shutil.copy(empty_store, folder / "mlflow.db")
        uri = f"sqlite:///{folder}/mlflow.db"
        open_store(uri)
        return uri

    return make


def take(file: Path, uri: str, *, keep: bool = False) -> Imported:
    open_store(uri)
    with opened_archive(file) as archive:
        return import_archive(archive, uri, file.parent, keep=keep)


def folder_of(uri: str) -> Path:
    return Path(uri.removeprefix("sqlite:///")).parent


def states(study: str, *identities: str) -> list[Status]:
    return [run_state(runs_of([each], study, STATUS_COLUMNS), study=study, owner=None).status for each in identities]


@pytest.mark.slow
def test_imported_results_are_cache_hits_of_their_study_and_of_others(archive: Path, store: Store) -> None:
    uri = store("new")
    take(archive, uri)
    assert states("hand", "baseline0", f"{ODD}2", "other") == [Status.DONE, Status.DONE, Status.TODO]
    assert states("another", "baseline0") == [Status.CACHED]
    run = str(read_study("hand", uri).runs.index[-1])
    link_cached_run(run, study="another", variant="baseline", project=folder_of(uri))
    linked = read_study("another", uri)
    assert linked.runs["cached_from"].tolist() == [run]
    assert len(linked.curve(str(linked.runs.index[0]), "train/loss")) == 3
    assert not linked.origins[str(linked.runs.index[0])].imported


@pytest.mark.slow
def test_a_cached_run_brings_what_it_shows(store: Store, tmp_path: Path) -> None:
    uri = store("old")
    source = add_run(folder_of(uri), "baseline", 0, study="first")
    link_cached_run(source, study="second", variant="baseline", project=folder_of(uri))
    before = read_study("second", uri)
    (then,) = before.runs.index
    table, curve = before.per_example(then), before.curve(then, "train/loss")
    export_study("second", uri, tmp_path / "second.zip")
    fresh = store("new")
    take(tmp_path / "second.zip", fresh)
    after = read_study("second", fresh)
    (now,) = after.runs.index
    assert after.runs["cached_from"].tolist() == [source]
    assert after.readable.all()
    pd.testing.assert_frame_equal(after.per_example(now), table)
    pd.testing.assert_frame_equal(after.curve(now, "train/loss"), curve)
    assert states("second", "baseline0") == [Status.CACHED]
    export_study("second", fresh, tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


@pytest.mark.slow
def test_one_identity_has_one_result(archive: Path, store: Store, tmp_path: Path) -> None:
    uri = store("own")
    own = add_run(folder_of(uri), "baseline", 0)  # the same bits
    assert take(archive, uri) == Imported("hand", added=5, there=0, same=1, kept=0)
    assert own in read_study("hand", uri).runs.index

    other = store("other")
    add_run(folder_of(other), ODD, 1, gain=4.0)
    with pytest.raises(DataError) as refused:
        take(archive, other)
    message = str(refused.value)
    assert "the store has other results for 1 run of study hand" in message
    assert "<i>odd</i>, seed 1" in message
    assert "eval/auc 7" in message
    assert re.search(r"eval/auc (7[\d.]+), there (7[\d.]+) \(\+[\d.]+\); eval/rmse 2", message)
    assert "conflicts=keep" in message
    assert len(read_study("hand", other).runs) == 1
    assert take(archive, other, keep=True) == Imported("hand", added=5, there=0, same=0, kept=1)
    assert take(archive, other, keep=True) == Imported("hand", added=0, there=5, same=0, kept=1)
    export_study("hand", other, tmp_path / "other.zip")
    both = temporary_store([archive, tmp_path / "other.zip"])
    with pytest.raises(DataError, match=r"for 1 run of[^N]*Name one of them alone"), both:
        pass


@pytest.mark.slow
def test_a_run_that_was_repeated_stays_two(store: Store, tmp_path: Path) -> None:
    uri = store("old")
    for _ in range(2):
        add_run(folder_of(uri), "baseline", 0)
    export_study("hand", uri, tmp_path / "a.zip")
    fresh = store("new")
    part = with_runs(tmp_path / "a.zip", tmp_path / "part.zip", lambda tags: True, most=1)
    assert take(part, fresh).added == 1
    assert take(tmp_path / "a.zip", fresh) == Imported("hand", added=1, there=1, same=0, kept=0)


@pytest.mark.slow
def test_what_a_killed_import_left_does_not_count_and_is_removed(
    archive: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri, client = store("new"), mlflow.MlflowClient
    for method in ("log_inputs", "log_artifacts", "set_terminated"):
        with monkeypatch.context() as patch:
            patch.setattr(client, method, _killed)
            with pytest.raises(KeyboardInterrupt):
                take(archive, uri)
        assert states("hand", "baseline0") == [Status.TODO]
        with pytest.raises(TrackingError, match="has no runs yet"):
            read_study("hand", uri)
    assert take(archive, uri).added == 6
    experiment = client().get_experiment_by_name("hand")
    assert len(client().search_runs([experiment.experiment_id])) == 6


def _killed(*arguments: object, **options: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
def test_what_had_not_finished_is_replaced_once_it_has(store: Store, tmp_path: Path) -> None:
    uri = store("old")
    home, given = folder_of(uri), {"variant": "baseline", "seed": "0", "identity": "i", "study": "hand"}
    tags = {f"ablate.{name}": value for name, value in given.items()}
    with pytest.raises(OSError, match="full"), track(study="hand", name="x", tags=tags, project=home) as run:
        raise OSError("disk full")
    add_run(home, ODD, 1)
    export_study("hand", uri, tmp_path / "first.zip")
    fresh = store("new")
    assert take(tmp_path / "first.zip", fresh).added == 2
    assert states("hand", "i") == [Status.INTERRUPTED]

    open_store(uri)
    with track(study="hand", name="x", tags=tags, project=home, run_id=run.run_id) as again:
        again.set_tags({"ablate.data.fingerprint": "f"})
        again.log_metrics({"eval/auc": 1.0})
    export_study("hand", uri, tmp_path / "later.zip")
    assert take(tmp_path / "later.zip", fresh) == Imported("hand", added=1, there=1, same=0, kept=0)
    assert len(read_study("hand", fresh).runs) == 2
    # The parts of a study that continues.
    open_store(uri)
    export_study("hand", uri, tmp_path / "part.zip", without=[tmp_path / "first.zip"])
    with opened_archive(tmp_path / "part.zip") as part:
        assert [each.run.id for each in part.runs] == [run.run_id]
    with pytest.raises(TrackingError, match="has no more runs"):
        export_study("hand", uri, tmp_path / "x.zip", without=[tmp_path / "part.zip", tmp_path / "first.zip"])


@pytest.mark.slow
def test_the_newer_of_two_definitions_is_kept_and_another_study_refused(store: Store, tmp_path: Path) -> None:
    old = store("old")
    record_hand_made(folder_of(old), seeds=[0, 1])
    add_run(folder_of(old), "baseline", 0)
    export_study("hand", old, tmp_path / "older.zip")
    record_hand_made(folder_of(old), seeds=[0, 1, 2])
    export_study("hand", old, tmp_path / "newer.zip")
    for order in (("older", "newer"), ("newer", "older")):
        uri = store("-".join(order))
        for name in order:
            take(tmp_path / f"{name}.zip", uri)
        record = read_study("hand", uri)
        assert "- 2\n" in str(record.definition)
        assert record.registered is not None
        assert "- 2\n" not in record.registered
    other = store("other")
    record_hand_made(folder_of(other), question="Another?")
    with pytest.raises(TrackingError, match=r"another study hand: its definition has the stamp [0-9a-f]{8}, and"):
        take(tmp_path / "older.zip", other)


@pytest.mark.slow
def test_human_evaluations_come_too_and_the_report_does_not(store: Store, tmp_path: Path) -> None:
    uri = store("old")
    add_run(folder_of(uri), "baseline", 0)
    (tmp_path / "rates.parquet").write_bytes(b"")
    pd.DataFrame({"rate": [31.5]}).to_parquet(tmp_path / "rates.parquet")
    pd.DataFrame({"real": [b"\x89PNG"]}).to_parquet(tmp_path / "pictures.parquet")
    files = [tmp_path / "rates.parquet", tmp_path / "pictures.parquet"]
    run = log_study_artifacts("hand", "turing", tmp_path, files, name="people")
    log_study_artifacts("hand", "report", tmp_path, files)
    experiment = read_study("hand", uri).experiment_id
    export_study("hand", uri, tmp_path / "a.zip", samples=False)
    fresh = store("new")
    assert take(tmp_path / "a.zip", fresh).added == 2
    record = read_study("hand", fresh)
    (found,) = read_study_artifacts(record.experiment_id, fresh, "turing")
    assert (found.name, found.run_id) == ("people", run)
    assert pd.read_parquet(found.folder / "rates.parquet")["rate"].tolist() == [31.5]
    assert pd.read_parquet(found.folder / "pictures.parquet").empty
    assert read_study_artifacts(record.experiment_id, fresh, "report") == []
    assert record.origins[str(record.runs.index[0])].experiment_id == experiment


@pytest.mark.slow
def test_numbers_are_the_same_bits(store: Store, tmp_path: Path) -> None:
    uri, values = store("old"), np.array([0.1, -0.0, 5e-324, np.nan, np.inf, -np.inf, 1 / 3, 1e30])
    run = add_run(folder_of(uri), "baseline", 0)
    artifacts = folder_of(uri) / "mlartifacts" / "hand" / run / "artifacts" / "evaluation"
    table = pd.DataFrame(
        {"example": list("abcdefgh"), "auc": values, "half": values.astype("float32"), "is": values > 0}
    )
    table.to_parquet(artifacts / "per_example.parquet", index=False)
    client = mlflow.MlflowClient()
    for step, value in enumerate(values[np.isfinite(values)]):
        client.log_metric(run, "train/odd", value, step=step)
    client.log_metric(run, "eval/nan", float("nan"))
    export_study("hand", uri, tmp_path / "a.zip")
    before = read_study("hand", uri)
    curve = before.curve(run, "train/odd")
    fresh = store("new")
    take(tmp_path / "a.zip", fresh)
    record = read_study("hand", fresh)
    now = str(record.runs.index[0])
    found = record.per_example(now)
    pd.testing.assert_frame_equal(found, table)
    assert found["auc"].to_numpy().tobytes() == values.tobytes()
    pd.testing.assert_frame_equal(record.curve(now, "train/odd"), curve, check_exact=True)
    assert np.isnan(record.metrics.loc[now, "eval/nan"])
    assert record.params.columns.tolist() == before.params.columns.tolist()
    assert record.metrics.columns.tolist() == before.metrics.columns.tolist()


def test_a_name_is_all_that_leads_from_an_archive_to_a_place(archive: Path, store: Store, tmp_path: Path) -> None:
    """A study's name is a folder of artifacts."""
    members = members_of(archive)
    for name in ("../evil", "/tmp/evil", "a/../../evil"):
        lying = changed(members, "study.json", lambda study, name=name: study.update(name=name))
        lying = changed(lying, "manifest.json", lambda manifest, name=name: manifest.update(study=name))
        file = write_members(tmp_path / "evil.zip", lying)
        with pytest.raises(DataError, match="cannot be used"):
            take(file, store("new"))
    assert not list(tmp_path.rglob("*evil"))
