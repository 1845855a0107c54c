"""Sources of examples for Keras: arrays, things with a length and items, `tf.data` and Keras' `PyDataset`.

Every source gives any part of an endless stream of batches without the parts before it, so that a run can resume in
its middle: the order depends on the seed and the number of the pass alone.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ablate.errors import DataError
from ablate.tasks.batches import as_arrays, as_pair, copied, example_digests, length, stack, take
from ablate.tasks.fingerprint import fingerprint, leaves
from ablate.tasks.streams import Batch, Indices, choice, dataset_of, shuffled, with_fixed_order

if TYPE_CHECKING:
    import tensorflow as tf

Augment = Callable[[Any, Any, np.random.Generator], Batch]
"""Takes a batch's inputs and targets, and a generator; returns both anew."""
EVALUATION_BATCH = 256
_INFINITE = -1
"""TensorFlow's cardinality of an endless data set."""
SOME = 2000
"""Examples from which a constant prediction follows, where all are not in memory."""


class Source(ABC):
    """Examples to train on, or to evaluate."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of examples."""

    @abstractmethod
    def in_order(self) -> Iterator[Batch]:
        """Yield all examples once, in order, as batches of NumPy arrays."""

    @abstractmethod
    def batches(
        self, *, seed: int, batch_size: int, first_step: int, steps: int, augment: Augment | None
    ) -> tf.data.Dataset:
        """Return a part of the endless stream of shuffled batches.

        Raises:
            DataError: `batch_size` is not that of batches which stay as they are.
        """

    @abstractmethod
    def some(self, count: int) -> Source:
        """Return a source of about `count` of the examples, spread over all; itself where it has no more."""

    @cached_property
    def _contents(self) -> list[str]:
        return [digest for batch in self.in_order() for digest in example_digests(*batch)]

    def digests(self) -> list[str]:
        """Return the SHA-256 of each example."""
        return self._contents

    def fingerprint(self) -> str:
        """Return the SHA-256 of all contents, in order."""
        return hashlib.sha256("\n".join(self._contents).encode()).hexdigest()

    def some_targets(self) -> Any:
        """Return the targets of all examples or of a random choice; None where that means reading all."""
        return None


class IndexedSource(Source):
    """A source that can take any examples: a new permutation in every pass."""

    @abstractmethod
    def take(self, chosen: Indices) -> Batch:
        """Return the chosen examples as a batch."""

    def some_targets(self) -> Any:
        """Return the targets of a random choice of examples."""
        chosen = np.random.default_rng(0).permutation(len(self))[:SOME]
        return self.take(chosen)[1]

    def in_order(self) -> Iterator[Batch]:
        """Yield all examples once, in order."""
        for start in range(0, len(self), EVALUATION_BATCH):
            yield self.take(np.arange(start, min(start + EVALUATION_BATCH, len(self))))

    def batches(
        self, *, seed: int, batch_size: int, first_step: int, steps: int, augment: Augment | None
    ) -> tf.data.Dataset:
        """Return a part of the endless stream of shuffled batches; a batch may hold the end of a pass and the next."""

        def made() -> Iterator[Batch]:
            for step in range(first_step, first_step + steps):
                batch = self.take(shuffled(seed, np.arange(step * batch_size, (step + 1) * batch_size), len(self)))
                yield augment(*batch, np.random.default_rng([seed, step])) if augment else batch

        return dataset_of(made, like=next(made()), steps=steps)


