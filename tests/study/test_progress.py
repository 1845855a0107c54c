"""The progress line of a sweep."""

import re

import pytest

from ablate.execution.status import RunState
from ablate.study.progress import estimate_time_left, progress_line
from tests.support.states import CACHED, DISK_FULL, DONE, FAILED, KILLED, TODO, planned, running

NAN = float("nan")


@pytest.mark.parametrize(
    ("found", "seconds", "line"),
    [
        ([TODO], [60.0], "0 of 1 runs done | 01:00 left"),
        ([TODO], [NAN], "0 of 1 runs done | time left unknown"),
        ([DONE, CACHED], [10.0, NAN], "2 of 2 runs done | 00:00 left"),
        ([DONE, FAILED, TODO], [10.0, 10.0, 20.0], "1 of 3 runs done, 1 failed | 00:20 left"),
        ([DISK_FULL], [7200.0], "0 of 1 runs done, 1 failed | 2:00:00 left"),
        ([running(), TODO], [30.0, 30.0], "0 of 2 runs done | run0: starting | 01:00 left"),
        ([running(step=0, steps=8)], [30.0], "0 of 1 runs done | run0: starting | 00:30 left"),
        ([running(step=3, steps=8, seconds_left=5)], [NAN], "0 of 1 runs done | run0: 38 % | 00:05 left"),
        (
            [running(step=1, steps=4, seconds_left=30), running(step=4, steps=4, seconds_left=0), DONE],
            [40.0, 40.0, 40.0],
            "1 of 3 runs done | run0: 25 % | run1: 100 % | 00:15 left",
        ),
    ],
)
def test_the_line_says_how_far_a_sweep_is(found: list[RunState], seconds: list[float], line: str) -> None:
    assert progress_line(planned(len(found)), found, seconds) == line


def test_a_narrow_line_counts_what_trains() -> None:
    found = [running(step=1, steps=2, seconds_left=5) for _ in range(30)]
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
        ([running(seconds_left=4), TODO], [10.0, 10.0], 4 + 10),
        ([running(), TODO], [10.0, 10.0], 10 + 10),
        ([running(seconds_left=4), running(seconds_left=6), TODO], [10.0, 10.0, 10.0], (4 + 6 + 10) / 2),
        ([running(step=1, steps=4, seconds_left=30), TODO], [NAN, NAN], 30 + 40),  # 30 s are three quarters
        ([running(step=0, steps=4, seconds_left=0), TODO], [10.0, 10.0], 0 + 10),
        ([running(step=4, steps=4, seconds_left=0), TODO], [NAN, NAN], None),
        ([running(), TODO], [NAN, NAN], None),
        ([running(step=1, steps=2, seconds_left=5), running()], [NAN, NAN], (5 + 10) / 2),
    ],
)
def test_the_time_left_is_by_hand(found: list[RunState], seconds: list[float], left: float | None) -> None:
    assert estimate_time_left(found, seconds) == (None if left is None else pytest.approx(left))


def test_long_names_are_shortened() -> None:
    (run,) = planned(1, name="schedule.drops=" + str([[100 * step, 0.5] for step in range(60)]))
    line = progress_line([run], [running(step=50, steps=100)], [10.0])
    assert re.search(r" \| schedule\.drops=\[\[0, 0\.5\].*#\w{6}: 50 % \| ", line)
