"""Where a run stands, by what the store and the claims say of it."""

from typing import Any

import pandas as pd
import pytest

from ablate.execution.lease import Holder
from ablate.execution.status import RUN_COLUMNS, Rerun, Standing, State, standing, to_run

TRAINER = Holder("here", 7, {"step": 1})

FINISHED = {"status": "FINISHED"}
FAILED = {"status": "FAILED", "reason": "diverged", "error": "the loss is NaN"}
LOST = {"status": "RUNNING"}
KILLED = {"status": "KILLED", "reason": "interrupted", "goes_on": "true"}
DISK_FULL = {"status": "FAILED", "reason": "OSError", "error": "no space left", "goes_on": "true"}


def runs(*rows: dict[str, Any]) -> pd.DataFrame:
    """Runs of one identity, newest first, called run0, run1, ..; of the study `own` unless they say another."""
    whole = [{**dict.fromkeys(RUN_COLUMNS), "identity": "f00d", "study": "own", **row} for row in rows]
    return pd.DataFrame(whole, index=[f"run{place}" for place in range(len(rows))], columns=list(RUN_COLUMNS))


def of(study: str, row: dict[str, Any], **changes: str) -> dict[str, Any]:
    return {**row, "study": study, **changes}


REFERENCE = of("own", FINISHED, reused_from="run1")
UNREADABLE = of("own", FINISHED, missing="the file is gone")


@pytest.mark.parametrize(
    ("rows", "state", "run_id", "study"),
    [
        ([], State.TODO, None, None),
        ([FINISHED], State.DONE, "run0", "own"),
        ([FINISHED, FINISHED], State.DONE, "run0", "own"),
        ([FAILED, FINISHED], State.DONE, "run1", "own"),
        ([LOST, FINISHED], State.DONE, "run1", "own"),
        ([of("other", FINISHED), FINISHED], State.DONE, "run1", "own"),
        ([of("other", FINISHED)], State.REUSED, "run0", "other"),
        ([of("third", FINISHED), of("other", FINISHED)], State.REUSED, "run0", "third"),
        ([FAILED, of("other", FINISHED)], State.REUSED, "run1", "other"),
        ([REFERENCE, of("other", FINISHED)], State.REUSED, "run0", "own"),
        ([of("other", FINISHED), REFERENCE], State.REUSED, "run1", "own"),
        ([REFERENCE, FINISHED], State.DONE, "run1", "own"),
        ([FAILED], State.FAILED, "run0", "own"),
        ([FAILED, KILLED], State.FAILED, "run0", "own"),
        ([of("other", FAILED)], State.FAILED, "run0", "other"),
        ([KILLED], State.INTERRUPTED, "run0", "own"),
        ([KILLED, FAILED], State.INTERRUPTED, "run0", "own"),
        ([DISK_FULL], State.INTERRUPTED, "run0", "own"),
        ([LOST], State.INTERRUPTED, "run0", "own"),
        ([of("other", LOST)], State.INTERRUPTED, "run0", "other"),
        ([{"status": "KILLED"}], State.FAILED, "run0", "own"),
        ([UNREADABLE], State.TODO, None, None),
        ([UNREADABLE, FAILED], State.TODO, None, None),
        ([UNREADABLE, KILLED], State.TODO, None, None),
        ([FAILED, UNREADABLE], State.FAILED, "run0", "own"),
        ([UNREADABLE, FINISHED], State.DONE, "run1", "own"),
        ([FINISHED, UNREADABLE], State.DONE, "run0", "own"),
        ([{**REFERENCE, **UNREADABLE}, of("other", FINISHED)], State.REUSED, "run1", "other"),
    ],
)
def test_a_run_stands_where_its_records_say(
    rows: list[dict[str, Any]], state: State, run_id: str | None, study: str | None
) -> None:
    found = standing(runs(*rows), study="own", alive=None)
    assert (found.state, found.run_id, found.study, found.holder) == (state, run_id, study, None)
    assert found.finished == (state in (State.DONE, State.REUSED))


@pytest.mark.parametrize("rows", [[], [FINISHED], [FAILED], [LOST], [KILLED]])
def test_who_trains_a_run_counts_before_its_records(rows: list[dict[str, Any]]) -> None:
    found = standing(runs(*rows), study="own", alive=TRAINER)
    assert found == Standing(State.RUNNING, why="by process 7 on here", holder=TRAINER)


@pytest.mark.parametrize(
    ("row", "why", "failed", "lost"),
    [
        (FAILED, "diverged: the loss is NaN", True, False),
        (DISK_FULL, "OSError: no space left", True, False),
        ({"status": "FAILED", "reason": "diverged"}, "diverged", True, False),
        ({"status": "FAILED", "error": "the loss is NaN"}, "the loss is NaN", True, False),
        ({"status": "FAILED", "reason": float("nan"), "error": float("nan")}, "unknown", True, False),
        ({"status": "FAILED"}, "unknown", True, False),
        (KILLED, "interrupted", False, False),
        (LOST, "its process is gone", False, True),
        ({**LOST, "goes_on": "true", "reason": "earlier"}, "its process is gone", False, True),
    ],
)
def test_a_run_without_a_result_says_why(row: dict[str, Any], why: str, failed: bool, lost: bool) -> None:
    found = standing(runs(row), study="own", alive=None)
    assert (found.why, found.failed, found.lost) == (why, failed, lost)


@pytest.mark.parametrize("row", [FINISHED, of("other", FINISHED)])
def test_a_result_needs_no_reason(row: dict[str, Any]) -> None:
    found = standing(runs(row, FAILED), study="own", alive=None)
    assert (found.why, found.failed, found.lost) == ("", False, False)


@pytest.mark.parametrize(
    ("state", "trained"),
    [
        (State.TODO, {"never", "failed", "all"}),
        (State.INTERRUPTED, {"never", "failed", "all"}),
        (State.FAILED, {"failed", "all"}),
        (State.DONE, {"all"}),
        (State.REUSED, {"all"}),
    ],
)
@pytest.mark.parametrize("rerun", ["never", "failed", "all"])
def test_what_is_trained_again_is_what_rerun_says(state: State, trained: set[str], rerun: Rerun) -> None:
    assert to_run(Standing(state), rerun) == (rerun in trained)
