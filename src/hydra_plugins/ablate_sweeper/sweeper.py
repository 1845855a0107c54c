"""Hydra's sweep, with every run checked before the first one starts."""

from dataclasses import dataclass
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore

from ablate.config import check


class AblateSweeper(BasicSweeper):
    """Expands `key=a,b` overrides to their combinations, as Hydra does."""

    def validate_batch_of_jobs(self, batch: list[list[str]]) -> None:
        """Compose and check every run, so that an impossible one is found before any other has trained.

        Raises:
            ConfigError: A run's configuration is wrong.
        """
        assert self.config is not None
        assert self.config_loader is not None
        for overrides in batch:
            check(self.config_loader.load_sweep_config(self.config, list(overrides)))


@dataclass
class SweeperConfig:
    """The options of Hydra's own sweeper."""

    _target_: str = "hydra_plugins.ablate_sweeper.sweeper.AblateSweeper"
    max_batch_size: int | None = None
    params: dict[str, Any] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="ablate", node=SweeperConfig, provider="ablate")
