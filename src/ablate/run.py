"""`python -m ablate.run`: train, evaluate and track one run, or with `-m` a sweep of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.cli import command
from ablate.config import (
    Checked,
    check,
    chosen_levels,
    conf_dir,
    levels_alone,
    project_dir,
    set_before_tensorflow,
)
from ablate.errors import AblateError, RunFailed
from ablate.study.identity import configuration, identity, setting
from ablate.study.variant import NOT_VARIED, variant_name
from ablate.task import Metric

if TYPE_CHECKING:
    from ablate.tracking.run import TrackedRun

log = logging.getLogger(__name__)


@hydra.main(config_path=str(conf_dir()), config_name="config", version_base="1.3")
def _job(config: DictConfig) -> None:
    """Do one run; of a sweep, a failing one leaves the others to go on."""
    try:
        run(config)
    except AblateError as error:
        log.error("%s", error)  # the traceback would say nothing that the message does not
        failure = error
    except KeyboardInterrupt as interrupt:
        log.error("%s: the run ends as KILLED; what it had logged is kept", str(interrupt) or "Interrupted")
        raise
    except Exception as error:
        log.exception("The run failed")
        failure = RunFailed(f"{type(error).__name__}: {error}")
    else:
        return
    # The line is said; a single run needs no more than the exit code, a sweep repeats it at the end.
    if HydraConfig.get().mode == RunMode.RUN:
        raise SystemExit(1)
    raise failure


def run(config: DictConfig) -> None:
    """Check the configuration, load the data, train, evaluate, and track all of it."""
    checked = check(config)
    from ablate.tracking.store import open_store, store_uri

    uri = store_uri(checked.run.tracking.uri, project_dir())
    open_store(uri)
    from ablate.training.hardware import configure

    hardware = configure(checked.run.hardware, seed=checked.run.seed, deterministic=checked.run.training.deterministic)
    data = checked.task.load_data()
    from ablate.tracking.run import track

    variant = variant_name(
        HydraConfig.get().overrides.task,
        choices=chosen_levels(),
        defaults=levels_alone(NOT_VARIED)[0],
        values=checked.values,
        reference=levels_alone()[1],
    )
    tags = {
        "ablate.study": checked.run.study.name,
        "ablate.variant": variant,
        "ablate.seed": str(checked.run.seed),
        "ablate.identity": identity(checked, data.fingerprint),
        "ablate.configuration": configuration(checked, data.fingerprint),
        "ablate.setting": setting(checked, data.fingerprint),
    }
    log.info("Run %s, seed %d, of study %s, tracked in %s", variant, checked.run.seed, checked.run.study.name, uri)
    log.info("On %s", ", ".join(f"{name} {value}" for name, value in hardware.items()))
    name = f"{variant} seed={checked.run.seed}"
    with track(study=checked.run.study.name, name=name, tags=tags, project=project_dir()) as tracked:
        tracked.log_config(_shown(checked))
        tracked.log_data(data)
        tracked.log_provenance(project_dir(), hardware)
        _train_and_evaluate(checked, tracked)


def _train_and_evaluate(checked: Checked, tracked: TrackedRun) -> None:
    from ablate.training.fit import train

    run, task = checked.run, checked.task
    cost = task.cost()
    tracked.log_metrics({f"cost/{name}": value for name, value in cost.items()})
    log.info("The model has %s parameters", f"{cost['parameters']:,.0f}")
    training = train(
        task, optimizer=run.optimizer, training=run.training, seed=run.seed, log_metrics=tracked.log_metrics
    )
    spent = {
        "cost/wall_seconds": training.seconds,
        "cost/images_per_second": training.examples_per_second,
        "cost/peak_memory_mib": training.peak_memory_mib,
        "cost/peak_device_memory_mib": training.peak_device_memory_mib,
    }
    tracked.log_metrics({name: value for name, value in spent.items() if value is not None}, training.steps)
    evaluation = task.evaluate(training.model)
    tracked.log_evaluation(evaluation, task.metrics)
    if run.tracking.model:
        tracked.log_model(training.model)
    log.info("Evaluated: %s", ", ".join(_measured(metric, evaluation.metrics) for metric in task.metrics))


def _measured(metric: Metric, values: Mapping[str, float]) -> str:
    return f"{metric.label} {values[metric.name]:.4g} {metric.unit}".rstrip()


def _shown(checked: Checked) -> dict[str, Any]:
    """Return the configuration as it is tracked: the task's sections stand where they are set, and only there."""
    return {**checked.values, "task": {"_target_": checked.values["task"]["_target_"]}}


def main() -> None:
    """Run the command."""
    set_before_tensorflow()
    with command():
        _job()


if __name__ == "__main__":
    main()
