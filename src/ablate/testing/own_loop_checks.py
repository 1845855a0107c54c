"""Checks of a task that trains itself: its determinism, its examples, its fingerprint. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ablate.task import Evaluation, OwnLoopTask
from ablate.testing.findings import Findings, problem, warning
from ablate.training.own_loop import seed_generators, trained


@dataclass
class LoopTrial:
    """The `LoopRun` of a trial, which is tracked nowhere and never stopped.

    Attributes:
        folder: For checkpoints.
    """

    folder: Path

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Take points of curves."""

    def report_progress(self, step: int, steps: int) -> None:
        """Take the progress."""

    def should_stop(self) -> bool:
        """Never stop."""
        return False


def trial(task: OwnLoopTask, seed: int, folder: Path) -> Evaluation:
    """Let a task train and evaluate itself, with an empty folder for checkpoints.

    Raises:
        TaskError: It returns no evaluation.
    """
    seed_generators(seed)
    return trained(task, seed, LoopTrial(folder))


def check_repetition(one: Evaluation, same: Evaluation) -> Findings:
    """Two trainings with one seed have the same results."""
    names = [
        name
        for name, value in one.metrics.items()
        if not np.isclose(value, same.metrics.get(name, np.nan), 1e-12, 0, True)
    ]
    if names:
        yield warning(
            f"two trainings with one seed differ in {', '.join(names)} "
            f"({one.metrics[names[0]]:.6g} and {same.metrics.get(names[0], np.nan):.6g}): all chance should follow "
            "from `seed`, or variants differ by luck as well"
        )


def check_other_seed(one: Evaluation, other: Evaluation) -> Findings:
    """Trainings with two seeds evaluate the same examples."""
    mine, theirs = one.per_example, other.per_example
    identity = "digest" if "digest" in mine else "example"
    if len(mine) != len(theirs):
        yield problem(
            f"another seed evaluates {len(theirs)} examples instead of {len(mine)}: "
            "every run must evaluate the same ones"
        )
    elif identity not in theirs or list(mine[identity]) != list(theirs[identity]):
        yield problem(
            f"another seed evaluates other examples, or in another order, by the column `{identity}`: "
            "every run must evaluate the same ones"
        )
    elif len(mine) and one.metrics == other.metrics and mine.equals(theirs):
        yield warning("another seed gives the same results to the last digit: is `seed` used?")


def check_fingerprint(task: OwnLoopTask) -> Findings:
    """The task says which data it reads."""
    method = getattr(type(task), "fingerprint", None)
    if method is not None and method.__module__.startswith("ablate."):
        yield warning(
            "fingerprint() is not defined: where the data change, results of the old ones count as done. Return a "
            "hash or a version of what train reads"
        )
