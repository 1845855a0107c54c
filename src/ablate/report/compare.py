"""Comparison of variants with the baseline. Pure functions on frames.

Scores are a frame with the index (variant, seed, example) and one column a metric: every run has the same examples, in
the same order. What single examples do not have is a metric of the whole set, see `whole_set`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report.run_values import RunValues
from ablate.report.variants import in_order
from ablate.report.whole_set import NO_METRICS, WholeSet
from ablate.statistics import many_to_one
from ablate.statistics.intervals import crossed_mean

Array = npt.NDArray[np.float64]

BETTER, WORSE = "better", "worse"
HIGHER, LOWER = "higher", "lower"
COMPARED = (
    "difference", "low", "high", "low_individual", "high_individual", "p", "minimum_detectable_effect",
    "standard_error", "over",
)  # fmt: skip
_NO_GAINS = pd.DataFrame(columns=["variant", "gained", "lost"]).astype({"gained": float, "lost": float})
EQUIVALENT, NO_DIFFERENCE, NOT_COMPARABLE = "equivalent", "no difference found", "not comparable"


@dataclass(frozen=True)
class Primary:
    """The metric that answers a study's question.

    Attributes:
        name: Of the metric.
        higher_is_better: Which way is better; None where neither is.
        margin: Up to where a difference does not matter, in the metric's unit; None where the study says nothing.
    """

    name: str
    higher_is_better: bool | None
    margin: float | None = None


def compare(
    scores: pd.DataFrame,
    directions: Mapping[str, bool | None],
    primary: Primary,
    whole_set: WholeSet = NO_METRICS,
    *,
    paired: bool = True,
    looked: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Compare every variant with the baseline, on the same examples; see `many_to_one`.

    Args:
        scores: See above.
        directions: Of each metric, whether higher is better; None where neither is.
        primary: The metric that answers the question; all others are exploratory.
        whole_set: The metrics that scores have no column for.
        paired: Whether runs are paired by seed.
        looked: What looks at the primary metric found of each variant, index its name, see `sequential.Look`; None
            where the study was planned to be looked at once.

    Returns:
        One row a variant and metric, by `in_order`, with the columns

        - variant, metric, n (seeds), mean, sd (over seeds), n_paired (seeds that the baseline has too), examples,
          exploratory;
        - difference from the baseline; low, high: intervals that hold those of all variants at once in 95 % of
          studies, of this metric; low_individual, high_individual: that hold this one; p, adjusted for the number of
          variants; minimum_detectable_effect, the difference that a repetition finds with a probability of 80 %;
          standard_error; over, what intervals are over: `seeds`, `examples`, `seeds and examples`, or nothing where
          there are none;
        - look, the place of that at which it was decided, and outcome, see `sequential.Look`, where there are looks;
        - effect_size, see `Estimate.effect_size`;
        - gained, lost: see `gained_and_lost`; NaN where the metric is more than right or wrong;
        - verdict: read off low and high; empty for the baseline, or without a seed shared with it. What compares is
          NaN then.
    """
    runs = RunValues(scores, whole_set)
    frames = []
    for metric, higher_is_better in directions.items():
        right_or_wrong = metric in scores and is_right_or_wrong(scores[metric])
        gains = gained_and_lost(scores, metric, higher_is_better) if right_or_wrong else _NO_GAINS
        found = _differences(runs, metric, paired)
        if looked is not None and metric == primary.name:
            found = _as_decided(found, runs.variants, looked)
        frame = _of_metric(runs, metric, metric != primary.name, found).merge(gains, on="variant", how="left")
        margin = primary.margin if metric == primary.name else None
        frames.append(
            frame.assign(verdict=[verdict(row, higher_is_better, margin) for row in frame.to_dict("records")])
        )
    # By variant, and then by metric.
    return pd.concat(frames).sort_index(kind="stable").reset_index(drop=True)


