"""Comparison of variants with the baseline. Pure functions on frames.

Scores are a frame with the index (variant, seed, example) and one column a metric: every run has the same examples, in
the same order. What single examples do not have is a metric of the whole set, see `whole_set`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report.variants import in_order
from ablate.report.whole_set import WholeSet
from ablate.statistics.corrections import holm
from ablate.statistics.intervals import ALPHA, Estimate, crossed_mean
from ablate.statistics.power import minimum_detectable_effect

Array = npt.NDArray[np.float64]

BETTER, WORSE = "better", "worse"
HIGHER, LOWER = "higher", "lower"
_NONE = Estimate(np.nan)
_NO_GAINS = {"gained": np.nan, "lost": np.nan}
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
    whole_set: WholeSet = WholeSet(),  # noqa: B008 - it is immutable
) -> pd.DataFrame:
    """Compare every variant with the baseline, paired by seed and example.

    p-values of the primary metric are corrected for the number of variants by Holm's method; those of all other
    metrics are exploratory and stand as they are. The minimum detectable effect is the difference that a repetition
    finds with a probability of 80 %, at the level that Holm's method asks of the first of so many comparisons.

    Args:
        scores: See above.
        directions: Of each metric, whether higher is better; None where neither is.
        primary: The metric that answers the question.
        whole_set: The metrics that scores have no column for.

    Returns:
        One row a variant and metric, by `in_order`: columns variant, metric, n (seeds), mean, sd (over seeds),
        n_paired (seeds that the baseline has too), examples, difference, low, high (95 % interval), p, p_corrected
        (NaN where exploratory), p_equivalence (corrected; NaN without a margin), effect_size,
        minimum_detectable_effect, gained and lost (see `gained_and_lost`; NaN where the metric is more than right or
        wrong), verdict (empty for the baseline) and exploratory. Without a baseline, or a seed shared with it, what
        compares is NaN.
    """
    examples = _Examples(scores)
    seeds_of, rows = examples.seeds or whole_set.seeds, []
    gains = _gains(scores, directions)
    for variant in in_order(list(seeds_of)):
        seeds = seeds_of[variant]
        shared = [seed for seed in seeds if seed in seeds_of.get(BASELINE, [])] if variant != BASELINE else []
        for metric in directions:
            source = examples if metric in scores else whole_set
            rows.append(
                {
                    "variant": variant,
                    "metric": metric,
                    **_over_seeds(source.of(metric, variant, seeds)),
                    "n_paired": len(shared),
                    "examples": source.examples,
                    "estimate": source.difference(metric, variant, BASELINE, shared) if shared else _NONE,
                    **gains.get((variant, metric), _NO_GAINS),
                    "exploratory": metric != primary.name,
                }
            )
    frame = pd.DataFrame(rows)
    return pd.concat(
        [
            _judged(of_metric, directions[str(metric)], primary if metric == primary.name else None)
            for metric, of_metric in frame.groupby("metric", sort=False)
        ]
    ).sort_index()


def per_example(scores: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return each example's difference from the baseline, mean over the seeds that a variant shares with it.

    Args:
        scores: See above.
        metric: Of which.

    Returns:
        Columns variant, example, difference; empty without a baseline.
    """
    tables = dict(_tables(scores[[metric]]))
    names = scores.index.unique("example")
    frames = [
        pd.DataFrame({"variant": variant, "example": names, "difference": paired.mean(axis=(0, 2))})
        for variant in in_order(list(tables))
        if variant != BASELINE and BASELINE in tables
        for paired in [_paired(tables[variant], tables[BASELINE])]
        if len(paired)
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
    tables, rows = dict(_tables(scores[[metric]])), []
    for variant in in_order(list(tables)):
        paired = _paired(tables[variant], tables[BASELINE]) if BASELINE in tables else np.empty(0)
        if variant == BASELINE or not len(paired):
            continue
        better = paired if higher_is_better is not False else -paired
        known = np.isfinite(better).all()
        shares = (float(np.mean(side)) if known else np.nan for side in (better > 0, better < 0))
        rows.append((variant, *(100 * value for value in shares)))
    return pd.DataFrame(rows, columns=["variant", "gained", "lost"])


def _gains(scores: pd.DataFrame, directions: Mapping[str, bool | None]) -> dict[tuple[str, str], dict[str, float]]:
    """Return gained and lost by variant and metric, of the metrics that are right or wrong."""
    return {
        (str(variant), metric): {"gained": gained, "lost": lost}
        for metric, higher_is_better in directions.items()
        if metric in scores and is_right_or_wrong(scores[metric])
        for variant, gained, lost in gained_and_lost(scores, metric, higher_is_better).itertuples(index=False)
    }


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


class _Examples:
    """Metrics that examples have one by one, as `WholeSet` has the others."""

    def __init__(self, scores: pd.DataFrame):
        self._tables = dict(_tables(scores))
        self._places = {str(metric): place for place, metric in enumerate(scores)}
        self.seeds = {variant: seeds for variant, (seeds, _) in self._tables.items()}
        self.examples = len(scores.index.unique("example")) if len(scores.columns) else 0

    def of(self, metric: str, variant: str, seeds: Sequence[int]) -> Array:
        """Return means over examples: (num_seeds,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self._table(metric, variant, seeds).mean(axis=1))

    def difference(self, metric: str, variant: str, baseline: str, seeds: Sequence[int]) -> Estimate:
        """Estimate a variant's mean difference from the baseline over the seeds that both have."""
        own, other = (self._table(metric, name, seeds) for name in (variant, baseline))
        with np.errstate(invalid="ignore"):  # infinity less infinity
            return crossed_mean(own - other)

    def _table(self, metric: str, variant: str, seeds: Sequence[int]) -> Array:
        known, table = self._tables[variant]
        return table[[known.index(seed) for seed in seeds], :, self._places[metric]]


def _over_seeds(values: Array) -> dict[str, float]:
    """Return the number of seeds, and the mean and standard deviation over them."""
    with np.errstate(invalid="ignore"):  # of what is not finite they are NaN
        deviation = float(values.std(ddof=1)) if len(values) > 1 else np.nan
        return {"n": len(values), "mean": float(values.mean()), "sd": deviation}


def _tables(scores: pd.DataFrame) -> Iterator[tuple[str, tuple[list[int], Array]]]:
    """Give every variant its seeds and its values: (num_seeds, num_examples, num_metrics)."""
    if scores.empty:
        return
    for variant, own in scores.groupby(level="variant", sort=False):
        seeds = [int(seed) for seed in own.index.unique("seed")]
        yield str(variant), (seeds, own.to_numpy(np.float64).reshape(len(seeds), -1, scores.shape[1]))


def _paired(own: tuple[list[int], Array], baseline: tuple[list[int], Array]) -> Array:
    """Return the differences of the seeds that both have."""
    shared = [seed for seed in own[0] if seed in baseline[0]]
    mine, other = ([seeds.index(seed) for seed in shared] for seeds in (own[0], baseline[0]))
    with np.errstate(invalid="ignore"):  # infinity less infinity
        return own[1][mine] - baseline[1][other]


def _judged(rows: pd.DataFrame, higher_is_better: bool | None, primary: Primary | None) -> pd.DataFrame:
    """Add what follows from the estimates of one metric; `primary` where it is the primary one."""
    estimates: list[Estimate] = list(rows["estimate"])
    tested = [estimate for estimate in estimates if estimate.error is not None]
    alpha = ALPHA / len(tested) if primary and tested else ALPHA
    margin = primary.margin if primary else None
    p = [estimate.p_value for estimate in estimates]
    intervals = [estimate.interval() for estimate in estimates]
    judged = rows.drop(columns=["estimate", *_NO_GAINS]).assign(
        difference=[estimate.mean for estimate in estimates],
        low=[low for low, _ in intervals],
        high=[high for _, high in intervals],
        p=p,
        p_corrected=holm(p) if primary else np.nan,
        p_equivalence=np.nan if margin is None else holm([estimate.p_equivalence(margin) for estimate in estimates]),
        effect_size=[estimate.effect_size for estimate in estimates],
        minimum_detectable_effect=[
            np.nan if estimate.error is None else minimum_detectable_effect(estimate.error, alpha=alpha)
            for estimate in estimates
        ],
        **{name: rows[name] for name in _NO_GAINS},
    )
    judged["verdict"] = [
        _verdict(estimate, p_value, p_equivalence, higher_is_better) if compared else ""
        for estimate, p_value, p_equivalence, compared in zip(
            estimates,
            judged["p_corrected" if primary else "p"],
            judged["p_equivalence"],
            rows["n_paired"] > 0,
            strict=True,
        )
    ]
    return judged


def _verdict(estimate: Estimate, p_value: float, p_equivalence: float, higher_is_better: bool | None) -> str:
    if np.isnan(p_value):
        return NOT_COMPARABLE
    if p_equivalence < ALPHA:
        return EQUIVALENT
    if p_value >= ALPHA:
        return NO_DIFFERENCE
    if higher_is_better is None:
        return HIGHER if estimate.mean > 0 else LOWER
    return BETTER if (estimate.mean > 0) == higher_is_better else WORSE
