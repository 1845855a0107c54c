"""Calibration: an estimate from real steps."""

import json

import pandas as pd
import pytest

from tests.support.commands import TINY, Command


@pytest.mark.slow
def test_calibration_times_real_steps(forked_m: Command) -> None:
    arguments = [*TINY, "training.epochs=100", "training.steps_per_epoch=10"]
    finished = forked_m("ablate.plan", *arguments, "calibrate=true", "--json")
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    (run,) = found["runs"]
    assert run["basis"] == "calibration"
    assert 1 < run["seconds"] < 3600
    assert pd.notna(found["total"]["seconds_left"])
