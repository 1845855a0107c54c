"""Tuning: the search of values for each variant before a study's runs, by equal budgets. Pure functions."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, field_validator

from ablate.config.level import level_text, same_level
from ablate.config.result_keys import changes_result
from ablate.config.schema import Schema
from ablate.config.variant import Variant

Values = Mapping[str, Any]
"""A value of each tuned key."""
_KEY = re.compile(r"\+{0,2}[A-Za-z_][\w./@-]*")
_FRACTION = "validation_fraction"


class Tuning(Schema):
    """The section `tune` of a study file.

    Attributes:
        grid: By key of the configuration, the values to try: a list for all variants, or by level of one factor, as
            in `optimizer=adam`, a list each, all of the same length. Of several keys, all combinations are tried.
        seeds: The seeds of the search, none of the study's.
        fraction: The share of the training examples that judge, and do not train in the search.
    """

    grid: Annotated[dict[str, list[Any] | dict[str, list[Any]]], Field(min_length=1)]
    seeds: Annotated[list[NonNegativeInt], Field(min_length=1)] = Field(default=[1000])
    fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @field_validator("grid", mode="before")
    @classmethod
    def _grids(cls, grid: Any) -> Any:
        for key, values in grid.items() if isinstance(grid, Mapping) else ():
            if not _KEY.fullmatch(str(key)) or not changes_result(str(key).lstrip("+")) or key == _FRACTION:
                raise ValueError(f"{key!r} is no key of the configuration that changes a result")
            lists = dict(values) if isinstance(values, Mapping) else {"": values}
            if not lists or not all(isinstance(own, list) and len(own) > 1 for own in lists.values()):
                raise ValueError(f"{key} must be a list of at least 2 values, or one for each level of a factor")
            for own in lists.values():
                if any(same_level(one, other) for one, other in combinations(own, 2)):
                    raise ValueError(f"{key}: duplicate value: {', '.join(map(level_text, own))}")
            if len({len(own) for own in lists.values()}) > 1:
                counted = ", ".join(f"{level} has {len(own)}" for level, own in lists.items())
                raise ValueError(f"{key}: budgets must be equal, as many values for each level: {counted}")
        return grid

    @field_validator("seeds")
    @classmethod
    def _unique_seeds(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) != len(seeds):
            raise ValueError("duplicate seed")
        return seeds

    def check(self, factors: Mapping[str, Sequence[Any]], seeds: Sequence[int]) -> None:
        """Check that it suits a study.

        Args:
            factors: The study's factors and their levels.
            seeds: The study's seeds.

        Raises:
            ValueError: It does not.
        """
        used = sorted({*self.seeds} & {*seeds})
        if used:
            raise ValueError(f"tune.seeds: {used[0]} is a seed of the study; the search needs others")
        for key, values in self.grid.items():
            if key in factors:
                raise ValueError(f"tune.grid: {key} is a factor of the study")
            if isinstance(values, Mapping):
                self._check_levels(key, list(values), factors)

    def _check_levels(self, key: str, given: Sequence[str], factors: Mapping[str, Sequence[Any]]) -> None:
        factor = given[0].partition("=")[0]
        if factor not in factors:
            raise ValueError(f"tune.grid.{key}: {given[0]} must be FACTOR=LEVEL; the factors are {', '.join(factors)}")
        levels = [f"{factor}={level_text(level)}" for level in factors[factor]]
        if set(given) != set(levels):
            raise ValueError(
                f"tune.grid.{key} must have a list for each level: {', '.join(levels)}. Received: {', '.join(given)}"
            )

    def sets(self, key: str) -> bool:
        """Tell whether the search sets a key of the configuration."""
        return key in (_FRACTION, *(tuned.lstrip("+") for tuned in self.grid))

    def grid_of(self, levels: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Return by key the values that a variant tries; `levels` has one of every factor."""
        own = {f"{factor}={level_text(level)}" for factor, level in levels.items()}
        return {
            key: next(of_level for level, of_level in values.items() if level in own)
            if isinstance(values, Mapping)
            else values
            for key, values in self.grid.items()
        }

    def candidates(self, levels: Mapping[str, Any]) -> list[Values]:
        """Return what a variant tries: all combinations of its values, the last key's changing first."""
        grid = self.grid_of(levels)
        return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def first_values(tuning: Tuning | None, levels: Mapping[str, Any]) -> Values:
    """Return what a variant tries first; nothing where there is no search."""
    return tuning.candidates(levels)[0] if tuning is not None else {}


@dataclass(frozen=True)
class Choice:
    """The values that a variant runs with.

    Attributes:
        variant: Its name.
        values: The chosen value of each key.
        grid: What was tried, by key.
        scores: The metric of each candidate, a mean over seeds; NaN where it diverged.
    """

    variant: str
    values: Values
    grid: Mapping[str, Sequence[Any]]
    scores: Sequence[float]


@dataclass(frozen=True)
class Tuned:
    """What a finished search has found.

    Attributes:
        choices: One for each variant.
        examples: How many examples judged.
    """

    choices: Sequence[Choice]
    examples: int

    def plain(self, tuning: Tuning) -> dict[str, Any]:
        """Return it as plain values, for the store."""
        return {
            "fraction": tuning.fraction,
            "seeds": list(tuning.seeds),
            "examples": self.examples,
            "variants": [
                {
                    "variant": choice.variant,
                    "values": dict(choice.values),
                    "grid": {key: list(values) for key, values in choice.grid.items()},
                    "scores": [None if math.isnan(score) else score for score in choice.scores],
                }
                for choice in self.choices
            ],
        }


def best(scores: Sequence[float], *, maximize: bool) -> int | None:
    """Return the place of the best score, of equal ones the first; None where all are NaN."""
    known = [place for place, score in enumerate(scores) if not math.isnan(score)]
    if not known:
        return None
    return max(known, key=lambda place: (scores[place] if maximize else -scores[place], -place))


def with_values(variant: Variant, values: Values) -> Variant:
    """Return the name of a variant that tries values: that, and these as further differences."""
    tried = [f"{key.lstrip('+')}={level_text(value)}" for key, value in values.items()]
    return Variant(tuple(sorted([*variant.differences, *tried])))
