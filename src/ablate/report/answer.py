"""The sentences of a report: the answer to the study's question, and notes on how far it holds."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ablate.config.level import level_text
from ablate.config.short_names import shorten
from ablate.report.compare import BETTER, EQUIVALENT, HIGHER, LOWER, NO_DIFFERENCE, WORSE
from ablate.report.headline import effects_headline, headline
from ablate.report.looks import StudyLooks
from ablate.report.nouns import plural
from ablate.report.number_format import magnitude, quantity, with_interval
from ablate.report.results import Results

FEW_EXAMPLES = 10
"""Examples that nobody takes for a sample, if there are fewer."""
_NAMED = 5
"""Variants named in a note."""


def answer(results: Results, comparison: pd.DataFrame, more_seeds: Mapping[str, float]) -> list[str]:
    """Say what was found in a sentence for all readers, then which variants have which verdict.

    Args:
        results: What was loaded.
        comparison: What `compare.compare` found.
        more_seeds: See `more_seeds.more_seeds`.
    """
    own = comparison[(comparison["metric"] == results.primary.name) & (comparison["verdict"] != "")]
    spec, margin = results.spec(results.primary.name), results.primary.margin
    label = str(spec["label"])
    if own.empty:
        return [f"There is nothing to compare with the baseline by {label}."]
    unit = _unit(spec)
    first = headline(
        own,
        more_seeds,
        label=label,
        unit=unit,
        higher_is_better=results.primary.higher_is_better,
        margin=margin,
        example=results.example if results.resampled(results.primary.name) else "",
    )
    return [first, *_verdicts(own, results, f" {unit}" if unit else ""), *_baseline(results)]


def answer_by_effects(results: Results, effects: pd.DataFrame) -> list[str]:
    """Say what the factors of a factorial study do, in a sentence for all readers; nothing of other studies.

    Args:
        results: What was loaded.
        effects: What `factorial.study_effects` found.
    """
    if effects.empty:
        return []
    spec = results.spec(results.primary.name)
    return [
        effects_headline(
            effects, label=str(spec["label"]), unit=_unit(spec), higher_is_better=results.primary.higher_is_better
        )
    ]


def _unit(spec: Mapping[Any, Any]) -> str:
    """Return the unit of a difference: one of percentages is one of points."""
    return {"": "", "%": "points"}.get(str(spec["unit"]), str(spec["unit"]))


ANSWER_METHOD = (
    "Very likely: the 95 % interval, see the table. More seeds would tell: with so many more, a study finds a "
    "difference as large as the one seen, or as the margin where that is larger, with a probability of 80 %. The "
    "number rests on how much these runs vary: it may well be a third less or half more. If there is no difference, "
    "no number of seeds finds one. Decide on the number before looking again, as docs/statistics.md says."
)
"""What the first sentence's words mean."""


def _baseline(results: Results) -> list[str]:
    """Say what the baseline is, where the study's file does."""
    if results.definition is None:
        return []
    levels = [f"{factor}={level_text(level)}" for factor, level in results.definition.baseline.items()]
    return [f"The baseline is {shorten(', '.join(levels), 300)}."]


def _verdicts(own: pd.DataFrame, results: Results, unit: str) -> list[str]:
    sentences = []
    for verdict in (BETTER, WORSE, HIGHER, LOWER):
        rows = own[own["verdict"] == verdict].sort_values("difference", ascending=verdict in (WORSE, LOWER))
        if results.primary.higher_is_better is False:
            rows = rows.iloc[::-1]
        if len(rows):
            named = "; ".join(f"{row['variant']} ({_difference(row)}{unit})" for row in rows.to_dict("records"))
            sentences.append(f"{len(rows)} {_be(len(rows))} {verdict} than the baseline: {named}.")
    same = own[own["verdict"] == EQUIVALENT]
    if len(same):
        sentences.append(
            f"{len(same)} {_be(len(same))} equivalent, within ±{results.primary.margin:g}{unit} of it: "
            f"{'; '.join(same['variant'])}."
        )
    unclear = own[own["verdict"] == NO_DIFFERENCE]
    if len(unclear):
        low, high = unclear["minimum_detectable_effect"].min(), unclear["minimum_detectable_effect"].max()
        effect = " to ".join(dict.fromkeys(magnitude(value) for value in (low, high)))
        sentences.append(
            f"Of {len(unclear)} no difference was found: {'; '.join(unclear['variant'])}. "
            f"The minimum detectable effect is {effect}{unit}."
        )
    odd = own[~own["verdict"].isin([BETTER, WORSE, HIGHER, LOWER, EQUIVALENT, NO_DIFFERENCE])]
    if len(odd):
        sentences.append(f"Not comparable: {'; '.join(odd['variant'])}.")
    return sentences


