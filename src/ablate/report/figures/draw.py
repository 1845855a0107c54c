"""All figures of a report, drawn from its results."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report import figures
from ablate.report.compare import per_example
from ablate.report.figures import Figure
from ablate.report.number_format import quantity
from ablate.report.results import Results
from ablate.report.tables.cost import COUNTED
from ablate.tracking.names import WALL_SECONDS

RANDOM, BEST, WORST = 3, 1, 1
"""Examples of each kind in the grid."""
SHOWN = 8
"""Examples in the grid where none of them evaluates."""


def draw_figures(
    results: Results, comparison: pd.DataFrame, effects: pd.DataFrame, credit: pd.DataFrame
) -> dict[str, Figure]:
    """Draw the figures of a report.

    Args:
        results: What was loaded.
        comparison: What `compare.compare` made of it.
        effects: What `effects.estimate_effects` made of it; empty where the design has none.
        credit: What `credit.estimate_credit` made of it; likewise.

    Returns:
        By name, in the order in which a page shows them; those that the results have something for.
    """
    primary, order = results.primary, results.variants
    spec = results.spec(primary.name)
    shown: Mapping[str, Any] = {"label": str(spec["label"]), "unit": str(spec["unit"])}
    directed: Mapping[str, Any] = {
        "metric": primary.name,
        "higher_is_better": primary.higher_is_better,
        **shown,
    }
    costs = results.costs.groupby(level="variant").mean()
    drawn = [
        figures.differences(comparison, margin=primary.margin, sampled=results.sampled(primary.name), **directed),
        figures.interactions(effects, **shown),
        figures.waterfall(credit, higher_is_better=primary.higher_is_better, **shown),
        figures.quality_against_cost(comparison, costs[_worth_drawing(costs)], example=results.example, **directed),
        _grid(results),
        _per_example(results, comparison, shown),
        figures.distributions(results.distributions, order=order),
        figures.learning_curves(results.curves, order=order),
    ]
    return {figure.name: figure for figure in drawn if figure is not None}


def _worth_drawing(costs: pd.DataFrame) -> list[str]:
    return [name for name in (*COUNTED, WALL_SECONDS) if name in costs and costs[name].gt(0).any()]


def _per_example(results: Results, comparison: pd.DataFrame, shown: Mapping[str, Any]) -> Figure | None:
    """Draw the differences of single examples, where the metric has a value for each: two values, or any."""
    own = comparison[comparison["metric"] == results.primary.name]
    if own["gained"].notna().any():
        return figures.gains(own, order=results.variants, label=shown["label"], example=results.example)
    if results.primary.name not in results.scores:
        return None
    differences = per_example(results.scores, results.primary.name)
    return figures.per_example(differences, order=results.variants, example=results.example, **shown)


def _grid(results: Results) -> Figure | None:
    """Draw sample pictures of examples that a rule chooses; None where no example has one of every variant."""
    samples = results.samples
    with_output = [set(own["example"]) for _, own in samples[samples["kind"] == "output"].groupby("variant")]
    everywhere = set.intersection(*with_output) if with_output else set()
    # Samples are a random choice of the examples that evaluate, in a random order.
    kept = [str(name) for name in samples["example"].drop_duplicates() if name in everywhere]
    if not kept:
        return None
    scores = results.scores
    only_shown = len(scores) > 0 and not scores.index.get_level_values("example").isin(kept).any()
    rows, rule = _first(kept, results.example) if only_shown else _random_and_extreme(kept, results)
    figure = figures.picture_grid(samples, order=results.variants, rows=rows, example=results.example)
    return replace(figure, method=f"{rule} Pictures of each variant's lowest seed. {figure.method}".strip())


def _first(kept: Sequence[str], example: str) -> tuple[list[tuple[str, str]], str]:
    """Choose examples that no metric measures: the first ones."""
    rows = [(name, "") for name in kept[:SHOWN]]
    rule = f"The first {len(rows)} of {quantity(len(kept), example)} that are only shown; none of them evaluates."
    return rows, rule


def _random_and_extreme(kept: Sequence[str], results: Results) -> tuple[list[tuple[str, str]], str]:
    """Choose the first examples, which are a random choice, and the best and the worst of the others."""
    rows, ranked_by = dict.fromkeys(kept[:RANDOM], "random"), ""
    # The first metric is the plainest; the primary one may weigh an example by what is rare in it.
    directed = results.specs["higher_is_better"].notna() & results.specs.index.isin(results.scores.columns)
    if directed.any():
        metric = str(results.specs.index[directed][0])
        judge = BASELINE if BASELINE in results.variants else results.variants[0]
        values = results.scores[metric].xs(judge, level="variant").groupby(level="example").mean().dropna()
        ranked = values.loc[[name for name in kept if name in values.index]].sort_values(
            ascending=not results.spec(metric)["higher_is_better"], kind="stable"
        )
        others = [str(name) for name in ranked.index if name not in rows]
        best = others[:BEST]
        worst = [name for name in others[-WORST:] if name not in best]
        rows |= dict.fromkeys(best, "best") | dict.fromkeys(worst, "worst")
        label = results.spec(metric)["label"]
        ranked_by = f", and of the others those with the best and the worst {label} of {judge}" if others else ""
    rule = (
        f"Chosen by a rule, not by hand: of the {quantity(len(kept), results.example)} whose pictures are kept, a "
        f"random choice of the {results.num_examples} that evaluate, the first {min(RANDOM, len(kept))}{ranked_by}."
    )
    return list(rows.items()), rule
