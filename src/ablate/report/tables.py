"""The tables of a report, as text: every form shows the same cells."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ablate.config.short_names import shorten
from ablate.config.variant import BASELINE
from ablate.report.comparability import Gap
from ablate.report.compare import BETTER, EQUIVALENT, NO_DIFFERENCE, WORSE
from ablate.report.formatting import large, magnitude, number, probability, signed, with_interval
from ablate.report.load import Results

COSTS = {
    "cost/parameters": "Parameters",
    "cost/flops_per_image": "FLOPs an image",
    "cost/wall_seconds": "Training, s",
    "cost/images_per_second": "Images/s",
    "cost/peak_memory_mib": "Peak memory, MiB",
    "cost/peak_device_memory_mib": "Peak GPU memory, MiB",
}
COUNTED = ("cost/parameters", "cost/flops_per_image")
"""Costs that are known without a measurement."""
ONE_SEED = "over photographs only: one seed"

Links = Callable[[pd.Index], str]
"""The address in MLflow of some runs."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """What a table says at one place.

    Attributes:
        text: That.
        sort: What it is sorted by; None for its text.
        detail: A second line.
        link: Where the number comes from.
        strong: Whether it is the best of its column.
        kind: What a page may colour it by.
    """

    text: str
    sort: float | None = None
    detail: str = ""
    link: str = ""
    strong: bool = False
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: its headings, its rows, the trivial answers below them, and what is to be known of it."""

    name: str
    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    footer: Sequence[Sequence[Cell]] = ()
    note: str = ""


def primary_table(results: Results, comparison: pd.DataFrame, costs: pd.DataFrame, links: Links) -> Table:
    """Return the table that answers the question: every variant by the primary metric, beside what it costs."""
    spec = results.spec(results.primary.name)
    own = {variant: row for (variant, metric), row in _by_place(comparison).items() if metric == results.primary.name}
    by_cost = _by_place(costs)
    missing = _missing(results.gaps)
    best = _best(comparison, results.primary.name, results.primary.higher_is_better)
    compared = BASELINE in own
    rows = []
    for name, row in own.items():
        link, slower = links(runs_of(results, name)), _slower(by_cost, name)
        one_seed = compared and row["n_paired"] == 1
        seeds = int(row["n"])
        rows.append(
            [
                Cell(text=name),
                Cell(text=f"{seeds} of {seeds + missing.pop(name, 0)}", sort=seeds)
                if results.gaps
                else Cell(text=str(seeds), sort=seeds),
                Cell(text=mean_sd(row), sort=row["mean"], link=link, strong=row["mean"] == best),
                *(_difference_cells(row, name == BASELINE, one_seed, link) if compared else []),
                Cell(text="" if np.isnan(slower) else signed(slower), sort=slower, link=link),
            ]
        )
    width = len(rows[0])
    for name, count in missing.items():
        blank = [Cell(text="-", sort=np.nan) for _ in range(width - 2)]
        rows.append([Cell(text=name), Cell(text=f"0 of {count}", sort=0), *blank])
    tests = ["difference [95 %]", "p, corrected", "effect size", "detectable", "verdict"] if compared else []
    return Table(
        name="primary",
        title=str(spec["label"]),
        headings=["variant", "seeds", heading(spec), *tests, "training, s"],
        rows=rows,
        footer=_references(results, [results.primary.name], before=1, after=width - 3),
        note=_primary_note(results, compared),
    )


def _difference_cells(row: Mapping[str, Any], is_baseline: bool, one_seed: bool, link: str) -> list[Cell]:
    if is_baseline:
        return [Cell(text="", sort=np.nan) for _ in range(4)] + [Cell(text="", kind="")]
    verdict = str(row["verdict"]) or "no seed shared with the baseline"
    return [
        Cell(
            text=with_interval(row["difference"], row["low"], row["high"]),
            sort=row["difference"],
            link=link,
            detail=ONE_SEED if one_seed else "",
        ),
        Cell(text=probability(row["p_corrected"]), sort=row["p_corrected"], link=link),
        Cell(text=effect_size(row["effect_size"]), sort=row["effect_size"], link=link),
        Cell(text=magnitude(row["detectable"]), sort=row["detectable"], link=link),
        Cell(text=verdict, kind=verdict if verdict in (BETTER, WORSE, EQUIVALENT, NO_DIFFERENCE) else ""),
    ]


