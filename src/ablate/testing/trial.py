"""Trials: a variant trained for a few steps, evaluated and tracked in a store that is thrown away."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ablate.config.validation import ValidConfig
from ablate.config.variant import Variant
from ablate.execution.identity import code, identity
from ablate.execution.job import Job
from ablate.execution.lease import acquire_lease
from ablate.task import DataSummary, Evaluation, KerasTask, OwnLoopTask, trains_itself
from ablate.testing import keras_checks, own_loop_checks, task_checks
from ablate.testing.findings import Finding, collected_warnings, finding_of, gather
from ablate.testing.variants import TrialVariant, short_run

if TYPE_CHECKING:
    import keras

STEPS = 2
EXAMPLES = 2000
"""Evaluation examples, and training examples, that a trial takes at most where a task can be shortened."""
_IGNORED = ("Ignored settings of the environment", "measures[")
"""Beginnings of warnings that say nothing of the task, or what a check says."""


@dataclass
class Trial:
    """A variant's trial.

    Attributes:
        name: The variant's.
        findings: What was found.
        seconds: What it took.
        outcome: A hash of what it trained and measured; None where it did not come so far.
    """

    name: str
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    outcome: str | None = None

    def add(self, check: Callable[[], Iterable[Finding]]) -> bool:
        """Add the findings of a check; return whether nothing was wrong."""
        found = gather(check)
        self.findings += [finding for finding in found if finding not in self.findings]
        return not any(finding.wrong for finding in found)


@dataclass
class _Ended:
    """What a tracked run left: its evaluation, and the model where Keras trained it."""

    evaluation: Evaluation | None = None
    model: keras.Model | None = None


def try_variant(variant: TrialVariant, folder: Path, uri: str, *, thorough: bool) -> Trial:
    """Try a variant.

    Args:
        variant: The variant.
        folder: For its lease and its checkpoints.
        uri: An open store.
        thorough: Whether to check what all variants have in common as well.
    """
    begun, trial = time.monotonic(), Trial(variant.name)
    with collected_warnings(*_IGNORED) as logged:
        try:
            _try(variant, trial, folder, uri, thorough)
        except Exception as error:  # whatever the code of a user raises
            trial.findings.append(finding_of(error))
    trial.findings += [finding for finding in dict.fromkeys(logged) if finding not in trial.findings]
    trial.seconds = time.monotonic() - begun
    return trial


def _try(variant: TrialVariant, trial: Trial, folder: Path, uri: str, thorough: bool) -> None:
    config = variant.config()
    config = short_run(config, steps=STEPS, examples=config.task.find_data().examples_per_epoch)
    task = shortened(config.task, EXAMPLES)
    config = replace(config, task=task)
    if not trains_itself(task):
        from ablate.training.hardware import configure

        configure(config.run.hardware, seed=config.run.seed, deterministic=config.run.training.deterministic)
    summary = task.load_data()
    again = partial(_again, variant)
    if thorough and not _check_in_common(trial, task, again, summary, config.run.training.batch_size):
        return
    ended = _tracked_run(config, variant.name, folder, uri)
    assert ended.evaluation is not None
    evaluation = ended.evaluation
    if trial.add(lambda: task_checks.check_evaluation(task, evaluation)):
        trial.outcome = _digest(evaluation, ended.model)
    if ended.model is not None:
        _check_trained(trial, cast(KerasTask, task), config, ended.model, evaluation, thorough)
    elif thorough:
        _check_own_loop(trial, cast(OwnLoopTask, task), config, evaluation, folder)


def shortened(task: Any, examples: int) -> Any:
    """Return a task with fewer examples, where it can be shortened."""
    method = getattr(task, "shortened", None)
    return task if method is None else method(examples)


def _again(variant: TrialVariant) -> Any:
    """Construct the variant's task anew, its data loaded."""
    task = shortened(variant.config().task, EXAMPLES)
    task.load_data()
    return task


