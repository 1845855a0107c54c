"""Replies to own questions, as a form sends them, checked. Pure functions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ablate.turing.questions import Choice, FreeText, Number, Question, Scale, Several
from ablate.turing.questions.loading import PREFIX
from ablate.turing.serve.plain_text import plain_text

Fault = Literal["missing", "choice", "not_number", "not_whole", "range", "long"]
Answer = str | int | float | list[str] | None
"""None for a question that was left out."""
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:[.,٫]\d{1,15})?")
_LONGEST_NUMBER = 20


class _Faulty(Exception):
    def __init__(self, fault: Fault):
        self.fault: Fault = fault


@dataclass(frozen=True)
class Replies:
    """What was replied to the questions of a part.

    Attributes:
        answers: By name; complete and possible where there are no faults.
        faults: By name, what is wrong with a reply.
        given: By name, what the form had, to show it again.
    """

    answers: Mapping[str, Answer]
    faults: Mapping[str, Fault]
    given: Mapping[str, Sequence[str]]


def read_replies(questions: Sequence[Question], sent: Sequence[tuple[str, str]]) -> Replies:
    """Check what a form has sent.

    Args:
        questions: Those that were asked.
        sent: Its fields with their values, those of questions alone.

    Raises:
        ValueError: A field is of no question.
    """
    given: dict[str, list[str]] = {question.name: [] for question in questions}
    for field, value in sent:
        if not field.startswith(PREFIX) or field.removeprefix(PREFIX) not in given:
            raise ValueError(f"no question has the field {field}")
        given[field.removeprefix(PREFIX)].append(value)
    answers, faults = dict[str, Answer](), dict[str, Fault]()
    for question in questions:
        try:
            answers[question.name] = _answer(question, [each for each in given[question.name] if each.strip()])
        except _Faulty as error:
            faults[question.name] = error.fault
    return Replies(answers, faults, given)


def _answer(question: Question, given: Sequence[str]) -> Answer:
    if not given:
        if question.required:
            raise _Faulty("missing")
        return None
    if isinstance(question, Several):
        if not set(given) <= question.choices.keys():
            raise _Faulty("choice")
        return [value for value in question.choices if value in given]
    if len(given) > 1:
        raise _Faulty("choice")
    return _one(question, given[0])


def _one(question: Choice | Number | FreeText | Scale, given: str) -> Answer:
    if isinstance(question, Number):
        return _number(question, given.strip())
    if isinstance(question, FreeText):
        if len(given.replace("\r\n", "\n")) > question.longest:
            raise _Faulty("long")
        kept = plain_text(given)
        if not kept and question.required:
            raise _Faulty("missing")
        return kept or None
    if isinstance(question, Choice):
        if given not in question.choices:
            raise _Faulty("choice")
        return given
    if given not in map(str, range(1, question.points + 1)):
        raise _Faulty("choice")
    return int(given)


def _number(question: Number, given: str) -> int | float:
    """Return a number that is written with digits of any script, and with a decimal point or comma."""
    if len(given) > _LONGEST_NUMBER or not _NUMBER.fullmatch(given):
        raise _Faulty("not_number")
    number = float(re.sub("[,٫]", ".", given))
    if question.whole and not number.is_integer():
        raise _Faulty("not_whole")
    if not question.minimum <= number <= question.maximum:
        raise _Faulty("range")
    return int(number) if question.whole else number