class ArraySource(IndexedSource):
    """Inputs and targets as arrays, or dictionaries of them.

    Raises:
        DataError: Their lengths differ, or they hold Python objects.
    """

    def __init__(self, inputs: Any, targets: Any, where: str):
        self.inputs, self.targets = as_arrays(inputs, where), as_arrays(targets, where)
        lengths = {len(array) for array in (*leaves(self.inputs), *leaves(self.targets))}
        if len(lengths) != 1:
            described = " and ".join(
                f"{name} {', '.join(str(array.shape) for array in leaves(values))}"
                for name, values in (("x", self.inputs), ("y", self.targets))
            )
            raise DataError(f"{where}: inputs and targets must have as many examples. Received: {described}")
        self._count = lengths.pop()
        if not self._count:
            raise DataError(f"{where}: there are no examples")

    def __len__(self) -> int:
        return self._count

    def take(self, chosen: Indices) -> Batch:
        """Return the chosen examples as a batch."""
        return take(self.inputs, chosen), take(self.targets, chosen)

    def some_targets(self) -> Any:
        """Return the targets of all examples."""
        return self.targets

    def fingerprint(self) -> str:
        """Return the SHA-256 of all contents, in order; many times faster than example by example."""
        return fingerprint(self.inputs, self.targets)

    def some(self, count: int) -> Source:
        """Return a source of `count` of the examples, a random choice."""
        return self if count >= len(self) else ArraySource(*self.take(choice(count, len(self))), "data()")


class ItemSource(IndexedSource):
    """Anything with `len()` whose items are pairs (input, target) of one example: a list, Grain's data sources."""

    def __init__(self, items: Any):
        self._items = items

    def __len__(self) -> int:
        return len(self._items)

    def take(self, chosen: Indices) -> Batch:
        """Return the chosen examples as a batch."""
        pairs = [as_pair(self._items[int(i)], f"data(): item {int(i)}") for i in chosen]
        try:
            return stack([pair[0] for pair in pairs]), stack([pair[1] for pair in pairs])
        except ValueError as error:
            raise DataError(f"data(): examples must have one shape, as a batch is one array: {error}") from None

    def some(self, count: int) -> Source:
        """Return a source of `count` of the examples, a random choice."""
        chosen = choice(count, len(self)) if count < len(self) else ()
        return ItemSource([self._items[int(i)] for i in chosen]) if len(chosen) else self


class BatchSource(Source):
    """Keras' `PyDataset`: its batches as they are, in a new order every pass; `training.batch_size` is not used."""

    def __init__(self, dataset: Any):
        self._dataset = dataset
        self._count = dataset.num_batches if hasattr(dataset, "num_batches") else len(dataset)

    def __len__(self) -> int:
        return len(self._contents)

    def in_order(self) -> Iterator[Batch]:
        """Yield all batches once, in order."""
        for place in range(self._count):
            inputs, targets = as_pair(self._dataset[place], "PyDataset: a batch")
            yield as_arrays(inputs, "PyDataset"), as_arrays(targets, "PyDataset")

    def batches(
        self, *, seed: int, batch_size: int, first_step: int, steps: int, augment: Augment | None
    ) -> tf.data.Dataset:
        """Return a part of the endless stream of its batches.

        Raises:
            DataError: They have another size than `training.batch_size`.
        """
        own = length(self._dataset[0][0])
        if own != batch_size:
            raise DataError(f"training.batch_size={batch_size}, and the batches of the PyDataset have {own} examples")

        def made() -> Iterator[Batch]:
            for step in range(first_step, first_step + steps):
                (place,) = shuffled(seed, np.array([step]), self._count)
                inputs, targets = as_pair(self._dataset[int(place)], "PyDataset: a batch")
                batch = as_arrays(inputs, "PyDataset"), as_arrays(targets, "PyDataset")
                if augment:  # a batch may be a view of all data, which augmentation must not change
                    batch = augment(copied(batch[0]), copied(batch[1]), np.random.default_rng([seed, step]))
                yield batch

        return dataset_of(made, like=next(made()), steps=steps, fixed=False)

    def some(self, count: int) -> Source:
        """Return a source of its first batches, of `count` examples or a few more."""
        few = BatchSource(self._dataset)
        for number, (inputs, _) in enumerate(self.in_order(), 1):
            count -= length(inputs)
            if count <= 0:
                few._count = number
                break
        return few


