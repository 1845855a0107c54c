"""The first sentence of a report: what helps, what hurts, and what is undecided, for readers without statistics."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablate.report.compare import BETTER, EQUIVALENT, HIGHER, LOWER, NO_DIFFERENCE, NOT_COMPARABLE, WORSE
from ablate.report.nouns import capitalized, plural
from ablate.report.number_format import quantity, unsigned_interval, with_interval
from ablate.statistics.effects import MAIN
from ablate.statistics.seeds import MOST_SEEDS

NAMED = 3
"""Variants that are named of those with the same verdict; of more, the first."""
_SAID = {BETTER: ("helps", "help"), WORSE: ("hurts", "hurt"), HIGHER: ("raises", "raise"), LOWER: ("lowers", "lower")}

Row = Mapping[Any, Any]


def headline(
    own: pd.DataFrame,
    more_seeds: Mapping[str, float],
    *,
    label: str,
    unit: str,
    higher_is_better: bool | None,
    margin: float | None,
    example: str,
) -> str:
    """Say in a sentence what a comparison found.

    Args:
        own: What `compare.compare` found of one metric, without the baseline.
        more_seeds: See `more_seeds.more_seeds`, by variant.
        label: What the metric is called.
        unit: Of a difference, or nothing.
        higher_is_better: None where neither is.
        margin: Up to where a difference does not matter; None without one.
        example: What an example is called, where more of them would help too; else nothing.
    """
    by_size = own.reindex(own["difference"].abs().sort_values(ascending=False, kind="stable").index)
    of = {verdict: rows.to_dict("records") for verdict, rows in by_size.groupby("verdict", sort=False)}
    unit = f" {unit}" if unit else ""
    clauses = [_found(rows, verdict, label, unit) for verdict in _SAID if (rows := of.get(verdict))]
    found = len(clauses)
    if same := of.get(EQUIVALENT):
        clauses.append(f"{_named(same)} {_makes(same)} no difference that matters (more than {margin:g}{unit})")
    open_, unchanged = _split(of.get(NO_DIFFERENCE, []))
    if unchanged:
        clauses.append(f"{_named(unchanged)} {_makes(unchanged)} no difference at all")
    if open_:
        either = "raise or lower it" if higher_is_better is None else "help or hurt"
        clauses.append(_undecided(open_, more_seeds, either, example, others=bool(clauses)))
    if odd := of.get(NOT_COMPARABLE):
        clauses.append(f"{_named(odd)} cannot be compared")
    only = "with the one seed that was tried" if own["n_paired"].max() == 1 else ""
    start = ", ".join(filter(None, ["" if found else f"by {label}", only, "against the baseline", ""]))
    return capitalized(f"{start}, {'; '.join(clauses)}.")


def effects_headline(effects: pd.DataFrame, *, label: str, unit: str, higher_is_better: bool | None) -> str:
    """Say in a sentence which factors have an effect, and whether they interact.

    Args:
        effects: What `estimate_effects` found: main effects and interactions.
        label: What the metric is called.
        unit: Of a difference, or nothing.
        higher_is_better: None where neither is.
    """
    by_size = effects.reindex(effects["estimate"].abs().sort_values(ascending=False, kind="stable").index)
    by_size = by_size.rename(columns={"effect": "variant", "estimate": "difference"})
    up, down = by_size["low"] > 0, by_size["high"] < 0
    main = by_size["kind"] == MAIN
    verdicts = (HIGHER, LOWER) if higher_is_better is None else (BETTER, WORSE)
    verdicts = verdicts[::-1] if higher_is_better is False else verdicts
    unit = f" {unit}" if unit else ""
    clauses = [
        _found(rows.to_dict("records"), verdict, label, unit)
        for verdict, which in sorted(zip(verdicts, (up, down), strict=True), key=lambda each: [*_SAID].index(each[0]))
        if len(rows := by_size[main & which])
    ]
    open_ = by_size[main & ~up & ~down]["variant"].tolist()
    if open_:
        clauses.append(f"of {_listed(open_)} no effect was found")
    together = by_size[~main & (up | down)].to_dict("records")
    if together:
        sizes = [f"{row['variant']} ({with_interval(row['difference'], row['low'], row['high'])})" for row in together]
        clauses.append(f"{'an interaction' if len(together) == 1 else 'interactions'}: {_listed(sizes)}")
    elif (~main).any():
        clauses.append("no interaction was found")
    by = "" if len(open_) < main.sum() else f"by {label}, "
    return capitalized(f"{by}averaged over the other factors, {'; '.join(clauses)}.")


def _found(rows: Sequence[Row], verdict: str, label: str, unit: str) -> str:
    """Say which variants differ, and by how much."""
    verb = _SAID[verdict][len(rows) > 1]
    directed = verdict in (BETTER, WORSE)
    acts, of = (verb, f"{label} ") if directed else (f"{verb} {label}", "by ")
    way = f"{unit}{(' higher' if rows[0]['difference'] > 0 else ' lower') if directed else ''}"
    sizes = [unsigned_interval(row["difference"], row["low"], row["high"]) for row in rows]
    size, low, high = sizes[0]
    likely = "for every seed and example alike" if low == high else f"very likely between {low} and {high}"
    most = f"{of}{size}{way}, {likely}"
    if len(rows) == 1:
        return f"{rows[0]['variant']} {acts} ({most})"
    if len(rows) > NAMED:
        return f"{len(rows)} variants {acts}, most of all {rows[0]['variant']} ({most})"
    return f"{_named(rows)} {acts} ({of}{_listed([each for each, _, _ in sizes])}{way})"


def _undecided(
    rows: Sequence[Row], more_seeds: Mapping[str, float], either: str, example: str, *, others: bool
) -> str:
    """Say of which variants nothing is known, and how many more seeds would decide it."""
    ranked = sorted(rows, key=lambda row: _or_infinite(more_seeds.get(row["variant"], np.nan)))
    texts = [_seeds(more_seeds.get(row["variant"], np.nan), example) for row in ranked]
    if len(set(texts)) == 1 or len(rows) == 1:
        return f"{_named(ranked, others=others)} may {either}: {texts[0]} would tell"
    if len(rows) > NAMED:
        all_ = quantity(len(rows), "other" if others else "variant")
        return f"{all_} may {either}: of {ranked[0]['variant']}, {texts[0]} would tell"
    told = [
        f"{row['variant']} ({text}{'' if place else ' would tell'})"
        for place, (row, text) in enumerate(zip(ranked, texts, strict=True))
    ]
    return f"{_listed(told)} may {either}"


def _seeds(more: float, example: str) -> str:
    if math.isnan(more):
        return "only more seeds"
    if math.isinf(more):
        return f"more than {MOST_SEEDS} seeds{f' or more {plural(example)}' if example else ''}"
    return f"about {quantity(int(more), 'more seed')}"


def _or_infinite(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Tell variants of which nothing is known from those that have exactly the baseline's values."""
    same = [row for row in rows if row["low"] == 0 == row["high"]]
    return [row for row in rows if row not in same], same


def _named(rows: Sequence[Row], *, others: bool = False) -> str:
    """Name variants, of many how many they are."""
    if len(rows) > NAMED:
        return f"{len(rows)} {'others' if others else 'variants'}"
    return _listed([str(row["variant"]) for row in rows])


def _makes(rows: Sequence[Row]) -> str:
    return "makes" if len(rows) == 1 else "make"


def _listed(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
