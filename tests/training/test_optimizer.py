"""The Keras optimiser that the configuration names, and nothing else that it may name."""

import math
from pathlib import Path

import keras
import pytest

from ablate.config.optimizers import OptimizerConfig, OtherOptimizer
from ablate.config.schedules import CONSTANT, SCHEDULES, ScheduleConfig
from ablate.errors import ConfigError
from ablate.training.optimizer import build_optimizer, build_schedule


def optimizer(**arguments: object) -> OptimizerConfig:
    return OtherOptimizer.model_validate(
        {"name": "adam", "_target_": "keras.optimizers.Adam", "learning_rate": 0.1, **arguments}
    )


def test_the_optimizer_has_the_configured_arguments() -> None:
    built = build_optimizer(optimizer(beta_2=0.99), CONSTANT, 10)
    assert (type(built).__name__, built.beta_2, float(built.learning_rate)) == ("Adam", 0.99, pytest.approx(0.1))


def schedule(shape: str, **arguments: object) -> ScheduleConfig:
    return SCHEDULES[shape].model_validate({"name": "mine", "shape": shape, **arguments})


def rates(schedule: ScheduleConfig, steps: int, **arguments: object) -> list[float]:
    """Return the learning rate before each step of a training, and after the last."""
    built = build_optimizer(optimizer(**arguments), schedule, steps)
    variable = keras.Variable(1.0)
    found = [float(built.learning_rate)]
    for _ in range(steps):
        built.apply([keras.ops.ones(())], [variable])
        found.append(float(built.learning_rate))
    return found


def test_a_constant_learning_rate_is_a_number() -> None:
    assert build_schedule(0.1, CONSTANT, 10) == 0.1
    assert build_schedule(0.1, schedule("steps", drops=[]), 10) == 0.1


def test_the_learning_rate_drops_at_its_steps() -> None:
    expected = [0.1, 0.1, 0.1, 0.05, 0.05, 0.01, 0.01]
    assert rates(schedule("steps", drops=[[2, 0.5], [4, 0.1]]), 6) == pytest.approx(expected)
    assert rates(schedule("steps", drops=[[1 / 3, 0.5], [2 / 3, 0.1]]), 6) == pytest.approx(expected)


def test_it_falls_in_a_line() -> None:
    assert rates(schedule("linear", floor=0.0), 4) == pytest.approx([0.1, 0.075, 0.05, 0.025, 0.0])
    assert rates(schedule("linear", floor=0.2), 4) == pytest.approx([0.1, 0.08, 0.06, 0.04, 0.02])


@pytest.mark.parametrize("warmup", [4, 0.2])
def test_it_grows_in_equal_steps_and_falls_along_a_cosine(warmup: float) -> None:
    found = rates(schedule("cosine", warmup=warmup, floor=0.1), 20)
    assert found[:5] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])
    assert found[4:] == pytest.approx([0.01 + 0.09 * (1 + math.cos(math.pi * n / 16)) / 2 for n in range(17)])
    assert (found[12], found[20]) == (pytest.approx(0.055), pytest.approx(0.01))


def test_without_a_warm_up_it_begins_with_the_whole_learning_rate() -> None:
    found = rates(schedule("cosine", warmup=0, floor=0.0), 4)
    assert found == pytest.approx([0.05 * (1 + math.cos(math.pi * n / 4)) for n in range(5)])


def test_steps_are_batches_even_where_gradients_are_accumulated() -> None:
    linear = schedule("linear", floor=0.0)
    assert rates(linear, 8, gradient_accumulation_steps=4) == rates(linear, 8)


@pytest.mark.parametrize(
    "schedule",
    [schedule("linear", floor=0.1), schedule("cosine", warmup=2, floor=0.0), schedule("steps", drops=[[0.5, 0.1]])],
)
def test_a_schedule_survives_saving(schedule: ScheduleConfig) -> None:
    built = build_optimizer(optimizer(), schedule, 10)
    again = keras.optimizers.deserialize(keras.optimizers.serialize(built))
    again.iterations.assign(7)
    built.iterations.assign(7)
    assert float(again.learning_rate) == float(built.learning_rate) != pytest.approx(0.1)


def test_a_warm_up_is_shorter_than_training() -> None:
    with pytest.raises(ConfigError, match=r"^schedule.warmup=10 must be shorter than training: 10 steps$"):
        build_optimizer(optimizer(), schedule("cosine", warmup=10, floor=0), 10)


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
        build_optimizer(optimizer(**{"command": "touch canary", **arguments}), CONSTANT, 10)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "canary").exists()
