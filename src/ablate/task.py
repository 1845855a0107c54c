"""The protocol of a task: all that the framework knows of what it trains. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import keras
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
    description: str


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
        counts: The number of examples of each kind.
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
            and every metric. Without digests, names identify examples.
        samples: Pictures of some examples by kind, `given`, `truth` and `output`, then by the example's name; a random
            choice, the same for every variant.
        distribution: Distribution of the outputs and of the truth, over all examples: two columns of coordinates,
            which form a grid, and the counts `truth` and `output`. None for a task without one.
        figures: Pictures for MLflow, by name.
    """

    metrics: Mapping[str, float]
    references: Mapping[str, Mapping[str, float]]
    per_example: pd.DataFrame
    samples: Mapping[str, Mapping[str, Image.Image]] = field(default_factory=dict)
    distribution: pd.DataFrame | None = None
    figures: Mapping[str, Image.Image] = field(default_factory=dict)


class Task(Protocol):
    """Something to train and evaluate: data, model, loss, metrics.

    `task._target_` names its class. The constructor gets the other keys of `task`, resolved, and raises `ConfigError`
    where they are wrong. It resolves relative paths with `ablate.config.paths.absolute`, as the current folder may be
    that of a job. The constructor and the methods up to `find_data` are cheap and import no TensorFlow. A model draws
    random numbers in training from a `keras.random.SeedGenerator` that is an attribute of one of its layers, so that
    its state is part of a checkpoint. `ablate.testing.task_contract` tests all of this.

    Results depend on the code of all modules that the class imports, directly or not
    (`ablate.execution.code_version`); the class attribute `irrelevant_code` may name modules that cannot influence a
    result.
    """

    metrics: Sequence[Metric]

    def __init__(self, **config: Any): ...

    def cost(self) -> Mapping[str, float]:
        """Return the cost of one example's forward pass: `parameters` and `flops_per_image` among others."""
        ...

    def result_config(self) -> Mapping[str, Any]:
        """Return all of the configuration that determines a result, as plain values: no paths, no caches."""
        ...

    def comparison_config(self) -> Mapping[str, Any]:
        """Return the part of `result_config` in which runs must agree for their results to be compared."""
        ...

    def layer_table(self) -> pd.DataFrame:
        """Return the model's layers, one a row."""
        ...

    def find_data(self) -> FoundData:
        """Find the data without decoding it.

        Raises:
            DataError: There is none.
        """
        ...

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

    def load_data(self) -> DataSummary:
        """Find and check the data; the methods below need it."""
        ...

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

    def build_loss(self) -> keras.losses.Loss:
        """Return the loss to compile the model with."""
        ...

    def evaluate(self, model: keras.Model) -> Evaluation:
        """Measure a trained model on the evaluation examples."""
        ...
