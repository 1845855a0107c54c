"""Training with the real task on a few photographs."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest

from ablate.config.validation import ValidConfig
from ablate.training.fit import train
from tests.support.commands import QUICK, TINY
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


@pytest.mark.slow
def test_the_loss_falls(photographs: Path) -> None:
    config = valid_config(
        *QUICK, "data=folder", f"data.root={photographs}", "training.steps_per_epoch=12", "loss=unweighted"
    )
    _, curves = trained(config)
    losses = [value for _, value in curves["train/loss"]]
    assert np.mean(losses[-4:]) < np.mean(losses[:4])


@pytest.mark.slow
def test_recorded_losses_are_means_over_the_steps_between(photographs: Path) -> None:
    arguments = [*TINY, "data=folder", f"data.root={photographs}", "training.epochs=2", "training.steps_per_epoch=3"]
    _, every = trained(valid_config(*arguments))
    _, whole = trained(valid_config(*arguments, "training.log_points=1"))
    assert [step for step, _ in every["train/loss"]] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in every["val/loss"]] == [3, 6]
    assert whole["train/loss"] == [(6, pytest.approx(np.mean([loss for _, loss in every["train/loss"]]), rel=1e-5))]


@pytest.mark.slow
def test_the_seed_decides_and_nothing_else(photographs: Path) -> None:
    config = valid_config(*TINY, "data=folder", f"data.root={photographs}", "dropout=heavy")
    first, again, other = (weights(trained(config, seed)[0]) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_one_epoch_of_four_steps_is_two_of_two(photographs: Path) -> None:
    arguments = [*TINY, "data=folder", f"data.root={photographs}", "backbone.batch_norm=none"]
    once = valid_config(*arguments, "training.steps_per_epoch=4")
    twice = valid_config(*arguments, "training.epochs=2")
    assert np.array_equal(weights(trained(once)[0]), weights(trained(twice)[0]))
