"""The status of a run, by what the store and the lease say of it."""

from typing import Any

import pandas as pd
import pytest

from ablate.execution.lease import LeaseOwner
from ablate.execution.status import STATUS_COLUMNS, Rerun, RunState, Status, run_state, should_train

TRAINER = LeaseOwner("here", 7, {"step": 1})

FINISHED = {"status": "FINISHED"}
FAILED = {"status": "FAILED", "reason": "diverged", "error": "the loss is NaN"}
LOST = {"status": "RUNNING"}
KILLED = {"status": "KILLED", "reason": "interrupted", "resumable": "true"}
DISK_FULL = {"status": "FAILED", "reason": "OSError", "error": "no space left", "resumable": "true"}


def runs(*rows: dict[str, Any]) -> pd.DataFrame:
    """Runs of one identity, newest first, called run0, run1, ..; of the study `own` unless they say another."""
    whole = [{**dict.fromkeys(STATUS_COLUMNS), "identity": "f00d", "study": "own", **row} for row in rows]
    return pd.DataFrame(whole, index=[f"run{place}" for place in range(len(rows))], columns=list(STATUS_COLUMNS))


def of(study: str, row: dict[str, Any], **changes: str) -> dict[str, Any]:
    return {**row, "study": study, **changes}


REFERENCE = of("own", FINISHED, cached_from="run1")
UNREADABLE = of("own", FINISHED, missing="the file is gone")


@pytest.mark.parametrize(
    ("rows", "state", "run_id", "study"),
    [
        ([], Status.TODO, None, None),
        ([FINISHED], Status.DONE, "run0", "own"),
        ([FINISHED, FINISHED], Status.DONE, "run0", "own"),
        ([FAILED, FINISHED], Status.DONE, "run1", "own"),
        ([LOST, FINISHED], Status.DONE, "run1", "own"),
        ([of("other", FINISHED), FINISHED], Status.DONE, "run1", "own"),
        ([of("other", FINISHED)], Status.CACHED, "run0", "other"),
        ([of("third", FINISHED), of("other", FINISHED)], Status.CACHED, "run0", "third"),
        ([FAILED, of("other", FINISHED)], Status.CACHED, "run1", "other"),
        ([REFERENCE, of("other", FINISHED)], Status.CACHED, "run0", "own"),
        ([of("other", FINISHED), REFERENCE], Status.CACHED, "run1", "own"),
        ([REFERENCE, FINISHED], Status.DONE, "run1", "own"),
        ([FAILED], Status.FAILED, "run0", "own"),
        ([FAILED, KILLED], Status.FAILED, "run0", "own"),
        ([of("other", FAILED)], Status.FAILED, "run0", "other"),
        ([KILLED], Status.INTERRUPTED, "run0", "own"),
        ([KILLED, FAILED], Status.INTERRUPTED, "run0", "own"),
        ([DISK_FULL], Status.INTERRUPTED, "run0", "own"),
        ([LOST], Status.INTERRUPTED, "run0", "own"),
        ([of("other", LOST)], Status.INTERRUPTED, "run0", "other"),
        ([{"status": "KILLED"}], Status.FAILED, "run0", "own"),
        ([UNREADABLE], Status.TODO, None, None),
        ([UNREADABLE, FAILED], Status.TODO, None, None),
        ([UNREADABLE, KILLED], Status.TODO, None, None),
        ([FAILED, UNREADABLE], Status.FAILED, "run0", "own"),
        ([UNREADABLE, FINISHED], Status.DONE, "run1", "own"),
        ([FINISHED, UNREADABLE], Status.DONE, "run0", "own"),
        ([{**REFERENCE, **UNREADABLE}, of("other", FINISHED)], Status.CACHED, "run1", "other"),
    ],
)
def test_a_run_stands_where_its_records_say(
    rows: list[dict[str, Any]], state: Status, run_id: str | None, study: str | None
) -> None:
    found = run_state(runs(*rows), study="own", owner=None)
    assert (found.status, found.run_id, found.study, found.owner) == (state, run_id, study, None)
    assert found.finished == (state in (Status.DONE, Status.CACHED))


@pytest.mark.parametrize("rows", [[], [FINISHED], [FAILED], [LOST], [KILLED]])
def test_who_trains_a_run_counts_before_its_records(rows: list[dict[str, Any]]) -> None:
    found = run_state(runs(*rows), study="own", owner=TRAINER)
    assert found == RunState(Status.RUNNING, reason="by process 7 on here", owner=TRAINER)


@pytest.mark.parametrize(
    ("row", "reason", "failed", "orphaned"),
    [
        (FAILED, "diverged: the loss is NaN", True, False),
        (DISK_FULL, "OSError: no space left", True, False),
        ({"status": "FAILED", "reason": "diverged"}, "diverged", True, False),
        ({"status": "FAILED", "error": "the loss is NaN"}, "the loss is NaN", True, False),
        ({"status": "FAILED", "reason": float("nan"), "error": float("nan")}, "unknown", True, False),
        ({"status": "FAILED"}, "unknown", True, False),
        (KILLED, "interrupted", False, False),
        (LOST, "its process is gone", False, True),
        ({**LOST, "resumable": "true", "reason": "earlier"}, "its process is gone", False, True),
    ],
)
def test_a_run_without_a_result_has_a_reason(row: dict[str, Any], reason: str, failed: bool, orphaned: bool) -> None:
    found = run_state(runs(row), study="own", owner=None)
    assert (found.reason, found.failed, found.orphaned) == (reason, failed, orphaned)


@pytest.mark.parametrize("row", [FINISHED, of("other", FINISHED)])
def test_a_result_needs_no_reason(row: dict[str, Any]) -> None:
    found = run_state(runs(row, FAILED), study="own", owner=None)
    assert (found.reason, found.failed, found.orphaned) == ("", False, False)


@pytest.mark.parametrize(
    ("state", "trained"),
    [
        (Status.TODO, {"never", "failed", "all"}),
        (Status.INTERRUPTED, {"never", "failed", "all"}),
        (Status.FAILED, {"failed", "all"}),
        (Status.DONE, {"all"}),
        (Status.CACHED, {"all"}),
    ],
)
@pytest.mark.parametrize("rerun", ["never", "failed", "all"])
def test_what_is_trained_again_is_what_rerun_says(state: Status, trained: set[str], rerun: Rerun) -> None:
    assert should_train(RunState(state), rerun) == (rerun in trained)