def per_example(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return each example's difference from the baseline, mean over the seeds that a variant shares with it.

    Args:
        scores: See above.
        metric: Of which.

    Returns:
        Columns variant, example, difference; empty without a baseline.
    """
    runs, names = RunValues(scores[[metric]]), scores.index.unique("example")
    values = runs.of(metric)
    frames = [
        pd.DataFrame(
            {"variant": variant, "example": names, "difference": runs.differences(values, variant).mean(axis=0)}
        )
        for variant in runs.variants
        if runs.shared(variant).any()
    ]
    return (
        pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["variant", "example", "difference"])
    )


def is_right_or_wrong(values: pd.Series) -> bool:
    """Tell whether a metric has two values in all, as where each example is right or wrong."""
    return len(pd.unique(values.dropna())) == 2


def gained_and_lost(scores: pd.DataFrame, metric: str, higher_is_better: bool | None) -> pd.DataFrame:
    """Return the shares of examples that variants gain and lose against the baseline, by a metric of two values.

    Args:
        scores: See above.
        metric: Which.
        higher_is_better: Whether the higher value is the right one; None counts as if it were.

    Returns:
        Columns variant, gained (percent of the examples that it gets right and the baseline wrong) and lost (the
        reverse), mean over the seeds that both have; NaN where a value is. Empty without a baseline.
    """
    runs, rows = RunValues(scores[[metric]]), []
    values = runs.of(metric)
    for variant in filter(lambda name: runs.shared(name).any(), runs.variants):
        better = runs.differences(values, variant) * (-1 if higher_is_better is False else 1)
        known = np.isfinite(better).all()
        shares = (float(np.mean(side)) if known else np.nan for side in (better > 0, better < 0))
        rows.append((variant, *(100 * value for value in shares)))
    return pd.DataFrame(rows, columns=["variant", "gained", "lost"])


def cost_differences(costs: pd.DataFrame) -> pd.DataFrame:
    """Summarise what variants cost, and the difference from the baseline, seed by seed.

    Args:
        costs: Index (variant, seed), one column a cost.

    Returns:
        One row a variant and cost, by `in_order`: columns variant, metric, mean, sd, difference.
    """
    rows = []
    known = BASELINE in costs.index.unique("variant")
    baseline = costs.xs(BASELINE, level="variant") if known else costs.iloc[:0].droplevel("variant")
    for variant in in_order(costs.index.unique("variant").tolist()):
        own = costs.xs(variant, level="variant")
        differences = (own - baseline).dropna(how="all")
        rows += [
            {
                "variant": variant,
                "metric": cost,
                "mean": float(np.mean(own[cost])),
                "sd": float(np.std(own[cost], ddof=1)) if len(own) > 1 else np.nan,
                "difference": float(np.mean(differences[cost])) if variant != BASELINE else np.nan,
            }
            for cost in costs.columns
        ]
    return pd.DataFrame(rows, columns=["variant", "metric", "mean", "sd", "difference"])


def _of_metric(runs: RunValues, metric: str, exploratory: bool, found: pd.DataFrame) -> pd.DataFrame:
    """Return one row a variant: everything but what it gains and loses, and the verdict."""
    values = runs.of(metric)
    paired = [runs.differences(values, variant) for variant in runs.variants]
    frame = pd.DataFrame(
        [
            {
                "variant": variant,
                "metric": metric,
                **_over_seeds(own[there]),
                "n_paired": len(differences),
            }
            for variant, own, there, differences in zip(runs.variants, values, runs.there, paired, strict=True)
        ]
    ).assign(examples=runs.examples(metric), exploratory=exploratory)
    sizes = [crossed_mean(differences).effect_size if len(differences) else np.nan for differences in paired]
    return frame.join(found).assign(effect_size=sizes)


def _differences(runs: RunValues, metric: str, paired: bool) -> pd.DataFrame:
    """Return what `many_to_one` finds, by the place of a variant."""
    if len(runs.variants) < 2 or BASELINE not in runs.variants:
        return pd.DataFrame({**dict.fromkeys(COMPARED, np.nan), "over": ""}, index=range(len(runs.variants)))
    found = many_to_one(
        runs.finished(metric), paired=paired, replicates=runs.replicates(metric), examples=runs.examples(metric)
    )
    return _placed(found, list(range(len(runs.variants))))


def _placed(found: pd.DataFrame, order: list[Any]) -> pd.DataFrame:
    """Return what was found of variants, one row for each place of an order that has it."""
    named = found.rename(columns={"detectable": "minimum_detectable_effect"}).reindex(order)
    return named[list(COMPARED)].fillna({"over": ""}).reset_index(drop=True)


def _as_decided(found: pd.DataFrame, variants: Sequence[str], looked: pd.DataFrame) -> pd.DataFrame:
    """Replace what was found of variants by what the look found at which they were decided."""
    decided = _placed(looked, list(variants))
    undecided = ~np.isin(variants, looked.index)
    return found.where(np.broadcast_to(undecided[:, None], found.shape), decided).assign(
        **looked[["look", "outcome"]].reindex(list(variants)).reset_index(drop=True)
    )


def _over_seeds(values: Array) -> dict[str, float]:
    """Return the number of seeds, and the mean and standard deviation over them, of (num_seeds, num_examples)."""
    with np.errstate(invalid="ignore"):  # of what is not finite they are NaN
        means = values.mean(axis=1)
        deviation = float(means.std(ddof=1)) if len(means) > 1 else np.nan
        return {"n": len(means), "mean": float(means.mean()), "sd": deviation}


def verdict(row: Mapping[Any, Any], higher_is_better: bool | None, margin: float | None) -> str:
    """Read a verdict off an interval; `row` has low, high, n_paired and over."""
    low, high = row["low"], row["high"]
    if not row["n_paired"]:
        return ""
    if not row["over"]:
        return NOT_COMPARABLE
    if margin is not None and -margin <= low and high <= margin:
        return EQUIVALENT
    if low <= 0 <= high:
        return NO_DIFFERENCE
    if higher_is_better is None:
        return HIGHER if low > 0 else LOWER
    return BETTER if (low > 0) == higher_is_better else WORSE
