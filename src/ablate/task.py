"""The protocol that a task implements: the framework knows no more of what it trains. Imports no TensorFlow."""

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
    """A quantity that evaluation measures; `higher_is_better` is None where neither direction is better."""

    name: str
    label: str
    unit: str
    higher_is_better: bool | None
    description: str


@dataclass(frozen=True)
class FoundData:
    """What is known of a data set before it is loaded.

    Attributes:
        fingerprint: SHA-256 of its contents; other contents, another fingerprint.
        examples_per_epoch: How many examples make an epoch, if all of them turn out to be good.
    """

    fingerprint: str
    examples_per_epoch: int


@dataclass(frozen=True)
class DataSummary:
    """What tracking notes about a data set.

    Attributes:
        name: What it is called.
        source: Where it comes from.
        fingerprint: As it was found.
        counts: How many examples of each kind.
        problems: A line for every file that was left out.
    """

    name: str
    source: str
    fingerprint: str
    counts: Mapping[str, int]
    problems: Sequence[str]


@dataclass(frozen=True)
class Evaluation:
    """What evaluation found.

    Attributes:
        metrics: The model's value of each metric.
        references: The values of trivial answers, by their name, so that a reader sees what a number means.
        per_example: One row an evaluated example: `example`, its name, for people; `digest`, of its contents, which
            tells it from others; and every metric. Without digests, names tell examples apart.
        samples: Pictures of some examples by kind, `given`, `truth` and `output`, then by the example's name; a random
            choice, the same for every variant.
        distribution: How outputs spread beside the truth, over all examples: two columns of coordinates, named, which
            form a grid, and the counts `truth` and `output`. None where there is nothing of the kind.
        figures: Pictures for whoever opens the run in MLflow, by name.
    """

    metrics: Mapping[str, float]
    references: Mapping[str, Mapping[str, float]]
    per_example: pd.DataFrame
    samples: Mapping[str, Mapping[str, Image.Image]] = field(default_factory=dict)
    distribution: pd.DataFrame | None = None
    figures: Mapping[str, Image.Image] = field(default_factory=dict)


class Task(Protocol):
    """Something to train and evaluate: data, model, loss, metrics.

    Its class is named by `task._target_`; it is called with the other keys of `task`, resolved, and raises
    `ConfigError` where they are wrong. Relative paths among them it resolves with `ablate.config.paths.absolute`:
    the current folder may be that of a job. That and the methods up to `find_data` are cheap and import no
    TensorFlow. What a model draws at random while it trains, it draws from a `keras.random.SeedGenerator` that is an
    attribute of one of its layers: its state is part of a checkpoint.

    Results depend on the code of all modules that the class imports, directly or not
    (`ablate.execution.code_version`); the class attribute `irrelevant_code` may name modules that cannot influence a
    result.
    """

    metrics: Sequence[Metric]

    def __init__(self, **config: Any): ...

    def cost(self) -> Mapping[str, float]:
        """Return what one example costs, counted: `parameters` and `flops_per_image` among others."""
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
        """Write the data as training reads it fastest, and go on where that was interrupted.

        Args:
            out: Folder or URL.
            workers: Processes.
            shard_mib: About how many MiB go into a file.

        Returns:
            What was made, in words.
        """
        ...

    def load_data(self) -> DataSummary:
        """Find and check the data; the methods below need it."""
        ...

    def examples_per_epoch(self) -> int:
        """Return how many examples make an epoch."""
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
