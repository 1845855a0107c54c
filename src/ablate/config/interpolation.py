"""Interpolations of a configuration, resolved; among them those of Hydra's own values, `${hydra:runtime.cwd}`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import setup_globals
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationToMissingValueError, MissingMandatoryValue, OmegaConfBaseException

from ablate.config.hydra_job import job_environment, unresolved_values
from ablate.errors import ConfigError

_HYDRA = re.compile(r"\$\{\s*hydra\s*:")
_UNKNOWN = object()
_ARGUMENT = "argument of a command"
_KNOWN = "runtime.cwd, runtime.choices, job.name, job.override_dirname and sweep.dir are known"


def has_hydra_interpolation(values: Mapping[str, Any]) -> bool:
    """Tell whether unresolved values refer to what each Hydra job has of its own: `${hydra:..}`."""
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
        with job_environment(cast(DictConfig, config)) if composed else nullcontext(), _strict_hydra_resolver():
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
    """Return an argument of a command with its interpolations resolved as those of the configuration are."""
    if "${" not in text:
        return text
    with open_dict(config):
        merged = cast(DictConfig, OmegaConf.merge(config, {_ARGUMENT: text}))
    return str(resolve(merged)[_ARGUMENT])


@contextmanager
def _strict_hydra_resolver() -> Iterator[None]:
    """Make an unknown `${hydra:..}` an error; Hydra's own resolver returns None."""
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
