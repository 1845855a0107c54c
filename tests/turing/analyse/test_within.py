"""Differences of rates where each participant judges all algorithms."""

import numpy as np
import pandas as pd
import pytest

from ablate.turing.analyse.rates import PAIRS, compare_rates
from ablate.turing.analyse.simulation import Deviations
from ablate.turing.analyse.simulation_designs import draw_within
from ablate.turing.analyse.within import compare_within, within_difference

PEOPLE = Deviations("people who differ", participants=2.0, photographs=0.0, both=0.0)


def drawn(*rates: float, participants: int = 20) -> pd.DataFrame:
    return draw_within(
        PEOPLE, rates, participants=participants, trials=40, photographs=200, random=np.random.default_rng(1)
    )


def test_the_participants_part_is_that_of_their_own_differences() -> None:
    trials = drawn(0.3, 0.5)
    found = within_difference(trials, "a0", "a1")
    own = trials.pivot_table(index="participant", columns="algorithm", values="fooled", aggfunc="mean")
    differences = own["a0"] - own["a1"]
    assert found.mean == pytest.approx(differences.mean())
    assert found.error is not None
    assert found.error.seeds == pytest.approx(differences.var(ddof=1) / 20)
    assert found.error.df == 19


def test_pairing_within_people_makes_intervals_narrower() -> None:
    trials = drawn(0.3, 0.3, participants=60)
    within, between = compare_within(trials), compare_rates(trials)
    assert list(within) == list(PAIRS)
    assert within["difference"].tolist() == pytest.approx(between["difference"].tolist())
    widths = [(each["high"] - each["low"]).item() for each in (within, between)]
    assert widths[0] < 0.95 * widths[1]


def test_one_participant_has_a_difference_without_an_interval() -> None:
    (row,) = compare_within(drawn(0.3, 0.5, participants=1)).to_dict("records")
    assert np.isfinite(row["difference"])
    assert np.isnan([row["low"], row["p"], row["minimum_detectable_effect"]]).all()
