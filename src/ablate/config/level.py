"""Levels of a factor: their text in a variant's name, and their equality."""

import re
from collections.abc import Mapping
from typing import Any

_NOT_TEXT = ("None", "True", "False", "absent")
_UNQUOTED = re.compile(r"""(?![\s\[{])[^,='"\x00-\x1f\x7f]+(?<!\s)""")


def level_text(value: Any) -> str:
    """Write a level or a value for a variant's name, such that different ones never look the same.

    A text that looks like something else, or around which a name could not be parsed, stands in quotes.
    """
    if isinstance(value, str) and (value in _NOT_TEXT or not _UNQUOTED.fullmatch(value) or _is_number(value)):
        return repr(value)
    return str(value)


def same_level(one: Any, other: Any) -> bool:
    """Tell whether two levels or values are equal: 1 and 1.0 are, 1 and true or "1" are not."""
    return bool(_typed(one) == _typed(other))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _typed(value: Any) -> Any:
    # In lists too.
    if isinstance(value, list):
        return [_typed(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _typed(each) for key, each in value.items()}
    return ("bool", value) if isinstance(value, bool) else value
