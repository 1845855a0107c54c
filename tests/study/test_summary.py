"""What became of a sweep, and how far one is, in words."""

import re
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ablate.errors import SweepIncomplete
from ablate.execution.lease import LeaseOwner
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun
from ablate.study.progress import estimate_time_left, progress_line
from ablate.study.summary import summarize_sweep

NAN = float("nan")
DONE, CACHED, TODO = RunState(Status.DONE), RunState(Status.CACHED), RunState(Status.TODO)
FAILED = RunState(Status.FAILED, reason="diverged: the loss is NaN", failed=True)
KILLED = RunState(Status.INTERRUPTED, reason="its process is gone", orphaned=True)
DISK_FULL = RunState(Status.INTERRUPTED, reason="OSError: no space left", failed=True)


def trained(**progress: Any) -> RunState:
    owner = LeaseOwner("here", 7, progress)
    return RunState(Status.RUNNING, reason=f"by {owner}", owner=owner)


def planned(count: int) -> list[PlannedRun]:
    return [
        cast(PlannedRun, SimpleNamespace(study="own", name=f"run{place}", identity=f"id{place}"))
        for place in range(count)
    ]


def summarised(*found: RunState, **errors: BaseException) -> tuple[list[str], str | None]:
    lines, error = summarize_sweep(planned(len(found)), found, errors, began=time.time() - 65.5)
    assert error is None or isinstance(error, SweepIncomplete)
    return lines, None if error is None else str(error)


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        ([DONE], "1 runs: 1 done, 0 cached, 0 failed"),
        ([DONE, CACHED, DONE], "3 runs: 2 done, 1 cached, 0 failed"),
        ([CACHED], "1 runs: 0 done, 1 cached, 0 failed"),
        ([FAILED, DISK_FULL, DONE], "3 runs: 1 done, 0 cached, 2 failed"),
        ([TODO, KILLED, trained()], "3 runs: 0 done, 0 cached, 0 failed, 1 interrupted, 1 running, 1 to do"),
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
        DONE, FAILED, KILLED, TODO, trained(), id3=OSError("no\n  space"), id1=OSError("not said")
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


@pytest.mark.parametrize(
    ("found", "seconds", "line"),
    [
        ([TODO], [60.0], "0 of 1 runs done | 01:00 left"),
        ([TODO], [NAN], "0 of 1 runs done | time left unknown"),
        ([DONE, CACHED], [10.0, NAN], "2 of 2 runs done | 00:00 left"),
        ([DONE, FAILED, TODO], [10.0, 10.0, 20.0], "1 of 3 runs done, 1 failed | 00:20 left"),
        ([DISK_FULL], [7200.0], "0 of 1 runs done, 1 failed | 2:00:00 left"),
        ([trained(), TODO], [30.0, 30.0], "0 of 2 runs done | run0: starting | 01:00 left"),
        ([trained(step=0, steps=8)], [30.0], "0 of 1 runs done | run0: starting | 00:30 left"),
        ([trained(step=3, steps=8, seconds_left=5)], [NAN], "0 of 1 runs done | run0: 38 % | 00:05 left"),
        (
            [trained(step=1, steps=4, seconds_left=30), trained(step=4, steps=4, seconds_left=0), DONE],
            [40.0, 40.0, 40.0],
            "1 of 3 runs done | run0: 25 % | run1: 100 % | 00:15 left",
        ),
    ],
)
def test_the_line_says_how_far_a_sweep_is(found: list[RunState], seconds: list[float], line: str) -> None:
    assert progress_line(planned(len(found)), found, seconds) == line


def test_a_narrow_line_counts_what_trains() -> None:
    found = [trained(step=1, steps=2, seconds_left=5) for _ in range(30)]
    runs, seconds = planned(30), [10.0] * 30
    assert " | run29: 50 % | " in progress_line(runs, found, seconds, width=600)
    assert progress_line(runs, found, seconds, width=80) == "0 of 30 runs done | 30 training | 00:05 left"
    for width in range(1, 60):
        assert len(progress_line(runs, found, seconds, width)) < width
    assert progress_line(runs, [TODO] * 30, seconds, width=37) == "0 of 30 runs done | 05:00 left"


@pytest.mark.parametrize(
    ("found", "seconds", "left"),
    [
        ([], [], None),
        ([TODO, TODO], [10.0, 20.0], 30),
        ([TODO, TODO], [NAN, NAN], None),
        ([DONE, CACHED, FAILED], [10.0, 20.0, 30.0], 0),  # what failed is not tried again
        ([DISK_FULL, KILLED], [10.0, 20.0], 30),
        ([TODO, TODO, DONE], [10.0, NAN, 30.0], 10 + 20),  # the mean of what is known
        ([trained(seconds_left=4), TODO], [10.0, 10.0], 4 + 10),
        ([trained(), TODO], [10.0, 10.0], 10 + 10),
        ([trained(seconds_left=4), trained(seconds_left=6), TODO], [10.0, 10.0, 10.0], (4 + 6 + 10) / 2),
        ([trained(step=1, steps=4, seconds_left=30), TODO], [NAN, NAN], 30 + 40),  # 30 s are three quarters
        ([trained(step=0, steps=4, seconds_left=0), TODO], [10.0, 10.0], 0 + 10),
        ([trained(step=4, steps=4, seconds_left=0), TODO], [NAN, NAN], None),
        ([trained(), TODO], [NAN, NAN], None),
        ([trained(step=1, steps=2, seconds_left=5), trained()], [NAN, NAN], (5 + 10) / 2),
    ],
)
def test_the_time_left_is_by_hand(found: list[RunState], seconds: list[float], left: float | None) -> None:
    assert estimate_time_left(found, seconds) == (None if left is None else pytest.approx(left))


def test_long_names_are_shortened() -> None:
    drops = "training.learning_rate_drops=" + str([[100 * step, 0.5] for step in range(60)])
    run = cast(PlannedRun, SimpleNamespace(study="own", name=f"{drops} seed=3", identity="id"))
    line = progress_line([run], [trained(step=50, steps=100)], [10.0])
    assert re.search(r" \| training\.learning_rate_drops=\[\[0, 0\.5\]\S*#\w{6} seed=3: 50 % \| ", line)
    lines, _ = summarize_sweep([run], [FAILED], {}, began=time.time())
    assert len(lines[1]) < 140
