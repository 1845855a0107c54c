"""Texts that depend on a number: another for 1 than for 2, and none where there is nothing to speak of.

In a file of texts one is written `{practice: {0: "", 1: "One pair", other: "{practice} pairs"}}`, wherever a text may
stand. Languages have other plurals than English; as an experiment has few numbers, each can have a text of its own.
"""

from collections.abc import Mapping
from typing import Any

OTHER = "other"
"""Of every number that is not named."""


def is_plural(value: Any) -> bool:
    """Return whether a text depends on a number: it is one name with a text for each of some numbers."""
    return isinstance(value, Mapping) and len(value) == 1 and all(isinstance(each, Mapping) for each in value.values())


def texts_by_number(value: Mapping[str, Mapping[Any, Any]]) -> tuple[str, dict[str, Any]]:
    """Return the name of the number, and the texts by it, as it is written, or by `OTHER`."""
    ((name, texts),) = value.items()
    return str(name), {str(number): text for number, text in texts.items()}


def chosen_text(value: Mapping[str, Mapping[Any, Any]], numbers: Mapping[str, object]) -> str:
    """Return the text of a number.

    Args:
        value: As `is_plural` says.
        numbers: By name.
    """
    name, texts = texts_by_number(value)
    return str(texts.get(str(numbers[name]), texts[OTHER]))
