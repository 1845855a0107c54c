"""Intervals, rankings and plans of the other designs keep what they promise in simulated experiments."""

import math
from dataclasses import replace

import numpy as np
import pytest

from ablate.statistics.error_distribution import ErrorDistribution
from ablate.turing.analyse import preference
from ablate.turing.analyse.power import variance_components
from ablate.turing.analyse.simulation import DEVIATIONS, Deviations, components
from ablate.turing.analyse.simulation_designs import (
    OWN,
    draw_preferences,
    draw_within,
    preference_components,
    simulate_preferences,
    simulate_within,
    true_preferences,
)

CASES = [(0, 5, 50), (1, 20, 200), (2, 40, 50)]
"""Which deviations, participants, photographs."""


@pytest.mark.slow
@pytest.mark.parametrize(("place", "participants", "photographs"), CASES)
@pytest.mark.parametrize("strengths", [(0.0, 0.0, 0.0), (1.2, 0.4, 0.0)])
def test_rankings_hold(place: int, participants: int, photographs: int, strengths: tuple[float, ...]) -> None:
    counted = simulate_preferences(
        DEVIATIONS[place],
        strengths,
        participants=participants,
        trials=40,
        photographs=photographs,
        experiments=300,
        seed=1,
    )
    # Two standard errors: at most 1.3 % of three shares or pairs, which agree, and 1.3 % of experiments.
    assert 0.93 - 0.025 <= counted.rates <= 0.97 + 0.02
    assert 0.93 - 0.025 <= counted.differences <= 0.97 + 0.02
    assert counted.others >= 0.945 - 0.026
    if not any(strengths):
        assert counted.found <= 0.055 + 0.026


@pytest.mark.slow
@pytest.mark.parametrize(("place", "participants", "photographs"), CASES)
def test_differences_within_people_hold(place: int, participants: int, photographs: int) -> None:
    counted = simulate_within(
        DEVIATIONS[place],
        (0.32, 0.32, 0.32),
        participants=participants,
        trials=40,
        photographs=photographs,
        experiments=300,
        seed=2,
    )
    for share in (counted.rates, counted.differences, counted.others):
        assert 0.93 - 0.025 <= share <= 0.97 + 0.02
    assert counted.found <= 0.055 + 0.026


@pytest.mark.slow
def test_the_check_has_teeth_intervals_over_people_alone_fail_it(monkeypatch: pytest.MonkeyPatch) -> None:
    two_way = preference.two_way_error

    def over_people(*arguments: object, **options: float) -> ErrorDistribution | None:
        found = two_way(*arguments, **options)  # type: ignore[arg-type]
        return found and replace(found, examples=0.0)

    monkeypatch.setattr(preference, "two_way_error", over_people)
    counted = simulate_preferences(
        DEVIATIONS[2], (0.0, 0.0), participants=40, trials=40, photographs=50, experiments=200, seed=3
    )
    assert counted.differences < 0.93 - 0.1


def test_what_is_true_of_all_people_is_less_than_of_one() -> None:
    alone = Deviations("", 0.0, 0.0, 0.0)
    pairs, shares = true_preferences(alone, (1.0, 0.0, -1.0))
    assert pairs == pytest.approx([100 / (1 + math.exp(-each)) for each in (1, 2, 1)])
    assert shares[1] == pytest.approx(50)
    flatter, _ = true_preferences(DEVIATIONS[2], (1.0, 0.0, -1.0))
    assert (np.abs(flatter - 50) < np.abs(pairs - 50)).all()


@pytest.mark.slow
def test_answers_vary_as_they_are_told() -> None:
    deviations, random = Deviations("", participants=0.8, photographs=0.0, both=1.0), np.random.default_rng(0)
    size = {"participants": 300, "trials": 100, "photographs": 300, "random": random}
    trials = draw_preferences(deviations, (0.0, 0.0), **size)
    assert trials.groupby("participant")["photograph"].agg(["size", "nunique"]).eq(100).all(axis=None)
    found, expected = variance_components(trials, "preference"), preference_components(deviations)
    assert (found.rate, expected.rate) == (50, 50)
    assert found.participants == pytest.approx(expected.participants, rel=0.15)
    assert found.photographs == pytest.approx(expected.photographs, rel=0.15)
    trials = draw_within(deviations, (0.3, 0.3), **size)
    assert trials.groupby(["participant", "algorithm"]).size().eq(50).all()
    found, expected = variance_components(trials, "within"), components(deviations, 0.3, own=OWN)
    assert found.participants == pytest.approx(expected.participants, rel=0.2)
    assert found.photographs == pytest.approx(expected.photographs, rel=0.2)
