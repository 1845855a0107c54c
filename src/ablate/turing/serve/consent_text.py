"""The consent text: all that a participant reads before agreeing, as it is kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablate.turing.serve.recruiting import Recruiting
from ablate.turing.serve.texts import fill

_PARTS = ("heading", "text", "consent_heading", "consent", "consent_id", "consent_screen_out", "vision", "agree")
"""Of the first page, in its order."""


@dataclass(frozen=True)
class ConsentText:
    """What a participant agreed to.

    Attributes:
        language: Of the words, such as `en`.
        text: All of them, with the language in the first line.
    """

    language: str
    text: str

    @property
    def hash(self) -> str:
        """SHA-256 of the text in UTF-8."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def consent_text(texts: Mapping[str, Any], numbers: Mapping[str, object], recruiting: Recruiting) -> ConsentText:
    """Return the consent text of an experiment.

    Args:
        texts: What participants read, see `texts.load_texts`.
        numbers: Those that the first page fills in.
        recruiting: What of it the experiment has.
    """
    language, welcome = texts["language"], fill(texts, numbers)["welcome"]
    there = {"consent_id": recruiting.id_parameter, "consent_screen_out": recruiting.screen_out}
    parts = (welcome[name] for name in _PARTS if there.get(name, True))
    paragraphs = [line for part in parts for line in (part if isinstance(part, list) else [part])]
    return ConsentText(language, "\n\n".join([f"language: {language}", *paragraphs]) + "\n")
