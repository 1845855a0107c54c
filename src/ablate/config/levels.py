"""Levels of the config groups that the current Hydra job has chosen, and its overrides."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.types import RunMode
from omegaconf import OmegaConf

from ablate.config.paths import absolute


def chosen_levels() -> dict[str, str]:
    """Return the level chosen in each config group, inside a Hydra job."""
    return _levels(HydraConfig.get().runtime.choices)


def compose_levels_only(kept: Collection[str] | None = None) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what a Hydra job would have had without its overrides of keys.

    Args:
        kept: Groups whose level is the job's own, the others have their defaults; None keeps them all. One of them may
            choose other defaults, as `scale=paper` does.

    Returns:
        The level of each config group; and the configuration, resolved as far as nothing is missing.
    """
    groups = chosen_levels()
    overrides = [
        str(override.input_line)
        for override in OverridesParser.create().parse_overrides(job_overrides())
        if is_level_choice(override, groups) and (kept is None or override.key_or_group in kept)
    ]
    # The folders are all among the job's sources already.
    config = job_config_loader().load_configuration(
        HydraConfig.get().job.config_name, overrides=[*overrides, "hydra.searchpath=[]"], run_mode=RunMode.RUN
    )
    levels = _levels(config.hydra.runtime.choices)
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key not in ("hydra", "task")])
    return levels, cast(dict[str, Any], OmegaConf.to_container(own, resolve=True))


def job_overrides() -> list[str]:
    """Return the overrides of the current Hydra job as they were given, with their interpolations."""
    return cast(list[str], OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False))


def job_config_loader() -> ConfigLoaderImpl:
    """Return what composes from where the current Hydra job was composed, in whichever process and folder it runs."""
    Plugins.instance()  # they store configurations of their own
    search_path = ConfigSearchPathImpl()
    for source in HydraConfig.get().runtime.config_sources:
        path = str(absolute(source.path)) if source.schema == "file" else source.path
        search_path.append(source.provider, f"{source.schema}://{path}")
    return ConfigLoaderImpl(search_path)


def is_level_choice(override: Override, groups: Iterable[str]) -> bool:
    """Say whether an override chooses a level of a config group, as `optimizer=adam`, or else sets values.

    Args:
        override: Any; `optimizer={learning_rate: 0.1}` sets values, as Hydra has it.
        groups: The config groups of which a level is chosen, with their packages, as in `dropout@second`.
    """
    key = override.key_or_group
    named = any(group.partition("@")[0] == key for group in groups)
    return named and not override.is_delete() and not isinstance(override.value(), dict)


def _levels(choices: Mapping[str, Any]) -> dict[str, str]:
    return {
        group: level for group, level in choices.items() if isinstance(level, str) and not group.startswith("hydra/")
    }
