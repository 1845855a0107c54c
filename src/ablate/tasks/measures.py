"""Measures: what an evaluation measures of each example, or of the whole set, with label, unit and direction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.errors import ConfigError, TaskError
from ablate.task import Metric
from ablate.tasks.batches import copied, take
from ablate.tasks.fingerprint import leaves

log = logging.getLogger(__name__)

Array = npt.NDArray[Any]
Direction = Literal["higher", "lower"] | None
_DIRECTIONS: Mapping[Any, bool | None] = {"higher": True, "lower": False, None: None}
REPLICATES = 200
"""Bootstrap replicates of a measure of the whole set."""
_SEED = 20161026
"""Of the draws, the same for all runs: replicates are paired."""
_RESERVED = ("example", "digest", "key", "variant", "seed", "replicate", "metric", "run_id")
"""Columns of tables that measures are columns of as well."""


@dataclass(frozen=True)
class Measure:
    """A measure of each example.

    Attributes:
        label: Its name for people, as in `Accuracy`.
        unit: Its unit, as in `%`; empty without one.
        direction: What is better, `higher` or `lower`; None where neither is.
        function: Takes targets and predictions of n examples, and returns (n,): a number or truth value for each.
            None in a `FunctionTask`, which measures itself.
        description: A sentence for the report.

    Raises:
        ConfigError: The direction is none of these.

    Example:
        >>> Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y)).direction
        'higher'
    """

    label: str
    unit: str = ""
    direction: Direction = None
    function: Callable[[Any, Any], Any] | None = None
    description: str = ""

    def __post_init__(self) -> None:
        if self.direction not in _DIRECTIONS:
            raise ConfigError(f"the direction of a measure is higher, lower or None. Received: {self.direction!r}")

    def metric(self, name: str) -> Metric:
        """Return it as the framework's `Metric`."""
        return Metric(name, self.label, self.unit, _DIRECTIONS[self.direction], self.description)


@dataclass(frozen=True)
class SetMeasure(Measure):
    """A measure of the whole evaluation set, such as a macro F1.

    Its function takes targets and predictions of n examples, and returns one number. It is called on bootstrapped
    examples too, `REPLICATES` times, so that a report knows how much the choice of examples matters.

    Attributes:
        bootstrap: Whether to; False where the function is slow: then only seeds are compared.
    """

    bootstrap: bool = True


def metrics_of(measures: Mapping[str, Measure]) -> list[Metric]:
    """Return measures as metrics, in order."""
    return [measure.metric(name) for name, measure in measures.items()]


def check_measures(owner: str, measures: Any, *, functions: bool = True) -> None:
    """Check what a user declares as `measures`.

    Args:
        owner: Name of the task's class, for the message.
        measures: What it declares.
        functions: Whether each must have a function.

    Raises:
        ConfigError: There is none, or one is something else.
    """
    example = 'measures = {"accuracy": Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y))}'
    if not measures:
        raise ConfigError(f"{owner} has no measures, and a study compares them: {example}")
    if not isinstance(measures, Mapping):
        raise ConfigError(f"{owner}.measures must have a name for each, not be a {type(measures).__name__}: {example}")
    for name, measure in measures.items():
        if not isinstance(measure, Measure) or (functions and not callable(measure.function)):
            what = "a Measure without a function" if isinstance(measure, Measure) else type(measure).__name__
            raise ConfigError(f"{owner}.measures[{name!r}] must be a Measure with a function, not {what}: {example}")
        if not isinstance(name, str) or not name.replace("_", "a").replace("-", "a").replace(".", "a").isalnum():
            raise ConfigError(f"{owner}.measures: {name!r} is no name; letters, digits, _, - and . are")
        if name in _RESERVED:
            raise ConfigError(f"{owner}.measures: {name!r} names something else in tables; rename it")


def measure_examples(measures: Mapping[str, Measure], targets: Any, predictions: Any, count: int) -> pd.DataFrame:
    """Measure each example.

    Args:
        measures: The measures; those of the whole set are left out.
        targets: Of `count` examples.
        predictions: Of the same.
        count: Number of examples.

    Returns:
        One row an example, one column a measure, float64.

    Raises:
        TaskError: A measure gives another shape than (count,), or no numbers.
    """
    columns = {}
    for name, measure in measures.items():
        if isinstance(measure, SetMeasure) or measure.function is None:
            continue
        columns[name] = _numbers(name, measure, targets, predictions, (count,))
    return pd.DataFrame(columns, index=range(count))


def measure_set(
    measures: Mapping[str, Measure], targets: Any, predictions: Any, count: int, *, replicated: bool = True
) -> tuple[dict[str, float], pd.DataFrame | None]:
    """Measure the whole set, and bootstrapped ones.

    Args:
        measures: The measures; those of examples are left out.
        targets: Of `count` examples.
        predictions: Of the same.
        count: Number of examples.
        replicated: Whether to bootstrap.

    Returns:
        The value of each `SetMeasure`; and the replicates, one row each, None where there are none. NaN where a
        measure is not defined for the examples that were drawn, as where a class is missing.

    Raises:
        TaskError: A measure gives no single number.
    """
    of_set = {name: measure for name, measure in measures.items() if isinstance(measure, SetMeasure)}
    values = {name: _one(name, measure, targets, predictions) for name, measure in of_set.items()}
    repeated = {name: measure for name, measure in of_set.items() if measure.bootstrap}
    if not repeated or not replicated or count < 2:
        return values, None
    random = np.random.default_rng(_SEED)
    rows = []
    for _ in range(REPLICATES):
        drawn = random.integers(count, size=count)
        some = (take(targets, drawn), take(predictions, drawn))
        rows.append({name: _drawn(name, measure, *some) for name, measure in repeated.items()})
    replicates = pd.DataFrame(rows)
    for name, missing in replicates.isna().sum().items():
        if missing:
            log.info("measures[%r] is not defined for %d of %d bootstrapped sets", name, missing, REPLICATES)
    return values, replicates


def _one(name: str, measure: Measure, targets: Any, predictions: Any) -> float:
    return float(_numbers(name, measure, targets, predictions, ()))


def _drawn(name: str, measure: Measure, targets: Any, predictions: Any) -> float:
    try:
        return _one(name, measure, targets, predictions)
    except (ValueError, ArithmeticError, IndexError):  # as scikit-learn's, where a class is missing
        return float("nan")


def _numbers(
    name: str, measure: Measure, targets: Any, predictions: Any, shape: tuple[int, ...]
) -> npt.NDArray[np.float64]:
    """Return what a measure gives; it gets copies, which it may change."""
    assert measure.function is not None
    given = measure.function(copied(targets), copied(predictions))
    what = f"one value an example, shape {shape}" if shape else "one number"
    try:
        values = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise TaskError(f"measures[{name!r}] must return {what}. Received: {type(given).__name__}") from None
    if values.shape != shape:
        shapes = " and ".join(
            f"{role} {', '.join(str(array.shape) for array in leaves(part))}"
            for role, part in (("targets", targets), ("predictions", predictions))
        )
        raise TaskError(f"measures[{name!r}] must return {what}. Received: shape {values.shape} of {shapes}")
    return values
