"""The columns of the tables that an export has where they are wanted: own questions, and devices."""

from collections.abc import Iterator, Mapping

from ablate.turing.database import Answers
from ablate.turing.device import BROWSERS, OTHER
from ablate.turing.export.columns import PARTICIPANTS, TABLES, Column, Type
from ablate.turing.questions import PARTS, Choice, FreeText, Number, Part, Question, Questions, Scale, Several, text_in

_PARTICIPANT = PARTICIPANTS[0]
_NOT_ANSWERED = "not answered"
_PERSONAL = "not answered, or left out where personal=true was not given"
DEVICES = (
    _PARTICIPANT,
    Column("window_width", "integer", "Width of the window when the participant began.", unit="CSS pixels"),
    Column("window_height", "integer", "Its height.", unit="CSS pixels"),
    Column("screen_width", "integer", "Width of the screen.", unit="CSS pixels"),
    Column("screen_height", "integer", "Its height.", unit="CSS pixels"),
    Column("pixel_ratio", "number", "The screen's pixels to one of CSS, across; zoom counts."),
    Column("touch", "boolean", "Whether the main pointer was a finger: a laptop with a touch screen has another one."),
    Column(
        "refresh_rate",
        "number",
        "Frames a second, by the median time between 40 of them: what the browser drew then, on that machine.",
        unit="Hz",
    ),
    Column(
        "browser",
        "string",
        "Family of the browser, by what it says to be.",
        levels={family: family for family in (*dict.fromkeys(BROWSERS.values()), OTHER)},
    ),
)
ROWS: Mapping[str, str] = {
    "questions": "A row a participant who has replied to own questions.",
    "devices": "A row a participant whose device was recorded, with which they began.",
}


def answered(part: Part) -> str:
    """Return the name of the column that says when a part was replied to."""
    return f"{part}_answered"


TAKEN = frozenset(
    [column.name for table in (*TABLES.values(), DEVICES) for column in table] + [answered(part) for part in PARTS]
)
"""Names that no own question may have, so that all tables can be joined."""


def tables_of(answers: Answers) -> Mapping[str, tuple[Column, ...]]:
    """Return the columns of all tables of an experiment, by the table's name."""
    found = dict(TABLES)
    if answers.questions is not None:
        found["questions"] = question_columns(answers.questions)
    if len(answers.devices):
        found["devices"] = DEVICES
    return found


def question_columns(questions: Questions) -> tuple[Column, ...]:
    """Return the columns of own questions, in the order in which they are asked."""
    columns = [_PARTICIPANT]
    for part in PARTS:
        if questions.of(part):
            description = f"When the questions {part} the trials were answered, UTC."
            columns.append(Column(answered(part), "datetime", description, missing=_NOT_ANSWERED))
            columns += [column for question in questions.of(part) for column in _columns(question)]
    return tuple(columns)


def _columns(question: Question) -> Iterator[Column]:
    """Yield the columns of a question, in the first language that its file has."""
    asked = _text(question.question)
    if isinstance(question, Several):
        for label, name in zip(question.choices.values(), question.columns, strict=True):
            yield Column(name, "boolean", f"{asked} Chosen: {_text(label)}", missing=_NOT_ANSWERED)
    elif isinstance(question, Choice):
        levels = {value: _text(label) for value, label in question.choices.items()}
        yield Column(question.name, "string", asked, missing=_NOT_ANSWERED, levels=levels)
    elif isinstance(question, Scale):
        ends = f"1: {_text(question.low)}; {question.points}: {_text(question.high)}"
        bounds = (1.0, float(question.points))
        yield Column(question.name, "integer", f"{asked} {ends}.", missing=_NOT_ANSWERED, bounds=bounds)
    elif isinstance(question, Number):
        bounds = (question.minimum, question.maximum)
        kind: Type = "integer" if question.whole else "number"
        yield Column(question.name, kind, asked, missing=_NOT_ANSWERED, bounds=bounds)
    else:
        assert isinstance(question, FreeText)
        description = f"{asked} What the participant wrote; it may say who they are."
        yield Column(question.name, "string", description, missing=_PERSONAL)


def _text(text: str | Mapping[str, str]) -> str:
    return " ".join((text_in(text) or "").split())
