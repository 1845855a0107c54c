"""Calibration: a runtime estimate from a few real steps, timed in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from typing import Any, cast

from ablate.config.environment import set_onednn
from ablate.config.validation import validate_config
from ablate.errors import ConfigError
from ablate.estimate.runtime import BASES, RuntimeEstimate
from ablate.task import KerasTask, trains_itself

_STEPS = 6


def calibrate(values: Mapping[str, Any], examples_per_epoch: int) -> RuntimeEstimate:
    """Estimate the runtime of a run from a few of its steps, and one evaluation of the untrained model.

    Args:
        values: Its configuration, resolved.
        examples_per_epoch: Examples of an epoch.
    """
    set_onednn(bool(values["hardware"]["onednn"]))
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        step, fixed = pool.submit(_time_steps, dict(values)).result()
    training = validate_config(values).run.training
    steps = training.steps_in_epoch(examples_per_epoch) * training.epochs
    return RuntimeEstimate(fixed + steps * step, BASES[2])


def _time_steps(values: Mapping[str, Any]) -> tuple[float, float]:
    """Return the seconds of a step, and of everything done once: data, compilation, evaluation."""
    from ablate.training.hardware import configure

    begun = time.monotonic()
    config = validate_config(values)
    if trains_itself(config.task):
        raise ConfigError(f"calibrate=true times steps of Keras, and {type(config.task).__name__} trains itself")
    run, task = config.run, cast(KerasTask, config.task)
    hardware = configure(run.hardware, seed=run.seed, deterministic=run.training.deterministic)
    task.load_data()
    from ablate.training.fit import train

    few = run.training.model_copy(update={"epochs": 1, "steps_per_epoch": _STEPS})
    training = train(
        task,
        optimizer=run.optimizer,
        schedule=run.schedule,
        training=few,
        seed=run.seed,
        log_metrics=lambda metrics, step: None,
        hardware=hardware,
        show_bar=False,
    )
    task.evaluate(training.model)
    step = run.training.batch_size / training.examples_per_second
    return step, time.monotonic() - begun - _STEPS * step
