"""Looks at a study's results."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import stats

from ablate.statistics.seed_plan import SeedPlan
from ablate.statistics.sequential import Look, Outcome, critical_value, decision_chances, looks
from ablate.statistics.simultaneous import many_to_one
from ablate.statistics.spending import spending_levels

Array = npt.NDArray[np.float64]
PLAN = SeedPlan((3, 5, 8))
POINTS = 2**11
SHIFTS = (6.0, 0.0, 0.9, 0.0)
"""Of variants whose runs have the standard deviation 1: one is found at once, one is not."""


def drawn(shifts: tuple[float, ...] = SHIFTS, seeds: int = 8, seed: int = 0) -> Array:
    values = np.random.default_rng(seed).normal(size=(len(shifts) + 1, seeds, 1))
    values[1:] += np.array(shifts)[:, None, None]
    return values


def all_looks(values: Array, plan: SeedPlan = PLAN, **options: float) -> list[Look]:
    return list(looks(values, plan, points=POINTS, **options))  # type: ignore[arg-type]


def test_one_look_is_the_comparison() -> None:
    values = drawn(seeds=3)
    (look,) = all_looks(values, SeedPlan((3,)))
    expected = many_to_one(values, points=POINTS)
    pd.testing.assert_frame_equal(look.table[expected.columns], expected, rtol=1e-9)
    assert look.level == pytest.approx(0.95)
    assert set(look.table["outcome"]) <= {Outcome.DECIDED, Outcome.UNDECIDED}


def test_what_is_closed_keeps_its_look_and_is_not_trained_again() -> None:
    found = all_looks(drawn((30.0, 0.0, 0.9, 0.0)))
    first = found[0].table
    assert first.loc[1, "outcome"] == Outcome.DECIDED
    assert all(look.table.loc[1].equals(first.loc[1]) for look in found)
    for before, look in pairwise(found):
        closed = (before.table["outcome"] != Outcome.UNDECIDED).to_numpy()
        assert (look.asked[1:].sum(axis=1)[closed] == before.asked[1:].sum(axis=1)[closed]).all()
        assert (look.asked[1:].sum(axis=1)[~closed] == PLAN.looks[look.place]).all()
        assert look.asked[0].sum() == PLAN.looks[look.place]


def test_each_look_has_the_level_of_its_spending() -> None:
    values = drawn()
    levels = spending_levels([3 / 8, 5 / 8, 1.0])
    for look in all_looks(values):
        seen = np.where(look.asked[:, :, None], values, np.nan)
        own = many_to_one(seen, 1 - levels[look.place], points=POINTS)
        fresh = look.table["look"] == look.place
        # A variant that was dropped is in the maximum of those that were not.
        pd.testing.assert_frame_equal(look.table.loc[fresh, own.columns], own[fresh])


def test_runs_that_no_look_asks_for_do_not_count() -> None:
    values, more = drawn(), drawn()
    last = all_looks(values)[-1]
    more[~last.asked] = 1e6
    pd.testing.assert_frame_equal(all_looks(more)[-1].table, last.table)


@pytest.mark.slow
def test_verdicts_are_their_intervals() -> None:
    for seed in range(25):
        for look in all_looks(drawn((3.0, 1.0, 0.0), seed=seed), margin=0.4):
            decided = look.table["outcome"] == Outcome.DECIDED
            outside = (look.table["low"] > 0) | (look.table["high"] < 0)
            within = (look.table["low"] >= -0.4) & (look.table["high"] <= 0.4)
            assert (decided == (outside | within)).all()


def test_a_margin_decides_too() -> None:
    values = 0.01 * np.random.default_rng(0).normal(size=(3, 8, 1))
    assert set(all_looks(values, margin=1.0)[0].table["outcome"]) == {Outcome.DECIDED}
    assert Outcome.DECIDED not in set(all_looks(values)[0].table["outcome"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_cannot_be_compared_is_dropped(value: float) -> None:
    values = drawn()
    values[2, :2] = value
    values[2, 2] = np.nan
    assert all(look.table.loc[2, "outcome"] == Outcome.DROPPED for look in all_looks(values))
    assert all(np.isnan(look.table.loc[2, "low"]) for look in all_looks(values))


def test_more_seeds_of_the_baseline() -> None:
    plan = SeedPlan((3, 5, 8), of_baseline=6)
    assert not plan.paired
    assert [plan.counts(look, [2, 0]) for look in range(3)] == [[6, 3, 3], [6, 5, 3], [8, 8, 3]]
    values = drawn()
    look = all_looks(values, plan)[0]
    seen = np.where(look.asked[:, :, None], values, np.nan)
    expected = many_to_one(seen, look.level, paired=False, points=POINTS)
    pd.testing.assert_frame_equal(look.table[expected.columns], expected)


def test_the_chance_of_a_decision_is_students() -> None:
    found = pd.DataFrame(
        {"difference": [1.0, 0.0], "df": [8.0, 8.0], "standard_error": [0.5, 0.5], "standard_error_of_examples": 0.0}
    )
    share, limit = 3 / 8, critical_value(2, 0.04, 0.5) * 0.5 * np.sqrt(3 / 8)
    spread = 0.5 * np.sqrt(1 - share)
    expected = [stats.t.sf((limit - d) / spread, 8) + stats.t.cdf((-limit - d) / spread, 8) for d in (1.0, 0.0)]
    assert decision_chances(found, PLAN, 0, 0.04, None) == pytest.approx(expected)
    # What examples do is as large at the last look.
    examples = found.assign(standard_error_of_examples=0.5)
    assert decision_chances(examples, PLAN, 0, 0.04, None) == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize("count", [1, 3, 13])
def test_critical_values_of_equally_correlated_errors(count: int) -> None:
    covariance = np.full((count, count), 0.5) + np.diag(np.full(count, 0.5))
    value = critical_value(count, 0.05, 0.5)
    box = stats.multivariate_normal(np.zeros(count), covariance, seed=1)
    within = box.cdf(np.full(count, value), lower_limit=np.full(count, -value))
    assert within == pytest.approx(0.95, abs=1e-3)
