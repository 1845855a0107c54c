"""Own questions read from a YAML file, and checked before anybody is asked."""

from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from ablate.config.schema import unknown_key, unknown_level, validate
from ablate.errors import ConfigError
from ablate.turing.questions.definition import (
    KINDS,
    PARTS,
    Choice,
    FreeText,
    Number,
    Question,
    Questions,
    Scale,
    Several,
    text_in,
)
from ablate.turing.yaml_file import read_yaml

_LETTER = 12
"""Bytes of a letter in a form, at most: four in UTF-8, each as %XX."""
_NUMBER = 20 * _LETTER
"""Alike, of a number."""
_TOKEN = 100
"""Alike, of what a form has beside answers."""
PREFIX = "q-"
"""Of the fields of questions in a form."""


def load_questions(path: Path, taken: Collection[str]) -> Questions:
    """Return the questions of a file.

    Args:
        path: The YAML file: docs/turing.md says what is in it.
        taken: Names that no question may have, as other columns of the data have them.

    Raises:
        ConfigError: The file cannot be read, or a question is impossible, which is named.
    """
    content = read_yaml("questions", path)
    if not isinstance(content, Mapping) or not content:
        raise ConfigError(f"questions={path} must have {' or '.join(PARTS)}, each a list of questions")
    for part in content:
        if part not in PARTS:
            raise ConfigError("questions: " + unknown_key(str(part), PARTS))
    questions = Questions(**{part: tuple(_listed(part, content[part])) for part in content})
    _check_names(questions, taken)
    return questions


def _listed(part: str, items: Any) -> list[Question]:
    if not isinstance(items, list) or not items:
        raise ConfigError(f"questions: {part} must be a list of questions, each beginning with `- name:`")
    return [_question(f"{part}, question {number}", item) for number, item in enumerate(items, start=1)]


def _question(place: str, item: Any) -> Question:
    if not isinstance(item, Mapping) or "name" not in item:
        raise ConfigError(f"questions: {place} has no name, as in `- name: age`")
    if "kind" not in item:
        raise ConfigError(f"questions: {item['name']} has no kind: it takes one of {', '.join(KINDS)}")
    if not isinstance(item["kind"], str) or item["kind"] not in KINDS:
        raise ConfigError(f"questions: {item['name']}: " + unknown_level("kind", str(item["kind"]), KINDS))
    made = validate(KINDS[item["kind"]], item, prefix=f"questions.{item['name']}")
    assert isinstance(made, Choice | Several | Number | FreeText | Scale)
    return made


def _check_names(questions: Questions, taken: Collection[str]) -> None:
    seen = dict[str, str]()
    for question in questions.all:
        for column in dict.fromkeys([question.name, *question.columns]):
            alike = column.lower()  # SQL and spreadsheets do not tell s_a from s_A
            if alike in taken:
                raise ConfigError(
                    f"questions: {question.name}: the data have a column {column} already: give it another name"
                )
            if alike in seen:
                raise ConfigError(
                    f"questions: {question.name}: {seen[alike]} has the column {column}, too: give one another name"
                )
            seen[alike] = question.name


def check_questions(questions: Questions, language: str, max_body: int) -> None:
    """Refuse questions that cannot be asked as they are.

    Args:
        questions: All of them.
        language: Of the pages.
        max_body: Bytes that a form may have.

    Raises:
        ConfigError: A text is missing in the language, two choices read the same, or the longest answers to a part
            would not be taken.
    """
    for question in questions.all:
        for key, text in question.texts():
            if text_in(text, language) is None:
                assert not isinstance(text, str)
                raise ConfigError(
                    f"questions: {question.name}.{key} is not in {language}, the language of the pages; it is in "
                    f"{', '.join(text)}"
                )
        if isinstance(question, Choice | Several):
            labels = Counter(text_in(label, language) for label in question.choices.values())
            label, count = labels.most_common(1)[0]
            if count > 1:
                raise ConfigError(f"questions: {question.name}: {count} of its choices read {label}")
    for part in PARTS:
        most = _TOKEN + sum(_bytes(question) for question in questions.of(part))
        if most > max_body:
            raise ConfigError(
                f"questions: {part}: the longest answers would have {most:,} bytes, of which a form takes "
                f"{max_body:,}. Lower `longest` of its texts, {_LETTER} bytes a letter, or ask less"
            )


def _bytes(question: Question) -> int:
    field = len(PREFIX) + len(question.name) + 2
    if isinstance(question, FreeText):
        return field + _LETTER * question.longest
    if isinstance(question, Several):
        return sum(field + len(value) for value in question.choices)
    if isinstance(question, Choice):
        return field + max(map(len, question.choices))
    return field + (_NUMBER if isinstance(question, Number) else 2)
