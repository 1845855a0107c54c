"""Fooling rates against closed forms, SciPy and the report's own estimates, and by simulated participants."""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import special, stats

from ablate.statistics.corrections import holm
from ablate.statistics.error_distribution import ErrorDistribution
from ablate.statistics.intervals import crossed_mean
from ablate.statistics.power import minimum_detectable_effect
from ablate.turing.analyse.answer_sums import AnswerSums, sum_answers, sums_of_algorithm
from ablate.turing.analyse.rates import (
    LEAST,
    PAIRS,
    RATES,
    compare_rates,
    difference_estimate,
    fooling_rates,
    rate_estimate,
)
from ablate.turing.analyse.simulation import DEVIATIONS, draw_answers

Table = npt.NDArray[np.bool_]


def crossed(people: int, photographs: int, *, rate: float = 0.3, seed: int = 0) -> Table:
    """Draw what all people say of all photographs: (people, photographs)."""
    random = np.random.default_rng([people, photographs, seed])
    odds = special.logit(rate) + random.normal(0, 0.8, (people, 1)) + random.normal(0, 0.8, (1, photographs))
    return np.asarray(random.random((people, photographs)) < special.expit(odds))


def trials_of(tables: dict[str, Table]) -> pd.DataFrame:
    """Make trials of tables (people, photographs) by algorithm."""
    frames = []
    for algorithm, table in tables.items():
        people, photographs = np.indices(table.shape)
        frames.append(
            pd.DataFrame(
                {
                    "participant": [f"{algorithm}{person}" for person in people.ravel()],
                    "photograph": [f"photo{place}" for place in photographs.ravel()],
                    "algorithm": algorithm,
                    "fooled": table.ravel(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def side(table: Table) -> AnswerSums:
    return sum_answers(trials_of({"a": table}))["a"]


def error(estimate: object) -> ErrorDistribution:
    found = getattr(estimate, "error", None)
    assert isinstance(found, ErrorDistribution)
    return found


@pytest.mark.parametrize("size", [(2, 7), (5, 40), (12, 49), (40, 60)])
@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_where_everyone_saw_everything_it_is_the_reports_estimate(size: tuple[int, int], rate: float) -> None:
    table = crossed(*size, rate=rate)
    ours, theirs = rate_estimate(side(table)), crossed_mean(table)
    assert ours.mean == pytest.approx(theirs.mean)
    assert error(ours).df == error(theirs).df
    # The quarter of the binomial variance is below what these people differ by.
    assert error(ours).seeds == pytest.approx(error(theirs).seeds)
    assert error(ours).examples == pytest.approx(error(theirs).examples, abs=1e-15)
    assert error(ours).example_df == error(theirs).example_df
    assert ours.seed_variance == pytest.approx(theirs.seed_variance, abs=1e-12)
    assert ours.example_variance == pytest.approx(theirs.example_variance, abs=1e-12)
    assert ours.interval() == pytest.approx(theirs.interval())


def test_where_everyone_saw_everything_photographs_count_by_their_mean_differences() -> None:
    tables = {"a": crossed(9, 30, rate=0.4), "b": crossed(14, 30, rate=0.2, seed=1)}
    found = sum_answers(trials_of(tables))
    estimate = difference_estimate(found["a"], found["b"])
    rest = 0.0
    for table in tables.values():
        own = crossed_mean(table)
        rest += own.residual_variance / table.size
    differences = tables["a"].mean(axis=0) - tables["b"].mean(axis=0)
    assert error(estimate).examples == pytest.approx(differences.var(ddof=1) / 30 - rest)
    assert error(estimate).example_df == 29
    assert error(estimate).seeds == pytest.approx(
        sum(table.mean(axis=1).var(ddof=1) / len(table) for table in tables.values())
    )


@pytest.mark.parametrize("people", [(5, 5), (4, 11)])
def test_where_no_photograph_is_seen_twice_a_difference_is_welchs_t_over_people(people: tuple[int, int]) -> None:
    tables = [crossed(count, 40, rate=rate, seed=3) for count, rate in zip(people, (0.5, 0.3), strict=True)]
    trials = trials_of(dict(zip("ab", tables, strict=True)))
    trials["photograph"] = range(len(trials))
    (row,) = compare_rates(trials).to_dict("records")
    welch = stats.ttest_ind(*(table.mean(axis=1) for table in tables), equal_var=False)
    assert row["difference"] == pytest.approx(100 * (tables[0].mean() - tables[1].mean()))
    assert (row["low"] / 100, row["high"] / 100) == pytest.approx(tuple(welch.confidence_interval()), rel=1e-6)
    assert row["p"] == pytest.approx(welch.pvalue, rel=1e-6)


def test_photographs_that_move_both_algorithms_alike_cancel_in_their_difference() -> None:
    table = np.tile(np.arange(40) < 12, (6, 1))
    table[0, 3], table[1, 20] = ~table[0, 3], ~table[1, 20]
    found = sum_answers(trials_of({"a": table, "b": table[::-1].copy()}))
    assert error(rate_estimate(found["a"])).examples > 0.004
    assert error(difference_estimate(found["a"], found["b"])).examples < 1e-4


@pytest.mark.slow
def test_variances_are_unbiased_where_everyone_saw_something_else() -> None:
    deviations = DEVIATIONS[1]
    random = np.random.default_rng(0)
    rates, variances, differences, of_difference = [], [], [], []
    for _ in range(1500):
        drawn = draw_answers(deviations, (0.3, 0.4), participants=8, trials=20, photographs=30, random=random)
        a, b = sum_answers(drawn).values()
        rates.append(a.rate)
        variances.append(a.of_participants + a.example_variance * a.together)
        differences.append(a.rate - b.rate)
        of_difference.append(error(difference_estimate(a, b)).standard_error ** 2)
    # The standard error of a variance of 1,500 values is sqrt(2 / 1499), 3.7 % of it; three of them.
    assert np.mean(variances) == pytest.approx(np.var(rates), rel=0.11)
    # Cut off at 0, the photographs' part is too large on average, by little here.
    assert np.mean(of_difference) == pytest.approx(np.var(differences), rel=0.14)


def test_neither_the_order_nor_the_names_of_anything_matter() -> None:
    trials = trials_of({"a": crossed(6, 20), "b": crossed(7, 20, seed=1)}).sample(frac=0.7, random_state=1)
    before = fooling_rates(trials).set_index("algorithm"), compare_rates(trials)
    turned = trials.sample(frac=1, random_state=2).assign(
        photograph=lambda frame: frame["photograph"].map(lambda name: name[::-1]),
        participant=lambda frame: frame["participant"].map(lambda name: name[::-1]),
    )
    after = fooling_rates(turned).set_index("algorithm"), compare_rates(turned)
    pd.testing.assert_frame_equal(before[0], after[0].loc[before[0].index])
    sign = 1 if after[1].loc[0, "algorithm"] == before[1].loc[0, "algorithm"] else -1
    assert after[1].loc[0, "difference"] == pytest.approx(sign * before[1].loc[0, "difference"])
    assert after[1].loc[0, "p"] == pytest.approx(before[1].loc[0, "p"])


def test_two_crops_of_one_photograph_are_one_photograph_and_say_nothing_when_one_person_sees_both() -> None:
    # Four people, each of whom sees both crops of a photograph that nobody else sees.
    people, crops = np.repeat(range(4), 2), np.repeat(range(4), 2)
    found = sums_of_algorithm(people, crops, np.array([1.0, 1, 0, 1, 0, 0, 1, 0]), photographs=4)
    assert (found.photographs, found.together) == (4, 0.0)
    assert math.isnan(found.example_variance)
    # Now two people see each photograph: of 64 ordered pairs of trials 8 are of one photograph and two people.
    crops = np.array([0, 1, 0, 1, 2, 3, 2, 3])
    found = sums_of_algorithm(people, crops, np.array([1.0, 0, 1, 0, 0, 1, 0, 1]), photographs=4)
    assert found.together == pytest.approx(8 / 64 * 4 / 3)
    # Those agree: 0. Of the 40 that share nothing 24 differ, so that half their mean square is 0.3.
    assert found.example_variance == pytest.approx(0.3)


@pytest.mark.parametrize("people", [2, 5, 40])
@pytest.mark.parametrize("everyone", [False, True])
def test_nobody_or_everybody_fooled_leaves_an_interval(people: int, everyone: bool) -> None:
    trials = trials_of({"a": np.full((people, 40), everyone), "b": np.full((people, 40), everyone)})
    (row, _) = fooling_rates(trials).to_dict("records")
    near, far = sorted(abs(end - 100 * everyone) for end in (row["low"], row["high"]))
    assert row["rate"] == 100 * everyone
    assert 0 < near < far
    assert far == pytest.approx({2: 97.3, 5: 1.77, 40: 0.13}[people], rel=0.02)
    assert row["p_chance"] < (0.002 if people > 2 else 0.2)
    (pair,) = compare_rates(trials).to_dict("records")
    assert (pair["difference"], pair["p"]) == (0, 1)
    assert pair["low"] == -pair["high"] < -0.01


def test_never_fooled_is_what_the_page_says() -> None:
    (row,) = fooling_rates(trials_of({"a": np.zeros((5, 40), bool)})).to_dict("records")
    page = (Path(__file__).parents[3] / "docs" / "turing.md").read_text(encoding="utf-8")
    assert f"give 0 % [{row['low']:.1f}, {row['high']:.1f}]" in page
    # By hand: p = 0.5 / 201, a quarter of p (1 - p) / 200, t of 4 degrees of freedom, on log odds.
    p = 0.5 / 201
    reach = stats.t.ppf(0.975, 4) * math.sqrt(LEAST * p * (1 - p) / 200) / (p * (1 - p))
    assert row["high"] == pytest.approx(100 * special.expit(special.logit(p) + reach), rel=1e-6)


def test_one_participant_says_nothing_of_others() -> None:
    trials = trials_of({"a": crossed(1, 40), "b": crossed(5, 40)})
    rates = fooling_rates(trials).set_index("algorithm")
    assert rates.loc["a", "rate"] == pytest.approx(100 * crossed(1, 40).mean())
    assert rates.loc["a", ["low", "high", "p_chance", "p_corrected"]].isna().all()
    assert rates.loc["b", "p_corrected"] == rates.loc["b", "p_chance"]
    (pair,) = compare_rates(trials).to_dict("records")
    assert math.isfinite(pair["difference"])
    assert all(math.isnan(pair[name]) for name in ("low", "high", "p", "p_corrected", "minimum_detectable_effect"))


def test_one_photograph_is_judged_over_people_alone() -> None:
    trials = trials_of({"a": crossed(20, 1), "b": crossed(20, 1, seed=1)})
    assert fooling_rates(trials)["photographs"].tolist() == [1, 1]
    assert fooling_rates(trials)[["low", "high"]].notna().all(axis=None)
    found = list(sum_answers(trials).values())
    assert error(difference_estimate(*found)).examples == 0


def test_no_trials_give_no_rows() -> None:
    trials = trials_of({"a": crossed(2, 2)}).iloc[:0]
    assert fooling_rates(trials).columns.tolist() == list(RATES)
    assert compare_rates(trials).columns.tolist() == list(PAIRS)
    assert fooling_rates(trials).empty
    assert compare_rates(trials).empty


@pytest.mark.parametrize("seed", range(20))
def test_chance_is_excluded_where_p_is_below_a_twentieth(seed: int) -> None:
    (row,) = fooling_rates(trials_of({"a": crossed(6, 30, rate=0.38, seed=seed)})).to_dict("records")
    assert (row["p_chance"] < 0.05) == (not row["low"] <= 50 <= row["high"])
    assert 0 < row["low"] < row["rate"] < row["high"] < 100


@pytest.mark.slow
def test_p_values_are_corrected_for_algorithms_and_for_pairs() -> None:
    trials = trials_of(
        {name: crossed(8, 40, rate=rate) for name, rate in zip("abcd", (0.1, 0.3, 0.35, 0.6), strict=True)}
    )
    rates, pairs = fooling_rates(trials), compare_rates(trials)
    assert rates["p_corrected"].to_numpy() == pytest.approx(holm(rates["p_chance"].to_list()))
    assert list(zip(pairs["algorithm"], pairs["other"], strict=True)) == [
        ("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d"),
    ]  # fmt: skip
    assert pairs["p_corrected"].to_numpy() == pytest.approx(holm(pairs["p"].to_list()))
    found = sum_answers(trials)
    detectable = minimum_detectable_effect(error(difference_estimate(found["a"], found["b"])), alpha=0.05 / 6)
    assert pairs.loc[0, "minimum_detectable_effect"] == pytest.approx(100 * detectable)


def test_no_difference_is_larger_than_all_of_it() -> None:
    random = np.random.default_rng(1)
    trials = pd.DataFrame(
        [
            (f"{algorithm}{person}", f"photo{photograph}", algorithm, bool(random.random() < 0.5))
            for algorithm in ("a", "b")
            for person in range(2)
            for photograph in range(4)
        ],
        columns=["participant", "photograph", "algorithm", "fooled"],
    )
    (pair,) = compare_rates(trials).to_dict("records")
    assert pair["low"] >= -100
    assert pair["high"] <= 100
    assert pair["minimum_detectable_effect"] == np.inf
