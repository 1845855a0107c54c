"""The text of `python -m ablate.plan`."""

from typing import Any

import pytest

from ablate.estimate.runtime import BASES
from ablate.study.plan_text import format_plan
from ablate.tracking.phase_shares import UNKNOWN

RUN = {
    "variant": "depth=full", "seed": 0, "status": "to do", "reason": "", "epoch": 0, "epochs": 4, "parameters": 1234.0,
    "gflops_per_example": 0.5, "seconds": 60.0, "basis": "calibration",
}  # fmt: skip


def text(*runs: dict[str, Any], **changes: Any) -> list[str]:
    plan = {
        "study": "own", "question": "Does it matter?", "budget_hours": None, "devices": "CPU", "runs": list(runs),
        "total": {"runs": len(runs), "statuses": {"to do": len(runs)}, "seconds": 60.0, "seconds_left": 30.0},
        "code": None, "last_prediction": None, "baseline": None, "looks": None, "phases": None,
        "energy": None, "packing": None,
    }  # fmt: skip
    return format_plan({**plan, **changes}).splitlines()


@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"status": "done"}, "done"),
        ({"status": "failed", "reason": "diverged"}, "failed: diverged"),
        ({"status": "interrupted", "epoch": 2}, "interrupted at epoch 2 of 4"),
        ({"status": "running", "epoch": 2, "reason": "by process 7"}, "running, epoch 3 of 4: by process 7"),
        ({"status": "running", "epoch": 4}, "running, epoch 4 of 4"),
    ],
)
def test_each_run_has_a_line_with_its_status(run: dict[str, Any], status: str) -> None:
    lines = text({**RUN, **run})
    assert lines[0] == "Study own: Does it matter?"
    assert lines[3].startswith("depth=full ")
    assert f" {status} " in lines[3]
    assert lines[3].split()[-3:] == ["1,234", "0.5", "01:00"]


def test_the_total_is_by_hand() -> None:
    lines = text(RUN, RUN, budget_hours=0.01)
    assert "2 runs: 2 to do" in lines
    assert "Time left: 00:30 of 01:00, one run after the other (calibration; CPU)" in lines
    assert lines[-1] == "Budget: 0.01 h, NOT ENOUGH"
    unknown = text({**RUN, "seconds": None}, total={"runs": 1, "statuses": {}, "seconds": None, "seconds_left": None})
    assert unknown[-1].startswith("Time: unknown until a run has finished here; calibrate=true")


@pytest.mark.parametrize(
    ("runs_at_a_time", "timed", "order"),
    [
        (1, 1, "one run after the other"),
        (2, 2, "2 runs at a time"),
        (2, 1, "if one run came after the other: how long they take side by side is not known yet"),
        (None, 1, "if one run came after the other: how long they take side by side is not known yet"),
    ],
)
def test_the_time_left_says_for_how_many_runs_at_a_time_it_is(
    runs_at_a_time: int | None, timed: int, order: str
) -> None:
    packing = {"runs_at_a_time": runs_at_a_time, "timed_at_a_time": timed, "seconds": 40.0, "seconds_left": 20.0}
    lines = text(RUN, packing={**packing, "text": "so"})
    assert f"Time left: 00:20 of 00:40, {order} (calibration; CPU)" in lines
    assert "Launched so" in lines


def test_the_prediction_error_is_percent() -> None:
    last = {"study": "old", "runs": 3.0, "median_error": 0.1, "total_error": -0.05}
    assert text(RUN, last_prediction=last)[-1] == (
        "Prediction error of the last 3 runs, of study old: median 10 %, in total -5 %"
    )


def test_it_says_the_energy_of_what_is_left_and_how_it_is_known() -> None:
    power = {"watts": 8.04, "method": "GPU measured by NVML; processor estimated", "runs": 2}
    assert text(RUN, energy=power)[-1] == (
        "Energy left: about 0.067 Wh, 8.04 W a run, partly estimated in 2 runs "
        "(GPU measured by NVML; processor estimated)"
    )
    done = {"runs": 1, "statuses": {"done": 1}, "seconds": 60.0, "seconds_left": 0.0}
    assert not any("Energy" in line for line in text(RUN, energy=power, total=done))


def test_it_says_where_the_time_of_a_run_goes() -> None:
    took = {
        "seconds": 108.4,
        "shares": {"start": 0.004, "training": 0.8, "evaluation": 0.196},
        "runs": 2,
        "basis": "b",
    }
    line = "A run takes 01:48: start < 1 %, training 80 %, evaluation 20 % (median of 2 runs: b)"
    assert line in text(RUN, phases=took)
    assert UNKNOWN not in text(RUN)
    assert UNKNOWN in text({**RUN, "basis": BASES[0]})


def test_more_seeds_for_the_baseline_are_recommended() -> None:
    plan = {"seeds": 3, "baseline_seeds": 6, "runs": 12, "hours": None, "detectable": {"a=1": 3.0}}
    same = {**plan, "baseline_seeds": None, "runs": 9, "detectable": {"a=1": 4.0}}
    lines = text(RUN, baseline={**plan, "plans": [same], "unit": "%"})
    assert lines[-1].startswith("More seeds for the baseline pay: with 3 seeds, baseline_seeds: 6 finds a difference")
