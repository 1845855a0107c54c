"""Metrics of the whole evaluation set, which single examples do not have: macro F1, a distance of distributions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

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


NO_METRICS = WholeSet()
"""Of a study without such metrics."""


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
