"""The protocols of a task: all that the framework knows of what it trains. Imports no TensorFlow.

Users start from `ablate.ArrayTask`, `ablate.DatasetTask` or `ablate.FunctionTask`, which implement them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from ablate.errors import ConfigError, DataError

if TYPE_CHECKING:
    import keras
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import tensorflow as tf
    from PIL import Image


@dataclass(frozen=True)
class Metric:
    """A metric of an evaluation; `higher_is_better` is None where neither direction is better."""

    name: str
    label: str
    unit: str
    higher_is_better: bool | None
    description: str = ""


@dataclass(frozen=True)
class FoundData:
    """Fingerprint and size of a data set that is not loaded.

    Attributes:
        fingerprint: SHA-256 of its contents.
        examples_per_epoch: Number of examples in an epoch, if all of them are usable.
    """

    fingerprint: str
    examples_per_epoch: int


@dataclass(frozen=True)
class DataSummary:
    """The summary of a loaded data set, for tracking.

    Attributes:
        name: Its name.
        source: Its origin, a path or an address.
        fingerprint: As in `FoundData`.
        counts: The number of examples of each kind; `leaked` are those of the evaluation that train as well.
        problems: A line for every file that was left out.
    """

    name: str
    source: str
    fingerprint: str
    counts: Mapping[str, int]
    problems: Sequence[str]


@dataclass(frozen=True)
class Evaluation:
    """The results of an evaluation.

    Attributes:
        metrics: The model's value of each metric.
        references: The metrics of trivial baselines, by their name.
        per_example: One row an evaluated example: `example`, its name; `digest`, of its contents, which identifies it;
            and every metric that examples have one by one, the mean of which is the model's value. Without digests,
            names identify examples. A metric without a column is one of the whole set, such as a macro F1.
        samples: Pictures of some examples by kind, `given`, `truth` and `output`, then by the example's name; a random
            choice, the same for every variant.
        distribution: Distribution of the outputs and of the truth, over all examples: two columns of coordinates,
            which form a grid, and the counts `truth` and `output`. None for a task without one.
        figures: Pictures for MLflow, by name.
        replicates: Metrics of the whole set on bootstrapped examples: one row a replicate, the same draws in every
            run; one column a metric. None where no function recomputes them.
    """

    metrics: Mapping[str, float]
    references: Mapping[str, Mapping[str, float]]
    per_example: pd.DataFrame
    samples: Mapping[str, Mapping[str, Image.Image]] = field(default_factory=dict)
    distribution: pd.DataFrame | None = None
    figures: Mapping[str, Image.Image] = field(default_factory=dict)
    replicates: pd.DataFrame | None = None


@dataclass(frozen=True)
class ServedModel:
    """How a tracked model is served: what it takes and gives beyond Keras' arrays, see `Servable`.

    Attributes:
        loader: A module with a function `load_served(file, settings)`. It gets the path of Keras' file and the
            settings, and returns a function that gets the data and the parameters of a request, and returns what is
            predicted. A `DataError` or `ConfigError` says what is wrong with a request.
        settings: What it needs beside Keras' file, as JSON has it.
        inputs: By its name, the type of each input, in MLflow's words: binary, string, double, long, boolean.
        outputs: By its name, the type of each output.
        params: By its name, what each parameter of a request is where the request does not say.
        example: Data that it takes, as JSON has it.
    """

    loader: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    params: Mapping[str, bool | int | float | str]
    example: Any


class Task(Protocol):
    """What is trained and evaluated: its examples, metrics, configuration and data.

    `task._target_` names its class, which is a `KerasTask` or an `OwnLoopTask` as well. The constructor gets the
    other keys of `task`, and all sections of the configuration that are not the framework's, resolved. It raises
    `ConfigError` where they are wrong, and resolves relative paths with `ablate.config.paths.absolute`, as the current
    folder may be that of a job. The constructor and the methods up to `find_data` are cheap and import no TensorFlow.
    `ablate.testing.TaskContract` tests all of this.

    Results depend on the code of all modules that the class imports, directly or not
    (`ablate.execution.code_version`). Two class attributes are optional: `irrelevant_code` names modules that cannot
    influence a result, `no_result_keys` keys of the configuration that cannot, as in `data.root`. So are some methods:
    `data_config` returns the part of the configuration that `find_data` depends on; `hold_out`, see `HoldsOut`. Two
    more describe a trained model, and their code counts for no result: `served_model`, see `Servable`, and
    `limitations`, see `Limited`.

    Attributes:
        example: What an example is called: photograph, digit.
        metrics: What an evaluation measures.
    """

    @property
    def example(self) -> str:
        """What an example is called."""
        ...

    @property
    def metrics(self) -> Sequence[Metric]:
        """What an evaluation measures."""
        ...

    def __init__(self, **config: Any): ...

    def result_config(self) -> Mapping[str, Any]:
        """Return all of the configuration that determines a result, as plain values: no paths, no caches."""
        ...

    def comparison_config(self) -> Mapping[str, Any]:
        """Return the part of `result_config` in which runs must agree for their results to be compared."""
        ...

    def find_data(self) -> FoundData:
        """Find the data without decoding it.

        Raises:
            DataError: There is none.
        """
        ...

    def load_data(self) -> DataSummary:
        """Find and check the data; training and evaluation need it."""
        ...


class KerasTask(Task, Protocol):
    """A task that Keras' `fit` trains.

    A model draws random numbers in training from a `keras.random.SeedGenerator` that is an attribute of one of its
    layers, so that its state is part of a checkpoint. Two methods are optional: `callbacks` returns callbacks of
    Keras, `compile_metrics` metrics of Keras whose curves are tracked.
    """

    def examples_per_epoch(self) -> int:
        """Return the number of examples in an epoch."""
        ...

    def training_batches(self, *, seed: int, batch_size: int, first_step: int, steps: int) -> tf.data.Dataset:
        """Return a part of the endless stream of training batches, the same for the same arguments."""
        ...

    def validation_batches(self) -> tf.data.Dataset:
        """Return the evaluation examples once, in order, as batches for Keras."""
        ...

    def build_model(self, seed: int) -> keras.Model:
        """Return a new model, not compiled; layers that variants share start alike for the same seed."""
        ...

    def build_loss(self) -> Any:
        """Return the loss to compile the model with, anything that Keras takes for one."""
        ...

    def evaluate(self, model: keras.Model) -> Evaluation:
        """Measure a trained model on the evaluation examples."""
        ...


class LoopRun(Protocol):
    """What a training loop of one's own is given by the framework.

    Attributes:
        folder: The run's folder for checkpoints; what is in it is there again when an interrupted run resumes, and
            gone when the run has finished.
    """

    @property
    def folder(self) -> Path:
        """The run's folder for checkpoints."""
        ...

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Track points of curves, as in `{"train/loss": 0.3}`."""
        ...

    def report_progress(self, step: int, steps: int) -> None:
        """Tell how many steps of how many are done, for the time left that a sweep shows."""
        ...

    def should_stop(self) -> bool:
        """Tell whether the run is interrupted: save a checkpoint and return, whatever; the run resumes later."""
        ...


class OwnLoopTask(Task, Protocol):
    """A task that trains itself, with any library."""

    def train_and_evaluate(self, seed: int, run: LoopRun) -> Evaluation | None:
        """Train and evaluate; resume from `run.folder`. None, or anything, where `run.should_stop()`."""
        ...


@runtime_checkable
class Describable(Protocol):
    """A task that can describe its model without training it.

    The class attribute `describes_without_tensorflow` (default False) says whether that is cheap: then `plan` does.
    """

    def cost(self) -> Mapping[str, float]:
        """Return the cost of one example's forward pass: `parameters` and `flops_per_example` among others."""
        ...

    def layer_table(self) -> pd.DataFrame:
        """Return the model's layers, one a row, with the column `parameters`."""
        ...


