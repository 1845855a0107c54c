"""Callbacks around a training step: what is recorded and reported."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from ablate.system.phase_clock import Phase, PhaseClock
from ablate.training.callbacks import Phases, Progress, Recorder
from tests.support.clocks import Hand


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


def test_the_first_batch_holds_the_compilation_beyond_what_the_second_takes() -> None:
    now = Hand()
    clock = PhaseClock(now=now)
    now.seconds += 1
    phases = Phases(clock)
    now.seconds += 2  # the model
    for epoch in range(2):
        for batch in range(3):
            now.seconds += 5 if epoch == batch == 0 else 1
            phases.on_train_batch_end(batch)
        now.seconds += 0.25
        phases.on_test_begin()
        for batch in range(2):
            now.seconds += 4 if epoch == batch == 0 else 0.5
            phases.on_test_batch_end(batch)
        phases.on_test_end()
        with clock.phase(Phase.TRACKING):
            now.seconds += 0.125
    spent = {phase: seconds for phase, seconds in clock.seconds().items() if seconds}
    assert spent == {
        Phase.START: 1,
        Phase.COMPILE: 2 + (5 - 1) + (4 - 0.5),
        Phase.TRAINING: 6 + 0.5,
        Phase.VALIDATION: 4 * 0.5,
        Phase.TRACKING: 0.25,
    }


def test_of_a_single_batch_all_is_compilation() -> None:
    now = Hand()
    phases = Phases(PhaseClock(now=now))
    now.seconds = 3
    phases.on_train_batch_end(0)
    now.seconds = 4
    spent = phases.clock.seconds()
    assert (spent[Phase.COMPILE], spent[Phase.TRAINING]) == (3, 1)
