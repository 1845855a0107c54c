from itertools import combinations

import numpy as np
import pytest

from ablate.study.designs import expand, shortest_word

FACTORS = {"a": [0, 1], "b": ["x", "y", "z"], "c": [True, False]}
BASELINE = {"a": 1, "b": "x", "c": True}
FIVE = {name: [0, 1] for name in "abcde"}


def test_one_at_a_time_is_the_baseline_and_every_other_level_alone() -> None:
    assert expand("one_at_a_time", FACTORS, BASELINE).variants == [
        BASELINE,
        {**BASELINE, "a": 0},
        {**BASELINE, "b": "y"},
        {**BASELINE, "b": "z"},
        {**BASELINE, "c": False},
    ]


def test_a_full_factorial_is_every_combination_once_the_baseline_first() -> None:
    variants = expand("full_factorial", FACTORS, BASELINE).variants
    assert variants[0] == BASELINE
    assert len({tuple(variant.items()) for variant in variants}) == len(variants) == 12
    for factor, levels in FACTORS.items():
        assert {variant[factor] for variant in variants} == set(levels)


def test_a_list_is_the_baseline_alone() -> None:
    assert expand("list", FACTORS, BASELINE).variants == [BASELINE]


@pytest.mark.parametrize(("resolution", "runs"), [(3, 8), (4, 16), (5, 16)])
def test_the_smallest_fraction_of_a_resolution_is_taken(resolution: int, runs: int) -> None:
    made = expand("fractional_factorial", FIVE, dict.fromkeys(FIVE, 0), resolution)
    assert made.variants[0] == dict.fromkeys(FIVE, 0)
    assert len({tuple(variant.values()) for variant in made.variants}) == len(made.variants) == runs
    signs = np.array([[1 - 2 * level for level in variant.values()] for variant in made.variants])
    # Every level of a factor stands in half of the runs, and every two factors are orthogonal.
    assert (signs.T @ signs == runs * np.eye(5)).all()
    assert shortest_word(signs) >= resolution


def test_at_resolution_five_two_way_interactions_are_told_apart() -> None:
    made = expand("fractional_factorial", FIVE, dict.fromkeys(FIVE, 1), 5)
    assert made.variants[0] == dict.fromkeys(FIVE, 1)
    signs = np.array([[1 - 2 * level for level in variant.values()] for variant in made.variants])
    pairs = np.stack([signs[:, one] * signs[:, other] for one, other in combinations(range(5), 2)], axis=1)
    effects = np.concatenate([np.ones((16, 1)), signs, pairs], axis=1)
    assert (effects.T @ effects == 16 * np.eye(16)).all()


def test_what_a_fraction_cannot_tell_apart_is_named() -> None:
    factors = {"optimizer": [0, 1], "depth": [0, 1], "dropout": [0, 1]}
    aliases = expand("fractional_factorial", factors, dict.fromkeys(factors, 0), 3).aliases
    assert "optimizer = depth × dropout" in aliases
    assert len(aliases) == 3


def test_where_no_fraction_suffices_all_combinations_are_taken() -> None:
    factors = {name: [0, 1] for name in "abcd"}
    made = expand("fractional_factorial", factors, dict.fromkeys(factors, 0), 4)
    assert len(made.variants) == 8
    three = {name: [0, 1] for name in "abc"}
    assert len(expand("fractional_factorial", three, dict.fromkeys(three, 0), 3).variants) == 4


@pytest.mark.parametrize(
    ("factors", "resolution", "message"),
    [
        (FACTORS, 3, "two levels each; b has 3"),
        (FIVE, 6, r"resolution must lie in 3\.\.5, the number of factors\. Received: resolution=6"),
    ],
)
def test_an_impossible_fraction_is_refused(factors: dict[str, list[object]], resolution: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expand("fractional_factorial", factors, {name: levels[0] for name, levels in factors.items()}, resolution)


@pytest.mark.parametrize(
    ("signs", "length"),
    [([[1, 1], [1, -1], [-1, 1], [-1, -1]], 3), ([[1, 1], [-1, -1]], 2), ([[1, 1], [1, -1]], 1)],
)
def test_the_resolution_of_a_design_is_its_shortest_word(signs: list[list[int]], length: int) -> None:
    assert shortest_word(np.array(signs)) == length
