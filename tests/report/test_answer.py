"""The sentences that answer a study's question."""

import os
from pathlib import Path
from typing import Any

import pytest

from ablate.report.answer import answer
from ablate.report.compare import compare
from ablate.report.load import load
from ablate.report.more_seeds import more_seeds
from ablate.tracking.study_record import read_study
from tests.support.stores import record_hand_made


def answered(**options: Any) -> list[str]:
    """Answer the question of the study that was filled by hand."""
    results = load(read_study("hand", os.environ["MLFLOW_TRACKING_URI"]), **options)
    directions = {name: results.spec(name)["higher_is_better"] for name in map(str, results.specs.index)}
    comparison = compare(results.scores, directions, results.primary)
    return answer(results, comparison, more_seeds(results.scores, comparison, results.primary, results.whole_set))


@pytest.mark.slow
def test_another_metric_may_be_asked_for(hand_made: Path) -> None:
    first, second, _ = answered(metric="rmse")
    assert first.startswith("Against the baseline, loss=<i>odd</i> helps (RMSE <b> 5.13 ab lower, very likely")
    assert first.endswith(").")
    assert second.startswith("1 is better than the baseline")


@pytest.mark.slow
def test_a_margin_makes_variants_equivalent(hand_made: Path) -> None:
    record_hand_made(hand_made, metric={"name": "auc", "direction": "maximize", "margin": 30.0})
    first, second, third = answered()
    assert first == (
        "By AuC, against the baseline, loss=<i>odd</i> makes no difference that matters (more than 30 points)."
    )
    assert second == "1 is equivalent, within ±30 points of it: loss=<i>odd</i>."
    assert third == "The baseline is loss=even."
