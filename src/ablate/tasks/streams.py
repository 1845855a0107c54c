"""Endless streams of batches as `tf.data`: their order depends on the seed and the number of the pass alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import tensorflow as tf

Indices = npt.NDArray[np.int64]
Batch = tuple[Any, Any]
"""Inputs and targets: arrays, or dictionaries of them."""


def shuffled(seed: int, positions: Indices, count: int) -> Indices:
    """Return the example at each position of an endless stream: a new permutation every pass.

    Args:
        seed: Seed of the permutations.
        positions: (n,), from 0.
        count: How many examples there are.

    Returns:
        (n,), in 0..count - 1.
    """
    passes, offsets = np.divmod(positions, count)
    order = np.empty_like(positions)
    for number in np.unique(passes):
        here = passes == number
        order[here] = _permutation(seed, int(number), count)[offsets[here]]
    return order


def choice(count: int, of: int) -> Indices:
    """Return `count` of the numbers 0..of - 1, ascending: a random choice that is always the same."""
    return np.sort(np.random.default_rng(0).choice(of, count, replace=False))


@lru_cache(maxsize=2)
def _permutation(seed: int, number: int, count: int) -> Indices:
    return np.random.default_rng([seed, number]).permutation(count)


def dataset_of(made: Callable[[], Iterator[Batch]], *, like: Batch, steps: int, fixed: bool = True) -> tf.data.Dataset:
    """Return a `tf.data.Dataset` of what a generator makes, `steps` batches.

    Args:
        made: Makes the batches.
        like: One of them, which tells types and shapes.
        steps: Their number.
        fixed: Whether all have as many examples.
    """
    import tensorflow as tf

    def spec(array: Any) -> tf.TensorSpec:
        array = np.asarray(array)
        return tf.TensorSpec((len(array) if fixed else None, *array.shape[1:]), array.dtype)

    signature = tf.nest.map_structure(spec, like)
    stream = tf.data.Dataset.from_generator(made, output_signature=signature)
    return with_fixed_order(stream.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(2))


def with_fixed_order(stream: tf.data.Dataset) -> tf.data.Dataset:
    """Return a stream of which several devices get every batch whole, in order."""
    import tensorflow as tf

    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    options.deterministic = True
    return stream.with_options(options)
