"""The two-way robust variance."""

import numpy as np
import pytest

from ablate.statistics.intervals import crossed_mean
from ablate.turing.analyse.two_way import two_way_error


def test_of_a_whole_table_it_is_the_mean_over_two_samples() -> None:
    random = np.random.default_rng(0)
    table = random.normal(0, 1, (30, 60)) + random.normal(0, 1, (30, 1)) + random.normal(0, 1, (1, 60))
    people, photographs = np.indices(table.shape)
    parts = (table - table.mean()).ravel() / table.size
    error = two_way_error(parts, people.ravel(), photographs.ravel())
    known = crossed_mean(table).error
    assert error is not None
    assert known is not None
    assert (error.seeds, error.df) == pytest.approx((known.seeds, known.df))
    assert error.example_df == 59
    # What single answers vary by is estimated from all of them here, and from what both samples leave there.
    assert error.examples == pytest.approx(known.examples, rel=0.1)


def test_neither_part_falls_below_what_it_is_at_least() -> None:
    people, photographs = np.repeat(np.arange(4), 6), np.tile(np.arange(6), 4)
    parts = np.tile([1.0, -1.0, 0.5, -0.5, 0.25, -0.25], 4)
    alone = two_way_error(parts, people, photographs, least=0.125)
    assert alone is not None
    assert alone.seeds == 0.125
    turned = two_way_error(parts, photographs, people)
    assert turned is not None
    assert turned.examples == 0.0
    assert turned.seeds > 0


def test_one_participant_says_nothing_of_others_and_one_photograph_nothing_of_photographs() -> None:
    parts, several, one = np.array([1.0, -2.0, 1.0]), np.arange(3), np.zeros(3, np.int64)
    assert two_way_error(parts, one, several) is None
    error = two_way_error(parts, several, one)
    assert error is not None
    assert error.examples == 0.0
