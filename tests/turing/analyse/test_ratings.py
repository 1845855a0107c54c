"""Mean ratings and their differences, against closed forms and simulated participants."""

import numpy as np
import pandas as pd
import pytest

from ablate.turing.analyse.power import variance_components
from ablate.turing.analyse.rates import PAIRS
from ablate.turing.analyse.rating_tables import rating_sentences
from ablate.turing.analyse.ratings import RATINGS, compare_ratings, mean_ratings, rating_differences
from ablate.turing.analyse.simulation import DEVIATIONS, Deviations
from ablate.turing.analyse.simulation_designs import OWN
from ablate.turing.analyse.simulation_ratings import (
    POINTS,
    draw_ratings,
    rating_components,
    simulate_ratings,
    true_mean,
)

ORDER = ("a0", "a1")
PEOPLE = Deviations("people who differ", participants=1.5, photographs=0.0, both=0.0)


def drawn(*centres: float, participants: int = 20, deviations: Deviations = PEOPLE) -> pd.DataFrame:
    return draw_ratings(
        deviations, centres, participants=participants, trials=40, photographs=200, random=np.random.default_rng(1)
    )


def test_the_participants_part_is_that_of_their_own_means() -> None:
    trials = drawn(3.0, 5.0)
    own = trials.pivot_table(index="participant", columns="algorithm", values="rating", aggfunc="mean")
    found = mean_ratings(trials, POINTS, ORDER)
    assert list(found) == list(RATINGS)
    assert found["rating"].tolist() == pytest.approx(own.mean().tolist())
    assert found["sd"].tolist() == pytest.approx(trials.groupby("algorithm")["rating"].std(ddof=0).tolist())
    difference = rating_differences(trials, POINTS, ORDER)["a0", "a1"]
    assert difference.mean * (POINTS - 1) == pytest.approx((own["a0"] - own["a1"]).mean())
    assert difference.error is not None
    assert difference.error.seeds * (POINTS - 1) ** 2 == pytest.approx((own["a0"] - own["a1"]).var(ddof=1) / 20)
    assert difference.error.df == 19
    (row,) = compare_ratings(trials, POINTS, ORDER).to_dict("records")
    assert list(row) == list(PAIRS)
    assert row["low"] < row["difference"] < row["high"] < 0
    assert row["p_corrected"] < 0.05


def test_what_all_say_alike_has_an_interval_on_the_scale() -> None:
    same = drawn(4.0, 4.0).assign(rating=lambda frame: np.where(frame["algorithm"] == "a0", 1.0, 7.0))
    lowest, highest = mean_ratings(same, POINTS, ORDER).to_dict("records")
    assert 1 <= lowest["low"] < lowest["high"] < 1.3
    assert 6.7 < highest["low"] < highest["high"] <= 7
    (row,) = compare_ratings(same, POINTS, ORDER).to_dict("records")
    assert row["difference"] == row["low"] == -6  # no interval goes beyond what there can be


def test_the_order_is_that_which_is_given() -> None:
    trials = drawn(3.0, 4.0, 5.0)
    order = ["a2", "gone", "a0", "a1"]
    assert mean_ratings(trials, POINTS, order)["algorithm"].tolist() == ["a2", "a0", "a1"]
    pairs = compare_ratings(trials, POINTS, order)
    assert list(zip(pairs["algorithm"], pairs["other"], strict=True)) == [("a2", "a0"), ("a2", "a1"), ("a0", "a1")]


def test_one_participant_has_a_mean_without_an_interval() -> None:
    trials = drawn(3.0, 5.0, participants=1)
    found, pairs = mean_ratings(trials, POINTS, ORDER), compare_ratings(trials, POINTS, ORDER)
    assert found["rating"].notna().all()
    assert found[["low", "high"]].isna().all(axis=None)
    assert pairs[["low", "p", "minimum_detectable_effect"]].isna().all(axis=None)
    said = rating_sentences(["a0", "a1", "a2"], found, pairs, POINTS)
    assert said[0] == "No answer counts yet of a2."
    assert said[-1] == "Rated by one participant, so that nothing is known of other people: a0; a1."


def test_nobody_has_rated() -> None:
    nothing = drawn(3.0, 5.0).iloc[:0]
    found, pairs = mean_ratings(nothing, POINTS), compare_ratings(nothing, POINTS)
    assert found.empty
    assert pairs.empty
    assert rating_sentences(["a0"], found, pairs, POINTS) == ["No answer counts yet of a0."]


def test_true_means_are_those_of_many() -> None:
    deviations = DEVIATIONS[1]
    random = np.random.default_rng(0)
    trials = draw_ratings(deviations, (2.0, 6.5), participants=400, trials=40, photographs=2000, random=random)
    means = trials.groupby("algorithm")["rating"].mean()
    assert means.tolist() == pytest.approx([true_mean(2.0, deviations), true_mean(6.5, deviations)], abs=0.06)


@pytest.mark.slow
def test_ratings_vary_as_they_are_told() -> None:
    deviations = Deviations("", participants=0.8, photographs=0.5, both=1.0)
    random = np.random.default_rng(0)
    trials = draw_ratings(deviations, (4.0, 4.0), participants=300, trials=100, photographs=300, random=random)
    assert trials.groupby(["participant", "algorithm"]).size().eq(50).all()
    assert trials.groupby("participant")["photograph"].nunique().eq(100).all()
    found, expected = variance_components(trials, "rating", POINTS), rating_components(deviations, 4.0)
    assert found.answers == pytest.approx(expected.answers, rel=0.05)
    assert found.participants == pytest.approx(expected.participants, rel=0.2)
    assert found.photographs == pytest.approx(expected.photographs, rel=0.2)
    assert 0 < OWN < 1


@pytest.mark.slow
def test_intervals_cover_and_false_alarms_are_few() -> None:
    counted = simulate_ratings(
        DEVIATIONS[1], (4.0, 4.0, 4.0), participants=20, trials=39, photographs=50, experiments=100, seed=3
    )
    # A share of 300, of experiments that are not independent, and of 100.
    assert counted.rates >= 0.93 - 0.03
    assert counted.differences >= 0.93 - 0.03
    assert counted.found <= 0.055 + 0.045