def _check_in_common(trial: Trial, task: Any, again: Callable[[], Any], summary: DataSummary, batch_size: int) -> bool:
    """Check what needs no training; return whether nothing is wrong."""
    other = again()
    checks: list[Callable[[], Iterable[Finding]]] = [
        lambda: task_checks.check_metrics(task),
        lambda: task_checks.check_model_use(task),
        lambda: task_checks.check_configuration(task, other),
    ]
    if trains_itself(task):
        checks.append(lambda: own_loop_checks.check_fingerprint(task))
    else:
        checks += [
            lambda: keras_checks.check_validation_batches(task),
            lambda: keras_checks.check_batch_sizes(task, batch_size),
            lambda: keras_checks.check_finite(task, batch_size),
            lambda: keras_checks.check_repeated_batches(task, other, batch_size),
            lambda: keras_checks.check_initial_weights(task),
        ]
    passed = [trial.add(check) for check in checks]
    # Last: other data have another fingerprint.
    return all(passed) and trial.add(lambda: task_checks.check_found_data(task, other, summary))


def _tracked_run(config: ValidConfig, name: str, folder: Path, uri: str) -> _Ended:
    """Execute a run as a command would, in a store that is thrown away."""
    from ablate.execution.attempt import run_attempt

    ended, task = _Ended(), config.task
    _watch(task, ended)
    variant = Variant.parse(name.replace(" ", ","))
    job = Job(
        values=config.values,
        variant=variant,
        uri=uri,
        project=folder,
        results=folder,
        code=code(config),
        trains_itself=trains_itself(task),
        hydra_job={},
        owns_terminal=False,
    )
    lease_folder = folder / identity(config, task.find_data().fingerprint)
    with acquire_lease(lease_folder, timeout_minutes=1) as lease:
        assert lease is not None
        run_attempt(job, config, lease, resumed=None, started=lambda run_id: None)
    return ended


def _watch(task: Any, ended: _Ended) -> None:
    """Keep what a run of a task measures, and the model."""
    if trains_itself(task):
        train = task.train_and_evaluate

        def train_and_evaluate(*arguments: Any) -> Any:
            ended.evaluation = train(*arguments)
            return ended.evaluation

        task.train_and_evaluate = train_and_evaluate
        return
    measure = task.evaluate

    def evaluate(model: keras.Model) -> Evaluation:
        ended.model, ended.evaluation = model, measure(model)
        return ended.evaluation

    task.evaluate = evaluate


def _check_trained(
    trial: Trial, task: KerasTask, config: ValidConfig, model: keras.Model, evaluation: Evaluation, thorough: bool
) -> None:
    batch_size = config.run.training.batch_size
    trial.add(lambda: keras_checks.check_saving(task, model, batch_size))
    trial.add(lambda: keras_checks.check_draws(task, batch_size))
    if not thorough:
        return
    trial.add(lambda: keras_checks.check_cost(task))
    trial.add(lambda: task_checks.check_evaluations_agree(evaluation, task.evaluate(model), "evaluate"))
    trial.add(lambda: keras_checks.check_examples_alone(task, model, evaluation))
    trial.add(lambda: keras_checks.check_repeated_training(task, config.run, model))


def _check_own_loop(
    trial: Trial, task: OwnLoopTask, config: ValidConfig, evaluation: Evaluation, folder: Path
) -> None:
    seed = config.run.seed
    folders = (Path(mkdtemp(dir=folder)) for _ in range(2))
    same, other = (own_loop_checks.trial(task, seed + more, new) for more, new in enumerate(folders))
    trial.add(lambda: own_loop_checks.check_repetition(evaluation, same))
    trial.add(lambda: own_loop_checks.check_other_seed(evaluation, other))


def _digest(evaluation: Evaluation, model: keras.Model | None) -> str:
    """Return a hash of what was trained and measured."""
    digest = hashlib.sha256(repr(sorted(evaluation.metrics.items())).encode())
    digest.update(evaluation.per_example.to_csv().encode())
    for weight in model.get_weights() if model is not None else ():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
