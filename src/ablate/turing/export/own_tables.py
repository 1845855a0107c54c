"""The tables of own questions and of devices, typed as the codebook says. Pure functions."""

from typing import Any

import pandas as pd

from ablate.turing.database import Answers
from ablate.turing.export.own_columns import DEVICES, answered, question_columns
from ablate.turing.export.typed import typed
from ablate.turing.questions import PARTS, Question, Questions, Several


def own_tables(answers: Answers) -> dict[str, pd.DataFrame]:
    """Return the tables that there are, by name: see `own_columns.tables_of`."""
    found = {}
    if answers.questions is not None:
        found["questions"] = _questions_table(answers.own_answers, answers.questions)
    if len(answers.devices):
        found["devices"] = typed(answers.devices, DEVICES)
    return found


def _questions_table(replies: pd.DataFrame, questions: Questions) -> pd.DataFrame:
    columns = question_columns(questions)
    rows = dict[int, dict[str, Any]]()
    for row in replies.to_dict("records"):
        own = rows.setdefault(row["participant"], {"participant": row["participant"]})
        own[answered(row["part"])] = row["answered"]
        for question in questions.of(row["part"]):
            own |= _cells(question, row["answers"].get(question.name))
    frame = pd.DataFrame(list(rows.values()), columns=[column.name for column in columns], dtype="object")
    times = {
        answered(part): frame[answered(part)].astype("datetime64[ns, UTC]") for part in PARTS if questions.of(part)
    }
    return typed(frame.assign(**times), columns)


def _cells(question: Question, answer: Any) -> dict[str, Any]:
    if isinstance(question, Several):
        names = zip(question.choices, question.columns, strict=True)
        return {name: None if answer is None else value in answer for value, name in names}
    return {question.name: answer}
