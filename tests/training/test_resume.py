"""A training that is interrupted and resumed ends with the same bits as one that was left alone."""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pytest

from ablate.config.validation import ValidConfig
from ablate.training.checkpoint import Checkpoints, steps_done
from ablate.training.fit import Training, train
from tests.support.commands import TINY
from tests.support.configs import valid_config

Curves = dict[tuple[str, int], float]
BFLOAT16 = "hardware.precision=mixed_bfloat16"
STEPS = ["training.epochs=2", "training.steps_per_epoch=3", "training.log_points=3"]


class Stopped(Exception):
    """What asked the training to end."""


def run(config: ValidConfig, file: Path, curves: Curves, stop_at: int | None = None) -> Training:
    """Train in a fresh state of Keras, as a new process would, and stop after a step."""

    def log(metrics: Mapping[str, float], step: int) -> None:
        curves.update({(name, step): value for name, value in metrics.items()})

    done: list[Mapping[str, float]] = []
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(config.run.seed)
    keras.config.set_dtype_policy(config.run.hardware.precision)
    config.task.load_data()
    return train(
        config.task,
        optimizer=config.run.optimizer,
        training=config.run.training,
        schedule=config.run.schedule,
        seed=config.run.seed,
        log_metrics=log,
        checkpoints=Checkpoints(
            file,
            minutes=1000,
            before_save=lambda: None,
            stop=lambda: Stopped() if done and done[-1]["step"] == stop_at else None,
        ),
        report_progress=done.append,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "stops"),
    [
        (["dropout=heavy", "schedule=cosine", "schedule.warmup=2"], [2, 3, 5]),
        (
            ["dropout=light", "optimizer=adadelta", "schedule=steps", "schedule.drops=[[2,0.1]]", BFLOAT16],
            [2],
        ),
        (["dropout=light", "optimizer=sgd", "+optimizer.use_ema=true", "hardware.precision=mixed_float16"], [4]),
    ],
    ids=["every place", "adadelta in bfloat16", "float16"],
)
def test_it_ends_with_the_same_bits(overrides: list[str], stops: list[int], photographs: Path, tmp_path: Path) -> None:
    config = valid_config(*TINY, *STEPS, "data=folder", f"data.root={photographs}", *overrides)
    expected: Curves = {}
    whole = run(config, tmp_path / "whole.npz", expected)
    curves: Curves = {}
    for step in stops:
        with pytest.raises(Stopped):
            run(config, tmp_path / "stopped.npz", curves, stop_at=step)
        assert steps_done(tmp_path / "stopped.npz") == step
    resumed = run(config, tmp_path / "stopped.npz", curves)
    keras.config.set_dtype_policy("float32")
    assert curves == expected
    for one, other in zip(whole.model.variables, resumed.model.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(whole.model.optimizer.variables, resumed.model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one, other)
    assert resumed.steps == whole.steps
    assert resumed.seconds > 0
