"""Intervals and comparisons keep what they promise in simulated experiments."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from ablate.turing.analyse.answer_sums import AnswerSums, sum_answers
from ablate.turing.analyse.rates import difference_estimate
from ablate.turing.analyse.simulation import DEVIATIONS, Deviations, components, draw_answers, simulate

CASES = [(0, 5, 40, 50, 0.32), (1, 5, 40, 200, 0.05), (1, 20, 20, 200, 0.32), (2, 40, 40, 50, 0.5)]
"""Which deviations, participants, trials of each, photographs, rate."""


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_intervals_cover_the_truth_as_often_as_they_say(case: Sequence[float]) -> None:
    place, participants, trials, photographs, rate = case
    counted = simulate(
        DEVIATIONS[int(place)],
        (rate, rate),
        participants=participants,
        trials=trials,
        photographs=photographs,
        experiments=400,
        seed=1,
    )
    # Two standard errors: 0.8 % of rates, as two count in each experiment, and 1.1 % of differences.
    assert 0.93 - 0.016 <= counted.rates <= 0.97 + 0.016
    assert 0.93 - 0.022 <= counted.differences <= 0.97 + 0.022
    assert counted.found == pytest.approx(1 - counted.differences)


@pytest.mark.slow
def test_the_check_has_teeth_intervals_over_people_alone_fail_it() -> None:
    def alone(found: AnswerSums) -> AnswerSums:
        return replace(found, example_variance=0.0, excess=np.zeros_like(found.excess))

    counted = coverage(alone), coverage(lambda found: found)
    assert counted[0] < 0.93 - 0.1
    assert counted[1] > 0.9


def coverage(seen: Callable[[AnswerSums], AnswerSums]) -> float:
    random, covered = np.random.default_rng(2), 0
    for _ in range(300):
        drawn = draw_answers(DEVIATIONS[2], (0.5, 0.5), participants=40, trials=40, photographs=50, random=random)
        low, high = difference_estimate(*(seen(each) for each in sum_answers(drawn).values())).interval()
        covered += low <= 0 <= high
    return covered / 300


@pytest.mark.slow
def test_rarely_fooled_by_five_people_needs_the_least_variance(monkeypatch: pytest.MonkeyPatch) -> None:
    def covered() -> float:
        return float(
            simulate(
                DEVIATIONS[1],
                (0.01,),
                participants=5,
                trials=40,
                photographs=200,
                experiments=400,
                seed=3,
            ).rates
        )

    # The standard error of a share of 400 is at most 2 %.
    assert 0.93 - 0.02 <= covered() <= 0.99
    monkeypatch.setattr("ablate.turing.analyse.rates.LEAST", 1e-9)
    assert covered() < 0.9


def test_answers_vary_as_they_are_told() -> None:
    deviations = Deviations("", participants=0.8, photographs=0.5, both=1.0)
    drawn = draw_answers(
        deviations, (0.3, 0.3), participants=300, trials=100, photographs=300, random=np.random.default_rng(0)
    )
    assert drawn.groupby("participant")["photograph"].agg(["size", "nunique"]).eq(100).all(axis=None)
    expected = components(deviations, 0.3)
    found = list(sum_answers(drawn).values())
    for each in found:
        # Its standard error is 0.2 / sqrt(300) from people and as much from photographs.
        assert each.rate == pytest.approx(0.3, abs=0.05)
        assert 100 * math.sqrt(each.seed_variance) == pytest.approx(expected.participants, rel=0.15)
