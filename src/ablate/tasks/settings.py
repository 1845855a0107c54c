"""A task's settings: its sections of the configuration, as attributes; which of them were read can be recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from omegaconf import OmegaConf
from pydantic import BaseModel

from ablate.config.schema import unknown_key, validate
from ablate.errors import ConfigError

EVERYTHING = "*"


def settings_of(schema: type[BaseModel] | None, values: Mapping[str, Any]) -> Any:
    """Return a configuration's values as attributes: `settings.dropout.rate`.

    Args:
        schema: What validates them; None takes all, and only reading one that is not there is an error.
        values: The sections, resolved.

    Raises:
        ConfigError: The schema refuses a value, one line for each, or does not know a section.
    """
    if schema is not None:
        if schema.model_config.get("extra") != "allow":
            for section in values:
                if section not in schema.model_fields:
                    raise ConfigError(unknown_key(section, schema.model_fields))
        return validate(schema, values)
    settings = OmegaConf.create(dict(values))
    OmegaConf.set_struct(settings, True)
    OmegaConf.set_readonly(settings, True)
    return settings


def without(values: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    """Return plain values without some keys, each as in `data.root`."""
    kept: dict[str, Any] = json.loads(json.dumps(dict(values)))
    for key in keys:
        *sections, last = key.split(".")
        node: Any = kept
        for section in sections:
            node = node.get(section, {}) if isinstance(node, dict) else {}
        if isinstance(node, dict):
            node.pop(last, None)
    return kept


class RecordedSettings:
    """Settings that record which sections are read."""

    def __init__(self, settings: Any, reads: set[str]):
        self._settings, self._reads = settings, reads

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        # Methods of a mapping may show all of it.
        self._reads.add(EVERYTHING if callable(getattr(type(self._settings), name, None)) else name)
        return getattr(self._settings, name)

    def __getitem__(self, name: str) -> Any:
        self._reads.add(name)
        return self._settings[name]

    def __contains__(self, name: object) -> bool:
        self._reads.add(str(name))
        return name in self._settings

    def __iter__(self) -> Iterator[Any]:
        self._reads.add(EVERYTHING)
        return iter(self._settings)


@contextmanager
def recorded(task: Any) -> Iterator[set[str]]:
    """Record which sections of `task.config` are read meanwhile."""
    before, reads = task.config, set[str]()
    task.config = RecordedSettings(before, reads)
    try:
        yield reads
    finally:
        task.config = before


def values_of(reads: set[str], values: Mapping[str, Any]) -> str:
    """Return what was read of a configuration, as text that is the same for the same values."""
    names = sorted(values) if EVERYTHING in reads else sorted(reads)
    return json.dumps({name: values.get(name) for name in names}, sort_keys=True)
