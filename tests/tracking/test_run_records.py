"""Records of runs across the studies of a store."""

from pathlib import Path

import mlflow
import pytest

from ablate.tracking import names
from ablate.tracking.cached_run import link_cached_run
from ablate.tracking.run_records import history, runs_of
from tests.support.tracked_runs import add_run


@pytest.mark.slow
def test_an_identity_is_found_in_every_study_the_newest_first(old: Path) -> None:
    runs = [add_run(old, study, identity) for study, identity in (("a", "i"), ("b", "j"), ("b", "i"), ("c", "k"))]
    found = runs_of(["i", "k"], "c", ["study", "identity", "status", "seed"])
    assert list(found.columns) == ["study", "identity", "status", "seed"]
    assert set(found.index[found["identity"] == "k"]) == {runs[3]}
    assert (found["status"] == "FINISHED").all()
    assert found.loc[runs[0]].tolist() == ["a", "i", "FINISHED", 0]


def test_where_its_own_study_has_a_result_no_other_is_asked(old: Path) -> None:
    add_run(old, "other")
    own = add_run(old, "own")
    assert list(runs_of(["i"], "own", ["study"]).index) == [own]


def test_what_finished_runs_took_is_told_without_cached_ones(old: Path) -> None:
    client, run = mlflow.MlflowClient(), add_run(old)
    for metric, value in ((names.SECONDS, 7.0), (names.EXAMPLES, 64.0), (names.FLOPS, 2.0)):
        client.log_metric(run, metric, value)
    add_run(old, identity="j")
    assert history(["seconds"], limit=1).shape == (1, 1)
    link_cached_run(run, study="other", variant="b", project=old)
    took = history(["identity", "seconds", "examples", "flops", "predicted"])
    assert list(took.index) == [run]
    assert took.loc[run].tolist()[:4] == ["i", 7.0, 64.0, 2.0]
    assert took.loc[run, "predicted"] != took.loc[run, "predicted"]  # NaN: none was predicted


@pytest.mark.parametrize("identities", [[], ["none"]])
def test_an_unknown_identity_has_no_records(identities: list[str], old: Path) -> None:
    add_run(old)
    assert runs_of(identities, "own", ["status"]).empty
