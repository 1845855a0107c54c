"""Fairness: whether each variant got the same chance, as a note and a table of the values that were searched."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ablate.config.level import level_text
from ablate.report.nouns import plural
from ablate.report.number_format import number, quantity
from ablate.report.results import Results, SearchedValue
from ablate.report.searched_values import at_edge, budgets, by_source
from ablate.report.sections import Section
from ablate.report.tables import Cell, Table

NAME = "fairness"
_NAMED = 5
_METHODS = {
    False: "Behind a value that was tried stands what it measured, a mean over the seeds of the search, on training "
    "examples that did not train meanwhile: the evaluation's have no part in the choice. The best is chosen, of equal "
    "ones the first.",
    True: "Rates of a scale were searched once, for any study at that scale; its file tells what was tried.",
}
"""How values were searched, by whether they are optimisers' rates."""


def fairness_notes(results: Results) -> list[str]:
    """Say by which budget values were searched, and warn of edges and of unequal budgets: a note for each source."""
    return [_note(values, results) for values in by_source(results.searched)]


def _note(values: Sequence[SearchedValue], results: Results) -> str:
    keys = " and ".join(dict.fromkeys(value.key for value in values))
    said = [_how(values, keys, results), *_unequal(values, keys)]
    edges = [f"{value.group} ({_text(value.value)})" for value in values if at_edge(value)]
    if edges:
        said.append(f"Chosen at the edge of its grid, so a better value may lie beyond: {_listed(edges)}.")
    return " ".join(said)


def _how(values: Sequence[SearchedValue], keys: str, results: Results) -> str:
    searched = [value for value in values if value.grid]
    scales = sorted({value.scale for value in values if value.scale})
    if not searched and scales:
        return f"Optimisers are compared at the rates of scale {scales[0]}; their search is not recorded in the runs."
    if not searched and not values[0].variants:
        return f"The study asks for a search of {keys}, and runs have no values that a recorded search has chosen."
    if not searched:
        return (
            f"Optimisers are compared, and no search of {keys} is recorded for any of them: `tune` in the study file "
            "searches it for each."
        )
    budget = " or ".join(_budget(*one) for one in budgets(searched))
    if scales:
        return (
            f"Optimisers are compared at the rates of scale {scales[0]}, which come from a recorded search, "
            f"docs/learning-rates.md: {budget}."
        )
    count = max(value.examples for value in searched)
    label = results.spec(results.primary.name)["label"]
    judged = f"{quantity(count, results.example)}" if count else plural(results.example)
    return (
        f"{keys} was searched for each variant: {budget}, by {label} on {judged} of the training data that did not "
        "train meanwhile."
    )


def _unequal(values: Sequence[SearchedValue], keys: str) -> list[str]:
    left_out = [value.group for value in values if not value.grid]
    if len(budgets(values)) < 2:
        return []
    if left_out:
        return [f"Budgets differ: {keys} was not searched for {_listed(left_out)}."]
    return [f"Budgets differ: {_listed([f'{one.group} {_budget(one.candidates, one.seeds)}' for one in values])}."]


def fairness_section(results: Results) -> list[Section]:
    """Return the section with the table of searched values; none where there are none."""
    if not results.searched:
        return []
    keys = {value.key for value in results.searched}
    several = len(keys) > 1
    rows = [
        [
            Cell(text=_of(value)),
            *([Cell(text=value.key)] if several else []),
            Cell(text=_grid(value)),
            Cell(text=_text(value.value), detail="edge" if at_edge(value) else ""),
            Cell(text=_budget(value.candidates, value.seeds) if value.grid else "not searched"),
        ]
        for value in results.searched
    ]
    table = Table(
        name=NAME,
        title="Searched values",
        headings=["variant", *(["key"] if several else []), "tried", "chosen", "budget"],
        rows=rows,
        note=f"The {' and '.join(sorted(keys))} of each variant, and what was tried for it.",
        method=" ".join(_METHODS[bool(part[0].variants)] for part in by_source(results.searched)),
    )
    return [Section(title="Is it fair?", tables=[table], figures=[], summary=_summary(results.searched))]


def _summary(values: Sequence[SearchedValue]) -> dict[str, Any]:
    return {
        "equal_budgets": all(len(budgets(part)) == 1 for part in by_source(values)),
        "values": [
            {
                "variant": value.group,
                "key": value.key,
                "chosen": value.value,
                "grid": list(value.grid),
                "scores": [None if np.isnan(score) else score for score in value.scores],
                "candidates": value.candidates,
                "seeds": value.seeds,
                "examples": value.examples,
                "scale": value.scale or None,
                "at_edge": at_edge(value),
            }
            for value in values
        ],
    }


def _of(value: SearchedValue) -> str:
    return f"{value.group}: {quantity(len(value.variants), 'variant')}" if value.variants else value.group


def _grid(value: SearchedValue) -> str:
    if not value.scores:
        return ", ".join(map(_text, value.grid)) or "-"
    scored = zip(value.grid, value.scores, strict=True)
    return "; ".join(f"{_text(one)}: {'diverged' if np.isnan(score) else number(score)}" for one, score in scored)


def _budget(candidates: int, seeds: int) -> str:
    return f"{quantity(candidates, 'value')} × {quantity(seeds, 'seed')}"


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else level_text(value)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more
