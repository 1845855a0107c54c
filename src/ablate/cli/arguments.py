"""Arguments of commands: `NAME=VALUE`, with values that are text, numbers, true or false."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.config.schema import unknown_key
from ablate.errors import ConfigError

_Number = TypeVar("_Number", int, float)
_NAMES = ("study.name", "study.variant", "experiment")
_BOOLS = {"true": True, "false": False}


def parse_arguments(given: Iterable[str], allowed: Sequence[str], groups: Sequence[str] = ()) -> dict[str, str]:
    """Return the values by name; the last one of a name counts.

    Args:
        given: Each as in `out=DIR`.
        allowed: The names.
        groups: Names of groups: `GROUP.ANYTHING` is allowed as well.

    Raises:
        ConfigError: A name is unknown, or has no value.
    """
    arguments = {}
    for argument in given:
        name, _, value = argument.partition("=")
        group, dot, key = name.partition(".")
        in_group = bool(dot) and group in groups
        if name not in allowed and not in_group:
            raise ConfigError(unknown_key(name, [*allowed, *(f"{group}.NAME" for group in groups)]))
        if not value or (in_group and not key):
            raise ConfigError(f"{name} needs a value, as in {name}=VALUE")
        arguments[name] = value
    return arguments


def split_arguments(given: Iterable[str], own: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Separate a command's own arguments from those of Hydra.

    Args:
        given: All arguments.
        own: The names of the command's own.

    Returns:
        The values of its own by name; and the others as they were given.

    Raises:
        ConfigError: One of its own has no value.
    """
    mine, others = list[str](), list[str]()
    for argument in given:
        (mine if argument.partition("=")[0] in own else others).append(argument)
    return parse_arguments(mine, own), others


def parse_bool(arguments: Mapping[str, str], name: str, default: bool) -> bool:
    """Return a value that is true or false.

    Raises:
        ConfigError: It is neither.
    """
    if name not in arguments:
        return default
    value = arguments[name]
    if value not in _BOOLS:
        raise ConfigError(f"{name} must be true or false. Received: {name}={value}")
    return _BOOLS[value]


def file_list(value: str) -> list[Path]:
    """Return the files of a value: one, or several with commas between."""
    files = [Path(value)] if Path(value).exists() else [Path(file) for file in value.split(",") if file]
    return files or [Path(value)]


def parse_int(
    arguments: Mapping[str, str], name: str, default: int, *, minimum: int | None = None, maximum: int | None = None
) -> int:
    """Return a value that is a whole number.

    Raises:
        ConfigError: It is none, less than the minimum, or more than the maximum.
    """
    kind = "a whole number" + ("" if minimum is None else f" from {minimum}")
    kind += "" if maximum is None else f" to {maximum}"
    number = _parse_number(arguments, name, default, int, kind)
    if (minimum is not None and number < minimum) or (maximum is not None and number > maximum):
        raise ConfigError(f"{name} must be {kind}. Received: {name}={arguments[name]}")
    return number


def parse_float(arguments: Mapping[str, str], name: str, default: float) -> float:
    """Return a value that is a number.

    Raises:
        ConfigError: It is none.
    """
    return _parse_number(arguments, name, default, float, "a number")


def _parse_number(
    arguments: Mapping[str, str], name: str, default: _Number, to: Callable[[str], _Number], kind: str
) -> _Number:
    if name not in arguments:
        return default
    try:
        return to(arguments[name])
    except ValueError:
        raise ConfigError(f"{name} must be {kind}. Received: {name}={arguments[name]}") from None


def quote_names(lines: Iterable[str]) -> list[str]:
    """Quote the names in overrides such that Hydra reads 2024, 1e3 and true as text there.

    `study.name=null` is a name as well; elsewhere `null` means none.
    """
    return [_quote_name(line) for line in lines]


def _quote_name(line: str) -> str:
    key, equals, value = line.partition("=")
    if key.lstrip("+") not in _NAMES or not re.fullmatch(r"[\w.+-]+(,[\w.+-]+)*", value):
        return line
    parser = OverridesParser.create()
    names = []
    for name in value.split(","):
        read = parser.parse_override(f"name={name}").value()
        text = isinstance(read, str) or (read is None and not key.endswith("study.name"))
        names.append(name if text else f"'{name}'")
    return f"{key}{equals}{','.join(names)}"
