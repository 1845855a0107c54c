"""Levels over a stream of hypotheses: what they sum to, and what they control."""

import numpy as np
import pytest

from ablate.statistics.online import ALPHA, next_level, share


def ever_rejected(p: np.ndarray) -> bool:
    rejected: list[bool] = []
    for one in p:
        rejected.append(bool(one <= next_level(rejected)))
    return any(rejected)


def test_the_shares_sum_to_one() -> None:
    count = 200_000
    rest = count**-0.6 / 0.6 / 2.2857656656  # the integral of what comes after
    assert sum(map(share, range(1, count + 1))) + rest == pytest.approx(1, abs=1e-6)


def test_a_place_has_its_share_and_the_level_of_a_rejection_before_it() -> None:
    first, second, third = (ALPHA * share(number) for number in (1, 2, 3))
    assert next_level([]) == first
    assert next_level([False]) == second
    assert next_level([True]) == first + second
    assert next_level([True, True]) == pytest.approx(first + second + third)
    assert next_level([True, False]) == next_level([False, False]) == third


def test_of_200_changes_of_nothing_five_streams_of_a_hundred_accept_any() -> None:
    random = np.random.default_rng(0)
    found = np.mean([ever_rejected(p) for p in random.uniform(size=(2000, 200))])
    assert 0.035 < found <= ALPHA + 0.01  # a standard error is half a point
    alike = np.mean([ever_rejected(np.full(200, p)) for p in random.uniform(size=2000)])
    assert alike <= found
