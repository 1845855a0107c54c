"""Descriptions of experiments and runs in MLflow: written only where no person has."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from ablate.tracking import names

_TAG = "ablate.described"
"""Digest of the description that `ablate` wrote: another one is a person's."""


def note_tags(tags: Mapping[str, str], text: str) -> dict[str, str]:
    """Return the tags that describe an experiment or a run; none where a person has described it.

    Args:
        tags: Those that it has.
        text: Markdown.
    """
    if tags.get(names.NOTE_TAG) and not is_generated(tags):
        return {}
    return {names.NOTE_TAG: text, _TAG: _digest(text)}


def is_generated(tags: Mapping[str, str]) -> bool:
    """Tell whether `ablate` wrote the description that an experiment or a run has."""
    return names.NOTE_TAG in tags and tags.get(_TAG) == _digest(tags[names.NOTE_TAG])


def without_note(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags without a description that `ablate` wrote, and without what says that it did."""
    left_out = (names.NOTE_TAG, _TAG) if is_generated(tags) else (_TAG,)
    return {name: value for name, value in tags.items() if name not in left_out}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def escaped(text: str) -> str:
    """Return a text that Markdown and its tables show as it is, on one line."""
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", " ".join(text.split()))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of escaped texts in Markdown."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, ["---"] * len(header), *rows])
