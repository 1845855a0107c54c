"""Long names, shortened for people and for the store: the beginning stays, a hash tells them apart."""

import hashlib
import re

MAX_SHOWN = 120
"""Characters of a name that is shown whole."""
_MAX_DIFFERENCE = 48
"""Characters of one difference from the baseline in a longer name."""
_DIGITS = 6
MAX_STORED = 5000
"""Characters of a variant's name: MLflow takes 6,000 in a param, and 8,000 in a tag."""


def shorten(name: str, limit: int = MAX_SHOWN) -> str:
    """Shorten a name that is too long to read: each long difference in it keeps its beginning.

    The result depends on the name alone, and differs for different names: six digits of a hash stand for what is left
    out. Short names stay as they are.

    Args:
        name: Of a variant, of an effect, or overrides.
        limit: Characters up to which it stays.

    Example:
        >>> shorten("depth=reduced,schedule.drops=" + str([[step, 0.5] for step in range(60)]))
        'depth=reduced,schedule.drops=[[0, 0.5], [1, 0.5], [2...#dadf9b'
    """
    if len(name) <= limit:
        return name
    parts = re.split(r"( × |[, ](?=[\w./@+~-]+=))", name)
    short = "".join(_cut(part, _MAX_DIFFERENCE) for part in parts)
    return short if len(short) <= limit else _cut(name, limit)


def shorten_for_store(name: str) -> str:
    """Shorten a name that is too long for the store."""
    return _cut(name, MAX_STORED, digits=32)


def _cut(text: str, limit: int, digits: int = _DIGITS) -> str:
    if len(text) <= limit:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:digits]
    return f"{text[: limit - digits - 4].rstrip(' .,([{')}...#{digest}"
