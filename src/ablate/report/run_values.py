"""Values of all runs as arrays: (num_variants, num_seeds, num_examples)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report.variants import in_order
from ablate.report.whole_set import NO_METRICS, WholeSet

Array = npt.NDArray[np.float64]


class RunValues:
    """Values of all runs, by metric.

    Args:
        scores: Index (variant, seed, example), one column a metric: every run has the same examples, in the same
            order.
        whole_set: The metrics that scores have no column for.

    Attributes:
        variants: Their names, by `in_order`: the baseline first, where there is one.
        seeds: All that some variant has.
        there: (num_variants, num_seeds), which runs there are.
    """

    def __init__(self, scores: pd.DataFrame, whole_set: WholeSet = NO_METRICS):
        self._scores, self._whole_set = scores, whole_set
        self._count = len(scores.index.unique("example"))
        runs = _runs(scores, self._count) if len(scores) else whole_set.values.index
        self.variants = in_order([str(variant) for variant in runs.unique("variant")])
        self.seeds = sorted(int(seed) for seed in runs.unique("seed"))
        self.there = np.zeros((len(self.variants), len(self.seeds)), dtype=bool)
        self.there[self._places(runs)] = True

    def of(self, metric: str) -> Array:
        """Return values, with one example where it is a metric of the whole set; NaN where there is no run."""
        if metric not in self._scores:
            values = self._whole_set.values[metric]
            return self._placed(values.index, values.to_numpy(np.float64)[:, None])
        table = self._scores[metric].to_numpy(np.float64).reshape(-1, self._count)
        return self._placed(_runs(self._scores, self._count), table)

    def finished(self, metric: str) -> Array:
        """Return values as `of`, but that a run's NaN is infinite: no run is missing for it."""
        values = self.of(metric)
        return np.where(self.there[:, :, None] & np.isnan(values), np.inf, values)

    def replicates(self, metric: str) -> Array | None:
        """Return a metric's bootstrap replicates: (num_variants, num_seeds, num_replicates), None without them."""
        if metric in self._scores or metric not in self._whole_set.replicates:
            return None
        drawn = self._whole_set.replicates[metric]
        count = len(drawn.index.unique("replicate"))
        return self._placed(_runs(drawn, count), drawn.to_numpy(np.float64).reshape(-1, count))

    def examples(self, metric: str) -> int:
        """Return on how many examples a metric is evaluated, 0 where that is not known."""
        return self._count if metric in self._scores else self._whole_set.examples

    def shared(self, variant: str) -> npt.NDArray[np.bool_]:
        """Return the seeds that a variant shares with the baseline: (num_seeds,), none of the baseline itself."""
        if variant == BASELINE or BASELINE not in self.variants:
            return np.zeros(len(self.seeds), dtype=bool)
        shared: npt.NDArray[np.bool_] = self.there[self.variants.index(variant)] & self.there[0]
        return shared

    def differences(self, values: Array, variant: str) -> Array:
        """Return a variant's differences from the baseline: (num_shared_seeds, num_examples)."""
        shared = self.shared(variant)
        with np.errstate(invalid="ignore"):  # infinity less infinity
            return np.asarray(values[self.variants.index(variant), shared] - values[0, shared], np.float64)

    def _places(self, runs: pd.Index) -> tuple[Sequence[int], Sequence[int]]:
        variants = {name: place for place, name in enumerate(self.variants)}
        seeds = {seed: place for place, seed in enumerate(self.seeds)}
        return [variants[str(variant)] for variant, _ in runs], [seeds[int(seed)] for _, seed in runs]

    def _placed(self, runs: pd.Index, table: Array) -> Array:
        """Return the rows of a table, one a run, at their places."""
        placed = np.full((*self.there.shape, table.shape[1]), np.nan)
        placed[self._places(runs)] = table
        return placed


def _runs(frame: pd.DataFrame | pd.Series, count: int) -> pd.Index:
    """Return the runs of a frame that has `count` rows of each, one after the other: index (variant, seed)."""
    index = frame.index
    assert isinstance(index, pd.MultiIndex)
    return index[::count].droplevel(-1)
