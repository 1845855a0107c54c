"""A configuration's interpolations resolved, those of Hydra's own values too: `${hydra:runtime.cwd}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, cast

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import env_override, setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationToMissingValueError, MissingMandatoryValue, OmegaConfBaseException

from ablate.config.environment import check_job_environment
from ablate.errors import ConfigError

_HYDRA = re.compile(r"\$\{\s*hydra\s*:")
_UNKNOWN = object()
_ARGUMENT = "argument of a command"
_KNOWN = "runtime.cwd, runtime.choices, job.name, job.override_dirname and sweep.dir are known"


def unresolved_values(config: DictConfig) -> dict[str, Any]:
    """Return a composed configuration without Hydra's own section as plain values, interpolations as they stand."""
    own = OmegaConf.masked_copy(config, [str(key) for key in config if key != "hydra"])
    return cast(dict[str, Any], OmegaConf.to_container(own, resolve=False))


def has_hydra_interpolation(values: Mapping[str, Any]) -> bool:
    """Say whether unresolved values interpolate what each job of Hydra's has of its own: `${hydra:..}`."""
    return _HYDRA.search(repr(values)) is not None


def resolve(config: DictConfig | Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration's values with all interpolations resolved.

    Args:
        config: As Hydra composes it, or `unresolved_values`; one without a section `hydra` belongs to the current job.

    Raises:
        ConfigError: A value is missing, or one of Hydra's is not known before a job has started.
    """
    composed = isinstance(config, DictConfig) and "hydra" in config
    values = unresolved_values(config) if isinstance(config, DictConfig) else dict(config)
    try:
        with job_environment(cast(DictConfig, config)) if composed else nullcontext(), _missing_named():
            own = OmegaConf.create(values)
            return cast(dict[str, Any], OmegaConf.to_container(own, resolve=True, throw_on_missing=True))
    except OmegaConfBaseException as error:
        # OmegaConf keeps what a resolver raised as the context alone.
        first: BaseException = error
        while first.__context__ is not None:
            first = first.__context__
        if isinstance(first, ConfigError):
            raise ConfigError(f"{error.full_key}: {first}") from None
        if isinstance(first, RecursionError):
            raise ConfigError(f"{error.full_key} refers to itself") from None
        raise ConfigError(str(error).splitlines()[0]) from None


def resolve_text(text: str, config: DictConfig) -> str:
    """Return a command's own argument with its interpolations resolved as those of the configuration are."""
    if "${" not in text:
        return text
    with open_dict(config):
        whole = cast(DictConfig, OmegaConf.merge(config, {_ARGUMENT: text}))
    return str(resolve(whole)[_ARGUMENT])


@contextmanager
def current_hydra_job(config: DictConfig) -> Iterator[None]:
    """Let a composed configuration be that of the current job."""
    instance = HydraConfig.instance()
    before = instance.cfg
    instance.set_config(config)
    try:
        yield
    finally:
        instance.cfg = before


@contextmanager
def job_environment(config: DictConfig) -> Iterator[None]:
    """Let a composed configuration be that of the current job, and set the environment as all of its jobs have it."""
    section = config.hydra.job.env_set
    settled = {str(name): _select(section, str(name)) for name in section}
    environment = {name: str(value) for name, value in settled.items() if value is not _UNKNOWN}
    check_job_environment(environment)
    with current_hydra_job(config), env_override(environment):
        yield


def _select(section: Any, key: str) -> Any:
    try:
        return OmegaConf.select(section, key, default=_UNKNOWN)
    except InterpolationToMissingValueError:
        return _UNKNOWN


def serialize_job(config: DictConfig) -> dict[str, Any]:
    """Return the configuration of the current job, Hydra's section with it, as plain values for another process.

    Args:
        config: All but Hydra's section.
    """
    hydra = cast(DictConfig, HydraConfig.get())
    section = cast(dict[str, Any], OmegaConf.to_container(hydra, resolve=False))
    # `${now:..}` in a file's name would be another one there.
    section["job_logging"] = OmegaConf.to_container(hydra.job_logging, resolve=True)
    return {**unresolved_values(config), "hydra": section}


def restore_job(values: Mapping[str, Any]) -> DictConfig:
    """Make a job that another process has begun, see `serialize_job`, the current one; return its configuration."""
    section = OmegaConf.structured(HydraConf)
    OmegaConf.set_struct(section, False)
    config = OmegaConf.create({**values, "hydra": None})
    config.hydra = OmegaConf.merge(section, values["hydra"])
    setup_globals()
    HydraConfig.instance().set_config(config)
    return config


@contextmanager
def _missing_named() -> Iterator[None]:
    """Let `${hydra:..}` be an error where Hydra's own resolver says None."""
    setup_globals()  # which a rerun is without
    OmegaConf.register_new_resolver("hydra", _hydra_value, replace=True)
    try:
        yield
    finally:
        setup_globals()


def _hydra_value(path: str) -> Any:
    try:
        value = OmegaConf.select(cast(DictConfig, HydraConfig.get()), path, default=_UNKNOWN, throw_on_missing=True)
    except (MissingMandatoryValue, InterpolationToMissingValueError):
        reason = f"${{hydra:{path}}} has no value before a sweep's job has started; {_KNOWN}"
    else:
        if value is not _UNKNOWN:
            return value
        reason = f"${{hydra:{path}}} is nothing that Hydra knows; {_KNOWN}"
    raise ConfigError(reason)
