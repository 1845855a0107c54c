"""What Keras' optimisers take, so that a mistake is found before anything is trained. Imports no Keras."""

from typing import Annotated

from pydantic import ConfigDict, Field, NonNegativeFloat, PositiveFloat, PositiveInt

from ablate.config.schema import Schema

Decay = Annotated[float, Field(ge=0, lt=1)]


_CLIPS_PARTS = "Keras clips each device's part of the gradient, not their sum"
_FAILS = "Keras fails to do it on several"
ONE_DEVICE_ALONE = {
    "clipnorm": _CLIPS_PARTS,
    "clipvalue": _CLIPS_PARTS,
    "global_clipnorm": _CLIPS_PARTS,
    "ema_overwrite_frequency": _FAILS,
    "gradient_accumulation_steps": _FAILS,
}
"""Arguments with which several devices do not take the step that one would, each with the reason."""


class OptimizerConfig(Schema):
    """What all of Keras' optimisers take.

    Attributes:
        use_ema: Whether averaged weights take the place of those that trained, once at the end: `training.fit.train`.
        ema_momentum: Share of the average before in the one after a step.
        ema_overwrite_frequency: Steps after which the averages replace the weights that train as well; None is never.
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
    """Of Adam."""

    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    epsilon: PositiveFloat = 1e-7
    amsgrad: bool = False


class AdamW(Adam):
    """Of Adam with decoupled weight decay."""

    weight_decay: NonNegativeFloat = 0.004


class Adadelta(OptimizerConfig):
    """Of AdaDelta."""

    rho: Decay = 0.95
    epsilon: PositiveFloat = 1e-7


class SGD(OptimizerConfig):
    """Of stochastic gradient descent."""

    momentum: Decay = 0.0
    nesterov: bool = False


class OtherOptimizer(OptimizerConfig):
    """Of any other class: its own arguments are checked by itself, when it is constructed."""

    model_config = ConfigDict(extra="allow", frozen=True)


SCHEMAS: dict[str, type[OptimizerConfig]] = {
    "keras.optimizers.Adam": Adam,
    "keras.optimizers.AdamW": AdamW,
    "keras.optimizers.Adadelta": Adadelta,
    "keras.optimizers.SGD": SGD,
}
