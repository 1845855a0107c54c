"""The table of the plan: status, cost and runtime estimate of each run."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from ablate.config.training import TrainingConfig
from ablate.estimate.runtime import HISTORY_COLUMNS, RuntimeEstimate
from ablate.execution.status import RunState
from ablate.study.plan_table import plan_table
from ablate.study.planning import PlannedRun
from tests.support.states import DONE, FAILED, KILLED, TODO, running

NO_HISTORY = pd.DataFrame(columns=list(HISTORY_COLUMNS))
CALIBRATED = {"one": RuntimeEstimate(80.0, "calibration")}


def run(label: str = "depth=full", configuration: str = "one") -> PlannedRun:
    """Return a run of two epochs of four steps, with a counted cost."""
    training = TrainingConfig(epochs=2, steps_per_epoch=4, batch_size=3, deterministic=True, log_points=1)
    config: Any = SimpleNamespace(
        run=SimpleNamespace(training=training),
        task=SimpleNamespace(
            cost=lambda: {"parameters": 7, "flops_per_example": 2e9},
            layer_table=lambda: None,
            describes_without_tensorflow=True,
        ),
    )
    return cast(
        PlannedRun,
        SimpleNamespace(
            label=label,
            seed=5,
            config=config,
            configuration=configuration,
            identity="id",
            data=SimpleNamespace(examples_per_epoch=12),
        ),
    )


def row(state: RunState, done: int = 0, **of_run: str) -> dict[str, Any]:
    table = plan_table([run(**of_run)], [state], NO_HISTORY, devices=None, steps_done=[done], calibrated=CALIBRATED)
    (found,) = table.to_dict("records")
    return {str(key): value for key, value in found.items()}


def test_a_row_has_cost_and_estimate() -> None:
    found = row(TODO)
    expected = {"variant": "depth=full", "seed": 5, "status": "to do", "parameters": 7, "gflops_per_example": 2.0}
    assert found == {**found, **expected, "seconds": 80.0, "seconds_left": 80.0, "basis": "calibration", "epochs": 2}
    assert row(TODO, label="")["variant"] == "defaults"


@pytest.mark.parametrize(
    ("state", "done", "left", "epoch"),
    [
        (KILLED, 6, 20.0, 1),
        (running(step=4), 0, 40.0, 1),
        (running(step=8), 0, 0.0, 2),
        (DONE, 0, 0.0, 0),
        (FAILED, 4, 0.0, 1),
    ],
)
def test_the_time_left_is_the_share_of_steps_left(state: RunState, done: int, left: float, epoch: int) -> None:
    found = row(state, done)
    assert (found["seconds_left"], found["epoch"]) == (left, epoch)


def test_without_earlier_runs_the_time_is_unknown() -> None:
    found = row(TODO, configuration="another")
    assert pd.isna(found["seconds"])
    assert found["basis"] == ""
