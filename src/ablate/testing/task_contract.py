"""The contract suite for tasks: tests that every task must pass. Needs pytest only to run them.

In the tests of your project:

    from ablate.testing import TaskContract

    class TestMine(TaskContract):
        arguments = ("task=mine", "scale=smoke")

Choose arguments that make the network and the data small: the suite builds several models and trains a step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from ablate.cli.command_line import CommandLine
from ablate.config.validation import validate_config
from ablate.task import DataSummary, Evaluation, Task

if TYPE_CHECKING:
    import keras

_BATCH = 2
_NO_TENSORFLOW = """
import sys
from ablate.testing.task_contract import compose_task
from ablate.task import planned_cost
task = compose_task(sys.argv[1:])
planned_cost(task), task.result_config(), task.comparison_config(), task.find_data()
imported = [name for name in ("tensorflow", "keras") if name in sys.modules]
sys.exit(f"imported: {', '.join(imported)}" if imported else None)
"""


def compose_task(arguments: Sequence[str]) -> Task:
    """Construct the task of `python -m ablate.run ARGUMENTS`, its data not loaded.

    Raises:
        ConfigError: The configuration is wrong, or names no task.
    """
    return validate_config(CommandLine(arguments).compose()).task


class TaskContract:
    """The tests of a task; a subclass names the task.

    Attributes:
        arguments: Of `python -m ablate.run`: they choose the task and a small configuration of it. A subclass may
            override `new_task` instead.
    """

    arguments: ClassVar[Sequence[str]] = ()
    task: ClassVar[Any]
    summary: ClassVar[DataSummary]

    @classmethod
    def new_task(cls) -> Task:
        """Construct the task, its data not loaded."""
        return compose_task(cls.arguments)

    @classmethod
    def setup_class(cls) -> None:
        """Construct the task and load its data, once for all tests."""
        cls.task = cls.new_task()
        cls.summary = cls.task.load_data()

    def test_metrics_have_unique_names_and_a_label(self) -> None:
        """Each metric has a name of its own, and is measured in both directions or one."""
        names = [metric.name for metric in self.task.metrics]
        assert names, "a task needs at least one metric"
        assert len(set(names)) == len(names), f"two metrics have one name: {names}"
        assert all(metric.label and metric.higher_is_better in (True, False, None) for metric in self.task.metrics)

    def test_the_configuration_is_plain_and_the_same_for_the_same_arguments(self) -> None:
        """`result_config` and `comparison_config` can be hashed: they are JSON, and depend on the arguments alone."""
        other = self.new_task()
        for method in ("result_config", "comparison_config"):
            one, two = (json.dumps(getattr(task, method)(), sort_keys=True) for task in (self.task, other))
            assert one == two, f"{method} differs between two tasks with the same arguments"

    def test_cheap_methods_import_no_tensorflow(self) -> None:
        """The constructor and all methods up to `find_data` work without TensorFlow and Keras."""
        if not self.arguments:
            return  # the task of `new_task` cannot be constructed in another process
        path = os.pathsep.join(filter(None, sys.path))
        finished = subprocess.run(
            [sys.executable, "-c", _NO_TENSORFLOW, *self.arguments],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr

    def test_found_data_is_the_loaded_data(self) -> None:
        """`find_data` finds the fingerprint of `load_data`, and at least as many examples."""
        found, again = self.task.find_data(), self.new_task().find_data()
        assert found == again, "find_data differs between two tasks with the same arguments"
        assert found.fingerprint == self.summary.fingerprint, "find_data and load_data disagree on the fingerprint"
        assert 1 <= self.task.examples_per_epoch() <= found.examples_per_epoch

    def test_the_same_arguments_give_the_same_batches(self) -> None:
        """Batches depend on the arguments alone, and another seed gives others."""
        one, two = (self._batches(seed=1, first_step=0, steps=3) for _ in range(2))
        assert len(one) == 3, f"steps=3 must give three batches, not {len(one)}"
        _assert_equal(one, two, "the same arguments gave other batches")
        other = self._batches(seed=2, first_step=0, steps=3)
        assert not _equal(one, other), "another seed gave the same batches"

    def test_a_later_first_step_continues_the_stream(self) -> None:
        """Batches from `first_step` on are those of the whole stream: a resumed run trains on what is left."""
        whole, rest = self._batches(seed=1, first_step=0, steps=4), self._batches(seed=1, first_step=2, steps=2)
        _assert_equal(whole[2:], rest, "first_step=2 does not continue the stream of first_step=0")

    def test_batches_have_the_batch_size(self) -> None:
        """Every array of a training batch has `batch_size` examples."""
        for batch in self._batches(seed=1, first_step=0, steps=3):
            sizes = {len(array) for array in batch}
            assert sizes == {_BATCH}, f"batch_size={_BATCH} gave arrays of {sizes} examples"

    def test_validation_batches_are_the_same_every_time(self) -> None:
        """The evaluation examples come in one order."""
        one, two = (_arrays(self.task.validation_batches()) for _ in range(2))
        assert one, "there are no validation batches"
        _assert_equal(one, two, "validation batches changed")

    def test_a_seed_determines_the_initial_weights(self) -> None:
        """The same seed gives the same weights, another seed others; the model is not compiled."""
        one, same, other = (self.task.build_model(seed) for seed in (1, 1, 2))
        assert not one.compiled, "build_model must return a model that is not compiled"
        _assert_equal([one.get_weights()], [same.get_weights()], "one seed gave two sets of initial weights")
        assert not _equal([one.get_weights()], [other.get_weights()]), "another seed gave the same initial weights"

    def test_the_cost_is_the_model_s(self) -> None:
        """`cost` and `layer_table` count the trainable parameters of the model."""
        cost, table = self.task.cost(), self.task.layer_table()
        weights = sum(int(np.prod(weight.shape)) for weight in self.task.build_model(0).trainable_weights)
        assert cost["parameters"] == weights, f"cost says {cost['parameters']} parameters, the model has {weights}"
        assert cost["flops_per_example"] > 0
        assert isinstance(table, pd.DataFrame)
        assert table["parameters"].sum() == weights, "the layer table's parameters are not the model's"

    def test_random_draws_are_state_of_the_model(self) -> None:
        """With all variables of a checkpoint restored, the model draws the same numbers again."""
        model = self.task.build_model(0)
        inputs = self._batches(seed=1, first_step=0, steps=1)[0][0]
        before = [variable.numpy() for variable in model.variables]
        first = np.asarray(model(inputs, training=True))
        for variable, value in zip(model.variables, before, strict=True):
            variable.assign(value)
        again = np.asarray(model(inputs, training=True))
        assert np.array_equal(first, again), "the model draws from something else than a keras.random.SeedGenerator"

    def test_a_step_trains_with_a_finite_loss(self) -> None:
        """The loss compiles, is finite, and reaches the weights."""
        model = self.task.build_model(0)
        model.compile(optimizer="sgd", loss=self.task.build_loss())
        before = model.get_weights()
        batches = self.task.training_batches(seed=1, batch_size=_BATCH, first_step=0, steps=1)
        losses = model.fit(batches, shuffle=False, verbose=0).history["loss"]
        assert np.isfinite(losses).all(), f"the training loss is {losses}"
        assert not _equal([before], [model.get_weights()]), "a training step changed no weight"
        loss = model.evaluate(self.task.validation_batches(), verbose=0)
        assert np.isfinite(loss).all(), f"the loss on the evaluation examples is {loss}"

    def test_evaluation_measures_every_metric_of_every_example(self) -> None:
        """An evaluation has a finite value of each metric: of the model, the references and each example."""
        names = [metric.name for metric in self.task.metrics]
        evaluation = self._evaluation(self.task.build_model(0))
        assert list(evaluation.metrics) == names
        assert np.isfinite(list(evaluation.metrics.values())).all(), f"a metric is not finite: {evaluation.metrics}"
        assert all(list(values) == names for values in evaluation.references.values()), "a reference lacks a metric"
        table = evaluation.per_example
        assert len(table) >= 1, "no example was evaluated"
        assert set(table) - {"digest"} == {"example", *names}
        assert table["digest" if "digest" in table else "example"].is_unique, "two evaluated examples look the same"
        assert {"given", "truth", "output"} >= set(evaluation.samples)

    def test_evaluation_is_repeatable(self) -> None:
        """The same model has the same results."""
        model = self.task.build_model(0)
        one, two = self._evaluation(model), self._evaluation(model)
        assert one.metrics == two.metrics
        pd.testing.assert_frame_equal(one.per_example, two.per_example, check_exact=True)

    def _evaluation(self, model: keras.Model) -> Evaluation:
        evaluation: Evaluation = self.task.evaluate(model)
        return evaluation

    def _batches(self, **arguments: int) -> list[list[np.ndarray[Any, Any]]]:
        return _arrays(self.task.training_batches(batch_size=_BATCH, **arguments))


def _arrays(batches: Any) -> list[list[np.ndarray[Any, Any]]]:
    """Return the arrays of each batch, whatever structure it has."""
    import tensorflow as tf

    return [[np.asarray(array) for array in tf.nest.flatten(batch)] for batch in batches]


def _equal(one: Sequence[Sequence[Any]], other: Sequence[Sequence[Any]]) -> bool:
    return len(one) == len(other) and all(
        len(mine) == len(theirs) and all(map(np.array_equal, mine, theirs))
        for mine, theirs in zip(one, other, strict=True)
    )


def _assert_equal(one: Sequence[Sequence[Any]], other: Sequence[Sequence[Any]], message: str) -> None:
    assert _equal(one, other), message
