"""The table that answers the question: every variant by the primary metric."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report.compare import BETTER, EQUIVALENT, NO_DIFFERENCE, WORSE
from ablate.report.links import Links
from ablate.report.nouns import plural
from ablate.report.number_format import magnitude, probability, share, signed, with_interval
from ablate.report.results import Results
from ablate.report.selection import Gap
from ablate.report.tables.table import (
    Cell,
    Table,
    best_mean,
    heading,
    mean_sd,
    rows_by_variant,
    runs_of,
    trivial_baselines,
)
from ablate.statistics.simultaneous import EXAMPLES
from ablate.tracking.names import WALL_SECONDS


def primary_table(results: Results, comparison: pd.DataFrame, costs: pd.DataFrame, links: Links) -> Table:
    """Return the table that answers the question: every variant by the primary metric, beside what it costs."""
    spec = results.spec(results.primary.name)
    own = {
        variant: row
        for (variant, metric), row in rows_by_variant(comparison).items()
        if metric == results.primary.name
    }
    by_cost = rows_by_variant(costs)
    missing = _missing(results.gaps)
    best = best_mean(comparison, results.primary.name, results.primary.higher_is_better)
    gained = any(not np.isnan(row["gained"]) for row in own.values())
    compared, timed = BASELINE in own, WALL_SECONDS in results.costs
    looked = results.looked is not None
    rows = []
    for name, row in own.items():
        link, slower = links(runs_of(results, name)), _slower(by_cost, name)
        alone = f"over {plural(results.example)} only: one seed" if row["over"] == EXAMPLES else ""
        seeds = int(row["n"])
        rows.append(
            [
                Cell(text=name),
                Cell(text=f"{seeds} of {seeds + missing.pop(name, 0)}", sort=seeds)
                if results.gaps
                else Cell(text=str(seeds), sort=seeds),
                *([_look_cell(row)] if looked else []),
                Cell(text=mean_sd(row), sort=row["mean"], link=link, strong=row["mean"] == best),
                *(_difference_cells(row, alone, link, gained=gained) if compared else []),
                *([Cell(text="" if np.isnan(slower) else signed(slower), sort=slower, link=link)] if timed else []),
            ]
        )
    width = len(rows[0])
    for name, count in missing.items():
        blank = [Cell(text="-", sort=np.nan) for _ in range(width - 2)]
        rows.append([Cell(text=name), Cell(text=f"0 of {count}", sort=0), *blank])
    tests = (
        [
            "difference [95 %]",
            *([f"{plural(results.example)} gained − lost, %"] if gained else []),
            "p",
            "effect size",
            "minimum detectable effect",
            "verdict",
        ]
        if compared
        else []
    )
    return Table(
        name="primary",
        title=str(spec["label"]),
        headings=[
            "variant",
            "seeds",
            *(["look"] if looked else []),
            heading(spec),
            *tests,
            *(["training, s"] if timed else []),
        ],
        rows=rows,
        footer=trivial_baselines(results, [results.primary.name], before=1 + looked, after=width - 3 - looked),
        note=_note(compared=compared),
        method=_method(results, compared=compared, gained=gained),
    )


def _difference_cells(row: Mapping[str, Any], alone: str, link: str, *, gained: bool) -> list[Cell]:
    if row["variant"] == BASELINE:
        return [Cell(text="", sort=np.nan) for _ in range(4 + gained)] + [Cell(text="", kind="")]
    verdict = str(row["verdict"]) or "no seed shared with the baseline"
    return [
        Cell(
            text=with_interval(row["difference"], row["low"], row["high"]),
            sort=row["difference"],
            link=link,
            detail=alone,
        ),
        *([_gains_cell(row["gained"], row["lost"], link)] if gained else []),
        Cell(text=probability(row["p"]), sort=row["p"], link=link),
        Cell(text=effect_size(row["effect_size"]), sort=row["effect_size"], link=link),
        Cell(text=magnitude(row["minimum_detectable_effect"]), sort=row["minimum_detectable_effect"], link=link),
        Cell(text=verdict, kind=verdict if verdict in (BETTER, WORSE, EQUIVALENT, NO_DIFFERENCE) else ""),
    ]


def _look_cell(row: Mapping[str, Any]) -> Cell:
    if np.isnan(row["look"]):
        return Cell(text="", sort=np.nan)
    return Cell(text=f"{row['look'] + 1:.0f}, {row['outcome']}", sort=row["look"])


def _gains_cell(gained: float, lost: float, link: str) -> Cell:
    return Cell(text=f"{share(gained)} − {share(lost)}", sort=gained, link=link)


def _note(*, compared: bool) -> str:
    spread = "± is the standard deviation over seeds."
    if not compared:
        return f"No variant is the baseline, so there are no differences from it. {spread}"
    return f"Differences are from the baseline; all their 95 % intervals hold at once. {spread}"


def _method(results: Results, *, compared: bool, gained: bool) -> str:
    if not compared:
        return ""
    name, margin, example = results.primary.name, results.primary.margin, results.example
    single = name in results.scores
    levels = _levels(results)
    sentences = [
        f"Differences are {_pairing(results, example if single else '')}; their intervals cover "
        f"{results.sampled(name)}. They hold for all variants at once, and the verdict is read off them.",
        f"p is adjusted for the number of variants: below {levels or '0.05'} where 0 is outside of the interval.",
        "The effect size is the difference over the standard deviation of a single one, one "
        f"{f'{example} and seed' if single else 'seed'}.",
        "The minimum detectable effect is the smallest true difference that such a study finds with a power of 80 %.",
    ]
    if gained:
        sentences.insert(
            1,
            f"Gained are the {plural(example)} that a variant gets right and the baseline wrong, lost the reverse; "
            "mean over seeds.",
        )
    if margin:
        sentences.append(f"Equivalent: the interval lies within ±{margin:g}.")
    if WALL_SECONDS in results.costs:
        sentences.append("The last column is the difference in training time.")
    return " ".join([*sentences, "More: docs/statistics.md."])


def _pairing(results: Results, example: str) -> str:
    """Say how runs are compared; `example` is empty where examples have no values of their own."""
    if results.paired:
        return f"paired by seed{f' and {example}' if example else ''}"
    same = f", on the same {plural(example)}" if example else ""
    return f"between means over all seeds of each, as the baseline has more of them by plan{same}"


def _levels(results: Results) -> str:
    """Return the level of each look that was made, in words; nothing where there was one look."""
    if results.looked is None or results.looks is None:
        return ""
    levels = [f"{1 - look.level:.2g} at look {look.place + 1}" for look in results.looks.found]
    return ", ".join(levels)


def _missing(gaps: Sequence[Gap]) -> dict[str, int]:
    counts = dict[str, int]()
    for gap in gaps:
        counts[gap.variant] = counts.get(gap.variant, 0) + 1
    return counts


def _slower(costs: Mapping[tuple[str, str], Mapping[str, Any]], variant: str) -> float:
    """Return by how many seconds a variant trains longer than the baseline."""
    return float(costs.get((variant, WALL_SECONDS), {}).get("difference", np.nan))


def effect_size(value: float) -> str:
    """Write a standardised difference."""
    return "-" if np.isnan(value) else f"{value:+.2f}"
