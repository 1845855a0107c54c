"""Metrics of the whole evaluation set, which single examples do not have: macro F1, a distance of distributions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.statistics.intervals import Estimate, crossed_mean, resampled_mean

Array = npt.NDArray[np.float64]

_NO_VALUES = pd.DataFrame(index=pd.MultiIndex.from_arrays([[], []], names=["variant", "seed"]))
_NO_REPLICATES = pd.DataFrame(index=pd.MultiIndex.from_arrays([[], [], []], names=["variant", "seed", "replicate"]))


@dataclass(frozen=True)
class WholeSet:
    """Values and bootstrap replicates of such metrics.

    Attributes:
        values: Index (variant, seed), one column a metric.
        replicates: Index (variant, seed, replicate), one column a metric that all runs have replicates of: the same
            draws of examples in every run.
        examples: How many examples are evaluated, 0 where that is not known.
    """

    values: pd.DataFrame = field(default_factory=lambda: _NO_VALUES)
    replicates: pd.DataFrame = field(default_factory=lambda: _NO_REPLICATES)
    examples: int = 0

    @property
    def seeds(self) -> dict[str, list[int]]:
        """The seeds of each variant."""
        runs = self.values.index
        return {
            str(variant): [int(seed) for _, seed in runs[runs.get_level_values("variant") == variant]]
            for variant in runs.unique("variant")
        }

    def of(self, metric: str, variant: str, seeds: Sequence[int]) -> Array:
        """Return values: (num_seeds,)."""
        own = self.values[metric].xs(variant, level="variant")
        return own.loc[list(seeds)].to_numpy(np.float64)

    def replicates_of(self, metric: str, variant: str, seeds: Sequence[int]) -> Array | None:
        """Return replicates: (num_seeds, num_replicates); None where there are none."""
        if metric not in self.replicates:
            return None
        own = self.replicates[metric].xs(variant, level="variant")
        return np.stack([own.xs(seed, level="seed").to_numpy(np.float64) for seed in seeds])

    def difference(self, metric: str, variant: str, baseline: str, seeds: Sequence[int]) -> Estimate:
        """Estimate a variant's mean difference from the baseline over the seeds that both have."""
        differences = self.of(metric, variant, seeds) - self.of(metric, baseline, seeds)
        own, other = (self.replicates_of(metric, name, seeds) for name in (variant, baseline))
        if own is None or other is None:
            return crossed_mean(differences[:, None])
        with np.errstate(invalid="ignore"):  # what is not finite does not count
            return resampled_mean(differences, own - other, self.examples)


def common_replicates(tables: dict[tuple[str, int], pd.DataFrame | None], metrics: Sequence[str]) -> pd.DataFrame:
    """Join the runs' tables of replicates.

    Args:
        tables: By variant and seed, one row a replicate, one column a metric; None where a run has none.
        metrics: Those of the whole set.

    Returns:
        See `WholeSet.replicates`: the metrics of which all runs have as many replicates.
    """
    given = {run: table for run, table in tables.items() if table is not None}
    if not given or len(given) < len(tables) or len({len(table) for table in given.values()}) > 1:
        return _NO_REPLICATES
    shared = [metric for metric in metrics if all(metric in table for table in given.values())]
    frames = {run: table[shared].reset_index(drop=True).astype(np.float64) for run, table in given.items()}
    return pd.concat(frames, names=["variant", "seed", "replicate"]) if shared else _NO_REPLICATES
