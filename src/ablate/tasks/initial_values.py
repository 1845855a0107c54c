"""Initial values by name: layers that variants share start alike for the same seed, whatever else there is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras.src.utils.naming import reset_uids


@contextmanager
def initial_values_by_name(seed: int) -> Iterator[None]:
    """Draw the random initial values of layers that are made meanwhile by the seed, the layer's name and the shape.

    Keras draws them in the order in which layers are made: one more layer would change all that follow. An
    initialiser with a seed of its own, or without chance, stays as it is; weights that are loaded stay loaded.
    Python's, NumPy's and TensorFlow's global generators are seeded as well, and automatic names count from the start.
    """
    reset_uids()
    keras.utils.set_random_seed(seed)
    seen = Counter[Any]()
    original = keras.layers.Layer.add_weight

    def add_weight(layer: Any, *arguments: Any, **options: Any) -> Any:
        given = {**dict(zip(("shape", "initializer", "dtype"), arguments, strict=False)), **options}
        dtype = str(given.get("dtype") or layer.variable_dtype)
        initializer = given.get("initializer") or ("glorot_uniform" if "float" in dtype else "zeros")
        key = (layer.name, given.get("name"), str(given.get("shape")))
        given["initializer"] = _seeded(initializer, _derived(seed, *key, seen[key]))
        seen[key] += 1
        return original(layer, **given)

    keras.layers.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = original


def seed_dropout_by_name(model: keras.Model, seed: int) -> None:
    """Give every seed generator without a seed of its own one that follows from the layer's name."""
    seen = Counter[str]()
    for layer in model._flatten_layers():
        generator = getattr(layer, "seed_generator", None)
        if isinstance(generator, keras.random.SeedGenerator) and getattr(layer, "seed", None) is None:
            state = _derived(seed, "dropout", layer.name, seen[layer.name])
            seen[layer.name] += 1
            generator.state.assign(np.array([state, 0], dtype="uint32"))


def _seeded(initializer: Any, seed: int) -> Any:
    """Return an initialiser with a seed, where it draws at random and has none."""
    made = keras.initializers.get(initializer)
    if not isinstance(made, keras.initializers.Initializer):
        return initializer
    config = made.get_config()
    return initializer if config.get("seed", 0) is not None else type(made).from_config({**config, "seed": seed})


def _derived(seed: int, *parts: Any) -> int:
    digest = hashlib.sha256(repr((seed, *parts)).encode()).digest()
    return int.from_bytes(digest[:4], "little") & 0x7FFFFFFF
