"""Names of metrics: which are results."""

import pytest

from ablate.tracking.names import is_result
from ablate.turing.analyse.record import METRICS


@pytest.mark.parametrize(
    "metric",
    [
        "train/loss",
        "val/loss",
        "eval/auc",
        "reference/grey/auc",
        "data/train",
        "loss",
        "new/group",
        "systematic/x",
    ],
)
def test_what_an_identity_determines_is_a_result(metric: str) -> None:
    assert is_result(metric)


@pytest.mark.parametrize("metric", ["cost/wall_seconds", "plan/seconds", "system/gpu_0_memory_usage", *METRICS])
def test_what_surrounds_a_run_is_none(metric: str) -> None:
    assert not is_result(metric)
