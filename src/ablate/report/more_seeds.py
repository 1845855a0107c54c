"""The number of further seeds that would decide what a study left undecided."""

import numpy as np
import pandas as pd

from ablate.report.compare import NO_DIFFERENCE, Primary
from ablate.report.run_values import RunValues
from ablate.report.whole_set import WholeSet
from ablate.statistics import seeds_needed


def more_seeds(
    scores: pd.DataFrame, comparison: pd.DataFrame, primary: Primary, whole_set: WholeSet
) -> dict[str, float]:
    """Return how many more seeds each undecided variant needs, by the primary metric.

    With so many the difference seen, or the study's margin where that is larger, is found with a probability of 80 %.

    Args:
        scores: See `compare`.
        comparison: What `compare.compare` found.
        primary: The metric.
        whole_set: See `compare.compare`.

    Returns:
        By variant, 1 or more: infinite where it would be more than `MOST_SEEDS` in all, NaN where nothing is known of
        how runs vary.
    """
    own = comparison[comparison["metric"] == primary.name].set_index("variant")
    undecided = own.index[own["verdict"] == NO_DIFFERENCE]
    if undecided.empty:
        return {}
    runs, name = RunValues(scores, whole_set), primary.name
    compared = own.loc[runs.variants[1:]]
    wanted = np.fmax(compared["difference"].abs(), primary.margin or 0.0)
    needed = seeds_needed(
        runs.finished(name),
        compared["minimum_detectable_effect"],
        wanted,
        replicates=runs.replicates(name),
        examples=runs.examples(name),
    )
    more = pd.Series(needed, compared.index) - compared["n_paired"]
    return {str(variant): float(np.maximum(value, 1.0)) for variant, value in more[undecided].items()}
