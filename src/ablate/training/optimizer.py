"""Construction of the Keras optimiser and the learning rate schedule that the configuration names."""

import hydra.utils
import keras
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule, PiecewiseConstantDecay, PolynomialDecay

from ablate.config.optimizers import OptimizerConfig
from ablate.config.schedules import Cosine, Linear, ScheduleConfig, Steps, steps_of
from ablate.errors import ConfigError


def build_schedule(learning_rate: float, schedule: ScheduleConfig, steps: int) -> float | LearningRateSchedule:
    """Return the learning rate by the step: that of step n, counted from 0, follows n steps that are done.

    It is one of Keras' own schedules, so that a stored model can be loaded without `ablate`.

    Args:
        learning_rate: The optimiser's, which the schedule multiplies.
        schedule: The section `schedule`.
        steps: Steps of the whole training, each of one batch, even where an optimiser accumulates gradients.

    Returns:
        A number where it is constant.

    Raises:
        ConfigError: The schedule does not suit the number of steps.
    """
    schedule.check(steps)
    match schedule:
        case Cosine():
            return _cosine(learning_rate, schedule, steps)
        case Linear():
            return PolynomialDecay(learning_rate, steps, schedule.floor * learning_rate)
        case Steps(drops=[_, *_] as drops):
            boundaries = [steps_of(place, steps) for place, _ in drops]
            return PiecewiseConstantDecay(
                boundaries, [learning_rate, *(learning_rate * factor for _, factor in drops)]
            )
    return learning_rate


def _cosine(learning_rate: float, schedule: Cosine, steps: int) -> LearningRateSchedule:
    warmup = steps_of(schedule.warmup, steps)
    if not warmup:
        return CosineDecay(learning_rate, steps, schedule.floor)
    # Not from 0: the first step would change nothing.
    first = learning_rate / (warmup + 1)
    return CosineDecay(first, steps - warmup, schedule.floor, warmup_target=learning_rate, warmup_steps=warmup)


def build_optimizer(optimizer: OptimizerConfig, schedule: ScheduleConfig, steps: int) -> keras.optimizers.Optimizer:
    """Construct the Keras optimiser that the configuration names.

    Args:
        optimizer: The section `optimizer`.
        schedule: The section `schedule`.
        steps: Steps of the whole training.

    Raises:
        ConfigError: The class cannot be imported, is no optimiser of Keras, or refuses an argument; or the schedule
            does not suit the number of steps.
    """
    learning_rate = build_schedule(optimizer.learning_rate, schedule, steps)
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
