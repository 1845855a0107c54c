"""The part that tasks with a Keras model have in common: settings, measures, loss, model, evaluation."""

from __future__ import annotations

import hashlib
import inspect
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd

from ablate.errors import ConfigError, TaskError
from ablate.system.native_log import native_log
from ablate.task import DataSummary, Evaluation, FoundData
from ablate.tasks.batches import length, take
from ablate.tasks.constant_prediction import Repeated, suggested
from ablate.tasks.fingerprint import leaves
from ablate.tasks.measured import Measured, full_precision
from ablate.tasks.measured_task import MeasuredTask, checked_fingerprint
from ablate.tasks.pictures import Sample
from ablate.tasks.settings import recorded, values_of
from ablate.tasks.sources import Source
from ablate.tasks.streams import dataset_of

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

log = logging.getLogger(__name__)

TRAIN, EVALUATION = "train", "evaluation"


class KerasModelTask(MeasuredTask, ABC):
    """A task with a Keras model; `ArrayTask` and `DatasetTask` say where its data come from.

    A subclass sets `loss` and `measures`, and defines `model` and what its base asks for.

    Attributes:
        loss: Anything that Keras takes for a loss, as its name, an object, or a function of targets and predictions;
            it may be a property or a method.
        samples: Examples whose pictures are kept, where `pictures` is defined.
    """

    loss: Any = None
    samples: int = 32
    _reads: ClassVar[dict[type, list[tuple[set[str], str]]]] = {}
    """By class, the sections that its data were seen to depend on, and the values that they had."""

    def __init__(self, **config: Any):
        super().__init__(**config)
        if self.loss is None:
            raise ConfigError(f'{type(self).__name__} has no loss, as in loss = "sparse_categorical_crossentropy"')

    # What a user defines.

    @abstractmethod
    def model(self) -> keras.Model:
        """Return a new model, not compiled; layers need no seeds."""

    def augment(self, x: Any, y: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        """Return a batch's inputs and targets changed at random, by `rng` alone; by default as they are.

        Args:
            x: Inputs, (batch, ...), or a dictionary of them.
            y: Targets, (batch, ...).
            rng: Its draws depend on the seed and the step.
        """
        return x, y

    def callbacks(self) -> Sequence[keras.callbacks.Callback]:
        """Return callbacks of Keras for training."""
        return ()

    def compile_metrics(self) -> Sequence[Any] | Mapping[str, Any]:
        """Return metrics of Keras whose curves are tracked, as in `["accuracy"]`; by output, of several."""
        return ()

    def references(self) -> Mapping[str, Any]:
        """Return predictions of trivial baselines for the evaluation examples, by name.

        The constant prediction that the training targets suggest is always one, see `constant_prediction`.
        """
        return {}

    # The framework's protocol, see `ablate.task`.

    def data_config(self) -> Mapping[str, Any]:
        """Return the sections that `data` reads, where that was seen for the same values; all of them before."""
        for reads, values in self._reads.get(type(self), []):
            if values_of(reads, self._values) == values:
                return {"read": values}
        return self.result_config()

    def find_data(self) -> FoundData:
        """Return fingerprint and size of the data."""
        with recorded(self) as reads:
            found = FoundData(self._fingerprint, len(self.sources[TRAIN]))
        self._reads.setdefault(type(self), []).append((reads, values_of(reads, self._values)))
        return found

    @cached_property
    def _fingerprint(self) -> str:
        return checked_fingerprint(self)

    def fingerprint(self) -> str:
        """Return a hash of all data; override it where reading all takes long, with a hash of files or a version."""
        return combined_fingerprint(self.sources[TRAIN].fingerprint(), self.sources[EVALUATION].fingerprint())

    @property
    @abstractmethod
    def sources(self) -> Mapping[str, Source]:
        """The examples that train and those that evaluate, read once: a cached property."""

    def shortened(self, examples: int) -> Self:
        """Return this task with about so many of the examples, for a trial; as data they count as all of them."""
        short = copy(self)
        vars(short)["sources"] = {split: source.some(examples) for split, source in self.sources.items()}
        return short

    def hold_out(self, fraction: float) -> Self:
        """Return this task with a share of the training examples as those that evaluate, see `tasks.held_out`."""
        from ablate.tasks.held_out import hold_out

        return hold_out(self, fraction)

    def load_data(self) -> DataSummary:
        """Return what the data are; the log warns of evaluation examples that train as well."""
        train, evaluation = self.sources[TRAIN], self.sources[EVALUATION]
        counts, leaked = {TRAIN: len(train), EVALUATION: len(evaluation)}, self._leaked()
        if leaked:
            log.warning(
                "%d of %d evaluation %ss train as well: measures flatter", leaked, len(evaluation), self.example
            )
            counts["leaked"] = leaked
        return DataSummary(
            name=type(self).__name__,
            source=f"{type(self).__module__}.{type(self).__qualname__}",
            fingerprint=self._fingerprint,
            counts=counts,
            problems=[],
        )

    def _leaked(self) -> int:
        """Count the evaluation examples that train as well."""
        if type(self).fingerprint is not KerasModelTask.fingerprint:
            return 0  # reading all takes long
        trained = set(self.sources[TRAIN].digests())
        return sum(digest in trained for digest in self.sources[EVALUATION].digests())

    def examples_per_epoch(self) -> int:
        """Return the number of training examples."""
        return len(self.sources[TRAIN])

    def training_batches(self, *, seed: int, batch_size: int, first_step: int, steps: int) -> tf.data.Dataset:
        """Return a part of the endless stream of shuffled, augmented batches."""
        augments = type(self).augment is not KerasModelTask.augment
        return self.sources[TRAIN].batches(
            seed=seed,
            batch_size=batch_size,
            first_step=first_step,
            steps=steps,
            augment=self._checked_augment if augments else None,
        )

    def _checked_augment(self, x: Any, y: Any, rng: np.random.Generator) -> tuple[Any, Any]:
        made: Any = self.augment(x, y, rng)
        if not isinstance(made, tuple) or len(made) != 2:
            parts = f" of {len(made)}" if isinstance(made, Sequence) else ""
            raise TaskError(f"augment must return a tuple (x, y). Received: {type(made).__name__}{parts}")
        before, after = ([(leaf.shape, leaf.dtype) for leaf in leaves(part)] for part in ((x, y), made))
        if [shape[:1] for shape, _ in before] != [shape[:1] for shape, _ in after]:
            raise TaskError(
                f"augment gets a batch and must return as many examples. Received: shapes {[s for s, _ in after]} "
                f"for {[s for s, _ in before]}"
            )
        return made

    def validation_batches(self) -> tf.data.Dataset:
        """Return the evaluation examples as batches."""
        source = self.sources[EVALUATION]

        def made() -> Iterator[Any]:
            return iter(source.in_order())

        batches = -(-len(source) // length(next(made())[0]))
        return dataset_of(made, like=next(made()), steps=batches, fixed=False)

    def build_model(self, seed: int) -> keras.Model:
        """Return a new model; the random initial values of a layer depend on the seed and its name alone."""
        import keras

        from ablate.tasks.initial_values import initial_values_by_name, seed_dropout_by_name

        with initial_values_by_name(seed):
            model = self.model()
            owner = type(self).__name__
            if not isinstance(model, keras.Model):
                raise TaskError(f"{owner}.model() must return a keras.Model. Received: {type(model).__name__}")
            if model.compiled:
                raise TaskError(
                    f"{owner}.model() must return a new model each time, not compiled: `optimizer` of the "
                    f"configuration and `{owner}.loss` say how it trains"
                )
            model(self._one_input())  # builds what is not built yet
        seed_dropout_by_name(model, seed)
        return model

    def _one_input(self) -> Any:
        inputs, _ = next(iter(self.sources[EVALUATION].in_order()))
        return take(inputs, np.arange(1))

    def build_loss(self) -> Any:
        """Return the loss."""
        return loss_of(self)

    @cached_property
    def _described(self) -> keras.Model:
        from ablate.training.hardware import import_tensorflow

        import_tensorflow()
        with native_log():  # a first tensor starts TensorFlow's runtime
            return self.build_model(0)

    def layer_table(self) -> pd.DataFrame:
        """Return the model's layers, see `model_description.layer_table`."""
        model = self._described
        from ablate.tasks.model_description import layer_table

        return layer_table(model)

    def cost(self) -> Mapping[str, float]:
        """Return trainable parameters and, where TensorFlow can count them, the FLOPs of an example's forward pass."""
        model = self._described
        from ablate.tasks.model_description import count_flops, count_parameters

        flops = count_flops(model, self._one_input())
        cost: dict[str, float] = {"parameters": count_parameters(model)}
        return cost if flops is None else {**cost, "flops_per_example": flops}

    def evaluate(self, model: keras.Model) -> Evaluation:
        """Measure a model's predictions for the evaluation examples, batch by batch."""
        source = self.sources[EVALUATION]
        drawn = Sample(self, len(source))
        measured = Measured(self.measures)
        for inputs, targets in source.in_order():
            predictions = full_precision(model.predict_on_batch(inputs))
            measured.add(targets, predictions)
            drawn.add(inputs, targets, predictions)
        evaluated = measured.result()
        names = [f"{self.example} {place}" for place in range(len(source))]
        identified = pd.DataFrame({"example": names, "digest": source.digests()})
        return Evaluation(
            metrics=evaluated.metrics,
            references=self._measured_references(take(predictions, np.arange(1))),
            per_example=pd.concat([identified, evaluated.table], axis=1),
            samples=drawn.pictures(names),
            replicates=evaluated.replicates,
        )

    def _measured_references(self, like: Any) -> dict[str, dict[str, float]]:
        """Return the measures of trivial baselines; `like` is a prediction of one example."""
        constant = suggested(self.sources[TRAIN].some_targets(), like)
        references = defined = dict(self.references())
        if constant is not None:
            references = {"constant": Repeated(constant), **references}
        measured = {}
        for name, predictions in references.items():
            try:
                measured[name] = self._measured(predictions)
            except Exception as error:  # a measure may not be made for such predictions
                level = logging.WARNING if name in defined else logging.INFO
                log.log(level, "The trivial baseline %s is not measured: %s", name, error)
        return measured

    def _measured(self, predictions: Any) -> dict[str, float]:
        measured, first = Measured(self.measures), 0
        for _, targets in self.sources[EVALUATION].in_order():
            chosen = np.arange(first, first + length(targets))
            measured.add(targets, take(predictions, chosen))
            first += len(chosen)
        return dict(measured.result(replicated=False).metrics)


def loss_of(task: Any) -> Any:
    """Return a task's loss: a function of targets and predictions stays one, though Python takes it for a method."""
    defined = inspect.getattr_static(type(task), "loss", None)
    if not inspect.isfunction(defined) or "loss" in vars(task):
        return task.loss
    parameters = inspect.signature(defined).parameters.values()
    needed = sum(each.default is each.empty and each.kind <= each.POSITIONAL_OR_KEYWORD for each in parameters)
    if needed == 1:
        return task.loss()  # a method that returns it
    return defined if needed == 2 else task.loss


def combined_fingerprint(*fingerprints: str) -> str:
    """Return one fingerprint of several."""
    return hashlib.sha256(" ".join(fingerprints).encode()).hexdigest()
