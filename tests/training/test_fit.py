"""Training with the real task on a few photographs."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from ablate.config.optimizers import OptimizerConfig, OtherOptimizer
from ablate.config.training import TrainingConfig
from ablate.config.validation import ValidConfig
from ablate.errors import ConfigError
from ablate.training.callbacks import Recorder
from ablate.training.fit import train
from ablate.training.optimizer import build_optimizer
from tests.conftest import QUICK, TINY
from tests.support.configs import valid_config

Curves = dict[str, list[tuple[int, float]]]


def trained(config: ValidConfig, seed: int = 0) -> tuple[keras.Model, Curves]:
    curves: Curves = {}

    def log(metrics: Mapping[str, float], step: int) -> None:
        for name, value in metrics.items():
            curves.setdefault(name, []).append((step, value))

    keras.utils.set_random_seed(seed)
    config.task.load_data()
    run = config.run
    return train(config.task, optimizer=run.optimizer, training=run.training, seed=seed, log_metrics=log).model, curves


def weights(model: keras.Model) -> np.ndarray:
    return np.concatenate([weight.ravel() for weight in model.get_weights()])


def test_the_loss_falls(photographs: Path) -> None:
    config = valid_config(
        *QUICK, "data=folder", f"data.root={photographs}", "training.steps_per_epoch=12", "loss=unweighted"
    )
    _, curves = trained(config)
    losses = [value for _, value in curves["train/loss"]]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


def test_recorded_losses_are_means_over_the_steps_between(photographs: Path) -> None:
    arguments = [*TINY, "data=folder", f"data.root={photographs}", "training.epochs=2", "training.steps_per_epoch=3"]
    _, every = trained(valid_config(*arguments))
    _, whole = trained(valid_config(*arguments, "training.log_points=1"))
    assert [step for step, _ in every["train/loss"]] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in every["val/loss"]] == [3, 6]
    assert whole["train/loss"] == [(6, pytest.approx(np.mean([loss for _, loss in every["train/loss"]]), rel=1e-5))]


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


def test_the_seed_decides_and_nothing_else(photographs: Path) -> None:
    config = valid_config(*TINY, "data=folder", f"data.root={photographs}", "dropout=heavy")
    first, again, other = (weights(trained(config, seed)[0]) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_one_epoch_of_four_steps_is_two_of_two(photographs: Path) -> None:
    arguments = [*TINY, "data=folder", f"data.root={photographs}", "backbone.batch_norm=none"]
    once = valid_config(*arguments, "training.steps_per_epoch=4")
    twice = valid_config(*arguments, "training.epochs=2")
    assert np.array_equal(weights(trained(once)[0]), weights(trained(twice)[0]))


def optimizer(**arguments: object) -> OptimizerConfig:
    return OtherOptimizer.model_validate(
        {"name": "adam", "_target_": "keras.optimizers.Adam", "learning_rate": 0.1, **arguments}
    )


def training(**arguments: object) -> TrainingConfig:
    defaults = {"epochs": 1, "steps_per_epoch": None, "batch_size": 4, "deterministic": True, "log_points": 1}
    return TrainingConfig.model_validate({**defaults, "learning_rate_drops": [], **arguments})


def test_the_optimizer_has_the_configured_arguments() -> None:
    built = build_optimizer(optimizer(beta_2=0.99), training())
    assert (type(built).__name__, built.beta_2, float(built.learning_rate)) == ("Adam", 0.99, pytest.approx(0.1))


def test_the_learning_rate_drops_at_its_steps() -> None:
    built = build_optimizer(optimizer(), training(learning_rate_drops=[[2, 0.5], [4, 0.1]]))
    variable = keras.Variable(1.0)
    rates = []
    for _ in range(6):
        rates.append(round(float(built.learning_rate), 6))
        built.apply([keras.ops.ones(())], [variable])
    # Step number n uses the rate after n steps are done; the drop shows from the step after.
    assert rates == [0.1, 0.1, 0.1, 0.05, 0.05, 0.01]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rho": 1}, "Adam cannot be constructed"),
        ({"_target_": "keras.optimizers.Nothing"}, "cannot be constructed"),
        ({"_target_": "os.system"}, "os.system cannot be constructed: Located non-class"),
        ({"_target_": "builtins.eval"}, "builtins.eval cannot be constructed: Located non-class"),
        ({"_target_": "subprocess.Popen"}, "it is no subclass of keras.optimizers.Optimizer"),
        ({"_target_": "keras.layers.Dense"}, "it is no subclass of keras.optimizers.Optimizer"),
        ({"_target_": "keras.optimizers.get"}, "keras.optimizers.get cannot be constructed: Located non-class"),
        ({"clipvalue": 1, "loss": {"_target_": "os.system", "command": "touch canary"}}, "Adam cannot be constructed"),
    ],
)
def test_an_impossible_optimizer_is_named_and_nothing_else_is_called(
    arguments: dict[str, object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message) as error:
        build_optimizer(optimizer(**{"command": "touch canary", **arguments}), training())
    assert "\n" not in str(error.value)
    assert not (tmp_path / "canary").exists()


def test_an_epoch_is_one_pass_over_the_photographs() -> None:
    assert training(batch_size=4).steps_in_epoch(9) == 3
    assert training(batch_size=4).steps_in_epoch(0) == 1
    assert training(steps_per_epoch=7).steps_in_epoch(9) == 7
    assert training(batch_size=4, epochs=2).total_examples(9) == 24