@runtime_checkable
class Preparable(Protocol):
    """A task whose data can be prepared, see `python -m ablate.prepare`."""

    def prepare(self, out: str, *, workers: int, shard_mib: int) -> str:
        """Write the data in the form that training reads fastest; resume where that was interrupted.

        Args:
            out: Folder or URL.
            workers: Processes.
            shard_mib: About how many MiB go into a file.

        Returns:
            A line that says what was written.
        """
        ...


@runtime_checkable
class Servable(Protocol):
    """A task that says how its model is served; the model of another one takes and gives Keras' arrays."""

    def served_model(self) -> ServedModel:
        """Return how a model that was trained with this configuration is served."""
        ...


@runtime_checkable
class Limited(Protocol):
    """A task that says what its model does not do, for the model card of a run."""

    def limitations(self) -> Sequence[str]:
        """Return sentences for whoever uses a model."""
        ...


@runtime_checkable
class HoldsOut(Protocol):
    """A task that can hold out some of its training examples, to search values of the configuration by.

    Runs without `validation_fraction` do not call `hold_out`: its code is part of the identity of the others alone.
    """

    def hold_out(self, fraction: float) -> Task:
        """Return the task with a share of its training examples in place of the evaluation's; they do not train.

        It is cheap as the constructor is. See `split_off` for which examples they are.
        """
        ...


def holding_out(task: Task, fraction: float) -> Task:
    """Return a task that evaluates on a share of its training examples.

    Raises:
        ConfigError: It cannot.
    """
    if not isinstance(task, HoldsOut):
        raise ConfigError(
            f"validation_fraction={fraction:g}: {type(task).__name__} cannot hold out training examples: give it a "
            "method hold_out(self, fraction), see ablate.task.HoldsOut"
        )
    return task.hold_out(fraction)


def split_off(count: int, fraction: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Choose the training examples that are held out: at random, always the same.

    Args:
        count: How many training examples there are.
        fraction: The share to hold out, in 0..1.

    Returns:
        The positions of those that train, and of those that are held out, ascending; one of each at least.

    Raises:
        DataError: There is only one example.
    """
    import numpy as np

    if count < 2:
        raise DataError(f"validation_fraction={fraction:g}: of {count} training example none can be held out")
    order = np.random.default_rng(0).permutation(count)
    held = min(max(round(fraction * count), 1), count - 1)
    return np.sort(order[held:]), np.sort(order[:held])


def trains_itself(task: Task | type) -> bool:
    """Tell whether a task is an `OwnLoopTask`."""
    return callable(getattr(task, "train_and_evaluate", None))


def data_config(task: Task) -> Mapping[str, Any]:
    """Return the configuration that the data depend on: what the optional method `data_config` returns, else all."""
    method = getattr(task, "data_config", None)
    return dict(method()) if method is not None else task.result_config()


def planned_cost(task: Task) -> Mapping[str, float]:
    """Return the cost of an example's forward pass where that needs no TensorFlow; empty where it does."""
    cheap = isinstance(task, Describable) and getattr(task, "describes_without_tensorflow", False)
    return task.cost() if cheap and isinstance(task, Describable) else {}
