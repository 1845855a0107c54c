"""Submitit's launchers with defaults for training: one GPU and a long time limit for each run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

_DAY = 24 * 60


class LocalLauncher(Launcher):
    """Submitit's local launcher, one job after the other: it would start all at once on the cores of one machine."""

    def __init__(self, gpus_per_node: int | None, **parameters: Any) -> None:
        """Take the parameters of submitit's launcher; `gpus_per_node` null is one where there is a GPU."""
        from hydra_plugins.hydra_submitit_launcher import submitit_launcher

        if gpus_per_node is None:
            # Submitit hides them all otherwise.
            gpus_per_node = int(any(Path("/dev").glob("nvidia[0-9]*")))
        self._launcher = submitit_launcher.LocalLauncher(gpus_per_node=gpus_per_node, **parameters)

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Pass on what each job is made from."""
        self._launcher.setup(hydra_context=hydra_context, task_function=task_function, config=config)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs."""
        return [
            returned
            for index, overrides in enumerate(job_overrides)
            for returned in self._launcher.launch([overrides], initial_job_idx + index)
        ]


def register() -> None:
    """Have Hydra take these as submitit's launchers, if those are installed.

    A file in conf/ would be one of the same name as the plug-in's node, which Hydra warns of at every start.
    """
    with suppress(ImportError):
        from hydra_plugins.hydra_submitit_launcher.config import LocalQueueConf, SlurmQueueConf

        store = ConfigStore.instance().store
        store(
            group="hydra/launcher",
            name="submitit_local",
            node=LocalQueueConf(_target_=f"{__name__}.LocalLauncher", timeout_min=7 * _DAY),
            provider="ablate",
        )
        store(
            group="hydra/launcher",
            name="submitit_slurm",
            node=SlurmQueueConf(timeout_min=_DAY, cpus_per_task=8, gpus_per_node=1),
            provider="ablate",
        )
