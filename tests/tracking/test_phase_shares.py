"""Shares of the phases in the time of runs, and their text."""

import math

import pandas as pd
import pytest

from ablate.system.phase_clock import Phase
from ablate.tracking.names import PHASE_SECONDS
from ablate.tracking.phase_shares import SAME, SCALE, phase_seconds, phase_shares, phases_text

OLD = {"configuration": "old", "scale": "smoke", "devices": "CPU"}
NEW = {**OLD, "configuration": "one"}


def history(*runs: dict[str, object]) -> pd.DataFrame:
    columns = ["configuration", "scale", "devices", *PHASE_SECONDS.values()]
    return pd.DataFrame([*runs], columns=columns)


def took(**seconds: float) -> dict[str, object]:
    return {PHASE_SECONDS[Phase(phase)]: each for phase, each in seconds.items()}


def test_shares_are_medians_over_the_same_runs() -> None:
    runs = history(
        {**NEW, **took(start=1, training=8, evaluation=1)},
        {**NEW, **took(start=2, training=6, evaluation=2)},
        {**NEW, **took(start=3, training=14, evaluation=3)},
        {**NEW, "configuration": "other", **took(start=100, training=1)},
        OLD,
    )
    found = phase_shares(runs, configurations={"one", "old"}, scale="smoke", devices="CPU")
    assert found is not None
    assert (found.seconds, found.runs, found.basis) == (10, 3, SAME)
    assert found.shares == pytest.approx({"start": 0.15, "training": 0.7, "evaluation": 0.15})


def test_shares_add_up_however_runs_differ() -> None:
    runs = history(
        {**NEW, **took(start=6, training=3, evaluation=1)},
        {**NEW, **took(start=1, training=6, evaluation=3)},
        {**NEW, **took(start=3, training=1, evaluation=6)},
    )
    found = phase_shares(runs, configurations={"one"}, scale="smoke", devices="CPU")
    assert found is not None
    assert found.shares == pytest.approx(dict.fromkeys(("start", "training", "evaluation"), 1 / 3))


def test_without_them_those_of_the_same_scale_tell() -> None:
    runs = history({**NEW, **took(training=3)}, {**NEW, "devices": "GPU", **took(training=1)})
    found = phase_shares(runs, configurations={"two"}, scale="smoke", devices="CPU")
    assert found is not None
    assert (found.seconds, found.shares, found.basis) == (3, {"training": 1.0}, SCALE)
    assert phase_shares(runs, configurations={"two"}, scale="smoke", devices=None) is not None
    assert phase_shares(runs, configurations={"two"}, scale=None, devices=None) is None


def test_of_runs_of_an_earlier_version_nothing_is_known() -> None:
    assert phase_shares(history(OLD), configurations={"old"}, scale="smoke", devices=None) is None
    assert phase_shares(history(), configurations={"old"}, scale="smoke", devices=None) is None
    assert phase_seconds({"cost/wall_seconds": 3.0}) == {}


def test_the_text_has_every_phase_that_occurs() -> None:
    spent = phase_seconds({PHASE_SECONDS[Phase.TRAINING]: 7.0, PHASE_SECONDS[Phase.START]: 1.0, "eval/auc": math.nan})
    assert list(spent) == [Phase.START, Phase.TRAINING]
    assert phases_text(3700, {"start": 0.125, "data": 0.001, "training": 0.874}) == (
        "1:01:40: start 12 %, data < 1 %, training 87 %"
    )
