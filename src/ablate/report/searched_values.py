"""Searched values: what each variant runs with, what was tried for it, and by which budget. Pure functions."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ablate.config.level import same_level
from ablate.report.results import SearchedValue
from ablate.study.definition import StudyFile
from ablate.study.tuning import Tuning

RATE = "optimizer.learning_rate"
_OPTIMIZER, _SCALE = "optimizer.name", "scale.name"
_RATES, _GRIDS = "scale.learning_rates", "scale.searched"
"""In a scale's level: the rate of each optimiser, and what was tried for it with one seed."""


def searched_values(
    runs: pd.DataFrame,
    params: pd.DataFrame,
    tuning: Mapping[str, Any] | None,
    definition: StudyFile | None,
    names: Mapping[str, str],
) -> list[SearchedValue]:
    """Return the values that were searched for the variants of a study.

    Those are the keys of its `tune`, and learning rates where optimisers are compared at rates that the study neither
    varies nor tunes.

    Args:
        runs: The runs that are compared, index `run_id`, with the column `variant`, as it is shown.
        params: Their configurations, as text.
        tuning: What the study's search has recorded, see `study.tuning.Tuned`.
        definition: The study's file.
        names: By the name of a variant that is shown, that in the store.
    """
    params = params.loc[runs.index]
    first = params.set_axis(runs["variant"]).groupby(level=0, sort=False).first()
    tuned = _tuned(first, tuning or {}, definition.tune, names) if definition is not None and definition.tune else []
    rates = _rates(first)
    varied = (definition is not None and RATE in definition.factors) or any(value.key == RATE for value in tuned)
    if varied or len(rates) < 2 or len({value.group for value in rates}) < len(rates):
        return tuned
    return [*tuned, *rates]


def _tuned(
    first: pd.DataFrame, tuning: Mapping[str, Any], asked: Tuning, names: Mapping[str, str]
) -> list[SearchedValue]:
    recorded = {one["variant"]: one for one in tuning.get("variants", ())}
    keys = list(asked.grid)
    values = []
    for variant, own in first.iterrows():
        one = recorded.get(names.get(str(variant), str(variant)), {})
        grid, chosen = one.get("grid", {}), one.get("values", {})
        for key in keys:
            runs_with = _read(own.get(key.lstrip("+")), chosen.get(key))
            searched = key in grid and same_level(_number(runs_with), _number(chosen[key]))
            values.append(
                SearchedValue(
                    group=str(variant),
                    key=key.lstrip("+"),
                    value=runs_with,
                    grid=tuple(grid[key]) if searched else (),
                    scores=tuple(math.nan if score is None else score for score in one["scores"])
                    if searched and len(keys) == 1
                    else (),
                    candidates=len(one["scores"]) if searched else 0,
                    seeds=len(tuning["seeds"]) if searched else 0,
                    examples=int(tuning["examples"]) if searched else 0,
                )
            )
    return values


def _rates(first: pd.DataFrame) -> list[SearchedValue]:
    """Return the learning rate of each optimiser, with the search that its scale records."""
    if not {_OPTIMIZER, RATE} <= set(first.columns):
        return []
    found = dict[tuple[str, str], list[str]]()
    for variant, own in first.dropna(subset=[_OPTIMIZER, RATE]).iterrows():
        found.setdefault((str(own[_OPTIMIZER]), str(own[RATE])), []).append(str(variant))
    values = []
    for (optimizer, rate), variants in found.items():
        config = first.loc[[variants[0]]].iloc[0]
        of_scale = _number(config.get(f"{_RATES}.{optimizer}")) == _number(rate)
        grid = _read(config.get(f"{_GRIDS}.{optimizer}"), None) if of_scale else None
        values.append(
            SearchedValue(
                group=optimizer,
                key=RATE,
                value=_number(rate),
                variants=tuple(variants),
                grid=tuple(grid or ()),
                candidates=len(grid or ()),
                seeds=1 if grid else 0,
                scale=str(config.get(_SCALE)) if of_scale else "",
            )
        )
    return values


def _read(text: Any, otherwise: Any) -> Any:
    """Return what a param's text says; other than a number or a list stays text."""
    if not isinstance(text, str):
        return otherwise
    try:
        return json.loads(text)
    except ValueError:
        return text


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def at_edge(value: SearchedValue) -> bool:
    """Tell whether a value is the least or the greatest of its grid: a better one may lie beyond."""
    numbers = [_number(one) for one in value.grid]
    if len(numbers) < 2 or not all(isinstance(one, float) for one in numbers):
        return False
    return _number(value.value) in (min(numbers), max(numbers))


def by_source(values: Sequence[SearchedValue]) -> list[list[SearchedValue]]:
    """Part values into those of a study's `tune`, and the learning rates of optimisers; neither is empty."""
    parts = [value for value in values if not value.variants], [value for value in values if value.variants]
    return [part for part in parts if part]


def budgets(values: Sequence[SearchedValue]) -> list[tuple[int, int]]:
    """Return the different budgets of some values: candidates and seeds; (0, 0) where nothing was searched."""
    return list(dict.fromkeys((value.candidates, value.seeds) for value in values))
