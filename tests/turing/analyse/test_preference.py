"""Rankings by paired comparisons."""

import numpy as np
import pandas as pd
import pytest

from ablate.turing.analyse.preference import PREFERENCES, RANKING, compare_algorithms, rank_algorithms
from ablate.turing.analyse.preference_sentences import preference_sentences
from ablate.turing.analyse.simulation import DEVIATIONS
from ablate.turing.analyse.simulation_designs import draw_preferences


def drawn(*strengths: float, participants: int = 20, seed: int = 0) -> pd.DataFrame:
    return draw_preferences(
        DEVIATIONS[1],
        strengths,
        participants=participants,
        trials=40,
        photographs=100,
        random=np.random.default_rng(seed),
    )


def test_of_two_algorithms_shares_are_the_pair() -> None:
    trials = drawn(0.5, 0.0)
    ranking, pairs = rank_algorithms(trials), compare_algorithms(trials)
    assert list(ranking) == list(RANKING)
    assert list(pairs) == list(PREFERENCES)
    (pair,) = pairs.to_dict("records")
    one, other = ranking.to_dict("records")
    assert (one["share"], one["low"], one["high"]) == pytest.approx((pair["probability"], pair["low"], pair["high"]))
    assert other["share"] == pytest.approx(100 - one["share"])
    assert (other["low"], other["high"]) == pytest.approx((100 - one["high"], 100 - one["low"]))
    won = trials["fooled"].sum()
    assert pair["preferred"] == pytest.approx(100 * won / 800)
    assert pair["probability"] == pytest.approx(100 * (won + 0.5) / 801)
    assert pair["trials"] == one["trials"] == 800
    assert pair["low"] < pair["probability"] < pair["high"]
    assert (pair["p"] < 0.05) == (not pair["low"] <= 50 <= pair["high"])


def test_strong_differences_are_ranked_and_equals_share_ranks() -> None:
    ranking = rank_algorithms(drawn(3.0, 0.0, 0.0, -3.0, participants=40)).set_index("algorithm")
    assert ranking.loc["a0", ["rank", "best_rank", "worst_rank"]].tolist() == [1, 1, 1]
    assert ranking.loc["a3", ["rank", "best_rank", "worst_rank"]].tolist() == [4, 4, 4]
    assert ranking.loc[["a1", "a2"], ["best_rank", "worst_rank"]].to_numpy().tolist() == [[2, 3], [2, 3]]
    assert ranking["share"].mean() == pytest.approx(50)
    assert ranking["strength"].sum() == pytest.approx(0)
    assert ranking["trials"].sum() == 2 * 40 * 40


def test_the_order_is_the_bundles_and_who_was_shown_first_in_a_trial_is_no_matter() -> None:
    trials = drawn(0.8, 0.3, 0.0)
    turned = trials.assign(algorithm=trials["other"], other=trials["algorithm"], fooled=~trials["fooled"])
    order = ["a2", "never", "a0", "a1"]
    one, other = (rank_algorithms(each, order) for each in (trials, turned))
    assert one["algorithm"].tolist() == ["a2", "a0", "a1"]
    pd.testing.assert_frame_equal(one, other)
    pairs = compare_algorithms(turned, order)
    assert pairs[["algorithm", "other"]].to_numpy().tolist() == [["a2", "a0"], ["a2", "a1"], ["a0", "a1"]]
    pd.testing.assert_frame_equal(pairs, compare_algorithms(trials, order))


def test_one_participant_has_a_ranking_without_intervals() -> None:
    trials = drawn(1.0, 0.0, participants=1)
    ranking, pairs = rank_algorithms(trials), compare_algorithms(trials)
    assert ranking["share"].notna().all()
    assert ranking[["low", "high"]].isna().all(axis=None)
    assert pairs[["p", "p_corrected", "minimum_detectable_effect"]].isna().all(axis=None)
    assert "nothing is known of other people" in preference_sentences(["a0", "a1"], ranking, pairs)[-1]


def test_what_was_never_compared_has_no_ranking_and_says_so() -> None:
    one = drawn(0.5, 0.0)
    other = one.assign(algorithm="b0", other="b1")
    trials = pd.concat([one, other], ignore_index=True)
    ranking, pairs = rank_algorithms(trials), compare_algorithms(trials)
    assert ranking[["share", "strength", "rank", "best_rank"]].isna().all(axis=None)
    assert ranking["trials"].tolist() == [800] * 4
    assert pairs["preferred"].notna().sum() == 2
    assert pairs["p_corrected"].isna().all()
    said = preference_sentences(["a0", "a1", "b0", "b1", "c"], ranking, pairs)
    assert said == [
        "No answer counts yet of c.",
        "No ranking yet: not all were compared with each other, directly or by way of others.",
    ]


def test_nobody_has_answered() -> None:
    nothing = drawn(0.5, 0.0).iloc[:0]
    ranking, pairs = rank_algorithms(nothing), compare_algorithms(nothing)
    assert (len(ranking), len(pairs)) == (0, 0)
    assert preference_sentences(["a"], ranking, pairs) == ["No answer counts yet of a."]


def test_sentences_say_who_is_preferred_and_what_could_have_been_found() -> None:
    trials = drawn(2.0, 0.0, 0.0, participants=30, seed=1)
    ranking, pairs = rank_algorithms(trials), compare_algorithms(trials)
    said = preference_sentences(["a0", "a1", "a2"], ranking, pairs)
    assert said[0].startswith("Found more natural in so many of the pairs, on average over the others: a0 ")
    start, _, ranked = said[1].partition(": ")
    assert start == "Ranks, with 95 % for all at once"
    assert sorted(ranked.removesuffix(".").split("; ")) == ["a0 1", "a1 2 to 3", "a2 2 to 3"]
    assert {line.split(":")[0] for line in said[2:4]} == {
        "a0 is found more natural than a1",
        "a0 is found more natural than a2",
    }
    assert said[4].startswith("Of 1 pair no preference was found. The minimum detectable effect is ")
