"""Main effects and interactions against statsmodels, marginal means of pandas, and the comparison of variants."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from statsmodels.formula.api import ols

from ablate.report.compare import Primary, compare
from ablate.statistics import linear_contrasts
from ablate.statistics.effects import COLUMNS, INTERACTION, MAIN, Contrasts, contrasts, estimate_effects
from ablate.study.designs import expand

TWO_BY_TWO_BY_TWO = {"a": ["0", "1"], "b": ["0", "1"], "c": ["0", "1"]}
TWO_BY_THREE = {"a": ["0", "1"], "b": ["x", "y", "z"]}

Factors = Mapping[str, Sequence[str]]


def first_levels(factors: Factors) -> pd.Series:
    return pd.Series({factor: levels[0] for factor, levels in factors.items()})


def variants_of(factors: Factors, design: str = "full_factorial", resolution: int = 5) -> pd.DataFrame:
    """Make the levels of a design's variants, index variant."""
    baseline = first_levels(factors).to_dict()
    levels = pd.DataFrame(expand(design, factors, baseline, resolution).variants)
    names = [
        ",".join(f"{factor}={level}" for factor, level in row.items() if level != baseline[factor]) or "baseline"
        for row in levels.to_dict("records")
    ]
    return levels.set_index(pd.Index(names, name="variant"))


def drawn(
    levels: pd.DataFrame,
    truth: Sequence[float] | None = None,
    *,
    seeds: int = 4,
    examples: int = 20,
    noise: float = 1.0,
) -> pd.Series:
    """Draw scores, index (variant, seed, example); `truth` is each variant's mean, at random where None is given."""
    random = np.random.default_rng(len(levels) * 100 + seeds)
    means = random.normal(0, 2, len(levels)) if truth is None else np.asarray(truth)
    values = (
        means[:, None, None]
        + random.normal(0, 1, (1, seeds, 1))
        + random.normal(0, 3, (1, 1, examples))
        + random.normal(0, noise, (len(levels), seeds, examples))
    )
    index = pd.MultiIndex.from_product(
        [levels.index, range(seeds), range(examples)], names=["variant", "seed", "example"]
    )
    return pd.Series(values.ravel(), index, name="auc")


def estimated(scores: pd.Series, factors: Factors, levels: pd.DataFrame) -> pd.DataFrame:
    return estimate_effects(cube(scores), contrasts(levels, first_levels(factors))).set_index("effect")


def cube(scores: pd.Series) -> npt.NDArray[np.float64]:
    """Return scores as an array: (num_variants, num_seeds, num_examples)."""
    shape = [len(scores.index.unique(name)) for name in ("variant", "seed", "example")]
    return scores.to_numpy(np.float64, copy=True).reshape(shape)


