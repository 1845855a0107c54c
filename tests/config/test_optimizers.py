"""Schemas of Keras' optimisers."""

import inspect

import keras
import pytest

from ablate.config.optimizers import SCHEMAS


@pytest.mark.parametrize("target", SCHEMAS)
def test_optimisers_take_what_keras_says_with_the_same_defaults(target: str) -> None:
    parameters = inspect.signature(getattr(keras.optimizers, target.rpartition(".")[2])).parameters
    theirs = {name: parameter.default for name, parameter in parameters.items() if name not in ("kwargs", "name")}
    ours = {
        name: field.default for name, field in SCHEMAS[target].model_fields.items() if name not in ("target", "name")
    }
    assert {**ours, "learning_rate": None} == {**theirs, "learning_rate": None}
