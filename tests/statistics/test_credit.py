"""The credit of factors against closed forms, the axioms of Shapley, and the mean over all orders."""

from itertools import permutations, product

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from ablate.statistics import linear_contrasts, many_to_one
from ablate.statistics.credit import (
    ADDED,
    ALL_FACTORS,
    COLUMNS,
    LEFT_OUT,
    SHAPLEY,
    TOTAL,
    added_alone_weights,
    estimate_credit,
    left_out_weights,
    shapley_weights,
    total_weights,
)

Array = npt.NDArray[np.float64]
FACTORS = (1, 2, 3, 4, 5)


def all_sets(factors: int, seed: int | None = 0) -> npt.NDArray[np.bool_]:
    """Make all sets of factors, in a random order."""
    sets = np.array(list(product([False, True], repeat=factors)))
    return sets if seed is None else np.random.default_rng(seed).permutation(sets)


def means_of(sets: npt.NDArray[np.bool_], seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(0, 2, len(sets))


def frame_of(factors: int) -> pd.DataFrame:
    sets = all_sets(factors, None)
    return pd.DataFrame(sets, columns=[f"f{place}=on" for place in range(factors)])


def runs_of(means: Array, seeds: int = 4, examples: int = 30) -> Array:
    random = np.random.default_rng(len(means))
    return np.asarray(
        means[:, None, None]
        + random.normal(0, 2, (1, seeds, 1))
        + random.normal(0, 1, (len(means), seeds, 1))
        + random.normal(0, 1, (len(means), seeds, examples))
    )


@pytest.mark.parametrize("factors", FACTORS)
def test_shapley_values_are_the_mean_over_all_orders(factors: int) -> None:
    sets = all_sets(factors)
    means = means_of(sets)
    of_set = {tuple(row): mean for row, mean in zip(sets.tolist(), means, strict=True)}
    orders = list(permutations(range(factors)))
    sums = np.zeros(factors)
    for order in orders:
        changed = [False] * factors
        for factor in order:
            before = of_set[tuple(changed)]
            changed[factor] = True
            sums[factor] += of_set[tuple(changed)] - before
    np.testing.assert_allclose(shapley_weights(sets) @ means, sums / len(orders), atol=1e-12)


@pytest.mark.parametrize("factors", FACTORS)
def test_shapley_values_sum_to_the_total(factors: int) -> None:
    sets = all_sets(factors)
    total = total_weights(sets)
    np.testing.assert_allclose(shapley_weights(sets).sum(axis=0), total, atol=1e-14)
    assert total[sets.all(axis=1)].tolist() == [1.0]
    assert total[~sets.any(axis=1)].tolist() == [-1.0]


def test_two_factors_have_the_closed_form() -> None:
    sets = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    np.testing.assert_allclose(shapley_weights(sets), [[-0.5, -0.5, 0.5, 0.5], [-0.5, 0.5, -0.5, 0.5]])
    np.testing.assert_allclose(added_alone_weights(sets), [[-1, 0, 1, 0], [-1, 1, 0, 0]])
    np.testing.assert_allclose(left_out_weights(sets), [[0, -1, 0, 1], [0, 0, -1, 1]])


@pytest.mark.parametrize("factors", FACTORS)
def test_of_additive_factors_all_credits_are_the_effects(factors: int) -> None:
    sets = all_sets(factors)
    effects = np.arange(1.0, factors + 1)
    for weights in (shapley_weights(sets), added_alone_weights(sets), left_out_weights(sets)):
        np.testing.assert_allclose(weights @ (7 + sets @ effects), effects, atol=1e-12)
        np.testing.assert_allclose(weights.sum(axis=1), 0, atol=1e-14)


@pytest.mark.parametrize("factors", FACTORS[1:])
def test_factors_that_do_the_same_get_the_same(factors: int) -> None:
    sets = all_sets(factors)
    curve = means_of(sets)[: factors + 1]
    credit = shapley_weights(sets) @ curve[sets.sum(axis=1)]
    np.testing.assert_allclose(credit, np.full(factors, (curve[-1] - curve[0]) / factors), atol=1e-12)


@pytest.mark.parametrize("factors", FACTORS[1:])
def test_a_factor_that_does_nothing_gets_nothing(factors: int) -> None:
    sets = all_sets(factors)
    others = means_of(sets)[sets[:, 1:] @ 2 ** np.arange(factors - 1)]
    assert shapley_weights(sets)[0] @ others == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("sets", [[[True]], [[False], [False]], [[True, False], [False, True]], [[]], [True, False]])
def test_all_sets_have_to_be_there(sets: list[list[bool]]) -> None:
    with pytest.raises(ValueError, match="one row for each"):
        shapley_weights(sets)


@pytest.mark.parametrize("factors", [1, 2, 3])
def test_estimates_are_those_of_the_means_and_sum_exactly(factors: int) -> None:
    changed = frame_of(factors)
    values = runs_of(means_of(changed.to_numpy()))
    credit = estimate_credit(values, changed)
    assert tuple(credit) == COLUMNS
    credit = credit.set_index(["kind", "factor"])
    means = values.mean(axis=(1, 2))
    for kind, weights in (
        (SHAPLEY, shapley_weights(changed)),
        (ADDED, added_alone_weights(changed)),
        (LEFT_OUT, left_out_weights(changed)),
    ):
        np.testing.assert_allclose(credit.loc[kind, "estimate"], weights @ means, atol=1e-12)
    total = credit.loc[(TOTAL, ALL_FACTORS), "estimate"]
    assert credit.loc[SHAPLEY, "estimate"].sum() == pytest.approx(total, abs=1e-12)
    assert ((credit["low"] < credit["estimate"]) & (credit["estimate"] < credit["high"])).all()
    assert ((credit["p"] < 0.05) == ((credit["low"] > 0) | (credit["high"] < 0))).all()


def test_shapley_values_and_the_total_are_one_family() -> None:
    changed = frame_of(3)
    values = runs_of(means_of(changed.to_numpy()))
    weights = np.vstack([shapley_weights(changed), total_weights(changed)])
    credit = estimate_credit(values, changed)
    family = credit[credit["kind"].isin([SHAPLEY, TOTAL])]
    np.testing.assert_allclose(family["low"], linear_contrasts(values, weights)["low"])


def test_with_missing_runs_the_sum_is_exact_over_the_seeds_that_all_have() -> None:
    changed = frame_of(2)
    values = runs_of(means_of(changed.to_numpy()))
    values[1, 0] = np.nan
    credit = estimate_credit(values, changed).set_index(["kind", "factor"])["estimate"]
    assert credit[SHAPLEY].sum() == pytest.approx(credit[TOTAL, ALL_FACTORS], abs=1e-12)
    means = values[:, 1:].mean(axis=(1, 2))
    assert credit[TOTAL, ALL_FACTORS] == pytest.approx(means[3] - means[0])
    # The first factor alone is in other runs.
    assert credit[ADDED, "f0=on"] == pytest.approx((values[2] - values[0]).mean())


def test_without_a_seed_that_all_have_there_are_no_shapley_values() -> None:
    changed = frame_of(2)
    values = runs_of(means_of(changed.to_numpy()), seeds=2)
    values[1, 0] = values[2, 1] = np.nan
    assert set(estimate_credit(values, changed)["kind"]) == {ADDED, LEFT_OUT}


def test_of_one_factor_all_credits_are_its_difference() -> None:
    changed = frame_of(1)
    values = runs_of(np.array([0.0, 3.0]))
    credit = estimate_credit(values, changed)
    (expected,) = many_to_one(values)[["low", "high"]].to_numpy()
    np.testing.assert_allclose(credit[["low", "high"]], np.tile(expected, (4, 1)), rtol=1e-2)


def test_a_measure_of_the_whole_set_uses_its_replicates() -> None:
    changed = frame_of(2)
    values = runs_of(means_of(changed.to_numpy()), seeds=3, examples=60)
    drawn = np.random.default_rng(3).integers(0, 60, (400, 60))
    replicates = values[:, :, drawn].mean(axis=3)
    one = estimate_credit(values, changed)
    other = estimate_credit(values.mean(axis=2, keepdims=True), changed, replicates, 60)
    np.testing.assert_allclose(one["estimate"], other["estimate"], atol=1e-12)
    np.testing.assert_allclose(one["low"], other["low"], atol=0.3)
