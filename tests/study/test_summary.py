"""The summary of a sweep."""

import time

import pytest

from ablate.errors import SweepIncomplete
from ablate.execution.status import RunState
from ablate.study.summary import summarize_sweep
from tests.support.states import CACHED, DISK_FULL, DONE, FAILED, KILLED, TODO, planned, running


def summarised(*found: RunState, **errors: BaseException) -> tuple[list[str], str | None]:
    lines, error = summarize_sweep(planned(len(found)), found, errors, began=time.time() - 65.5)
    assert error is None or isinstance(error, SweepIncomplete)
    return lines, None if error is None else str(error)


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        ([DONE], "1 run: 1 done, 0 cached, 0 failed"),
        ([DONE, CACHED, DONE], "3 runs: 2 done, 1 cached, 0 failed"),
        ([CACHED], "1 run: 0 done, 1 cached, 0 failed"),
        ([FAILED, DISK_FULL, DONE], "3 runs: 1 done, 0 cached, 2 failed"),
        ([TODO, KILLED, running()], "3 runs: 0 done, 0 cached, 0 failed, 1 interrupted, 1 running, 1 to do"),
        ([DONE, CACHED, FAILED, TODO], "4 runs: 1 done, 1 cached, 1 failed, 1 to do"),
    ],
)
def test_runs_are_counted(found: list[RunState], counts: str) -> None:
    lines, _ = summarised(*found)
    assert lines[0] == f"Study own: {counts}; 01:05"


def test_where_all_have_results_no_more_is_said() -> None:
    lines, error = summarised(DONE, CACHED)
    assert len(lines) == 1
    assert error is None


def test_runs_without_a_result_are_named_with_why() -> None:
    lines, error = summarised(
        DONE, FAILED, KILLED, TODO, running(), id3=OSError("no\n  space"), id1=OSError("not said")
    )
    assert lines[1:] == [
        "  failed      run1: diverged: the loss is NaN",
        "  interrupted run2: its process is gone",
        "  to do       run3: no space",
        "  running     run4: by process 7 on here",
    ]
    assert error is not None
    assert error.startswith("4 of 5 runs have no result: the same command resumes the study")


def test_of_a_run_that_never_began_no_more_is_known() -> None:
    assert summarised(TODO)[0][1:] == ["  to do       run0"]


@pytest.mark.parametrize(
    ("found", "again"),
    [([FAILED, FAILED, DONE], "2"), ([FAILED, DISK_FULL, TODO], "1"), ([DISK_FULL], None), ([TODO, KILLED], None)],
)
def test_rerun_is_advised_where_runs_do_not_go_on(found: list[RunState], again: str | None) -> None:
    _, error = summarised(*found)
    assert error is not None
    assert ("rerun=failed" in error) == (again is not None)
    if again:
        assert error.endswith(f"rerun=failed retries the {again} that failed")


def test_long_names_are_shortened() -> None:
    (run,) = planned(1, name="schedule.drops=" + str([[100 * step, 0.5] for step in range(60)]))
    lines, _ = summarize_sweep([run], [FAILED], {}, began=time.time())
    assert len(lines[1]) < 140
