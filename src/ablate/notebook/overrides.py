"""Arguments of commands, from Python's values: `seed=[0, 1]` is the override `seed=0,1`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from typing import Any

from ablate.errors import ConfigError
from ablate.study.definition import override_value

Override = str | Mapping[str, Any]
"""As on the command line, `optimizer=adam,adadelta`; or values by key, of which a list stands for several levels."""


def command_arguments(
    overrides: Sequence[Override],
    values: Mapping[str, Any],
    *,
    experiment: str | None = None,
    config_dir: str | PathLike[str] | None = None,
    config_name: str | None = None,
) -> list[str]:
    """Return the options and overrides of a command.

    Args:
        overrides: See `Override`.
        values: Further ones, by key.
        experiment: Name of a study file.
        config_dir: Folder with a configuration of one's own.
        config_name: Its file, if not `config`.

    Raises:
        ConfigError: A value cannot be written as an override.
    """
    lines = config_options(config_dir, config_name)
    if experiment is not None:
        lines.append(f"experiment={override_value(experiment)}")
    for override in (*overrides, values):
        if not isinstance(override, str):
            lines += [_line(str(key), value) for key, value in override.items()]
        elif override.startswith("-"):
            raise ConfigError(
                f"{override} is an option of the command line: what is not an override is an argument of Python, as "
                "in config_dir='conf'"
            )
        else:
            lines.append(override)
    return lines


def config_options(config_dir: str | PathLike[str] | None, config_name: str | None) -> list[str]:
    """Return the options of a command that choose the configuration; see `command_arguments`."""
    options = {"--config-dir": None if config_dir is None else fspath(config_dir), "--config-name": config_name}
    return [part for option, value in options.items() if value is not None for part in (option, value)]


def _line(key: str, value: Any) -> str:
    if isinstance(value, type):
        return f"{key}._target_={_class_name(value)}"
    levels = value.tolist() if hasattr(value, "tolist") else value  # NumPy's
    several = list(levels) if isinstance(levels, list | tuple | range) else [levels]
    if not several:
        raise ConfigError(f"{key}={value} stands for no value at all")
    return f"{key}={','.join(_text(key, level) for level in several)}"


def _text(key: str, level: Any) -> str:
    level = fspath(level) if isinstance(level, PathLike) else level.item() if hasattr(level, "item") else level
    if level is not None and not isinstance(level, str | bool | int | float | list | dict):
        raise ConfigError(
            f"{key} takes text, numbers, true and false, None, lists and dictionaries, or a list of several. "
            f"Received: a {type(level).__name__}"
        )
    return override_value(level)


def _class_name(named: type) -> str:
    if named.__module__ == "__main__":
        raise ConfigError(
            f"{named.__name__} is defined in the notebook, or in the script that runs: the processes of runs cannot "
            f"import it. Write it to a file beside it, as in digits.py, and import it: "
            f"from digits import {named.__name__}"
        )
    return f"{named.__module__}.{named.__qualname__}"
