"""Schemas of the arguments of Keras' optimisers. Imports no Keras."""

from typing import Annotated

from pydantic import ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from ablate.config.schema import Schema

Decay = Annotated[float, Field(ge=0, lt=1)]


_CLIPS_PER_DEVICE = "Keras clips each device's part of the gradient, not their sum"
_NOT_SUPPORTED = "Keras fails to do it on several"
ONE_DEVICE_ALONE = {
    "clipnorm": _CLIPS_PER_DEVICE,
    "clipvalue": _CLIPS_PER_DEVICE,
    "global_clipnorm": _CLIPS_PER_DEVICE,
    "ema_overwrite_frequency": _NOT_SUPPORTED,
    "gradient_accumulation_steps": _NOT_SUPPORTED,
}
"""Arguments for one device, each with the reason: several devices would take another step."""


class OptimizerConfig(Schema):
    """The arguments of all optimisers of Keras.

    Attributes:
        use_ema: Whether averaged weights replace the trained ones at the end, see `training.fit.train`.
        ema_momentum: Weight of the previous average.
        ema_overwrite_frequency: Steps after which the averages replace the weights in training too; None: never.
    """

    name: str
    target: Annotated[str, Field(alias="_target_")]
    learning_rate: PositiveFloat
    weight_decay: NonNegativeFloat | None = None
    clipnorm: PositiveFloat | None = None
    clipvalue: PositiveFloat | None = None
    global_clipnorm: PositiveFloat | None = None
    use_ema: bool = False
    ema_momentum: Decay = 0.99
    ema_overwrite_frequency: PositiveInt | None = None
    loss_scale_factor: PositiveFloat | None = None
    gradient_accumulation_steps: Annotated[int, Field(ge=2)] | None = None


class Adam(OptimizerConfig):
    """Arguments of Adam."""

    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: PositiveFloat = 1e-7
    amsgrad: bool = False


class AdamW(Adam):
    """Arguments of Adam with decoupled weight decay."""

    weight_decay: NonNegativeFloat = 0.004


class Adadelta(OptimizerConfig):
    """Arguments of AdaDelta."""

    rho: Decay = 0.95
    epsilon: PositiveFloat = 1e-7


class SGD(OptimizerConfig):
    """Arguments of stochastic gradient descent."""

    momentum: Decay = 0.0
    nesterov: bool = False


class OtherOptimizer(OptimizerConfig):
    """Arguments of any other class, which validates its own when it is constructed."""

    model_config = ConfigDict(extra="allow", frozen=True)


NO_OPTIMIZER = OptimizerConfig.model_validate({"name": "own", "_target_": "none", "learning_rate": 1.0})
"""Of a task that trains itself, to which the section `optimizer` belongs."""
SCHEMAS: dict[str, type[OptimizerConfig]] = {
    "keras.optimizers.Adam": Adam,
    "keras.optimizers.AdamW": AdamW,
    "keras.optimizers.Adadelta": Adadelta,
    "keras.optimizers.SGD": SGD,
}
