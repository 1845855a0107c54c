"""The kinds of own questions, as a file has them and as the database keeps them."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from ablate.config.schema import Schema

Part = Literal["before", "after"]
PARTS: tuple[Part, Part] = ("before", "after")
"""Of the trials."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VALUE = re.compile(r"[A-Za-z0-9_]{1,40}")
_LANGUAGE = re.compile("[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_R_KEYWORDS = {"break", "else", "for", "function", "if", "in", "next", "repeat", "while"}
"""No names of columns in R."""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _text(value: Any) -> Any:
    in_languages = isinstance(value, Mapping) and bool(value)
    if in_languages and all(_LANGUAGE.fullmatch(str(key)) and _is_text(each) for key, each in value.items()):
        # YAML reads the language of Norway as `false`.
        if all(isinstance(key, str) for key in value):
            return value
    elif _is_text(value):
        return value
    raise ValueError(
        "must be a text, or one for each language, as in {en: Yes, de: Ja}; in quotes where YAML would read it as "
        "something else, such as yes, no, a number, or a text with a colon"
    )


def _name(value: Any) -> Any:
    if not isinstance(value, str) or not _NAME.fullmatch(value) or value in _R_KEYWORDS:
        raise ValueError(
            "must be the name of a column: up to 40 lower-case letters, digits and _, a letter first, no keyword of R"
        )
    return value


def _choices(value: Any) -> Any:
    if not isinstance(value, Mapping) or not 2 <= len(value) <= 50:
        raise ValueError("must be 2 to 50 choices, as in {daily: Every day, never: Never}")
    for key in value:
        if not isinstance(key, str) or not _VALUE.fullmatch(key):
            raise ValueError(
                f"{key!r} cannot be a choice's value in the data: it takes up to 40 letters (A to Z), digits and _, "
                "in quotes where YAML would read it as something else, such as yes, no and numbers"
            )
    return value


Text = Annotated[str | Mapping[str, str], BeforeValidator(_text)]
"""What participants read: one text, or one for each language (BCP 47)."""
Choices = Annotated[Mapping[str, Text], BeforeValidator(_choices)]
"""By value in the data, what participants read."""


class _Question(Schema):
    """What all kinds have.

    Attributes:
        name: Of its column in the data.
        question: What is asked.
        help: A line below it; none where it is not given.
        required: Whether it must be answered.
    """

    name: Annotated[str, BeforeValidator(_name)]
    question: Text
    help: Text | None = None
    required: bool = True

    @property
    def columns(self) -> list[str]:
        """Names of its columns in the data."""
        return [self.name]

    def texts(self) -> Iterator[tuple[str, str | Mapping[str, str]]]:
        """Yield all that participants read of it, each with its key in the file."""
        yield "question", self.question
        if self.help is not None:
            yield "help", self.help


class Choice(_Question):
    """One of several choices."""

    kind: Literal["choice"]
    choices: Choices

    def texts(self) -> Iterator[tuple[str, str | Mapping[str, str]]]:
        """Yield all that participants read of it, each with its key in the file."""
        yield from super().texts()
        yield from ((f"choices.{value}", label) for value, label in self.choices.items())


class Several(_Question):
    """Any number of choices; at least one where it is required."""

    kind: Literal["several"]
    choices: Choices

    @property
    def columns(self) -> list[str]:
        """Names of its columns in the data: one a choice."""
        return [f"{self.name}_{value}" for value in self.choices]

    def texts(self) -> Iterator[tuple[str, str | Mapping[str, str]]]:
        """Yield all that participants read of it, each with its key in the file."""
        yield from super().texts()
        yield from ((f"choices.{value}", label) for value, label in self.choices.items())


class Number(_Question):
    """A number in a range, ends included.

    Attributes:
        minimum: The least.
        maximum: The greatest.
        whole: Whether it must be a whole one.
    """

    kind: Literal["number"]
    minimum: Annotated[float, Field(ge=-1e9, le=1e9)]
    maximum: Annotated[float, Field(ge=-1e9, le=1e9)]
    whole: bool = True

    @model_validator(mode="after")
    def _in_order(self) -> "Number":
        if self.minimum >= self.maximum:
            raise ValueError("minimum must be below maximum")
        if self.whole and not (self.minimum.is_integer() and self.maximum.is_integer()):
            raise ValueError("minimum and maximum must be whole numbers where whole is true")
        return self


class FreeText(_Question):
    """A text.

    Attributes:
        longest: How many letters it may have.
    """

    kind: Literal["text"]
    longest: Annotated[int, Field(ge=1, le=1000)] = 200


class Scale(_Question):
    """A rating from 1 to `points` (Likert), whose ends have labels.

    Attributes:
        points: How many there are.
        low: What 1 means.
        high: What the last one means.
    """

    kind: Literal["scale"]
    points: Annotated[int, Field(ge=2, le=11)]
    low: Text
    high: Text

    def texts(self) -> Iterator[tuple[str, str | Mapping[str, str]]]:
        """Yield all that participants read of it, each with its key in the file."""
        yield from super().texts()
        yield from (("low", self.low), ("high", self.high))


Question = Annotated[Choice | Several | Number | FreeText | Scale, Field(discriminator="kind")]
KINDS: Mapping[str, type[_Question]] = {
    "choice": Choice, "several": Several, "number": Number, "text": FreeText, "scale": Scale,
}  # fmt: skip


class Questions(Schema):
    """All own questions of an experiment.

    Attributes:
        before: Asked between the consent and the first pair.
        after: Asked between the last pair and the last page.
    """

    before: tuple[Question, ...] = ()
    after: tuple[Question, ...] = ()

    def of(self, part: Part) -> tuple[Question, ...]:
        """Return the questions of a part."""
        return self.before if part == "before" else self.after

    @property
    def all(self) -> tuple[Question, ...]:
        """The questions of both parts."""
        return self.before + self.after

    @property
    def stored(self) -> str:
        """All of it as JSON: the same questions are the same text. Defaults are not in it, said or not."""
        return self.model_dump_json(exclude_defaults=True)

    @property
    def hash(self) -> str:
        """SHA-256 of `stored` in UTF-8."""
        return hashlib.sha256(self.stored.encode()).hexdigest()


def text_in(text: str | Mapping[str, str], language: str | None = None) -> str | None:
    """Return a text in a language.

    Args:
        text: One text, which is taken for that of any language; or one for each.
        language: Its tag, such as `pt-BR`; where there is none of it, that of `pt` is taken. None for the first one.

    Returns:
        None where there is none in that language.
    """
    if isinstance(text, str):
        return text
    if language is None:
        return next(iter(text.values()))
    known = {tag.lower(): each for tag, each in text.items()}
    return known.get(language.lower()) or known.get(language.lower().split("-")[0])