def _primary_note(results: Results, compared: bool) -> str:
    if not compared:
        return (
            "No variant is the baseline, so there are no differences from it. ± is the standard deviation over seeds."
        )
    margin = results.primary.margin
    equivalent = (
        f" Equivalent: within ±{margin:g} of the baseline, by two one-sided tests, corrected alike." if margin else ""
    )
    return (
        "± is the standard deviation over seeds. Differences are from the baseline, paired by seed and photograph; "
        "their 95 % intervals cover seeds and photographs. p is corrected for the number of variants, by Holm's "
        "method, and decides; an interval is not, and may exclude 0 where no difference is found. The effect size is "
        "the difference over the standard deviation of a single one, one photograph and seed. Detectable is "
        "the smallest true difference that such a study finds four times in five."
        f"{equivalent} The last column is the difference in training time. The method: docs/statistics.md."
    )


def metrics_table(results: Results, comparison: pd.DataFrame, links: Links) -> Table:
    """Return the table of all metrics; what it says of others than the primary one is exploratory."""
    compared = BASELINE in results.variants
    columns = {name: results.spec(name) for name in map(str, results.specs.index)}
    best = {name: _best(comparison, name, spec["higher_is_better"]) for name, spec in columns.items()}
    by_place = _by_place(comparison)
    rows = []
    for variant in results.variants:
        link, cells = links(runs_of(results, variant)), []
        for name in columns:
            row = by_place[variant, name]
            difference = compared and variant != BASELINE and row["n_paired"]
            cells.append(
                Cell(
                    text=mean_sd(row),
                    sort=row["mean"],
                    detail=with_interval(row["difference"], row["low"], row["high"]) if difference else "",
                    link=link,
                    strong=row["mean"] == best[name],
                )
            )
        rows.append([Cell(text=variant), *cells])
    return Table(
        name="metrics",
        title="All metrics",
        headings=["variant", *(heading(spec) for spec in columns.values())],
        rows=rows,
        footer=_references(results, list(columns)),
        note="Below a value stands its difference from the baseline with its 95 % interval. All but the metric that "
        "the study asks for are exploratory: their intervals are not corrected for how many there are. Arrows say "
        "which direction is better; the best mean is bold. The last rows are trivial answers, to say what a number "
        "means.",
    )


def cost_table(results: Results, costs: pd.DataFrame, links: Links) -> Table:
    """Return the table of what variants cost."""
    known = {name: label for name, label in COSTS.items() if name in set(costs["metric"])}
    by_place = _by_place(costs)
    rows = []
    for variant in results.variants:
        link, cells = links(runs_of(results, variant)), []
        for name in known:
            row, counted = by_place[variant, name], name in COUNTED
            difference = row["difference"]
            cells.append(
                Cell(
                    text=large(row["mean"]) if counted else mean_sd(row),
                    sort=row["mean"],
                    detail="" if np.isnan(difference) else signed(difference, counted=counted),
                    link=link,
                )
            )
        rows.append([Cell(text=variant), *cells])
    return Table(
        name="cost",
        title="Cost",
        headings=["variant", *known.values()],
        rows=rows,
        note="Below a value stands its difference from the baseline. Parameters and FLOPs are counted, the others are "
        "measured while a run trains: they depend on the machine and on what else it does.",
    )


def effects_table(effects: pd.DataFrame, unit: str, link: str) -> Table:
    """Return the table of main effects and interactions; `link` is the address of the runs that they come from."""
    rows = [
        [
            Cell(text=shorten(str(row["effect"]))),
            Cell(
                text=with_interval(float(row["estimate"]), float(row["low"]), float(row["high"])),
                sort=float(row["estimate"]),
                link=link,
            ),
            Cell(text=probability(float(row["p_corrected"])), sort=float(row["p_corrected"]), link=link),
        ]
        for row in effects.to_dict("records")
    ]
    return Table(
        name="effects",
        title="Main effects and interactions",
        headings=["effect", f"estimate{f', {unit}' if unit else ''} [95 %]", "p, corrected"],
        rows=rows,
        note="A main effect is a level's difference from the baseline's, averaged over all combinations of the other "
        "factors. An interaction (×) is by how much more one level does where the other is chosen than where it is "
        "not.",
    )


