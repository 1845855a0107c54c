"""Schemas of learning rate schedules, the section `schedule`. Imports no Keras."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, PositiveFloat, field_validator

from ablate.config.schema import Schema
from ablate.errors import ConfigError


def _whole_from_one_on(span: float) -> float:
    if span >= 1 and span != int(span):
        raise ValueError("input should be a share of training, below 1, or a whole number of steps")
    return span


Span = Annotated[float, Field(ge=0), AfterValidator(_whole_from_one_on)]
"""A part of training: below 1 a share of its steps, from 1 on steps."""
Share = Annotated[float, Field(ge=0, lt=1)]


def steps_of(span: Span, total: int) -> int:
    """Return the steps of a part of training, of which `total` are all."""
    return round(span * total) if span < 1 else int(span)


class ScheduleConfig(Schema):
    """A learning rate schedule: a factor on the optimiser's learning rate, by the step."""

    name: str
    shape: Literal["constant", "linear", "cosine", "steps"]

    def check(self, steps: int) -> None:
        """Make sure that it suits the number of steps of the whole training.

        Raises:
            ConfigError: It does not.
        """


class Linear(ScheduleConfig):
    """In a straight line to `floor` times the learning rate at the end of training."""

    floor: Share


class Cosine(Linear):
    """Along half a cosine to `floor` times the learning rate, after `warmup`."""

    warmup: Span

    def check(self, steps: int) -> None:
        """Make sure that training is longer than its warm-up."""
        if steps_of(self.warmup, steps) >= steps:
            raise ConfigError(f"schedule.warmup={self.warmup:g} must be shorter than training: {steps} steps")


class Steps(ScheduleConfig):
    """From each drop on, the learning rate is the optimiser's times the drop's factor."""

    drops: list[tuple[Annotated[Span, Field(gt=0)], PositiveFloat]]

    @field_validator("drops")
    @classmethod
    def _ascend(cls, drops: list[tuple[float, float]]) -> list[tuple[float, float]]:
        places = [place for place, _ in drops]
        if places != sorted(set(places)):
            raise ValueError("the steps must ascend")
        if len({place < 1 for place in places}) > 1:
            raise ValueError("the steps must be shares of training, below 1, or numbers of steps, not both")
        return drops


CONSTANT = ScheduleConfig(name="constant", shape="constant")
"""The default; and of a task that trains itself, to which the section `schedule` belongs."""
SCHEDULES: dict[str, type[ScheduleConfig]] = {"linear": Linear, "cosine": Cosine, "steps": Steps}
"""Schemas by shape; that of all others is `ScheduleConfig`."""
