"""The outcome of a study: runs finished once, equal bits, runs side by side, seconds beside training."""

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Key = tuple[str, str, int]
"""Optimiser, output resolution and seed of a run."""


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, as the tool's own record has it: which one, and its scores."""

    key: Key
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Attempt:
    """A run's training in one process.

    Attributes:
        key: Which run.
        began, ended: When, in seconds since the epoch.
        steps: Steps done.
        seconds: What they took, without validation and compilation.
    """

    key: Key
    began: float
    ended: float
    steps: int
    seconds: float


def once(runs: Iterable[FinishedRun], planned: Iterable[Key]) -> int:
    """Return how many of the planned runs have finished exactly once."""
    counts = Counter(run.key for run in runs)
    return sum(counts[key] == 1 for key in set(planned))


def equal_bits(runs: Iterable[FinishedRun], expected: Iterable[FinishedRun]) -> int:
    """Return how many runs have, each time that they finished, the scores of the undisturbed study to the last bit."""
    scores = {run.key: dict(run.scores) for run in expected}
    found: dict[Key, bool] = {}
    for run in runs:
        same = run.key in scores and _hex(run.scores) == _hex(scores[run.key])
        found[run.key] = found.get(run.key, True) and same
    return sum(found.values())


def _hex(scores: Mapping[str, float]) -> dict[str, str]:
    return {name: float(score).hex() for name, score in scores.items()}


def side_by_side(attempts: Sequence[Attempt]) -> int:
    """Return the most runs that trained at the same time."""
    moments = sorted([(each.began, 1) for each in attempts] + [(each.ended, -1) for each in attempts])
    training = most = 0
    for _, change in moments:
        training += change
        most = max(most, training)
    return most


def seconds_beside_training(seconds: float, attempts: Sequence[Attempt], runs: int) -> float:
    """Return the seconds of a study that each run takes beside its training steps.

    With k runs side by side, training steps of t seconds in all fill t / k seconds of the study. What is left of its
    wall time, by run: starting, reading data, compiling, validation, evaluation, tracking, and cores that wait.

    Args:
        seconds: Wall time of the study.
        attempts: Of its runs, undisturbed.
        runs: How many runs it has.
    """
    return (seconds - sum(each.seconds for each in attempts) / side_by_side(attempts)) / runs


def seconds_trained_twice(steps: int, attempts: Sequence[Attempt]) -> float:
    """Return the seconds that so many steps take, at the median speed of an undisturbed study's runs."""
    return steps * statistics.median(each.seconds / each.steps for each in attempts)
