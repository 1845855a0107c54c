"""Hydra's sweep, with every run checked before the first one starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_store import ConfigStore

from ablate.config import check, project_dir
from ablate.tracking.store import check_store, store_uri


class AblateSweeper(BasicSweeper):
    """Expands `key=a,b` overrides to their combinations, as Hydra does."""

    def validate_batch_is_legal(self, batch: Sequence[Sequence[str]]) -> None:
        """Compose and check every run, so that an impossible one is found before any other has trained.

        Args:
            batch: The runs about to be launched; before the first one, those of later batches are checked too.

        Raises:
            ConfigError: A run's configuration is wrong.
            TrackingError: A store cannot be reached or written.
        """
        assert self.config is not None
        assert self.hydra_context is not None
        assert self.overrides is not None
        if self.batch_index > 1:
            return
        stores = set()
        for overrides in chain.from_iterable(self.overrides):
            checked = check(self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides)))
            stores.add(store_uri(checked.run.tracking.uri, project_dir()))
        for uri in sorted(stores):
            check_store(uri)


@dataclass
class SweeperConfig:
    """The options of Hydra's own sweeper."""

    _target_: str = "hydra_plugins.ablate_sweeper.sweeper.AblateSweeper"
    max_batch_size: int | None = None
    params: dict[str, Any] | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="ablate", node=SweeperConfig, provider="ablate")
