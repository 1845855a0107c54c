"""d' and the share of left."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from ablate.turing.analyse.sensitivity import SENSITIVITY, sensitivity


def answered(d_prime: float, criterion: float, participants: int = 40, trials: int = 400) -> pd.DataFrame:
    """Draw answers of people whose criterion for left lies so far from the middle, as the model of d' has it."""
    random = np.random.default_rng(0)
    fake_left = random.random(participants * trials) < 0.5
    # The difference of two observations, of variance 2: the fake's lies d' higher.
    evidence = np.where(fake_left, d_prime, -d_prime) + np.sqrt(2) * random.normal(size=fake_left.size)
    return pd.DataFrame(
        {
            "participant": np.repeat(np.arange(participants), trials),
            "photograph": np.tile(np.arange(trials), participants),
            "algorithm": "a",
            "real_side": np.where(fake_left, "right", "left"),
            "choice": np.where(evidence > np.sqrt(2) * criterion, "left", "right"),
        }
    )


def test_a_preference_for_a_side_is_found_and_leaves_sensitivity_as_it_is() -> None:
    for criterion in (0.0, 0.8):
        (row,) = sensitivity(answered(1.0, criterion)).to_dict("records")
        assert row["d_prime"] == pytest.approx(1.0, abs=0.05)
        assert row["d_prime_low"] < 1.0 < row["d_prime_high"]
        expected = 50 * (norm.cdf(np.sqrt(0.5) - criterion) + norm.cdf(-np.sqrt(0.5) - criterion))
        assert row["left"] == pytest.approx(expected, abs=1)
        assert row["left_low"] < expected < row["left_high"]


def test_without_a_preference_it_is_the_fooling_rates() -> None:
    trials = answered(0.7, 0.0)
    rate = (trials["choice"] == trials["real_side"]).mean()
    (row,) = sensitivity(trials).to_dict("records")
    assert row["d_prime"] == pytest.approx(np.sqrt(2) * norm.ppf(1 - rate), abs=0.005)


def test_who_is_never_fooled_has_a_finite_sensitivity() -> None:
    trials = answered(1.0, 0.0, participants=5, trials=20)
    trials["choice"] = trials["real_side"].map({"left": "right", "right": "left"})
    (row,) = sensitivity(trials).to_dict("records")
    assert np.isfinite([row[name] for name in SENSITIVITY]).all()
    assert row["d_prime_low"] > 0


def test_of_one_side_alone_or_one_participant_nothing_or_no_interval_is_known() -> None:
    trials = answered(1.0, 0.0, participants=2, trials=10)
    one_side = sensitivity(trials[trials["real_side"] == "left"])
    assert one_side[list(SENSITIVITY)].isna().all(axis=None)
    (row,) = sensitivity(trials[trials["participant"] == 0]).to_dict("records")
    assert np.isfinite([row["d_prime"], row["left"]]).all()
    assert np.isnan([row["d_prime_low"], row["left_high"]]).all()
