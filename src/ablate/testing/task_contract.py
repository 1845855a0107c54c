"""The contract suite for tasks: tests that every task must pass. Needs pytest only to run them.

In the tests of your project:

    from ablate.testing import TaskContract

    class TestMine(TaskContract):
        arguments = ("--config-dir", "conf", "scale=smoke")

It suits tasks that Keras trains, and those that train themselves. Choose arguments that make the network and the data
small: the suite builds several models and trains a step; a task that trains itself is trained three times.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest import SkipTest

from ablate.cli.command_line import CommandLine
from ablate.config.validation import validate_config
from ablate.task import DataSummary, Describable, Evaluation, Task, trains_itself
from ablate.testing import keras_checks, own_loop_checks, task_checks
from ablate.testing.findings import Finding

_NO_TENSORFLOW = """
import sys
from ablate.testing.task_contract import compose_task, cheap_methods
cheap_methods(compose_task(sys.argv[1:]))
imported = [name for name in ("tensorflow", "keras") if name in sys.modules]
sys.exit(f"imported: {', '.join(imported)}. Import them where they are used: `plan` needs none" if imported else None)
"""


def compose_task(arguments: Sequence[str]) -> Task:
    """Construct the task of `python -m ablate.run ARGUMENTS`, its data not loaded.

    Raises:
        ConfigError: The configuration is wrong, or names no task.
    """
    return validate_config(CommandLine(arguments).compose()).task


def cheap_methods(task: Task) -> None:
    """Call what must import no TensorFlow, as `plan` does."""
    task.result_config(), task.comparison_config(), task.find_data()
    if isinstance(task, Describable) and getattr(task, "describes_without_tensorflow", False):
        task.cost(), task.layer_table()


def _verify(findings: Iterable[Finding]) -> None:
    wrong = [finding.text for finding in findings if finding.wrong]
    assert not wrong, "; ".join(wrong)


class TaskContract:
    """The tests of a task; a subclass names the task.

    Attributes:
        arguments: Of `python -m ablate.run`: they choose the task and a small configuration of it. A subclass may
            override `new_task` instead.
        batch_size: Examples in a batch.
        imports_tensorflow: Whether the data are those of TensorFlow or Keras, which cannot be found without it.
    """

    arguments: ClassVar[Sequence[str]] = ()
    batch_size: ClassVar[int] = 2
    imports_tensorflow: ClassVar[bool] = False
    task: ClassVar[Any]
    summary: ClassVar[DataSummary]
    _trained: ClassVar[dict[tuple[int, int], Evaluation]]

    @classmethod
    def new_task(cls) -> Task:
        """Construct the task, its data not loaded."""
        return compose_task(cls.arguments)

    @classmethod
    def setup_class(cls) -> None:
        """Construct the task and load its data, once for all tests."""
        cls.task = cls.new_task()
        cls.summary = cls.task.load_data()
        cls._trained = {}

    @classmethod
    def trained(cls, seed: int, repetition: int) -> Evaluation:
        """Let a task that trains itself do so, once for all tests."""
        if (seed, repetition) not in cls._trained:
            with TemporaryDirectory() as folder:
                cls._trained[seed, repetition] = own_loop_checks.trial(cls.task, seed, Path(folder))
        return cls._trained[seed, repetition]

    def test_metrics_have_unique_names_and_a_label(self) -> None:
        """Each metric has a name of its own, and is measured in both directions or one."""
        _verify(task_checks.check_metrics(self.task))

    def test_the_configuration_is_plain_and_the_same_for_the_same_arguments(self) -> None:
        """`result_config` and `comparison_config` can be hashed: they are JSON, and depend on the arguments alone."""
        _verify(task_checks.check_configuration(self.task, self.new_task()))

    def test_cheap_methods_import_no_tensorflow(self) -> None:
        """The constructor and all methods up to `find_data` work without TensorFlow and Keras."""
        if not self.arguments or self.imports_tensorflow:
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

    def test_what_it_says_of_a_trained_model_can_be_written_down(self) -> None:
        """`served_model` and `limitations`, where it has them, return what tracking can write."""
        _verify(task_checks.check_model_use(self.task))

    def test_found_data_is_the_loaded_data(self) -> None:
        """`find_data` finds the fingerprint of `load_data`, and at least as many examples."""
        _verify(task_checks.check_found_data(self.task, self.new_task(), self.summary))

    def test_evaluation_measures_every_metric_of_every_example(self) -> None:
        """An evaluation has a finite value of each metric: of the model, the references and each example."""
        _verify(task_checks.check_evaluation(self.task, self._evaluation()))

    def test_an_example_is_measured_without_regard_to_others(self) -> None:
        """Each example has a value of its own, whichever others are evaluated beside it."""
        self._only_keras()
        model = self.task.build_model(0)
        _verify(keras_checks.check_examples_alone(self.task, model, self.task.evaluate(model)))

    def test_evaluation_is_repeatable(self) -> None:
        """The same model has the same results; so has the same training of a task that trains itself."""
        if trains_itself(self.task):
            found = [*own_loop_checks.check_repetition(self.trained(0, 0), self.trained(0, 1))]
            assert not found, found[0].text
            return
        model = self.task.build_model(0)
        one, two = self.task.evaluate(model), self.task.evaluate(model)
        _verify(task_checks.check_evaluations_agree(one, two, "evaluate"))

    def test_another_seed_evaluates_the_same_examples(self) -> None:
        """Runs are paired by their examples."""
        self._only_own_loops()
        _verify(own_loop_checks.check_other_seed(self.trained(0, 0), self.trained(1, 0)))

    def test_batches_depend_on_their_arguments_alone(self) -> None:
        """The same arguments give the same batches, other seeds others; a later first step continues the stream."""
        self._only_keras()
        again: Any = self.new_task()
        again.load_data()
        _verify(keras_checks.check_repeated_batches(self.task, again, self.batch_size))

    def test_batches_have_the_batch_size(self) -> None:
        """Every array of a training batch has `batch_size` examples."""
        self._only_keras()
        _verify(keras_checks.check_batch_sizes(self.task, self.batch_size))

    def test_validation_batches_are_the_same_every_time(self) -> None:
        """The evaluation examples come in one order."""
        self._only_keras()
        _verify(keras_checks.check_validation_batches(self.task))

    def test_a_seed_determines_the_initial_weights(self) -> None:
        """The same seed gives the same weights, another seed others; the model is not compiled."""
        self._only_keras()
        _verify(keras_checks.check_initial_weights(self.task))

    def test_the_cost_is_the_model_s(self) -> None:
        """`cost` and `layer_table` count the trainable parameters of the model."""
        self._only_keras()
        _verify(keras_checks.check_cost(self.task))

    def test_random_draws_are_state_of_the_model(self) -> None:
        """With all variables of a checkpoint restored, the model draws the same numbers again."""
        self._only_keras()
        _verify(keras_checks.check_draws(self.task, self.batch_size))

    def test_a_step_trains_with_a_finite_loss(self) -> None:
        """The loss compiles, is finite, and reaches the weights."""
        self._only_keras()
        _verify(keras_checks.check_a_step(self.task, self.batch_size))

    def test_a_saved_model_predicts_the_same(self) -> None:
        """A model that can be saved and loaded predicts the same afterwards."""
        self._only_keras()
        _verify(keras_checks.check_saving(self.task, self.task.build_model(0), self.batch_size))

    def _evaluation(self) -> Evaluation:
        if trains_itself(self.task):
            return self.trained(0, 0)
        evaluation: Evaluation = self.task.evaluate(self.task.build_model(0))
        return evaluation

    def _only_keras(self) -> None:
        if trains_itself(self.task):
            raise SkipTest("the task trains itself")

    def _only_own_loops(self) -> None:
        if not trains_itself(self.task):
            raise SkipTest("Keras trains the task")
