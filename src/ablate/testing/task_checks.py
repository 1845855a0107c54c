"""Checks of what every task has: metrics, configuration, data and evaluations. Imports no TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ablate.task import DataSummary, Evaluation, Limited, Servable, Task
from ablate.testing.findings import Findings, problem, warning

SAMPLES = {"given", "truth", "output"}


def check_metrics(task: Task) -> Findings:
    """Each metric has a name of its own, a label, and a direction or none."""
    metrics = list(task.metrics)
    names = [metric.name for metric in metrics]
    if not names:
        yield problem("a task needs at least one metric, or a study has nothing to compare")
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield problem(f"two metrics have the name {name}: rename one")
    for metric in metrics:
        if not metric.label:
            yield problem(f"the metric {metric.name} needs a label for the report")
        if metric.higher_is_better not in (True, False, None):
            yield problem(f"the metric {metric.name}: higher_is_better must be True, False or None")
    if metrics and all(metric.higher_is_better is None for metric in metrics):
        yield warning("no metric has a direction, so no variant can be called better: say which is, higher or lower")


def check_configuration(task: Task, again: Task) -> Findings:
    """`result_config` and `comparison_config` can be hashed: they are JSON, and depend on the arguments alone.

    Args:
        task: A task.
        again: Another one with the same arguments.
    """
    for method in ("result_config", "comparison_config"):
        try:
            one, two = (json.dumps(getattr(each, method)(), sort_keys=True) for each in (task, again))
        except TypeError as error:
            yield problem(f"{method} must return plain values that JSON can write: {error}")
            continue
        if one != two:
            yield problem(f"{method} differs between two tasks with the same arguments, which makes no run cachable")


def check_model_use(task: Task) -> Findings:
    """`served_model` and `limitations`, where a task has them, return what tracking can write."""
    if isinstance(task, Servable):
        from ablate.tracking.served_model import signature_of

        served = task.served_model()
        try:
            signature_of(served)
            json.dumps([served.settings, served.example])
        except Exception as error:  # whatever MLflow says of a type
            yield problem(f"served_model must return a ServedModel of plain values: {type(error).__name__}: {error}")
    if isinstance(task, Limited) and not all(isinstance(line, str) for line in task.limitations()):
        yield problem("limitations must return sentences, a text each")


def check_found_data(task: Task, again: Task, summary: DataSummary) -> Findings:
    """`find_data` finds the fingerprint of `load_data`, the same each time, and at least as many examples.

    Args:
        task: A task, its data loaded.
        again: Another one with the same arguments.
        summary: What its `load_data` returned.
    """
    found, second = task.find_data(), again.find_data()
    if found != second:
        yield problem(
            "find_data differs between two tasks with the same arguments: the same data need one fingerprint"
        )
    if found.fingerprint != summary.fingerprint:
        yield problem("find_data and load_data give two fingerprints of the same data: return the same one")
    count = getattr(task, "examples_per_epoch", lambda: found.examples_per_epoch)()
    if not 1 <= count <= found.examples_per_epoch:
        yield problem(f"find_data has {found.examples_per_epoch} examples and examples_per_epoch() returns {count}")


def check_evaluation(task: Task, evaluation: Evaluation) -> Findings:
    """An evaluation has a finite value of each metric: of the model, the references and each example."""
    names, table = [metric.name for metric in task.metrics], evaluation.per_example
    if list(evaluation.metrics) != names:
        yield problem(f"an evaluation must have the metrics {_listed(names)}. Received: {_listed(evaluation.metrics)}")
        return
    for name, value in evaluation.metrics.items():
        yield from _check_finite(name, value, table)
    for reference, values in evaluation.references.items():
        if list(values) != names:
            yield problem(f"the reference {reference} must have the metrics {_listed(names)}")
    yield from _check_table(table, names)
    if unknown := sorted(set(evaluation.samples) - SAMPLES):
        yield problem(f"samples are of the kinds {_listed(sorted(SAMPLES))}. Received: {_listed(unknown)}")


def _check_table(table: pd.DataFrame, names: list[str]) -> Findings:
    if "example" not in table:
        yield problem(f"per_example needs a column `example`, the examples' names. Received: {_listed(table)}")
        return
    if unknown := sorted(set(map(str, table)) - {"example", "digest", *names}):
        yield problem(f"per_example has columns that are no metric: {_listed(unknown)}")
    if not len(table):
        if set(names) & set(table):
            yield problem("no example was evaluated")
        return
    identity = "digest" if "digest" in table else "example"
    same = int(table[identity].duplicated().sum())
    if same and identity == "example":
        yield problem(f"{same} evaluated examples have the name of another: names, or digests, tell them apart")
    elif same:
        yield warning(f"{same} of {len(table)} evaluated examples are copies of others: they count double")


def check_evaluations_agree(one: Evaluation, other: Evaluation, what: str) -> Findings:
    """Two evaluations have the same results.

    Args:
        one: An evaluation.
        other: Another one.
        what: What they have in common, for the message.
    """
    if not _same(one.metrics, other.metrics) or not one.per_example.equals(other.per_example):
        yield problem(f"{what} has other results each time: nothing in an evaluation may be drawn at random")


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return list(one) == list(other) and np.array_equal(list(one.values()), list(other.values()), equal_nan=True)


def _check_finite(name: str, value: float, table: pd.DataFrame) -> Findings:
    """A metric is finite, for each example that has one."""
    column = table[name].to_numpy(dtype=float) if name in table else np.zeros(0)
    odd = ~np.isfinite(column)
    if odd.any():
        first = f", as {table['example'].iloc[int(odd.argmax())]}" if "example" in table else ""
        yield problem(f"the metric {name} is not finite for {int(odd.sum())} of {len(table)} examples{first}")
    elif not np.isfinite(value):
        yield problem(f"the metric {name} is {value}: it must be a finite number")


def _listed(names: Any) -> str:
    return ", ".join(map(str, names)) or "none"
