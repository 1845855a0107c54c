"""Training steps in this process: as `ablate` does them, its network alone, and a matrix product to judge both by.

Imports TensorFlow: `ablate.training.hardware.configure` comes first.
"""

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ablate.config.validation import ValidConfig
from ablate.training.callbacks import Recorder
from ablate.training.optimizer import build_optimizer
from side_by_side import Seconds

MATRIX_SIDE = 3000
AHEAD = 10
"""Batches that are left when the last timed step ends, so that the pipeline never rests before."""


class Fit:
    """Some steps of `ablate.training.fit.train`: Keras' own loop with the recorder; a call times them.

    Each call is a `fit` of its own, whose first steps, while the pipeline fills, do not count.

    Args:
        config: The configuration.
        steps: Steps that a call times.
    """

    UNTIMED = 2

    def __init__(self, config: ValidConfig, steps: int):
        self.steps, self._step = steps, 0
        self._config = config
        self.model = config.task.build_model(0)
        optimizer = build_optimizer(config.run.optimizer, config.run.schedule, steps)
        self.model.compile(optimizer=optimizer, loss=config.task.build_loss(), jit_compile=False)

    def _batches(self, first: int, steps: int) -> tf.data.Dataset:
        batch_size = self._config.run.training.batch_size
        return self._config.task.training_batches(seed=0, batch_size=batch_size, first_step=first, steps=steps)

    def __call__(self) -> Seconds:
        """Train for a while and return what the timed steps took."""
        steps = self.UNTIMED + self.steps
        timer = Timer(self.UNTIMED)
        recorder = Recorder(lambda metrics, step: None, every=10, total=steps)
        self.model.fit(
            self._batches(self._step, steps + AHEAD),
            steps_per_epoch=steps,
            shuffle=False,
            callbacks=[recorder, timer],
            verbose=0,
        )
        self._step += steps
        return timer.seconds


class Timer(keras.callbacks.Callback):
    """Times the steps of a `fit` but for the first `untimed` ones; the last callback."""

    def __init__(self, untimed: int):
        super().__init__()
        self.untimed, self._begun, self._ended = untimed, 0.0, 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: D102
        self._ended = time.perf_counter()
        if batch == self.untimed - 1:
            self._begun = self._ended

    @property
    def seconds(self) -> Seconds:
        """What the timed steps took."""
        return Seconds(self._ended - self._begun)


def bare(config: ValidConfig, L: Any, steps: int) -> Callable[[], None]:
    """Return the network alone: forward, backward, update on one batch, with a loss that is linear in the outputs."""
    model = config.task.build_model(0)
    optimizer = build_optimizer(config.run.optimizer, config.run.schedule, steps)
    optimizer.build(model.trainable_variables)
    batch = tf.constant(L)

    @tf.function(jit_compile=False, autograph=False)
    def step(batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = 0.01 * tf.reduce_mean(model(batch, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    def run() -> None:
        for _ in range(steps):
            step(batch).numpy()

    return run


def matrix_product(times: int) -> Callable[[], None]:
    """Return a large product in float32: as fast as arithmetic gets here."""
    generator = np.random.default_rng(0)
    left, right = (tf.constant(generator.normal(size=(MATRIX_SIDE,) * 2), tf.float32) for _ in range(2))
    product = tf.function(tf.matmul, jit_compile=False)

    def run() -> None:
        for _ in range(times):
            product(left, right)[0, 0].numpy()

    return run