class TensorSource(Source):
    """A finite `tf.data.Dataset` of single examples, always in the same order; shuffled here.

    Args:
        dataset: Its elements are pairs (input, target).
        buffer: Size of the shuffle buffer.

    Raises:
        DataError: It is infinite, batched, or of something else than pairs.
    """

    def __init__(self, dataset: tf.data.Dataset, buffer: int):
        self._dataset, self._buffer = dataset, buffer
        if int(dataset.cardinality()) == _INFINITE:
            raise DataError("a tf.data.Dataset must be finite: take(n) before it is returned")
        as_pair(dataset.element_spec, "tf.data.Dataset: an element")
        if _is_batched(dataset):
            raise DataError("a tf.data.Dataset must have single examples, and is batched: leave batch() out")

    def __len__(self) -> int:
        known = int(self._dataset.cardinality())
        count = known if known >= 0 else len(self._contents)
        if not count:
            raise DataError("tf.data.Dataset: there are no examples")
        return count

    def in_order(self) -> Iterator[Batch]:
        """Yield all examples once, in order."""
        yield from self._dataset.batch(EVALUATION_BATCH).as_numpy_iterator()

    def batches(
        self, *, seed: int, batch_size: int, first_step: int, steps: int, augment: Augment | None
    ) -> tf.data.Dataset:
        """Return a part of the endless stream: every pass is shuffled with a seed of its own."""
        import tensorflow as tf

        count = len(self)
        first, position = divmod(first_step * batch_size, count)
        last = ((first_step + steps) * batch_size - 1) // count
        stream = self._one_pass(seed, first).skip(position)
        for number in range(first + 1, last + 1):
            stream = stream.concatenate(self._one_pass(seed, number))
        stream = stream.batch(batch_size, drop_remainder=True).take(steps)
        if augment is None:
            return with_fixed_order(stream.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2))

        def made() -> Iterator[Batch]:
            for step, (inputs, targets) in enumerate(stream.as_numpy_iterator(), first_step):
                yield augment(inputs, targets, np.random.default_rng([seed, step]))

        return dataset_of(made, like=next(made()), steps=steps)

    def _one_pass(self, seed: int, number: int) -> tf.data.Dataset:
        own = int(np.random.default_rng([seed, number]).integers(2**31))
        return self._dataset.shuffle(self._buffer, seed=own, reshuffle_each_iteration=False)

    def some(self, count: int) -> Source:
        """Return a source of about `count` of the examples, every n-th."""
        every = -(-len(self) // count)
        return self if every == 1 else TensorSource(self._dataset.shard(every, 0), self._buffer)


def _is_batched(dataset: Any) -> bool:
    """Tell whether batches are made last, but for what leaves elements as they are."""
    kept = ("Prefetch", "Cache", "Take", "Options", "Shuffle", "Repeat")
    while type(dataset).__name__.strip("_").startswith(kept) and hasattr(dataset, "_input_dataset"):
        dataset = dataset._input_dataset
    return type(dataset).__name__.strip("_").startswith(("Batch", "ParallelBatch", "PaddedBatch"))


def source_of(data: Any, *, shuffle_buffer: int) -> Source:
    """Return the source that a user's data make.

    Raises:
        DataError: They are of no known kind, or have no length.
    """
    kinds = {f"{cls.__module__}.{cls.__qualname__}" for cls in type(data).__mro__}
    if any("DatasetV2" in kind and kind.startswith("tensorflow.") for kind in kinds):
        return TensorSource(data, shuffle_buffer)
    if any(kind.endswith(".PyDataset") and kind.startswith("keras.") for kind in kinds):
        return BatchSource(data)
    if not hasattr(data, "__len__") or not hasattr(data, "__getitem__"):
        raise DataError(
            "data() must return sources with a length: a tf.data.Dataset, a keras.utils.PyDataset, or anything with "
            f"len() whose items are (input, target). Received: {type(data).__name__}"
        )
    if not len(data):
        raise DataError("data(): there are no examples")
    return ItemSource(data)
