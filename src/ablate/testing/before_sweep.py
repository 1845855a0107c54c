"""The trial before a sweep: each level built, trained for a step and evaluated, in a process of its own, in seconds.

So a study does not break at its last variant, or after an hour of training. It changes no number: it writes nothing,
and no run is forked off its process.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import Any, cast

from ablate.config.validation import ValidConfig, validate_config
from ablate.errors import TaskError
from ablate.execution.in_subprocess import end_with_the_parent, process_context, run_process
from ablate.execution.status import RunState, Status
from ablate.study.planning import PlannedRun, distinguishing_overrides
from ablate.system.signals import SIGNALS
from ablate.task import KerasTask, trains_itself
from ablate.testing.findings import Finding, Findings, collected_warnings, finding_of, gather
from ablate.testing.keras_checks import check_examples_alone
from ablate.testing.task_checks import check_evaluation
from ablate.testing.variants import covering, short_run

log = logging.getLogger(__name__)

SECONDS = 10.0
"""After so many, what is left is not tried."""
EXAMPLES = 500
_SLOW = 2.0
"""Seconds of a first step after which there is no second one, which would only tell how long it takes."""


@dataclass(frozen=True)
class _Answer:
    """What the process found in one variant."""

    place: int
    findings: Sequence[Finding]
    step_seconds: float | None


def try_before_sweep(planned: Sequence[PlannedRun], states: Sequence[RunState]) -> float | None:
    """Try what a sweep is about to train for the first time; nothing where all has begun or is done.

    Only a task that can be shortened is tried, as `ablate.ArrayTask` and `ablate.DatasetTask`.

    Args:
        planned: The runs of the sweep.
        states: Their statuses.

    Returns:
        The most seconds that a step took, uncompiled; None where none was timed.

    Raises:
        TaskError: Some of it cannot be trained or evaluated; one line a variant.
        KeyboardInterrupt: This process was interrupted.
    """
    variants = _untried(planned, states)
    if not variants:
        return None
    answers = _answers([run.config.values for run in variants])
    wrong = {answer.place: answer.findings for answer in answers if any(finding.wrong for finding in answer.findings)}
    if not wrong:
        return max((answer.step_seconds for answer in answers if answer.step_seconds is not None), default=None)
    names = distinguishing_overrides([[*run.overrides, f"place={place}"] for place, run in enumerate(variants)])
    lines = [
        f"{variants[place].label or names[place].rpartition(' ')[0] or 'the run'}: {finding}"
        for place, findings in wrong.items()
        for finding in findings
        if finding.wrong
    ]
    raise TaskError(
        f"no run has started: {len(wrong)} of {len(variants)} variants fail a trial of one step "
        "(`python -m ablate.check` says more, check=false leaves it out)\n" + "\n".join(lines)
    )


def _untried(planned: Sequence[PlannedRun], states: Sequence[RunState]) -> list[PlannedRun]:
    """Return a run of each variant that holds a level of which nothing has been trained."""
    begun = {run.configuration for run, state in zip(planned, states, strict=True) if state.run_id is not None}
    first = dict[str, PlannedRun]()
    for run, state in zip(planned, states, strict=True):
        can = hasattr(run.config.task, "shortened") and not trains_itself(run.config.task)
        if can and state.status == Status.TODO and run.configuration not in begun:
            first.setdefault(run.configuration, run)
    runs = list(first.values())
    return [runs[place] for place in covering([run.overrides for run in runs])]


def _answers(values: Sequence[Mapping[str, Any]]) -> list[_Answer]:
    """Return what was found in each configuration that was tried in time."""
    context = process_context(bool(values[0]["hardware"]["onednn"]), trains_itself=False)
    answers, code = run_process(context, _child, (values, dict(os.environ)), name="ablate trial")
    if code:
        log.warning("The trial before the sweep ended with code %s; the runs start without it", code)
    elif len(answers) < len(values):
        log.info("The trial before the sweep has tried %d of %d variants", len(answers), len(values))
    return answers


def _child(values: Sequence[Mapping[str, Any]], environment: Mapping[str, str], sender: Connection) -> None:
    SIGNALS.install()
    os.environ.clear()
    os.environ.update(environment)
    end_with_the_parent()
    begun = time.monotonic()
    try:
        for place, each in enumerate(values):
            with collected_warnings():
                sender.send(_Answer(place, *try_one_step(each)))
            if time.monotonic() - begun > SECONDS:
                break
    except (KeyboardInterrupt, OSError):
        pass  # the process that waits has ended, or ends
    sender.close()


def try_one_step(values: Mapping[str, Any]) -> tuple[list[Finding], float | None]:
    """Build a configuration's model, train it for a step on a CPU, and evaluate it on a few examples.

    Returns:
        The findings; and the seconds of a step, None where it came to none.
    """
    try:
        config = validate_config(values)
        task: Any = config.task
        short = task.shortened(EXAMPLES)
        short.load_data()
        whole = short_run(config, steps=1, examples=config.task.find_data().examples_per_epoch)
        model, seconds = _trained(replace(whole, task=short))
    except Exception as error:  # whatever the code of a user raises
        return [finding_of(error)], None
    found = gather(lambda: _evaluated(short, model))
    # A few examples may lack what the measures need, as a class.
    return gather(lambda: _evaluated(task, model)) if found else [], seconds


def _trained(config: ValidConfig) -> tuple[Any, float]:
    """Return a model that was trained for a step, and the seconds of a step."""
    from ablate.training.fit import compiled_metrics
    from ablate.training.hardware import configure
    from ablate.training.optimizer import build_optimizer
    from ablate.training.own_callbacks import OwnCallbacks

    run, task = config.run, cast(KerasTask, config.task)
    hardware = run.hardware.model_copy(update={"devices": "cpu"})  # a GPU's memory belongs to runs
    configure(hardware, seed=run.seed, deterministic=run.training.deterministic)
    OwnCallbacks(task)  # which refuses what are no callbacks
    model = task.build_model(run.seed)
    model.compile(
        optimizer=build_optimizer(run.optimizer, run.schedule, 1),
        loss=task.build_loss(),
        metrics=compiled_metrics(task),
        run_eagerly=True,
    )
    batches = task.training_batches(seed=run.seed, batch_size=run.training.batch_size, first_step=0, steps=1)
    batch = next(iter(batches))
    first = _seconds(lambda: model.train_on_batch(*batch))
    # The first step is the slowest: much is done for the first time.
    return model, first if first > _SLOW else min(first, _seconds(lambda: model.train_on_batch(*batch)))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _evaluated(task: Any, model: Any) -> Findings:
    """Check an evaluation but for its values: an untrained model may measure anything."""
    evaluation = task.evaluate(model)
    for finding in check_evaluation(task, evaluation):
        if finding.wrong and "finite" not in finding.text:
            yield finding
    yield from check_examples_alone(task, model, evaluation)
