"""Levels of tests at several looks."""

import numpy as np
import pytest
from scipy import stats

from ablate.statistics.spending import false_alarm, spending_levels

SHARES = [[1.0], [0.5, 1.0], [3 / 8, 5 / 8, 1.0], [0.25, 5 / 12, 2 / 3, 1.0]]


def crossed(shares: list[float], levels: list[float], paths: int = 400_000) -> float:
    """Follow paths of a Brownian motion: how many exceed a bound at some look."""
    random = np.random.default_rng(3)
    steps = random.normal(size=(paths, len(shares))) * np.sqrt(np.diff([0, *shares]))
    standard = steps.cumsum(axis=1) / np.sqrt(shares)
    return float((np.abs(standard) > stats.norm.isf(np.array(levels) / 2)).any(axis=1).mean())


def test_one_look_has_all_of_the_level() -> None:
    assert spending_levels([1.0]) == pytest.approx([0.05])
    assert false_alarm([1.0], [0.05]) == pytest.approx(0.05)


@pytest.mark.parametrize("shares", SHARES)
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_all_looks_together_have_the_level(shares: list[float], alpha: float) -> None:
    levels = spending_levels(shares, alpha)
    assert false_alarm(shares, levels) == pytest.approx(alpha, abs=1e-9)
    assert levels == sorted(levels)


@pytest.mark.slow
def test_paths_that_are_followed_agree() -> None:
    shares = [3 / 8, 5 / 8, 1.0]
    levels = spending_levels(shares)
    assert crossed(shares, levels) == pytest.approx(0.05, abs=0.0015)
    assert crossed(shares, [0.05] * 3) == pytest.approx(false_alarm(shares, [0.05] * 3), abs=0.002)


def test_the_first_look_spends_by_the_formula() -> None:
    # O'Brien and Fleming's spending at t is 2 - 2 Phi(1.96 / sqrt(t)).
    assert spending_levels([3 / 8, 1.0])[0] == pytest.approx(2 * stats.norm.sf(stats.norm.isf(0.025) / np.sqrt(3 / 8)))


def test_five_looks_without_a_plan() -> None:
    # Armitage, McPherson and Rowe (1969), table 2: 0.142.
    assert false_alarm([0.2, 0.4, 0.6, 0.8, 1.0], [0.05] * 5) == pytest.approx(0.142, abs=0.0005)


@pytest.mark.parametrize("shares", [[], [0.5], [0.0, 1.0], [1.0, 0.5], [0.5, 0.5, 1.0]])
def test_shares_that_do_not_grow_to_1(shares: list[float]) -> None:
    with pytest.raises(ValueError, match="must grow"):
        spending_levels(shares)
