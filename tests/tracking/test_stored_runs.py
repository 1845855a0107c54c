"""Runs that somebody has edited, or put beside a study's: named and left out."""

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Param, Run, RunData, RunInfo, RunTag

from ablate.errors import TrackingError
from ablate.execution.status import STATUS_COLUMNS, Status, run_state
from ablate.tracking import stored_runs
from ablate.tracking.run_records import history, runs_of
from ablate.tracking.study_record import read_study, study_names
from ablate.tracking.tracked_model import find_model
from tests.support.tracked_runs import add_run, open_in


@pytest.fixture(autouse=True)
def unsaid() -> None:
    """Let every warning be said again."""
    stored_runs._warn_once.cache_clear()


TAGS = {"ablate.identity": "i", "ablate.variant": "b", "ablate.seed": "0", "ablate.data.fingerprint": "f"}


def made(status: str = "FINISHED", params: dict[str, str] | None = None, **tags: str | None) -> Run:
    """Return a run as MLflow has it; a tag of None is missing."""
    changed = {**TAGS, **{f"ablate.{name.replace('_', '.')}": value for name, value in tags.items()}}
    data = RunData(
        params=[Param(name, value) for name, value in (params or {}).items()],
        tags=[RunTag(name, value) for name, value in changed.items() if value is not None],
    )
    return Run(RunInfo("f00d", "1", "me", status, 0, 1, "active", run_name="run"), data)


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (made(), None),
        (made(params={"seed": "0"}), None),
        (made("RUNNING", data_fingerprint=None), None),
        (made(seed="abc"), "its tag ablate.seed is no number: abc"),
        (made(seed="1e3"), "its tag ablate.seed is no number: 1e3"),
        (made(seed="5", params={"seed": "0"}), "its tag ablate.seed is 5, its seed was 0"),
        (made(seed=None), "its tag ablate.seed is missing"),
        (made(variant=None), "its tag ablate.variant is missing"),
        (made("FAILED", identity=None), "its tag ablate.identity is missing"),
        (made(identity=""), "its tag ablate.identity is missing"),
        (made(data_fingerprint=None), "its tag ablate.data.fingerprint is missing"),
    ],
)
def test_an_edited_run_is_left_out_with_a_warning(
    run: Run, said: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    assert stored_runs.problem(run) == said
    assert stored_runs.usable([run]) == ([] if said else [run])
    warning = f"Run f00d (run) is left out: {said}. Set it right in MLflow, or it is trained again"
    assert caplog.messages == ([warning] if said else [])


@pytest.mark.slow
def test_no_command_stumbles_over_an_edited_run(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    client, edited, whole = mlflow.MlflowClient(), add_run(old), add_run(old, identity="j")
    client.log_metric(edited, "plan/seconds", 1.0)
    client.set_tag(edited, "ablate.seed", "abc")
    found = runs_of(["i", "j"], "own", STATUS_COLUMNS)
    assert list(found.index) == [whole]
    assert run_state(found[found["identity"] == "i"], study="own", owner=None).status == Status.TODO
    assert list(read_study("own", open_in(old)).runs.index) == [whole]
    # Other studies and commands of the store.
    assert runs_of(["i"], "other", STATUS_COLUMNS).empty
    assert history(["seed", "seconds"]).empty
    assert study_names() == ["own"]
    assert len(caplog.messages) == 1
    with pytest.raises(TrackingError, match=f"run {edited} cannot be used: its tag ablate.seed is no number"):
        find_model(edited)
    client.delete_tag(edited, "ablate.identity")
    assert list(read_study("own", open_in(old)).runs.index) == [whole]
    assert "its tag ablate.identity is missing" in caplog.messages[-1]


def test_runs_of_others_are_left_out_with_a_warning(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    own, client = add_run(old), mlflow.MlflowClient()
    experiment = client.get_run(own).info.experiment_id
    foreign = client.create_run(experiment, run_name="theirs").info.run_id
    nested = client.create_run(experiment, run_name="nested", tags={"mlflow.parentRunId": own}).info.run_id
    for tag in ("ablate.report", "ablate.turing"):
        client.create_run(experiment, tags={tag: "true"})
    assert list(read_study("own", open_in(old)).runs.index) == [own]
    assert sorted(caplog.messages) == sorted(
        f"Run {run} ({name}) is left out: it is none of `python -m ablate.run`"
        for run, name in ((foreign, "theirs"), (nested, "nested"))
    )
    caplog.clear()
    assert list(runs_of(["i"], "own", STATUS_COLUMNS).index) == [own]
    assert caplog.messages == []


@pytest.mark.slow
def test_an_edited_status_is_what_it_says(old: Path) -> None:
    run = add_run(old)
    for status, state in (("SCHEDULED", Status.FAILED), ("FAILED", Status.FAILED), ("RUNNING", Status.INTERRUPTED)):
        mlflow.MlflowClient().update_run(run, status=status)
        assert run_state(runs_of(["i"], "own", STATUS_COLUMNS), study="own", owner=None).status == state
        assert not read_study("own", open_in(old)).readable[run]


def test_an_unfinished_run_that_is_called_finished_is_no_result(old: Path) -> None:
    client = mlflow.MlflowClient()
    tags = {"identity": "k", "variant": "b", "seed": "0", "data.fingerprint": "f"}
    experiment = client.get_run(add_run(old)).info.experiment_id
    run = client.create_run(experiment, tags={f"ablate.{name}": value for name, value in tags.items()}).info.run_id
    client.set_terminated(run)
    found = run_state(runs_of(["k"], "own", STATUS_COLUMNS), study="own", owner=None)
    assert (found.status, found.reason[-28:]) == (Status.TODO, "it has no evaluation metrics")
