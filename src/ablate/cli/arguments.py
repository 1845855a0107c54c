"""Arguments of commands, `NAME=VALUE` each."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.config.schema import unknown_key
from ablate.errors import ConfigError

_Number = TypeVar("_Number", int, float)
_NAMES = ("study.name", "study.variant", "experiment")
_SWITCHES = {"true": True, "false": False}


def parse_arguments(given: Iterable[str], allowed: Sequence[str]) -> dict[str, str]:
    """Return the values by name.

    Raises:
        ConfigError: A name is unknown, or has no value.
    """
    arguments = {}
    for argument in given:
        name, equals, value = argument.partition("=")
        if name not in allowed:
            raise ConfigError(unknown_key(name, allowed))
        if not equals or not value:
            raise ConfigError(f"{name} needs a value, as in {name}=VALUE")
        arguments[name] = value
    return arguments


def parse_bool(arguments: dict[str, str], name: str, default: str) -> bool:
    """Return a value that is true or false.

    Raises:
        ConfigError: It is neither.
    """
    value = arguments.get(name, default)
    if value not in _SWITCHES:
        raise ConfigError(f"{name} must be true or false. Received: {name}={value}")
    return _SWITCHES[value]


def parse_int(name: str, value: str) -> int:
    """Return a value that is a whole number.

    Raises:
        ConfigError: It is none.
    """
    return _converted(name, value, int, "a whole number")


def parse_float(name: str, value: str) -> float:
    """Return a value that is a number.

    Raises:
        ConfigError: It is none.
    """
    return _converted(name, value, float, "a number")


def _converted(name: str, value: str, to: Callable[[str], _Number], kind: str) -> _Number:
    try:
        return to(value)
    except ValueError:
        raise ConfigError(f"{name} must be {kind}. Received: {name}={value}") from None


def quote_names(lines: Iterable[str]) -> list[str]:
    """Return overrides such that Hydra reads names as they are written: 2024, 1e3 and true are text in them.

    `study.name=null` is a name as well; `null` elsewhere is none, as always.
    """
    return [_as_text(line) for line in lines]


def _as_text(line: str) -> str:
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
