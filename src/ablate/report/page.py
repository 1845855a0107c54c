"""What a report says: its sentences, tables and figures, the same in every form."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from ablate.config.short_names import shorten
from ablate.config.variant import level_text
from ablate.report.compare import BETTER, EQUIVALENT, NO_DIFFERENCE, WORSE, compare, cost_differences
from ablate.report.figures import Figure
from ablate.report.figures.all_figures import draw
from ablate.report.formatting import magnitude, quantity, store_name, with_interval
from ablate.report.load import Results
from ablate.report.people import People, people
from ablate.report.tables import (
    Links,
    Table,
    cost_table,
    effects_table,
    metrics_table,
    primary_table,
    runs_table,
)
from ablate.statistics.effects import COLUMNS, contrasts, estimate_effects
from ablate.tracking.turing import TuringRecord

LOCAL_UI = "http://localhost:5000"
"""Where `make ui` shows a store that is no server."""
FACTORIAL = ("full_factorial", "fractional_factorial")
_MOST_RUNS = 50
"""Runs that a link compares in MLflow; an address cannot be much longer."""


@dataclass(frozen=True)
class Page:
    """A report.

    Attributes:
        results: What it is about.
        comparison: What `compare.compare` found.
        costs: What `compare.cost_differences` found.
        effects: What `effects.estimate_effects` found.
        answer: Sentences that answer the study's question.
        notes: What a reader has to know before the numbers, a sentence each.
        tables: By name.
        figures: By name.
        people: What people said, a section an experiment; empty where nobody was asked.
        facts: Where it comes from, by label.
        names: By the name that is shown, the whole one, of what is shown shortened.
    """

    results: Results
    comparison: pd.DataFrame
    costs: pd.DataFrame
    effects: pd.DataFrame
    answer: Sequence[str]
    notes: Sequence[str]
    tables: Mapping[str, Table]
    figures: Mapping[str, Figure]
    people: Sequence[People]
    facts: Mapping[str, str]
    names: Mapping[str, str]


def make_page(results: Results) -> Page:
    """Compare what was loaded, and say and draw it."""
    directions = {name: results.spec(name)["higher_is_better"] for name in map(str, results.specs.index)}
    comparison = compare(results.scores, directions, results.primary)
    costs = cost_differences(results.costs)
    effects, aliased = _effects(results)
    links = links_to(results)
    spec = results.spec(results.primary.name)
    tables = [
        primary_table(results, comparison, costs, links),
        metrics_table(results, comparison, links),
        cost_table(results, costs, links),
        runs_table(results, links),
    ]
    if len(effects):
        tables.append(effects_table(effects, str(spec["unit"]), links(results.runs.index)))
    said = people(results, links)
    return Page(
        results=results,
        comparison=comparison,
        costs=costs,
        effects=effects,
        answer=_answer(results, comparison),
        notes=[*_notes(results), *(f"Not told apart by the design: {line}." for line in aliased)],
        tables={table.name: table for table in tables},
        figures={
            **draw(results, comparison, effects),
            **{figure.name: figure for section in said for figure in section.figures},
        },
        people=said,
        facts=_facts(results),
        names=_long_names(results, effects),
    )


def summary(page: Page) -> str:
    """Return what programs want of a report, as JSON: the comparison by the primary metric, and its origin."""
    results = page.results
    own = page.comparison[page.comparison["metric"] == results.primary.name].drop(columns=["metric", "exploratory"])
    definition = results.definition

    def whole(name: str) -> str:
        return page.names.get(name, name)

    content = {
        "study": results.study,
        "question": results.question,
        "design": definition.design if definition else None,
        "metric": {
            "name": results.primary.name,
            "higher_is_better": results.primary.higher_is_better,
            "margin": results.primary.margin,
        },
        "runs": len(results.runs),
        "missing": [{"variant": whole(gap.variant), "seed": gap.seed, "why": gap.why} for gap in results.gaps],
        "seeds": sorted(int(seed) for seed in results.runs["seed"].unique()),
        "examples": _examples(results),
        "answer": list(page.answer),
        "variants": _plain(own.assign(variant=own["variant"].map(whole))),
        "effects": _plain(page.effects),
        "facts": dict(page.facts),
    }
    if page.people:
        content["people"] = [_people(section.record) for section in page.people]
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def links_to(results: Results) -> Links:
    """Return what gives the address of runs in MLflow: of one its page, of several their comparison."""
    base = results.uri.rstrip("/") if results.uri.startswith("http") else LOCAL_UI

    def link(runs: pd.Index) -> str:
        if len(runs) == 1:
            return f"{base}/#/experiments/{results.experiment_id}/runs/{runs[0]}"
        chosen = quote(json.dumps([str(run) for run in runs[:_MOST_RUNS]], separators=(",", ":")))
        experiments = quote(json.dumps([results.experiment_id]))
        return f"{base}/#/compare-runs?runs={chosen}&experiments={experiments}"

    return link


def _effects(results: Results) -> tuple[pd.DataFrame, Sequence[str]]:
    """Estimate the effects of a factorial study of which no variant is missing."""
    nothing, definition = pd.DataFrame(columns=list(COLUMNS)), results.definition
    if definition is None or definition.design not in FACTORIAL:
        return nothing, []
    variants = definition.expansion().variants
    shown = {whole: name for name, whole in results.names.items()}
    given = [definition.name_of(variant) for variant in variants]
    names = pd.Index([shown.get(name, name) for name in given], name="variant")
    if set(names) - set(results.variants):
        return nothing, []
    levels = pd.DataFrame(
        [{key: level_text(level) for key, level in variant.items()} for variant in variants], index=names
    )
    baseline = {factor: level_text(level) for factor, level in definition.baseline.items()}
    found = contrasts(levels, baseline)
    effects = estimate_effects(results.scores[results.primary.name], found)
    return effects, results.aliases or found.aliased


def _answer(results: Results, comparison: pd.DataFrame) -> list[str]:
    own = comparison[(comparison["metric"] == results.primary.name) & (comparison["verdict"] != "")]
    spec, margin = results.spec(results.primary.name), results.primary.margin
    label = str(spec["label"])
    if own.empty:
        return [f"There is nothing to compare with the baseline by {label}."]
    # A difference of percentages is one of points.
    unit = {"": "", "%": " points"}.get(spec["unit"], f" {spec['unit']}")
    said = [f"By {label}, of {quantity(len(own), 'variant')}:"]
    for verdict in (BETTER, WORSE):
        rows = own[own["verdict"] == verdict].sort_values("difference", ascending=verdict == WORSE)
        if results.primary.higher_is_better is False:
            rows = rows.iloc[::-1]
        if len(rows):
            named = "; ".join(f"{row['variant']} ({_difference(row)}{unit})" for row in rows.to_dict("records"))
            said.append(f"{len(rows)} {_be(len(rows))} {verdict} than the baseline: {named}.")
    same = own[own["verdict"] == EQUIVALENT]
    if len(same):
        said.append(
            f"{len(same)} {_be(len(same))} equivalent, within ±{margin:g}{unit} of it: {'; '.join(same['variant'])}."
        )
    unclear = own[own["verdict"] == NO_DIFFERENCE]
    if len(unclear):
        low, high = unclear["detectable"].min(), unclear["detectable"].max()
        reach = " to ".join(dict.fromkeys(magnitude(value) for value in (low, high)))
        said.append(
            f"Of {len(unclear)} no difference was found: {'; '.join(unclear['variant'])}. "
            f"The study would have found one of {reach}{unit} four times in five."
        )
    odd = own[~own["verdict"].isin([BETTER, WORSE, EQUIVALENT, NO_DIFFERENCE])]
    if len(odd):
        said.append(f"Not comparable: {'; '.join(odd['variant'])}.")
    return said


def _notes(results: Results) -> list[str]:
    notes = []
    seeds = results.runs.groupby("variant")["seed"].nunique()
    if seeds.max() == 1:
        notes.append(
            "One seed for each variant: intervals are over photographs only, and with other seeds all may come out "
            "otherwise."
        )
    elif seeds.min() < seeds.max():
        notes.append("Variants have different numbers of seeds; a difference is over those shared with the baseline.")
    if results.gaps:
        notes.append(f"This report is partial: {quantity(len(results.gaps), 'run')} missing, named below.")
    if results.common:
        notes.append(f"All runs share {shorten(results.common)}.")
    cached = int(results.runs["cached_from"].notna().sum()) if "cached_from" in results.runs else 0
    if cached:
        notes.append(f"{quantity(cached, 'run')} cached from other studies: same configuration, seed, data and code.")
    if results.superseded:
        notes.append(f"{quantity(results.superseded, 'older run')} of a variant and seed left out for a newer one.")
    for what, count in results.others.items():
        older = quantity(count, "older run")
        notes.append(f"{older} of a variant and seed left out, with another {what} than the newest run's.")
    return notes


def _long_names(results: Results, effects: pd.DataFrame) -> dict[str, str]:
    """Return the whole names of what a report shows shortened, by what it shows."""
    others = [results.common, *map(str, effects["effect"])]
    names = {**results.names, **{shorten(name): name for name in others}}
    return {shown: whole for shown, whole in names.items() if shown != whole}


def _facts(results: Results) -> dict[str, str]:
    runs = results.runs
    facts = {
        "Store": f"{store_name(results.uri)}, study {results.study}",
        "Newest run": f"{runs['started'].max():%Y-%m-%d %H:%M} UTC",
        "Data": _distinct(runs, "data.fingerprint"),
        "Evaluation": f"{_examples(results)} examples that did not train, {_distinct(runs, 'evaluation')}",
        "Scale": _distinct(runs, "scale"),
        "Code": f"commit {_distinct(runs, 'commit')}, results {_distinct(runs, 'code')}",
        "Precision": _distinct(runs, "precision"),
        "Devices": _distinct(runs, "devices"),
    }
    return {label: text for label, text in facts.items() if text != "unknown"}


def _people(record: TuringRecord) -> dict[str, Any]:
    """Return an experiment as JSON knows it."""
    return {
        **{name: value for name, value in record.summary.items() if name != "answer"},
        "run_id": record.run_id,
        "rates": _plain(record.rates),
        "pairs": _plain(record.pairs),
        "exclusions": _plain(record.exclusions),
    }


def _examples(results: Results) -> int:
    return len(results.scores.index.unique("example"))


def _distinct(runs: pd.DataFrame, column: str) -> str:
    values = sorted({str(value) for value in runs[column].dropna()}) if column in runs else []
    return ", ".join(value[:12] if len(value) >= 40 else value for value in values) or "unknown"


def _difference(row: Mapping[Any, Any]) -> str:
    return with_interval(float(row["difference"]), float(row["low"]), float(row["high"]))


def _be(count: int) -> str:
    return "is" if count == 1 else "are"


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON knows them: no NaN."""
    return [
        {
            str(key): None if isinstance(value, float) and not np.isfinite(value) else value
            for key, value in row.items()
        }
        for row in frame.to_dict("records")
    ]