def of_seeds(scores: pd.Series, levels: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of each variant and seed beside its levels."""
    return scores.groupby(["variant", "seed"]).mean().reset_index().join(levels, on="variant")


def test_effects_of_2_by_2_by_2_are_those_of_statsmodels() -> None:
    levels = variants_of(TWO_BY_TWO_BY_TWO)
    scores = drawn(levels)
    found = estimated(scores, TWO_BY_TWO_BY_TWO, levels)
    means = of_seeds(scores, levels)
    # From -1/2 to 1/2, so that a coefficient is a difference, and that of a product a difference of differences. The
    # model holds the product of all three too.
    coded = means.assign(**{factor: means[factor].astype(float) - 0.5 for factor in "abc"})
    fitted = ols("auc ~ a * b * c", coded).fit().params
    assert list(found["kind"]) == [MAIN] * 3 + [INTERACTION] * 3
    for factor in "abc":
        assert found.loc[f"{factor}=1", "estimate"] == pytest.approx(fitted[factor])
    for one, other in combinations("abc", 2):
        assert found.loc[f"{one}=1 × {other}=1", "estimate"] == pytest.approx(fitted[f"{one}:{other}"])


def test_effects_of_2_by_3_are_differences_of_marginal_means() -> None:
    levels = variants_of(TWO_BY_THREE)
    scores = drawn(levels)
    found = estimated(scores, TWO_BY_THREE, levels)
    means = of_seeds(scores, levels)
    of_a, of_b = means.groupby("a")["auc"].mean(), means.groupby("b")["auc"].mean()
    cells = means.groupby(["a", "b"])["auc"].mean()
    expected = {
        "a=1": of_a["1"] - of_a["0"],
        "b=y": of_b["y"] - of_b["x"],
        "b=z": of_b["z"] - of_b["x"],
        **{
            f"a=1 × b={level}": cells["1", level] - cells["0", level] - cells["1", "x"] + cells["0", "x"]
            for level in "yz"
        },
    }
    assert found["estimate"].to_dict() == pytest.approx(expected)


def test_effects_of_2_by_3_are_those_of_statsmodels_with_the_baseline_as_reference() -> None:
    levels = variants_of(TWO_BY_THREE)
    scores = drawn(levels)
    fitted = ols("auc ~ C(a) * C(b)", of_seeds(scores, levels)).fit().params
    found = estimated(scores, TWO_BY_THREE, levels)
    for level in "yz":
        assert found.loc[f"a=1 × b={level}", "estimate"] == pytest.approx(fitted[f"C(a)[T.1]:C(b)[T.{level}]"])


def test_the_baseline_may_be_any_level() -> None:
    levels = variants_of(TWO_BY_THREE)
    scores = drawn(levels)
    forward = estimated(scores, TWO_BY_THREE, levels)
    backward = estimate_effects(cube(scores), contrasts(levels, pd.Series({"a": "1", "b": "x"}))).set_index("effect")
    assert backward.loc["a=0", "estimate"] == pytest.approx(-forward.loc["a=1", "estimate"])
    assert backward.loc["a=0", "p"] == pytest.approx(forward.loc["a=1", "p"])


def test_a_planted_interaction_is_found_and_nothing_else() -> None:
    levels = variants_of(TWO_BY_TWO_BY_TWO)
    both = ((levels["a"] == "1") & (levels["b"] == "1")).to_numpy(float)
    one = (levels["a"] == "1").to_numpy(float)
    found = estimated(drawn(levels, 2.0 * both + 1.0 * one, noise=0.1), TWO_BY_TWO_BY_TWO, levels)
    # The main effect of a is its mean over both levels of b.
    truth = {"a=1": 2.0, "b=1": 1.0, "c=1": 0.0, "a=1 × b=1": 2.0, "a=1 × c=1": 0.0, "b=1 × c=1": 0.0}
    assert found["estimate"].to_dict() == pytest.approx(truth, abs=0.05)
    assert (found["p"] < 0.05).to_dict() == {effect: value > 0 for effect, value in truth.items()}
    assert ((found["low"] < found["estimate"]) & (found["estimate"] < found["high"])).all()


def test_effects_are_linear_contrasts_of_the_runs() -> None:
    levels = variants_of(TWO_BY_TWO_BY_TWO)
    scores = drawn(levels)
    found = estimated(scores, TWO_BY_TWO_BY_TWO, levels)
    # The first of three factors: the mean of four variants less that of four.
    weights = [(np.where(levels[factor] == "1", 1, -1) / 4) for factor in "abc"]
    weights += [2 * one * other * 4 for one, other in combinations(weights, 2)]
    expected = linear_contrasts(cube(scores), weights)
    assert found[["low", "high", "p"]].to_numpy() == pytest.approx(expected[["low", "high", "p"]].to_numpy())


def test_the_effect_of_one_factor_of_two_levels_is_its_comparison_with_the_baseline() -> None:
    factors = {"a": ["0", "1"]}
    levels = variants_of(factors)
    scores = drawn(levels)
    effect = estimated(scores, factors, levels).loc["a=1"]
    row = (
        compare(scores.to_frame(), {"auc": True}, Primary("auc", higher_is_better=True))
        .set_index("variant")
        .loc["a=1"]
    )
    compared = [row["difference"], row["low"], row["high"], row["p"]]
    assert list(effect[["estimate", "low", "high", "p"]]) == pytest.approx(compared, rel=1e-6)


def test_a_half_fraction_says_which_interactions_it_cannot_tell_from_main_effects() -> None:
    factors = TWO_BY_TWO_BY_TWO
    levels = variants_of(factors, "fractional_factorial", 3)
    assert len(levels) == 4
    found = contrasts(levels, first_levels(factors))
    assert list(found.weights.index) == ["a=1", "b=1", "c=1"]
    assert list(found.aliased) == ["a=1 × b=1", "a=1 × c=1", "b=1 × c=1"]


def test_a_half_fraction_of_four_factors_tells_main_effects_and_half_of_the_interactions() -> None:
    factors = {factor: ["0", "1"] for factor in "abcd"}
    levels = variants_of(factors, "fractional_factorial", 4)
    assert len(levels) == 8
    found = contrasts(levels, first_levels(factors))
    kept = [effect for effect, kind in zip(found.weights.index, found.kinds, strict=True) if kind == INTERACTION]
    # As the design says of itself: axb = cxd, axc = bxd, axd = bxc.
    assert kept == ["a=1 × b=1", "a=1 × c=1", "a=1 × d=1"]
    assert list(found.aliased) == ["b=1 × c=1", "b=1 × d=1", "c=1 × d=1"]
    # What one name of an alias chain says is the sum of both.
    planted = ((levels["c"] == "1") == (levels["d"] == "1")).to_numpy(float)
    effects = estimate_effects(cube(drawn(levels, planted, noise=0.01)), found).set_index("effect")["estimate"]
    truth = {effect: 2.0 if effect == "a=1 × b=1" else 0.0 for effect in found.weights.index}
    assert effects.to_dict() == pytest.approx(truth, abs=0.02)


def test_a_fraction_of_resolution_5_tells_all_apart() -> None:
    factors = {factor: ["0", "1"] for factor in "abcde"}
    levels = variants_of(factors, "fractional_factorial", 5)
    found = contrasts(levels, first_levels(factors))
    assert len(levels) == 16
    assert len(found.weights) == 5 + 10
    assert list(found.aliased) == []


def test_one_at_a_time_has_no_interactions() -> None:
    levels = variants_of(TWO_BY_THREE, "one_at_a_time")
    found = contrasts(levels, first_levels(TWO_BY_THREE))
    assert list(found.kinds) == [MAIN] * 3
    assert list(found.aliased) == ["a=1 × b=y", "a=1 × b=z"]
    scores = drawn(levels)
    means = scores.groupby("variant").mean()
    differences = {name: means[name] - means["baseline"] for name in ("a=1", "b=y", "b=z")}
    assert estimate_effects(cube(scores), found).set_index("effect")["estimate"].to_dict() == pytest.approx(
        differences
    )


def test_a_factor_of_one_level_has_no_effect() -> None:
    levels = variants_of({"a": ["0", "1"], "b": ["x"]})
    found = contrasts(levels, pd.Series({"a": "0", "b": "x"}))
    assert list(found.weights.index) == ["a=1"]
    assert list(found.aliased) == []


def test_only_seeds_that_all_variants_have_make_an_effect() -> None:
    levels = variants_of(TWO_BY_THREE)
    values = cube(drawn(levels))
    found = contrasts(levels, first_levels(TWO_BY_THREE))
    values[2, 0] = values[4, 3] = np.nan
    effects = estimate_effects(values, found).set_index("effect")["estimate"]
    for effect, weights in found.weights.iterrows():
        weights = weights[weights.abs() > 1e-9]
        own = values[levels.index.isin(weights.index)].mean(axis=2)
        shared = ~np.isnan(own).any(axis=0)
        assert shared.sum() < 4
        assert effects[effect] == pytest.approx(weights @ own[:, shared].mean(axis=1))


def test_without_a_shared_seed_there_are_no_effects() -> None:
    levels = variants_of({"a": ["0", "1"]})
    apart = cube(drawn(levels))
    apart[0, :2] = apart[1, 2:] = np.nan
    found = estimate_effects(apart, contrasts(levels, pd.Series({"a": "0"})))
    assert found.empty
    assert list(found.columns) == list(COLUMNS)


def test_variants_that_differ_in_nothing_have_no_effects() -> None:
    levels = variants_of({"a": ["0"]})
    found = estimate_effects(cube(drawn(levels)), contrasts(levels, pd.Series({"a": "0"})))
    assert found.empty
    assert list(found.columns) == list(COLUMNS)


def test_effects_are_weighted_sums() -> None:
    levels = variants_of({"a": ["0", "1"]})
    values = cube(drawn(levels))
    twice = Contrasts(pd.DataFrame([[-2.0, 2.0]], index=["twice"], columns=levels.index), [MAIN], [])
    once = Contrasts(twice.weights / 2, [MAIN], [])
    (one,), (other,) = (estimate_effects(values, found).to_dict("records") for found in (once, twice))
    assert list(other) == list(COLUMNS)
    assert [other[name] for name in ("estimate", "low", "high")] == [
        2 * one[name] for name in ("estimate", "low", "high")
    ]


def test_effects_on_a_measure_of_the_whole_set_are_those_on_the_mean() -> None:
    factors = {"a": ["0", "1"], "b": ["0", "1"]}
    levels = variants_of(factors)
    found = contrasts(levels, first_levels(factors))
    scores = drawn(levels, examples=60)
    values = cube(scores)
    means = values.mean(axis=2, keepdims=True)
    draws = np.random.default_rng(0).integers(0, 60, (1000, 60))
    replicates = values[:, :, draws].mean(axis=3)
    one = estimate_effects(values, found)
    other = estimate_effects(means, found, replicates, 60)
    assert other["estimate"].tolist() == pytest.approx(one["estimate"].tolist())
    widths = [frame["high"] - frame["low"] for frame in (one, other)]
    assert widths[1].tolist() == pytest.approx(widths[0].tolist(), rel=0.15)
    alone = estimate_effects(means, found)
    assert alone["estimate"].tolist() == pytest.approx(one["estimate"].tolist())
