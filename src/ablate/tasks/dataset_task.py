"""Tasks whose data are data sets: `tf.data`, Keras' `PyDataset`, or anything with a length and items."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ablate.errors import DataError
from ablate.tasks.keras_model_task import EVALUATION, TRAIN, KerasModelTask
from ablate.tasks.sources import Source, source_of


class DatasetTask(KerasModelTask):
    """A Keras model trained and evaluated on data sets that need not fit into memory.

    A subclass sets `loss` and `measures`, and defines `data` and `model`; all else is as in `ArrayTask`. `data`
    returns the data set to train on and the one to evaluate, each

    - a finite `tf.data.Dataset` of single examples (input, target), always in the same order and not shuffled;
    - anything with `len()` whose items are single examples (input, target): a list, a data source of Grain;
    - a `keras.utils.PyDataset`, whose batches stay as they are: `training.batch_size` has to be theirs.

    The order is made here, anew in every pass: a permutation that depends on the seed and the pass, in `tf.data` a
    shuffle with a buffer of `shuffle_buffer` examples. So a run resumes with the example that comes next. By default
    `fingerprint` reads all examples once; override it where that takes long, with a hash of files or a version.

    Attributes:
        shuffle_buffer: Examples that `tf.data` holds in memory to shuffle them.
    """

    shuffle_buffer: int = 10_000

    @abstractmethod
    def data(self) -> tuple[Any, Any]:
        """Return the data set to train on, and the one to evaluate."""

    @cached_property
    def sources(self) -> Mapping[str, Source]:
        """The data sets that `data` returns, checked."""
        given = self.data()
        if not isinstance(given, tuple) or len(given) != 2:
            raise DataError(
                f"{type(self).__name__}.data() must return the data set to train on and the one to evaluate. "
                f"Received: {type(given).__name__}"
            )
        train, evaluation = (source_of(data, shuffle_buffer=self.shuffle_buffer) for data in given)
        return {TRAIN: train, EVALUATION: evaluation}
