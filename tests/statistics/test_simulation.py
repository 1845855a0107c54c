"""Intervals, tests and minimum detectable effects keep what they promise in simulated studies."""

import numpy as np
import pytest

from ablate.statistics.simulation import COMPONENTS, Components, draw_scores, estimates, simulate

BATCHES, STUDIES = 8, 60


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("place", range(3))
def test_reports_keep_what_they_promise(place: int, seeds: int) -> None:
    components = COMPONENTS[place]
    rows = [
        simulate(components, seeds=seeds, studies=STUDIES, seed=1000 * place + 10 * seeds + batch)
        for batch in range(BATCHES)
    ]
    shares = np.array([(row.coverage, row.false_alarms, row.power) for row in rows])
    coverage, false_alarms, power = shares.mean(axis=0)
    # Two standard errors, from how batches differ: of coverage about 1 %, as the intervals of a study share their
    # baseline, of false alarms 1.5 %, of power 3 %.
    of_coverage, of_false_alarms, of_power = 2 * shares.std(axis=0, ddof=1) / np.sqrt(BATCHES)
    assert max(of_coverage, of_false_alarms, of_power) < 0.05
    assert 0.93 - of_coverage <= coverage <= 0.97 + of_coverage
    assert false_alarms <= 0.06 + of_false_alarms
    assert 0.72 - of_power <= power <= 0.88 + of_power


def test_the_check_has_teeth_a_bootstrap_over_three_seeds_fails_it() -> None:
    random = np.random.default_rng(0)
    seeds, drawn = 3, 1000
    covered = []
    for _ in range(300):
        scores = draw_scores(COMPONENTS[2], np.zeros(2), seeds=seeds, random=random)
        of_seeds = (scores[1] - scores[0]).mean(axis=1)
        low, high = np.percentile(of_seeds[random.integers(0, seeds, (drawn, seeds))].mean(axis=1), [2.5, 97.5])
        covered.append(low <= 0 <= high)
    # Three standard errors are at most 9 %: it misses by far more.
    assert np.mean(covered) < 0.93 - 0.09


def test_scores_vary_as_they_are_told() -> None:
    components = Components("", of_seeds=1.0, of_examples=2.0, of_both=0.5)
    random = np.random.default_rng(0)
    scores = draw_scores(components, [0.0, 3.0], seeds=400, random=random, examples=400)
    assert scores.shape == (2, 400, 400)
    estimate = estimates(scores)[0]
    # Twice the variance of a single variant's; the truth within four standard errors of 7 %.
    assert estimate.seed_variance == pytest.approx(2 * 1.0**2, rel=0.3)
    assert estimate.example_variance == pytest.approx(2 * 2.0**2, rel=0.3)
    assert estimate.residual_variance == pytest.approx(2 * 0.5**2, rel=0.05)
    assert estimate.mean == pytest.approx(3.0, abs=4 * estimate.error.standard_error)
