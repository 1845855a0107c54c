"""Construction of the Keras optimiser that the configuration names."""

import hydra.utils
import keras

from ablate.config.optimizers import OptimizerConfig
from ablate.config.training import TrainingConfig
from ablate.errors import ConfigError


def build_optimizer(optimizer: OptimizerConfig, training: TrainingConfig) -> keras.optimizers.Optimizer:
    """Construct the Keras optimiser that the configuration names, its learning rate dropping as `training` says.

    Raises:
        ConfigError: The class cannot be imported, is no optimiser of Keras, or refuses an argument.
    """
    learning_rate = optimizer.learning_rate
    if training.learning_rate_drops:
        steps, factors = zip(*training.learning_rate_drops, strict=True)
        values = [learning_rate, *(learning_rate * factor for factor in factors)]
        learning_rate = keras.optimizers.schedules.PiecewiseConstantDecay(list(steps), values)
    arguments = optimizer.model_dump(by_alias=True, exclude={"target", "learning_rate"}, exclude_unset=True)
    try:
        # Not Hydra's `instantiate`: it would call any function, and those that arguments name.
        named = hydra.utils.get_class(optimizer.target)
        if not issubclass(named, keras.optimizers.Optimizer):
            raise TypeError("it is no subclass of keras.optimizers.Optimizer")
        built: keras.optimizers.Optimizer = named(**arguments, learning_rate=learning_rate)
    except Exception as error:  # whatever the class raises
        reason = " ".join(str(error).split())
        raise ConfigError(f"optimizer={optimizer.name}: {optimizer.target} cannot be constructed: {reason}") from None
    return built
