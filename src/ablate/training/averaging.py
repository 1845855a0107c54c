"""Averaged weights, which replace the trained ones at the end of training, and their batch norm statistics."""

from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np

STATISTICS_STEPS = 100
"""Most batches that statistics are estimated from."""


def defer_finalization(optimizer: keras.optimizers.Optimizer) -> Callable[[list[keras.Variable]], None]:
    """Keep `fit` from giving weights their final value, and return what does so.

    Keras lets an optimiser do that at the end of every `fit`, here of every epoch: with `use_ema`, averages replace
    the weights. The next epoch would begin with them, but not where it is resumed: checkpoints are older.
    """
    finalize = optimizer.finalize_variable_values
    optimizer.finalize_variable_values = lambda variables: None
    return finalize


def finalized(model: keras.Model, finalize: Callable[[list[keras.Variable]], None]) -> bool:
    """Give the weights of a model their final value, and say whether that is another than they had."""
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    finalize(model.trainable_weights)
    return not all(map(np.array_equal, before, model.trainable_weights))


def estimate_statistics(model: keras.Model, batches: Iterable[Any]) -> None:
    """Give every batch norm of a model the mean of its batches' statistics, as the weights are now.

    Those that were gathered in training belong to other weights (Izmailov et al. 2018, arXiv:1803.05407, section 3.2).
    Layers compute as in training, and no other weight changes.

    Args:
        model: On one device. A frozen batch norm is left as it is.
        batches: Of training.
    """
    norms = [
        layer
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
    ]
    if not norms:
        return
    statistics = [weight for norm in norms for weight in norm.non_trainable_weights]
    momenta = [norm.momentum for norm in norms]
    sums, count = [np.zeros(weight.shape) for weight in statistics], 0
    for norm in norms:
        norm.momentum = 0.0  # each batch's statistics then replace those before
    try:
        for batch in batches:
            model(keras.utils.unpack_x_y_sample_weight(batch)[0], training=True)
            sums = [total + keras.ops.convert_to_numpy(one) for total, one in zip(sums, statistics, strict=True)]
            count += 1
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
    for weight, total in zip(statistics, sums, strict=True):
        weight.assign(total / count)
