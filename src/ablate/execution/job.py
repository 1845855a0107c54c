"""A job: all that a run is executed from, as plain values that another process can be given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from ablate.config.environment import check_job_environment
from ablate.config.hydra_job import serialize_job
from ablate.config.job_command import command_of_job
from ablate.config.job_variant import factors_of_job, variant_of_job
from ablate.config.paths import project_dir, results_dir
from ablate.config.validation import validate_config
from ablate.config.variant import Variant
from ablate.execution.code_version import Code
from ablate.execution.identity import code
from ablate.task import trains_itself
from ablate.tracking.store import store_uri


@dataclass(frozen=True)
class Job:
    """A run that is to be executed.

    Attributes:
        values: The configuration, resolved.
        variant: The variant.
        uri: Address of the tracking store.
        project: Folder of the project, whose commit a result comes from.
        results: Folder that results belong to.
        code: The code that its result depends on, as it was when the job was described.
        trains_itself: Whether its task is an `OwnLoopTask`, which needs no TensorFlow.
        hydra_job: Its configuration as Hydra has it, with Hydra's section: how to log, where the command was given.
        owns_terminal: Whether the run has the terminal to itself.
        factors: Its levels, see `job_variant.factors_of_job`.
        command: The command that repeats it.
    """

    values: Mapping[str, Any]
    variant: Variant
    uri: str
    project: Path
    results: Path
    code: Code
    trains_itself: bool
    hydra_job: Mapping[str, Any]
    owns_terminal: bool = True
    factors: Mapping[str, str] = field(default_factory=dict)
    command: str = ""

    @property
    def name(self) -> str:
        """What MLflow calls the run."""
        return self.variant.run_name(self.values["seed"])

    def __str__(self) -> str:
        return f"{self.variant.short_name}, seed {self.values['seed']}"


def describe_job(config: DictConfig) -> Job:
    """Check the configuration of the current Hydra job and describe its run.

    Raises:
        ConfigError: Something is unknown, missing or impossible.
    """
    check_job_environment(HydraConfig.get().job.env_set)
    checked = validate_config(config)
    return Job(
        values=checked.values,
        variant=variant_of_job(checked),
        uri=store_uri(checked.run.tracking.uri, results_dir()),
        project=project_dir(),
        results=results_dir(),
        code=code(checked),
        trains_itself=trains_itself(checked.task),
        hydra_job=serialize_job(config),
        factors=factors_of_job(checked),
        command=command_of_job(),
    )
