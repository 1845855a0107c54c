"""Runs that somebody has edited, or put beside a study's: named and left out."""

from pathlib import Path

import mlflow
import pytest
from mlflow.entities import Param, Run, RunData, RunInfo, RunTag

from ablate.errors import TrackingError
from ablate.execution.status import RUN_COLUMNS, State, standing
from ablate.tracking import search
from ablate.tracking.models import find_model
from ablate.tracking.read import history, read_study, runs_of, study_names
from tests.tracking.test_moved import add_run, new, old, open_in

__all__ = ["new", "old"]


@pytest.fixture(autouse=True)
def unsaid() -> None:
    """Let every warning be said again."""
    search._warn.cache_clear()


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
    assert search.problem(run) == said
    assert search.usable([run]) == ([] if said else [run])
    warning = f"Run f00d (run) is left out: {said}. Set it right in MLflow, or it is trained again"
    assert caplog.messages == ([warning] if said else [])


def test_no_command_stumbles_over_an_edited_run(old: Path, caplog: pytest.LogCaptureFixture) -> None:
    client, edited, whole = mlflow.MlflowClient(), add_run(old), add_run(old, identity="j")
    client.log_metric(edited, "plan/seconds", 1.0)
    client.set_tag(edited, "ablate.seed", "abc")
    found = runs_of(["i", "j"], "own", RUN_COLUMNS)
    assert list(found.index) == [whole]
    assert standing(found[found["identity"] == "i"], study="own", alive=None).state == State.TODO
    assert list(read_study("own", open_in(old)).runs.index) == [whole]
    # Other studies and commands of the store.
    assert runs_of(["i"], "other", RUN_COLUMNS).empty
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
    assert list(runs_of(["i"], "own", RUN_COLUMNS).index) == [own]
    assert caplog.messages == []


def test_an_edited_status_is_what_it_says(old: Path) -> None:
    run = add_run(old)
    for status, state in (("SCHEDULED", State.FAILED), ("FAILED", State.FAILED), ("RUNNING", State.INTERRUPTED)):
        mlflow.MlflowClient().update_run(run, status=status)
        assert standing(runs_of(["i"], "own", RUN_COLUMNS), study="own", alive=None).state == state
        assert not read_study("own", open_in(old)).readable[run]


def test_an_unfinished_run_that_is_called_finished_is_no_result(old: Path) -> None:
    client = mlflow.MlflowClient()
    tags = {"identity": "k", "variant": "b", "seed": "0", "data.fingerprint": "f"}
    experiment = client.get_run(add_run(old)).info.experiment_id
    run = client.create_run(experiment, tags={f"ablate.{name}": value for name, value in tags.items()}).info.run_id
    client.set_terminated(run)
    found = standing(runs_of(["k"], "own", RUN_COLUMNS), study="own", alive=None)
    assert (found.state, found.why[-28:]) == (State.TODO, "it has no evaluation metrics")