def runs_table(results: Results, links: Links) -> Table:
    """Return the table of the runs that are compared."""
    values = results.scores[results.primary.name].groupby(level=["variant", "seed"]).mean().to_dict()
    known = "cost/wall_seconds" in results.costs
    times = results.costs["cost/wall_seconds"].to_dict() if known else {}
    rows = []
    for run, row in zip(results.runs.index, results.runs.to_dict("records"), strict=True):
        cell = (row["variant"], row["seed"])
        seconds = float(times.get(cell, np.nan))
        source = row.get("cached_from")
        rows.append(
            [
                Cell(text=str(row["variant"])),
                Cell(text=str(row["seed"]), sort=row["seed"]),
                Cell(text=number(values[cell]), sort=values[cell]),
                Cell(text=number(seconds), sort=seconds),
                Cell(text=f"{row['started']:%Y-%m-%d %H:%M}", sort=row["started"].timestamp()),
                Cell(
                    text=str(run)[:8],
                    link=links(pd.Index([run])),
                    detail="cached from another study" if isinstance(source, str) else "",
                ),
            ]
        )
    label = heading(results.spec(results.primary.name))
    return Table(
        name="runs",
        title="Runs",
        headings=["variant", "seed", label, "training, s", "started, UTC", "run"],
        rows=rows,
    )


def heading(spec: Mapping[str, Any]) -> str:
    """Return what a metric's column is headed: its label, its unit, and which direction is better."""
    arrow = " ↑" if spec["higher_is_better"] is True else " ↓" if spec["higher_is_better"] is False else ""
    return f"{spec['label']}{', ' + str(spec['unit']) if spec['unit'] else ''}{arrow}"


def mean_sd(row: Mapping[str, Any]) -> str:
    """Write a mean and its standard deviation over seeds, where there is one."""
    return number(row["mean"]) + ("" if np.isnan(row["sd"]) else f" ± {row['sd']:.2g}")


def runs_of(results: Results, variant: str) -> pd.Index:
    """Return the runs of a variant."""
    return results.runs.index[results.runs["variant"] == variant]


def _by_place(frame: pd.DataFrame) -> dict[tuple[str, str], Mapping[str, Any]]:
    records = [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]
    return {(str(row["variant"]), str(row["metric"])): row for row in records}


def _best(comparison: pd.DataFrame, metric: str, higher_is_better: bool | None) -> float:
    means = comparison.loc[comparison["metric"] == metric, "mean"]
    if higher_is_better is None or len(means.dropna().unique()) < 2:
        return np.nan
    return float(means.max() if higher_is_better else means.min())


def _missing(gaps: Sequence[Gap]) -> dict[str, int]:
    counts = dict[str, int]()
    for gap in gaps:
        counts[gap.variant] = counts.get(gap.variant, 0) + 1
    return counts


def _references(results: Results, metrics: Sequence[str], before: int = 0, after: int = 0) -> list[list[Cell]]:
    rows = []
    for name, values in results.references.groupby("reference", sort=False):
        of_metric: Mapping[str, float] = dict(zip(values["metric"], values["value"], strict=True))
        rows.append(
            [
                Cell(text=str(name).replace("_", " ")),
                *(Cell(text="") for _ in range(before)),
                *(Cell(text=number(of_metric.get(metric, np.nan))) for metric in metrics),
                *(Cell(text="") for _ in range(after)),
            ]
        )
    return rows


def _slower(costs: Mapping[tuple[str, str], Mapping[str, Any]], variant: str) -> float:
    """Return by how many seconds a variant trains longer than the baseline."""
    return float(costs.get((variant, "cost/wall_seconds"), {}).get("difference", np.nan))


def effect_size(value: float) -> str:
    """Write a standardised difference."""
    return "-" if np.isnan(value) else f"{value:+.2f}"
