"""Averaged weights disturb no training, replace it once, and survive interruptions: a task of a few numbers."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from ablate.config.optimizers import OtherOptimizer
from ablate.config.schedules import CONSTANT, ScheduleConfig, Steps
from ablate.config.training import TrainingConfig
from ablate.training import fit
from ablate.training.averaging import estimate_statistics
from ablate.training.checkpoint import Checkpoints, steps_done
from ablate.training.fit import ONE_DEVICE, Training, train
from ablate.training.hardware import Hardware
from ablate.training.optimizer import build_optimizer

EPOCHS, STEPS, BATCH = 2, 3, 6
DROPS = Steps(name="steps", shape="steps", drops=[(2, 0.5)])
EMA = {"use_ema": True, "ema_momentum": 0.8}
Curves = dict[tuple[str, int], float]


class Stopped(Exception):
    """What asked the training to end."""


class Numbers:
    """Four numbers in, their sum out."""

    def __init__(self, dropout: float = 0.3, *, validated: bool = False):
        self.dropout, self.validated = dropout, validated
        self.parts: list[tuple[int, int]] = []

    def examples_per_epoch(self) -> int:
        return STEPS * BATCH

    def training_batches(self, *, seed: int, batch_size: int, first_step: int, steps: int) -> tf.data.Dataset:
        self.parts.append((first_step, steps))
        drawn = [
            np.random.default_rng([seed, first_step + step]).normal(3, 2, (batch_size, 4)) for step in range(steps)
        ]
        x = np.array(drawn, np.float32)
        return tf.data.Dataset.from_tensor_slices((x, x.sum(axis=-1, keepdims=True)))

    def validation_batches(self) -> tf.data.Dataset | None:
        return self.training_batches(seed=99, batch_size=4, first_step=0, steps=2) if self.validated else None

    def build_model(self, seed: int) -> keras.Model:
        shared = tf.distribute.get_strategy().num_replicas_in_sync > 1
        inputs = keras.Input((4,))
        x = keras.layers.Dense(4, kernel_initializer=keras.initializers.GlorotUniform(seed))(inputs)
        x = keras.layers.BatchNormalization(momentum=0.9, synchronized=shared, name="norm")(x)
        x = keras.layers.Dropout(self.dropout, seed=seed)(x)
        last = keras.initializers.GlorotUniform(seed + 1)
        return keras.Model(inputs, keras.layers.Dense(1, kernel_initializer=last, dtype="float32")(x))

    def build_loss(self) -> keras.losses.Loss:
        return keras.losses.MeanSquaredError()


class Constant(Numbers):
    """One weight w, whose loss is w^2."""

    def training_batches(self, *, seed: int, batch_size: int, first_step: int, steps: int) -> tf.data.Dataset:
        one = np.ones((steps, batch_size, 1), np.float32)
        return tf.data.Dataset.from_tensor_slices((one, 0 * one))

    def build_model(self, seed: int) -> keras.Model:
        inputs = keras.Input((1,))
        return keras.Model(inputs, keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")(inputs))


class SlowWeights(keras.optimizers.SGD):
    """Has variables of its own, and replaces the weights by them at the end: their mean over all steps."""

    def build(self, variables: Sequence[keras.Variable]) -> None:
        super().build(variables)
        self.sums = [self.add_variable_from_reference(variable, name="sum") for variable in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient, variable, learning_rate)
        self.sums[self._get_variable_index(variable)].assign_add(variable)

    def finalize_variable_values(self, var_list: Sequence[keras.Variable]) -> None:
        for variable, total in zip(var_list, self.sums, strict=True):
            variable.assign(total / keras.ops.cast(self.iterations, "float32"))


def optimizer(**arguments: object) -> OtherOptimizer:
    defaults = {"name": "sgd", "_target_": "keras.optimizers.SGD", "learning_rate": 0.01}
    return OtherOptimizer.model_validate({**defaults, **arguments})


def run(
    task: Numbers,
    arguments: Mapping[str, object],
    curves: Curves | None = None,
    *,
    file: Path | None = None,
    stop: Callable[[int], bool] = lambda step: False,
    hardware: Hardware = ONE_DEVICE,
    precision: str = "float32",
    schedule: ScheduleConfig = CONSTANT,
) -> Training:
    """Train in a fresh state of Keras, as a new process would, until something says to stop."""

    def log(metrics: Mapping[str, float], step: int) -> None:
        if curves is not None:
            curves.update({(name, step): value for name, value in metrics.items()})

    done: list[Mapping[str, Any]] = []
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    training = TrainingConfig(
        epochs=EPOCHS, steps_per_epoch=STEPS, batch_size=BATCH, deterministic=True, log_points=100
    )

    def asked() -> Stopped | None:
        return Stopped() if stop(done[-1]["step"] if done else 0) else None

    try:
        return train(
            task,
            optimizer=optimizer(**arguments),
            training=training,
            schedule=schedule,
            seed=5,
            log_metrics=log,
            hardware=hardware,
            checkpoints=file and Checkpoints(file, 1000, lambda: None, asked),
            report_progress=done.append,
        )
    finally:
        keras.config.set_dtype_policy("float32")


def assert_it_resumes(
    arguments: Mapping[str, object],
    folder: Path,
    *,
    places: Sequence[int] = (2,),
    finalizes: bool = True,
    **others: Any,
) -> None:
    """Train without and with interruptions: after some steps, and in what comes after the last."""
    expected, curves, file = Curves(), Curves(), folder / "stopped.npz"
    whole = run(Numbers(), arguments, expected, file=folder / "whole.npz", **others)
    for place in places:
        with pytest.raises(Stopped):
            run(Numbers(), arguments, curves, file=file, stop=place.__eq__, **others)
        assert steps_done(file) == place
    task, last_epoch = Numbers(), ((EPOCHS - 1) * STEPS, STEPS)
    if finalizes:
        with pytest.raises(Stopped):
            run(task, arguments, curves, file=file, stop=lambda step: task.parts.count(last_epoch) > 1, **others)
        assert steps_done(file) == EPOCHS * STEPS
    resumed = run(task, arguments, curves, file=file, **others)
    assert curves == expected
    for one, other in zip(whole.model.variables, resumed.model.variables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)
    for one, other in zip(whole.model.optimizer.variables, resumed.model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "others"),
    [
        (EMA, {"places": (1, 3), "schedule": DROPS}),
        ({**EMA, "ema_overwrite_frequency": 2, "momentum": 0.9}, {"precision": "mixed_float16"}),
        ({**EMA, "_target_": "keras.optimizers.AdamW", "clipnorm": 0.1}, {"precision": "mixed_bfloat16"}),
        ({**EMA, "loss_scale_factor": 1024.0, "gradient_accumulation_steps": 2, "global_clipnorm": 0.1}, {}),
        ({"gradient_accumulation_steps": 4}, {"finalizes": False, "precision": "mixed_float16"}),
        ({"_target_": f"{__name__}.SlowWeights"}, {}),
    ],
    ids=["ema", "ema that overwrites", "adamw", "accumulated ema", "accumulated", "its own"],
)
def test_interrupted_anywhere_it_ends_with_the_same_bits(
    arguments: Mapping[str, object], others: Mapping[str, Any], tmp_path: Path
) -> None:
    assert_it_resumes(arguments, tmp_path, **others)


@pytest.mark.slow
def test_training_and_validation_are_those_without_averages() -> None:
    plain, averaged = Curves(), Curves()
    one, other = run(Numbers(validated=True), {}, plain), run(Numbers(validated=True), EMA, averaged)
    assert averaged == plain
    assert ("val/loss", EPOCHS * STEPS) in plain
    assert not np.array_equal(one.model.get_weights()[0], other.model.get_weights()[0])


@pytest.mark.slow
def test_the_weights_are_the_average_over_steps() -> None:
    weights = 0.9 ** np.arange(1, EPOCHS * STEPS + 1)  # w <- w - 0.05 * 2w
    average = weights[0]
    for weight in weights[1:]:
        average = 0.8 * average + 0.2 * weight
    (found,) = run(Constant(), {**EMA, "learning_rate": 0.05}).model.get_weights()
    assert found.item() == pytest.approx(average, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [{**EMA, "ema_overwrite_frequency": 4}, {**EMA, "gradient_accumulation_steps": 2, "momentum": 0.5}],
    ids=lambda value: ",".join(value),
)
def test_epochs_end_with_the_weights_of_one_fit_of_keras(arguments: Mapping[str, object]) -> None:
    trained = run(Numbers(dropout=0), arguments).model
    keras.backend.clear_session(free_memory=False)
    task = Numbers(dropout=0)
    model = task.build_model(5)
    model.compile(optimizer=build_optimizer(optimizer(**arguments), CONSTANT, 1), loss=task.build_loss())
    batches = task.training_batches(seed=5, batch_size=BATCH, first_step=0, steps=EPOCHS * STEPS)
    model.fit(batches, shuffle=False, verbose=0)
    for one, other in zip(trained.trainable_weights, model.trainable_weights, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)


@pytest.mark.slow
def test_batch_norm_has_the_statistics_of_the_averaged_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 2
    monkeypatch.setattr(fit, "STATISTICS_STEPS", count)
    task = Numbers()
    model = run(task, EMA).model
    assert task.parts[-1] == (EPOCHS * STEPS - count, count)
    norm, dense = model.get_layer("norm"), model.layers[1]
    batches = task.training_batches(seed=5, batch_size=BATCH, first_step=EPOCHS * STEPS - count, steps=count)
    outputs = [np.asarray(dense(x)) for x, _ in batches]
    np.testing.assert_allclose(norm.moving_mean, np.mean([one.mean(axis=0) for one in outputs], axis=0), rtol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, np.mean([one.var(axis=0) for one in outputs], axis=0), rtol=1e-4)
    assert norm.momentum == 0.9


def test_statistics_are_estimated_in_nested_models_and_not_in_frozen_layers() -> None:
    frozen = keras.layers.BatchNormalization(trainable=False)
    inner = keras.Sequential([keras.Input((4,)), frozen, keras.layers.BatchNormalization()])
    model = keras.Sequential([keras.Input((4,)), inner])
    batches = list(Numbers().training_batches(seed=1, batch_size=50, first_step=0, steps=3))
    estimate_statistics(model, batches)
    np.testing.assert_array_equal(frozen.moving_mean, np.zeros(4))
    expected = np.mean([np.mean(x, axis=0) for x, _ in batches], axis=0)
    np.testing.assert_allclose(inner.layers[1].moving_mean, expected, rtol=2e-3)  # epsilon of the frozen one
