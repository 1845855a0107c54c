"""What a run needs to know, as plain values that another process can be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from ablate.config import Checked, check, chosen_levels, levels_alone, project_dir
from ablate.study.code import Code
from ablate.study.identity import code
from ablate.study.variant import NOT_VARIED, variant_name
from ablate.tracking.store import store_uri


@dataclass(frozen=True)
class Job:
    """A run that is to be executed.

    Attributes:
        values: The configuration, resolved.
        variant: Name of the variant.
        uri: Address of the tracking store.
        project: Folder that results belong to.
        code: The code that its result depends on, as it was when the run was described.
        logging: How to log: Hydra's section `job_logging`.
        verbose: Which loggers say more: Hydra's `verbose`.
        alone: Whether the run has the terminal to itself.
    """

    values: Mapping[str, Any]
    variant: str
    uri: str
    project: Path
    code: Code
    logging: Mapping[str, Any]
    verbose: bool | str | Sequence[str]
    alone: bool = True

    @property
    def name(self) -> str:
        """What MLflow calls the run."""
        return f"{self.variant} seed={self.values['seed']}"

    def __str__(self) -> str:
        return f"{self.variant}, seed {self.values['seed']}"


def described(config: DictConfig) -> Job:
    """Check the configuration of the current Hydra job and describe its run.

    Raises:
        ConfigError: Something is unknown, missing or impossible.
    """
    checked, hydra_config = check(config), HydraConfig.get()
    return Job(
        values=checked.values,
        variant=variant_of(checked),
        uri=store_uri(checked.run.tracking.uri, project_dir()),
        project=project_dir(),
        code=code(checked),
        logging=OmegaConf.to_container(hydra_config.job_logging, resolve=True),  # type: ignore[arg-type]
        verbose=OmegaConf.to_object(hydra_config.verbose)  # type: ignore[arg-type]
        if OmegaConf.is_config(hydra_config.verbose)
        else hydra_config.verbose,
    )


def variant_of(checked: Checked) -> str:
    """Name the variant of the current Hydra job: as its study says, or by its differences from the defaults."""
    return checked.run.study.variant or variant_name(
        HydraConfig.get().overrides.task,
        choices=chosen_levels(),
        defaults=levels_alone(NOT_VARIED)[0],
        values=checked.values,
        reference=levels_alone()[1],
    )
