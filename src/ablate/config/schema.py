"""Schemas of the configuration, and error messages that name the value and what is allowed."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from ablate.errors import ConfigError


class Schema(BaseModel):
    """A section of the configuration: no unknown keys, validated values, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)

TAG = "~"
"""Start of the tag of one of several forms of a value: no part of its key."""


def validate(model: type[Model], values: Mapping[str, Any], *, prefix: str = "") -> Model:
    """Build a schema from plain values.

    Args:
        model: The schema.
        values: Its keys and values, resolved.
        prefix: Key of the section in the configuration, for the message.

    Returns:
        The schema's instance.

    Raises:
        ConfigError: A key is unknown or missing, or a value is impossible; one line for each.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        lines = [_explain(model, problem, prefix) for problem in error.errors()]
        raise ConfigError("\n".join(lines)) from None


def unknown_key(key: str, allowed: Iterable[str], *, what: str = "key") -> str:
    """Return the message for an unknown key, or something else that is named: the allowed ones, and the closest."""
    parent, dot, leaf = key.rpartition(".")
    return f"unknown {what}: {key}. {_allowed(parent + dot, leaf, allowed)}"


def unknown_level(group: str, level: str, allowed: Iterable[str]) -> str:
    """Return the message for an unknown level of a config group: the allowed ones, and the closest."""
    return f"unknown level: {group}={level}. {_allowed(f'{group}=', level, allowed)}"


def _allowed(prefix: str, name: str, allowed: Iterable[str]) -> str:
    names = sorted(allowed)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f". Did you mean {prefix}{close[0]}?" if close else ""
    return f"Allowed: {', '.join(prefix + name for name in names)}{hint}"


def _explain(model: type[BaseModel], problem: Mapping[str, Any], prefix: str) -> str:
    place = [str(part) for part in problem["loc"] if not str(part).startswith(TAG)]
    key = ".".join([*([prefix] if prefix else []), *place])
    if problem["type"] == "extra_forbidden":
        return unknown_key(key, _fields(model, place[:-1]))
    if problem["type"] == "missing":
        return f"missing key: {key}"
    message = problem["msg"].removeprefix("Value error, ")
    value = problem["input"]
    if isinstance(value, Mapping):
        return f"{key}: {message}" if key else message
    return f"{key}={value}: {message[0].lower()}{message[1:]}"


def _fields(model: type[BaseModel], place: list[str]) -> list[str]:
    for part in place:
        if part.isdecimal():  # of a list, whose items have one schema
            continue
        annotation = model.model_fields[part].annotation
        choices = (annotation, *get_args(annotation))
        nested = [each for one in choices for each in (one, *get_args(one)) if _is_model(each)]
        if not nested:
            return []
        model = nested[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
