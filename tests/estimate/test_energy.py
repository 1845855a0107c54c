"""Energy estimates from earlier runs, by hand."""

import numpy as np
import pandas as pd
import pytest

from ablate.estimate.energy import PowerEstimate, estimate_power

MEASURED, ESTIMATED = "processor measured by RAPL", "processor estimated"
RUNS = pd.DataFrame(
    {
        "configuration": ["a", "a", "b", "b"],
        "seconds": [100.0, 100.0, 100.0, 100.0],
        "energy_kwh": [4e-4, 8e-4, 9e-4, np.nan],
        "energy": [ESTIMATED, ESTIMATED, MEASURED, None],
    }
)
"""Newest first; 14.4, 28.8 and 32.4 W."""


def test_runs_of_the_same_configurations_count_before_others() -> None:
    found = estimate_power(RUNS, {"a"})
    assert found is not None
    assert (found.watts, found.method, found.runs) == (pytest.approx(21.6), ESTIMATED, 2)
    assert estimate_power(RUNS, {"b"}) == PowerEstimate(pytest.approx(32.4), MEASURED, 1)


def test_what_is_measured_and_what_is_estimated_are_not_mixed() -> None:
    newest_measured = RUNS.iloc[[2, 0, 1, 3]]
    assert estimate_power(newest_measured, {"c"}) == PowerEstimate(pytest.approx(32.4), MEASURED, 1)
    assert estimate_power(newest_measured, {"a", "b"}) == PowerEstimate(pytest.approx(32.4), MEASURED, 1)


def test_without_a_run_that_recorded_its_energy_there_is_no_estimate() -> None:
    assert estimate_power(RUNS.iloc[[3]], {"b"}) is None
    assert estimate_power(RUNS.iloc[:0], {"b"}) is None
