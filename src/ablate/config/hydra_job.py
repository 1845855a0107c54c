"""The current Hydra job: its configuration, environment, overrides and levels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, cast

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.plugins import Plugins
from hydra.core.utils import env_override, setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationToMissingValueError

from ablate.config.environment import check_job_environment
from ablate.config.paths import absolute
from ablate.config.precision import with_chosen_precision

_UNKNOWN = object()


def unresolved_values(config: DictConfig) -> dict[str, Any]:
    """Return a composed configuration as plain values, without the section `hydra`; interpolations stay."""
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return cast(dict[str, Any], OmegaConf.to_container(own, resolve=False))


@contextmanager
def current_hydra_job(config: DictConfig) -> Iterator[None]:
    """Make a composed configuration that of the current job."""
    instance = HydraConfig.instance()
    before = instance.cfg
    instance.set_config(config)
    try:
        yield
    finally:
        instance.cfg = before


@contextmanager
def job_environment(config: DictConfig) -> Iterator[None]:
    """Make a composed configuration that of the current job, and set `hydra.job.env_set` as for all jobs."""
    section = config.hydra.job.env_set
    known = {str(name): _select(section, str(name)) for name in section}
    environment = {name: str(value) for name, value in known.items() if value is not _UNKNOWN}
    check_job_environment(environment)
    with current_hydra_job(config), env_override(environment):
        yield


def _select(section: Any, key: str) -> Any:
    try:
        return OmegaConf.select(section, key, default=_UNKNOWN)
    except InterpolationToMissingValueError:
        return _UNKNOWN


def serialize_job(config: DictConfig) -> dict[str, Any]:
    """Return the configuration of the current job, with the section `hydra`, as plain values for another process.

    Args:
        config: The configuration without the section `hydra`.
    """
    hydra = cast(DictConfig, HydraConfig.get())
    section = cast(dict[str, Any], OmegaConf.to_container(hydra, resolve=False))
    # `${now:..}` in a file's name would be another one there.
    section["job_logging"] = OmegaConf.to_container(hydra.job_logging, resolve=True)
    return {**unresolved_values(config), "hydra": section}


def restore_job(values: Mapping[str, Any]) -> DictConfig:
    """Make the values of `serialize_job` the current job; return its configuration."""
    section = OmegaConf.structured(HydraConf)
    OmegaConf.set_struct(section, False)
    config = OmegaConf.create({**values, "hydra": None})
    config.hydra = OmegaConf.merge(section, values["hydra"])
    setup_globals()
    HydraConfig.instance().set_config(config)
    return config


def job_overrides() -> list[str]:
    """Return the overrides of the current job as they were given, interpolations unresolved."""
    return cast(list[str], OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False))


def chosen_levels() -> dict[str, str]:
    """Return the level of each config group in the current job."""
    return _levels(HydraConfig.get().runtime.choices)


def compose_levels_only(kept: Collection[str] | None = None) -> tuple[dict[str, str], dict[str, Any]]:
    """Compose the current job without its overrides of keys.

    Args:
        kept: Groups that keep the job's level; the others get their defaults. None keeps all. A level may choose the
            default of another group, as `scale=paper` does.

    Returns:
        The level of each config group; and the configuration, resolved as far as no value is missing.
    """
    groups = chosen_levels()
    overrides = [
        str(override.input_line)
        for override in OverridesParser.create().parse_overrides(job_overrides())
        if is_level_choice(override, groups) and (kept is None or override.key_or_group in kept)
    ]
    config = _compose(overrides)
    levels = _levels(config.hydra.runtime.choices)
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key not in ("hydra", "task")])
    return levels, with_chosen_precision(cast(dict[str, Any], OmegaConf.to_container(own, resolve=True)))


_composed: ContextVar[dict[object, DictConfig] | None] = ContextVar("_composed", default=None)
"""What was composed, within `compositions_kept`."""


@contextmanager
def compositions_kept() -> Iterator[None]:
    """Let `compose_levels_only` compose the same once: files of the configuration are read again afterwards."""
    token = _composed.set({})
    try:
        yield
    finally:
        _composed.reset(token)


def _compose(overrides: Sequence[str]) -> DictConfig:
    """Compose other overrides of the current job's sources; the result is to be read only."""
    hydra, kept = HydraConfig.get(), _composed.get()
    sources = tuple((source.provider, source.schema, source.path) for source in hydra.runtime.config_sources)
    key = (sources, hydra.job.config_name, *overrides)
    if kept is not None and key in kept:
        return kept[key]
    # The folders of `hydra.searchpath` are among the job's sources already.
    config = job_config_loader().load_configuration(
        hydra.job.config_name, overrides=[*overrides, "hydra.searchpath=[]"], run_mode=RunMode.RUN
    )
    if kept is not None:
        kept[key] = config
    return config


def job_config_loader() -> ConfigLoaderImpl:
    """Return a loader with the sources of the current job, whichever process and folder it runs in."""
    Plugins.instance()  # plug-ins store configurations of their own
    search_path = ConfigSearchPathImpl()
    for source in HydraConfig.get().runtime.config_sources:
        path = str(absolute(source.path)) if source.schema == "file" else source.path
        search_path.append(source.provider, f"{source.schema}://{path}")
    return ConfigLoaderImpl(search_path)


def is_level_choice(override: Override, groups: Iterable[str]) -> bool:
    """Tell whether an override chooses a level of a config group, as `optimizer=adam`, or else sets values.

    Args:
        override: Any; `optimizer={learning_rate: 0.1}` sets values, as Hydra has it.
        groups: The config groups of which a level is chosen, with their packages, as in `dropout@second`.
    """
    key = override.key_or_group
    is_group = any(group.partition("@")[0] == key for group in groups)
    return is_group and not override.is_delete() and not isinstance(override.value(), dict)


def _levels(choices: Mapping[str, Any]) -> dict[str, str]:
    return {
        group: level for group, level in choices.items() if isinstance(level, str) and not group.startswith("hydra/")
    }
