"""The contract suite for tasks, on the tasks of this project and on tasks that break it."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from ablate.task import Evaluation, Task
from ablate.testing import TaskContract
from tiny import Tiny

SMALL = ("scale=smoke", "backbone.width=0.0625", "depth=shallow", "data.repeats=1")


@pytest.mark.slow
class TestColorization(TaskContract):
    arguments = (*SMALL, "dropout=light")


class TestRegression(TaskContract):
    arguments = (*SMALL, "loss=regression", "task._target_=tiny.Tiny")


OWN = ("--config-name", "base", "+width={name: narrow, units: 4}")


@pytest.mark.slow
class TestArrays(TaskContract):
    arguments = (*OWN, "task._target_=mistakes.Sound")


@pytest.mark.slow
class TestOwnLoop(TaskContract):
    arguments = (*OWN, "task._target_=mistakes.Fingerprinted")


class Unseeded(Tiny):
    """Another model each time, whatever the seed."""

    def build_model(self, seed: int):
        return super().build_model(int(np.random.default_rng().integers(2**30)))


class Restarting(Tiny):
    """Starts the stream anew where it should continue."""

    def training_batches(self, *, seed: int, batch_size: int, first_step: int, steps: int):
        return super().training_batches(seed=seed, batch_size=batch_size, first_step=0, steps=steps)


class Mispriced(Tiny):
    """Counts one parameter too many."""

    def cost(self):
        cost = super().cost()
        return {**cost, "parameters": cost["parameters"] + 1}


class Forgetful(Tiny):
    """Leaves a metric out."""

    def evaluate(self, model) -> Evaluation:
        evaluation = super().evaluate(model)
        metrics = dict(list(evaluation.metrics.items())[1:])
        return Evaluation(metrics, evaluation.references, evaluation.per_example)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "test"),
    [
        (Unseeded, "test_a_seed_determines_the_initial_weights"),
        (Restarting, "test_batches_depend_on_their_arguments_alone"),
        (Mispriced, "test_the_cost_is_the_model_s"),
        (Forgetful, "test_evaluation_measures_every_metric_of_every_example"),
    ],
)
def test_a_task_that_breaks_the_contract_fails(broken: type[Task], test: str) -> None:
    class Suite(TaskContract):
        arguments: ClassVar[Sequence[str]] = (*SMALL, f"task._target_={__name__}.{broken.__name__}")

    Suite.setup_class()
    with pytest.raises(AssertionError):
        getattr(Suite(), test)()
