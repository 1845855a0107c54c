"""An evaluation in the making: measures of batches, joined to those of all examples."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ablate.tasks.batches import joined, length
from ablate.tasks.measures import Measure, SetMeasure, measure_examples, measure_set

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluated:
    """Measures of all examples.

    Attributes:
        metrics: By name, the mean over examples, or the measure of the whole set.
        table: One row an example, one column a measure of examples.
        replicates: Of the measures of the whole set, see `measures.measure_set`.
    """

    metrics: Mapping[str, float]
    table: pd.DataFrame
    replicates: pd.DataFrame | None


class Measured:
    """Measures batches; targets and predictions are kept only where a measure of the whole set needs them."""

    def __init__(self, measures: Mapping[str, Measure]):
        self._measures = measures
        self._tables = list[pd.DataFrame]()
        self._whole = any(isinstance(measure, SetMeasure) for measure in measures.values())
        self._targets, self._predictions = list[Any](), list[Any]()

    def add(self, targets: Any, predictions: Any) -> None:
        """Measure a batch.

        Raises:
            TaskError: A measure gives another shape than one value an example.
        """
        self._tables.append(measure_examples(self._measures, targets, predictions, length(targets)))
        if self._whole:
            self._targets.append(targets)
            self._predictions.append(predictions)

    def result(self, *, replicated: bool = True) -> Evaluated:
        """Return the measures of all batches.

        Args:
            replicated: Whether measures of the whole set are bootstrapped.
        """
        table = pd.concat(self._tables, ignore_index=True)
        for name in table:
            odd = int(np.sum(~np.isfinite(table[name])))
            if odd:
                log.warning("measures[%r] is not finite for %d of %d examples", name, odd, len(table))
        of_set, replicates = dict[str, float](), None
        if self._whole:
            targets, predictions = joined(self._targets), joined(self._predictions)
            of_set, replicates = measure_set(self._measures, targets, predictions, len(table), replicated=replicated)
        metrics = {name: of_set[name] if name in of_set else float(table[name].mean()) for name in self._measures}
        return Evaluated(metrics, table, replicates)


def full_precision(values: Any) -> Any:
    """Return predictions in float32 at least: mixed precision predicts in half."""
    if isinstance(values, Mapping):
        return {key: full_precision(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return type(values)(full_precision(value) for value in values)
    array = np.asarray(values)
    return array.astype(np.float32) if array.dtype.itemsize < 4 and array.dtype.kind not in "iub" else array
