"""Held-out training examples, which evaluate in place of the evaluation's: `validation_fraction`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ablate.task import split_off
from ablate.tasks.keras_model_task import EVALUATION, TRAIN, KerasModelTask
from ablate.tasks.sources import ArraySource, BatchSource, IndexedSource, Source, TensorSource
from ablate.tasks.streams import Batch, Indices, choice

if TYPE_CHECKING:
    import tensorflow as tf

_Task = TypeVar("_Task", bound=KerasModelTask)


def hold_out(task: _Task, fraction: float) -> _Task:
    """Return a task that evaluates on a share of its training examples, and trains on the others.

    Which ones is a random choice that is always the same, see `ablate.task.split_off`. Of a `tf.data.Dataset` it is
    every n-th example; of a `PyDataset` it is whole batches. Trivial baselines of the task's own have predictions for
    the evaluation's examples alone, and are left out.

    Args:
        task: A task whose data are not read yet.
        fraction: The share, in 0..1.
    """
    held = copy(task)
    vars(held).update(sources=_Sources(held, fraction), references=dict)
    return held


class _Sources(Mapping[str, Source]):
    """The sources of a task, read and parted when they are needed."""

    def __init__(self, task: KerasModelTask, fraction: float):
        self._task, self._fraction = task, fraction

    @cached_property
    def _parts(self) -> Mapping[str, Source]:
        # As it is now: which sections of its settings it reads may be recorded.
        whole = copy(self._task)
        del vars(whole)["sources"]
        train, held = parted(whole.sources[TRAIN], self._fraction)
        return {TRAIN: train, EVALUATION: held}

    def __getitem__(self, split: str) -> Source:
        return self._parts[split]

    def __iter__(self) -> Iterator[str]:
        return iter((TRAIN, EVALUATION))

    def __len__(self) -> int:
        return 2


def parted(source: Source, fraction: float) -> tuple[Source, Source]:
    """Part a source of training examples.

    Returns:
        A source of those that train, and one of those that are held out.

    Raises:
        DataError: There is only one example, or batch.
    """
    if isinstance(source, ArraySource):
        kept, held = split_off(len(source), fraction)
        return ArraySource(*source.take(kept), "data()"), ArraySource(*source.take(held), "data()")
    if isinstance(source, IndexedSource):
        kept, held = split_off(len(source), fraction)
        return _Part(source, kept), _Part(source, held)
    if isinstance(source, BatchSource):
        kept, held = split_off(source._count, fraction)
        return BatchSource(_Batches(source._dataset, kept)), BatchSource(_Batches(source._dataset, held))
    assert isinstance(source, TensorSource)
    return _parted_tensors(source, fraction)


class _Part(IndexedSource):
    """Some of a source's examples."""

    def __init__(self, whole: IndexedSource, chosen: Indices):
        self._whole, self._chosen = whole, chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def take(self, chosen: Indices) -> Batch:
        """Return the chosen examples as a batch."""
        return self._whole.take(self._chosen[chosen])

    def some(self, count: int) -> Source:
        """Return a source of `count` of the examples, a random choice."""
        return self if count >= len(self) else _Part(self._whole, self._chosen[choice(count, len(self))])


class _Batches:
    """Some of the batches of a `PyDataset`."""

    def __init__(self, dataset: Any, chosen: Indices):
        self._dataset, self._chosen = dataset, chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, place: int) -> Any:
        return self._dataset[int(self._chosen[place])]


def _parted_tensors(source: TensorSource, fraction: float) -> tuple[Source, Source]:
    import tensorflow as tf

    count = len(source)
    split_off(count, fraction)  # there are enough
    every = min(max(round(1 / fraction), 2), count)
    kept = count - len(np.arange(0, count, every))

    def trains(number: tf.Tensor, _: Any) -> tf.Tensor:
        return number % every != 0

    train = source._dataset.enumerate().filter(trains).map(lambda _, example: example)
    train = train.apply(tf.data.experimental.assert_cardinality(kept))
    return TensorSource(train, source._buffer), TensorSource(source._dataset.shard(every, 0), source._buffer)
