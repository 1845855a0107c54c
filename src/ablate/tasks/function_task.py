"""Tasks that train themselves, with any library."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from ablate.errors import TaskError
from ablate.task import DataSummary, Evaluation, FoundData, LoopRun
from ablate.tasks.measured_task import MeasuredTask, checked_fingerprint

Returned = pd.DataFrame | Mapping[str, float] | tuple[pd.DataFrame, Mapping[str, float]]


class FunctionTask(MeasuredTask, ABC):
    """A training loop of one's own: PyTorch, JAX, scikit-learn, a subprocess.

    A subclass sets `measures`, and defines `train`, which trains and evaluates. Planning, caching, leases, the resume
    of a study, tracking and the report work as for Keras; within a run, `train` resumes from what it left in
    `run.folder`. The sections `optimizer`, `schedule` and `training` are the task's, to be read or not. `train`
    returns the measures, which need no function; `MeasuredTask` has the other attributes.

    Example:
        >>> class Wine(FunctionTask):
        ...     measures = {"accuracy": Measure("Accuracy", "%", "higher")}
        ...
        ...     def train(self, config, seed, run):
        ...         x, y = sklearn.datasets.load_wine(return_X_y=True)
        ...         forest = RandomForestClassifier(config.trees.number, random_state=seed).fit(x[::2], y[::2])
        ...         return pandas.DataFrame({"accuracy": 100.0 * (forest.predict(x[1::2]) == y[1::2])})
    """

    _needs_functions: ClassVar[bool] = False

    @abstractmethod
    def train(self, config: Any, seed: int, run: LoopRun) -> Returned | None:
        """Train and evaluate.

        Args:
            config: The sections of the configuration that are not the framework's, as attributes.
            seed: All randomness follows from it; Python's and NumPy's global generators are seeded already.
            run: `run.folder` keeps checkpoints, `run.log_metrics` draws curves, `run.report_progress` tells the time
                left; where `run.should_stop()`, save and return.

        Returns:
            One row an evaluation example, the same examples in the same order for every run, with a column for each
            measure and, optionally, `example`, its name; or a number for each measure, where examples have none of
            their own: then only seeds are compared; or both, a frame and the numbers of the other measures. None where
            it was stopped.
        """

    def fingerprint(self) -> str:
        """Return a hash of the data that `train` reads, a part of a run's identity.

        Without an override the data count as always the same: once they change, results of the old ones are cached
        results still, and compared with new ones; `rerun=all` trains them again.

        `ablate.fingerprint` makes one of arrays, or of the paths of files.
        """
        return hashlib.sha256(b"not said").hexdigest()

    def find_data(self) -> FoundData:
        """Return the data's fingerprint; the whole training counts as one example."""
        return FoundData(checked_fingerprint(self), 1)

    def load_data(self) -> DataSummary:
        """Return what is known of the data."""
        name = type(self).__name__
        source = f"{type(self).__module__}.{type(self).__qualname__}"
        return DataSummary(name=name, source=source, fingerprint=checked_fingerprint(self), counts={}, problems=[])

    def train_and_evaluate(self, seed: int, run: LoopRun) -> Evaluation:
        """Call `train`, and check what it returns.

        Raises:
            TaskError: A measure is missing, or something else than a frame or numbers came.
        """
        return self.evaluation_of(self.train(self.config, seed, run))

    def evaluation_of(self, returned: Any) -> Evaluation:
        """Return what `train` returned as an evaluation.

        Raises:
            TaskError: A measure is missing, or it is something else than a frame or numbers.
        """
        if isinstance(returned, Evaluation):
            return returned
        names, owner = list(self.measures), type(self).__name__
        frame, numbers = returned if isinstance(returned, tuple) and len(returned) == 2 else (None, returned)
        if isinstance(numbers, pd.DataFrame):
            frame, numbers = numbers, {}
        if not isinstance(numbers, Mapping) or not isinstance(frame, pd.DataFrame | None):
            raise TaskError(
                f"{owner}.train must return a DataFrame with one row an example, a mapping of numbers, or both, of "
                f"the measures {', '.join(names)}. Received: {type(returned).__name__}"
            )
        of_examples = [name for name in names if frame is not None and name in frame]
        missing = [name for name in names if name not in of_examples and name not in numbers]
        if missing:
            raise TaskError(f"{owner}.train must return all measures. Missing: {', '.join(missing)}")
        table = (
            pd.DataFrame({"example": pd.Series([], dtype=str)}) if frame is None else self._table(frame, of_examples)
        )
        try:
            values = {name: float(table[name].mean() if name in of_examples else numbers[name]) for name in names}
        except (TypeError, ValueError) as error:
            raise TaskError(f"{owner}.train must return a number for each measure, or a DataFrame: {error}") from None
        return Evaluation(values, {}, table)

    def _table(self, frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
        if frame.empty:
            raise TaskError(f"{type(self).__name__}.train returned a frame without rows: there are no examples")
        numbered = [f"{self.example} {place}" for place in range(len(frame))]
        examples = frame["example"].astype(str) if "example" in frame else numbered
        try:
            measured = {name: np.asarray(frame[name], dtype=np.float64) for name in names}
        except (TypeError, ValueError) as error:
            raise TaskError(f"{type(self).__name__}.train must return numbers: {error}") from None
        known = {"digest": frame["digest"].astype(str).to_numpy()} if "digest" in frame else {}
        return pd.DataFrame({"example": np.asarray(examples), **known, **measured})
