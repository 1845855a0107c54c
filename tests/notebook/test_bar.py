"""The progress of a sweep, as it is told and shown."""

import pytest

from ablate.execution.status import RunState
from ablate.notebook.bar import ProgressBar, describe
from ablate.study import progress
from ablate.study.progress import Progress, show_progress
from tests.support.states import DISK_FULL, DONE, FAILED, TODO, planned, running


def at(share: float, **values: object) -> Progress:
    return Progress(**{"study": "own", "uri": "u", "runs": 4, "done": int(share), "failed": 0, "share": share,
                       "seconds_left": None, **values})  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "done", "failed", "share", "left"),
    [
        ([TODO, TODO], 0, 0, 0.0, 20.0),
        ([DONE, running(step=1, steps=4, seconds_left=6)], 1, 0, 1.25, 6.0),
        ([FAILED, DISK_FULL], 0, 2, 0.0, 10.0),
    ],
)
def test_a_listener_is_told_how_far_a_sweep_is(
    found: list[RunState], done: int, failed: int, share: float, left: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[Progress]()
    monkeypatch.setattr(progress, "LISTENERS", [told.append])
    with show_progress(planned(2), [10.0, 10.0], lambda: found):
        pass
    assert told == [Progress("own", "sqlite:////own.db", 2, done, failed, share, left)] * 2


@pytest.mark.parametrize(
    ("told", "left", "text"),
    [
        (at(0), None, "0 of 4 runs done, time left unknown"),
        (at(1.5), 60.0, "1 of 4 runs done, 01:00 left"),
        (at(3, failed=1), 60.0, "3 of 4 runs done, 1 failed"),
        (at(4), 0.0, "4 of 4 runs done"),
    ],
)
def test_the_bar_says_how_many_are_done(told: Progress, left: float | None, text: str) -> None:
    assert describe(told, left) == text


def test_without_an_estimate_the_speed_so_far_tells_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 110.0, 110.0])
    monkeypatch.setattr("ablate.notebook.bar.time.monotonic", lambda: next(now))
    bar = ProgressBar()
    bar._first = (90.0, 0.0)
    assert bar._seconds_left(at(0.5)) == pytest.approx(20 / 0.5 * 3.5)
    assert bar._seconds_left(at(0.5, seconds_left=7.0)) == 7.0


def test_news_of_runs_are_not_for_the_user(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        "06:33:58 INFO    Training: 2 epochs",
        "[2026-11-26 06:33:25,717][HYDRA] Launching 2 jobs locally",
        "2026/11/26 06:33:20 INFO mlflow.store.db.utils: Creating initial MLflow database tables...",
        "I0000 00:00:1795676128.646167    9989 port.cc:153] oneDNN custom operations are on.",
        "06:33:58 WARNING One of 3 evaluation digits trains as well",
        "06:33:58 ERROR   The run failed",
        "Study own: 4 runs: 4 done",
    ]
    for verbose, shown in ((False, lines[4:]), (True, lines)):
        bar = ProgressBar(verbose=verbose)
        for line in lines:
            bar.write(line)
        assert capsys.readouterr().out.splitlines() == shown
