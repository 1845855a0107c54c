"""The Keras optimiser that the configuration names, and nothing else that it may name."""

from pathlib import Path

import keras
import pytest

from ablate.config.optimizers import OptimizerConfig, OtherOptimizer
from ablate.config.training import TrainingConfig
from ablate.errors import ConfigError
from ablate.training.optimizer import build_optimizer


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
