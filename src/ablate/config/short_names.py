"""Long names, shortened for people: a readable beginning, and a hash that tells them apart."""

import hashlib
import re

MAX_SHOWN = 120
"""Characters of a name up to which it is shown whole."""
_PART = 48
"""Most characters of one difference from the baseline in a name that is not."""
_DIGITS = 6
MAX_STORED = 5000
"""Most characters of a variant's name: MLflow takes 6,000 in a param, and 8,000 in a tag."""


def shorten(name: str, most: int = MAX_SHOWN) -> str:
    """Shorten a name that is too long to be read: of each long difference in it stays the beginning.

    The same name always comes out the same, and other names come out otherwise: where something is missing, six digits
    of a hash stand instead. Short names stay as they are.

    Args:
        name: Of a variant, of an effect, or overrides.
        most: Characters up to which it stays.

    Example:
        >>> shortened("depth=reduced,training.learning_rate_drops=" + str([[step, 0.5] for step in range(60)]))
        'depth=reduced,training.learning_rate_drops=[[0, 0.5]...#a421d7'
    """
    if len(name) <= most:
        return name
    parts = re.split(r"( × |[, ](?=[\w./@+~-]+=))", name)
    short = "".join(_cut(part, _PART) for part in parts)
    return short if len(short) <= most else _cut(name, most)


def shorten_for_store(name: str) -> str:
    """Shorten a name that is too long even for the store."""
    return _cut(name, MAX_STORED, digits=32)


def run_name(variant: str, seed: int | str) -> str:
    """Return what a run is called, for people."""
    return f"{shorten(variant)} seed={seed}"


def _cut(text: str, most: int, digits: int = _DIGITS) -> str:
    if len(text) <= most:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:digits]
    return f"{text[: most - digits - 4].rstrip(' .,([{')}...#{digest}"
