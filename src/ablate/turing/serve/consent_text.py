"""The consent text: all that a participant reads before agreeing, as it is kept."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ablate.turing.serve.recruiting import Recruiting
from ablate.turing.serve.texts import fill

_BEFORE, _AFTER = ("heading", "text", "consent_heading", "consent"), ("vision", "agree")
"""Of the first page, in its order, around the parts of `optional_parts`."""


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


def optional_parts(recruiting: Recruiting) -> list[str]:
    """Return the names of those parts of the first page that are there for what an experiment has, in their order."""
    own = recruiting.questions.all if recruiting.questions else ()
    there = {
        "consent_no_device": not recruiting.gates.record,
        "consent_device": recruiting.gates.record,
        "consent_gates": bool(recruiting.gates.names),
        "consent_questions": bool(own),
        "consent_optional": not all(question.required for question in own),
        "consent_id": recruiting.id_parameter is not None,
        "consent_screen_out": recruiting.screen_out is not None,
    }
    return [name for name, is_there in there.items() if is_there]


def consent_text(texts: Mapping[str, Any], numbers: Mapping[str, object], recruiting: Recruiting) -> ConsentText:
    """Return the consent text of an experiment.

    Args:
        texts: What participants read, see `texts.load_texts`.
        numbers: Those that the first page fills in.
        recruiting: What of it the experiment has.
    """
    language, welcome = texts["language"], fill(texts, numbers)["welcome"]
    parts = (welcome[name] for name in (*_BEFORE, *optional_parts(recruiting), *_AFTER))
    paragraphs = [line for part in parts for line in (part if isinstance(part, list) else [part])]
    return ConsentText(language, "\n\n".join([f"language: {language}", *paragraphs]) + "\n")
