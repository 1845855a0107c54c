"""Callbacks around a training step: what is recorded and reported."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from ablate.training.callbacks import Progress, Recorder


def test_no_step_is_lost_between_records() -> None:
    recorded: list[tuple[int, float]] = []

    def log(metrics: Mapping[str, float], step: int) -> None:
        recorded.extend((step, value) for name, value in metrics.items() if name == "train/loss")

    recorder = Recorder(log, every=7, total=20)
    recorder.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.1)))
    losses = [1.0] * 7 + [100.0] * 3 + [1.0] * 10
    for epoch in range(2):
        recorder.on_epoch_begin(epoch)
        for batch in range(10):
            recorder.on_train_batch_end(batch, {"loss": np.mean(losses[10 * epoch : 10 * epoch + batch + 1])})
        recorder.on_epoch_end(epoch, {})
    expected = [(7, 1.0), (14, np.mean(losses[7:14])), (20, 1.0)]
    assert recorded == [(step, pytest.approx(loss)) for step, loss in expected]


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1.0, 2.0**30])
def test_a_gradient_that_float16_cannot_hold_is_no_divergence(scale: float) -> None:
    recorded: dict[str, float] = {}
    inputs = keras.Input((4,))
    outputs = keras.layers.Dense(2, kernel_initializer="ones", dtype="mixed_float16")(inputs)
    model = keras.Model(inputs, keras.layers.Activation("linear", dtype="float32")(outputs))
    # Keras' own begins at 2^15, and halves it with every step whose gradient is infinite: that step changes nothing.
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=scale)
    model.compile(optimizer=optimizer, loss="mse", jit_compile=False)
    recorder = Recorder(lambda metrics, step: recorded.update(metrics), every=1, total=1)
    model.fit(np.ones((2, 4), np.float32), np.zeros((2, 2), np.float32), callbacks=[recorder], verbose=0)
    assert recorded == {"train/loss": pytest.approx(16.0), "train/learning_rate": pytest.approx(0.1)}
    assert np.all(model.get_weights()[0] == 1.0) == (scale > 1)


def test_progress_is_reported_after_every_step() -> None:
    reported: list[Mapping[str, Any]] = []
    progress = Progress(
        epochs=2, steps_per_epoch=3, batch_size=4, done=3, report_progress=reported.append, show_bar=False
    )
    for batch in range(3):
        progress.on_train_batch_end(batch, {"loss": 1.0})
    progress.close()
    assert [(one["step"], one["steps"], one["epochs"]) for one in reported] == [(4, 6, 2), (5, 6, 2), (6, 6, 2)]
    # The first step holds the compilation: it says nothing of the others.
    assert reported[0]["seconds_left"] is None
    assert reported[-1]["seconds_left"] == 0
