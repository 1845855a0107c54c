"""A finished run of another study, linked instead of trained again."""

import os
from pathlib import Path

import mlflow
import pytest

from ablate.errors import TrackingError
from ablate.execution.status import STATUS_COLUMNS, Status, run_state
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.run import track
from ablate.tracking.run_records import runs_of
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study

TAGS = {"variant": "baseline", "seed": "3", "identity": "i", "data.fingerprint": "f"}


@pytest.fixture
def uri(home: Path) -> str:
    address = os.environ["MLFLOW_TRACKING_URI"]
    open_store(address)
    return address


def trained(home: Path) -> str:
    with track(
        study="own", name="run", tags={f"ablate.{name}": value for name, value in TAGS.items()}, project=home
    ) as run:
        run.log_config({"seed": 3})
        run.log_metrics({"eval/auc": 2.0, "cost/wall_seconds": 7.0}, 5)
    return run.run_id


def test_a_linked_run_shows_the_numbers_of_its_source(uri: str, home: Path) -> None:
    source = trained(home)
    mlflow.MlflowClient().set_tag(source, "ablate.command", "of the study where it was trained")
    link_cached_run(source, study="other", variant="depth=shallow", project=home)
    link_cached_run(read_study("other", uri).runs.index[0], study="third", variant="c", project=home)
    for study, variant in (("other", "depth=shallow"), ("third", "c")):
        record = read_study(study, uri)
        (run,) = record.runs.index
        assert record.runs.loc[run, ["variant", "seed", "cached_from"]].tolist() == [variant, 3, source]
        assert record.metrics.loc[run].to_dict() == {"eval/auc": 2.0, "cost/wall_seconds": 7.0}
        assert record.params.loc[run, "seed"] == "3"
        assert "ablate.command" not in mlflow.MlflowClient().get_run(run).data.tags


def test_a_run_that_is_gone_is_named(uri: str, home: Path) -> None:
    with pytest.raises(TrackingError, match="the cached run f00d cannot be linked"):
        link_cached_run("f00d", study="other", variant="b", project=home)


@pytest.mark.slow
def test_tags_of_older_stores_are_read_by_their_names_of_today(uri: str, home: Path) -> None:
    source, client = trained(home), mlflow.MlflowClient()
    experiment = client.create_experiment("old")
    tags = {f"ablate.{name}": value for name, value in {**TAGS, "identity": "k"}.items()}
    killed = client.create_run(experiment, tags={**tags, "ablate.goes_on": "true", "ablate.sessions": "2"}).info.run_id
    client.set_terminated(killed, "KILLED")
    assert run_state(runs_of(["k"], "old", STATUS_COLUMNS), study="old", owner=None).status == Status.INTERRUPTED
    with track(study="old", name="run", tags={}, project=home, run_id=killed):
        pass
    stored = client.get_run(killed).data.tags
    assert stored["ablate.attempts"] == "3"
    assert "ablate.goes_on" not in stored
    linked = client.create_run(experiment, tags={**tags, "ablate.identity": "i", "ablate.reused_from": source})
    client.set_terminated(linked.info.run_id)
    runs = read_study("old", uri).runs
    assert runs.loc[linked.info.run_id, "cached_from"] == source
    assert runs.loc[killed, "attempts"] == "3"