def notes(results: Results) -> list[str]:
    """Say what a reader has to know before the numbers, a sentence each."""
    notes = []
    seeds = results.runs.groupby("variant")["seed"].nunique()
    if results.looks is None and seeds.max() == 1:
        known = (
            f"intervals are over {plural(results.example)} only, and"
            if results.resampled(results.primary.name)
            else "there are no intervals, and"
        )
        notes.append(f"One seed for each variant: {known} with other seeds all may come out otherwise.")
    elif results.paired and results.looks is None and seeds.min() < seeds.max():
        notes.append("Variants have different numbers of seeds; a difference is over those shared with the baseline.")
    if 0 < results.num_examples < FEW_EXAMPLES:
        notes.append(
            f"Only {quantity(results.num_examples, results.example)} evaluate: with others all may come out otherwise."
        )
    if results.leaked:
        evaluating = quantity(results.num_examples, results.example)
        notes.append(f"Of {evaluating} that evaluate, {results.leaked:,} train as well: the measures flatter.")
    if results.looks is not None:
        notes.append(_looks(results.looks))
    notes += not_finite(results)
    if results.common:
        notes.append(f"All runs share {shorten(results.common)}.")
    cached = int(results.runs["cached_from"].notna().sum()) if "cached_from" in results.runs else 0
    if cached:
        notes.append(f"{quantity(cached, 'run')} cached from other studies: same configuration, seed, data and code.")
    return notes


def _looks(looks: StudyLooks) -> str:
    """Say how often a study looked, and what that saved."""
    plan, made = looks.seeds, len(looks.found) - bool(looks.missing)
    variants = len(looks.variants) - 1
    most = sum(plan.counts(len(plan.looks) - 1, [len(plan.looks) - 1] * variants))
    *some, last = plan.looks
    return (
        f"The study looks at its results at {', '.join(map(str, some))} and {last} seeds, as planned, and continues "
        f"with what is undecided: {made} of {len(plan.looks)} looks made, {len(looks.asked)} of {most} runs, "
        f"{most - len(looks.asked)} saved. Intervals are wider at early looks, so that all looks together keep 95 %."
    )


def exclusions(results: Results) -> list[str]:
    """Name the runs that are missing, and those that were left out for newer ones, a sentence each."""
    found = []
    if results.gaps:
        found.append(f"This report is partial: {quantity(len(results.gaps), 'run')} missing, named below.")
    if results.superseded:
        found.append(f"{quantity(results.superseded, 'older run')} of a variant and seed left out for a newer one.")
    for what, count in results.others.items():
        older = quantity(count, "older run")
        found.append(f"{older} of a variant and seed left out, with another {what} than the newest run's.")
    return found


def not_finite(results: Results) -> list[str]:
    """Name the metrics that are NaN or infinite in some runs, a sentence each."""
    sentences = []
    for name in map(str, results.specs.index):
        bad = ~np.isfinite(results.values[name].to_numpy(np.float64))
        if bad.any():
            variants = list(dict.fromkeys(map(str, results.values.index.get_level_values("variant")[bad])))
            more = f" and {len(variants) - _NAMED} more" if len(variants) > _NAMED else ""
            single = int((~np.isfinite(results.scores[name])).sum()) if name in results.scores else 0
            of_examples = f", on {quantity(single, results.example)} in all" if single else ""
            sentences.append(
                f"{results.spec(name)['label']} is not finite in {quantity(int(bad.sum()), 'run')}{of_examples}: "
                f"{'; '.join(variants[:_NAMED])}{more} cannot be compared by it."
            )
    return sentences


def _difference(row: Mapping[Any, Any]) -> str:
    return with_interval(float(row["difference"]), float(row["low"]), float(row["high"]))


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
