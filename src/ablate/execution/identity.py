"""Identity: hashes of everything that determines a run's result. Imports neither TensorFlow nor MLflow."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from ablate.config.validation import OWN_LOOP_SECTIONS, ValidConfig
from ablate.execution.code_version import Code, code_of, code_of_classes, combine
from ablate.task import trains_itself


def identity(checked: ValidConfig, fingerprint: str) -> str:
    """Return the hash of everything that determines a run's result.

    That is the task's, optimiser's and training's configuration, the seed, the precision, the contents of the data
    set, and the code that computes results; not the study, the store, paths, the machine or its threads.

    Args:
        checked: The configuration.
        fingerprint: That of the data set.

    Returns:
        32 hexadecimal digits.
    """
    return identity_of(configuration(checked, fingerprint), checked.run.seed)


def identity_of(configuration: str, seed: int) -> str:
    """Return the identity of a run from its `configuration` and its seed."""
    return _digest({"configuration": configuration, "seed": seed})


def configuration(checked: ValidConfig, fingerprint: str) -> str:
    """Return the identity apart from the seed: runs of one variant must agree in it, or they are no repetitions."""
    return _digest({"setting": setting(checked, fingerprint), **_config(checked)})


def setting(checked: ValidConfig, fingerprint: str) -> str:
    """Return the hash of what runs must have in common for their results to be compared, see `setting_parts`."""
    return _digest(setting_parts(checked, fingerprint))


def setting_parts(checked: ValidConfig, fingerprint: str) -> dict[str, Any]:
    """Return what runs must have in common: the data, how it is evaluated, the scale, and the code."""
    fraction = checked.run.validation_fraction
    held_out = {} if fraction is None else {"validation_fraction": fraction}
    return {
        "data": fingerprint,
        "comparison": {**checked.task.comparison_config(), **held_out},
        "scale": checked.values.get("scale", {}).get("name"),
        "code": _code_of_task(checked).version,
    }


def _config(checked: ValidConfig) -> dict[str, Any]:
    run = checked.run
    return {
        "task": {"class": f"{type(checked.task).__qualname__}", **checked.task.result_config()},
        "optimizer": run.optimizer.model_dump(by_alias=True, mode="json", exclude={"name"}),
        "schedule": run.schedule.model_dump(mode="json", exclude={"name"}),
        "training": run.training.model_dump(mode="json", exclude={"log_points"}),
        "precision": run.hardware.precision,
        "named": _named_code(checked).version,
    }


def code(checked: ValidConfig) -> Code:
    """Return all code that a run's result depends on: that of its task, of training, and of classes that it names.

    Raises:
        ConfigError: Some of it is not found.
    """
    return combine(_code_of_task(checked), _named_code(checked))


def _code_of_task(checked: ValidConfig) -> Code:
    return code_of(checked.task, held_out=checked.run.validation_fraction is not None)


def _named_code(checked: ValidConfig) -> Code:
    """Return the code of the classes that a configuration names beside the task: variants may differ in it."""
    own = ("task", *(OWN_LOOP_SECTIONS if trains_itself(checked.task) else ()))
    return code_of_classes(_targets({key: value for key, value in checked.values.items() if key not in own}))


def _targets(values: Any) -> Iterator[str]:
    """Yield the classes that a configuration names."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            if key == "_target_" and isinstance(value, str):
                yield value
            yield from _targets(value)
    elif isinstance(values, list):
        for value in values:
            yield from _targets(value)


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:32]
