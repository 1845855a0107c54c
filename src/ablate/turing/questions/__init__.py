"""Own questions of a laboratory, which participants answer before and after the test, from a YAML file."""

from ablate.turing.questions.definition import (
    PARTS,
    Choice,
    FreeText,
    Number,
    Part,
    Question,
    Questions,
    Scale,
    Several,
    text_in,
)
from ablate.turing.questions.loading import check_questions, load_questions

__all__ = [
    "PARTS",
    "Choice",
    "FreeText",
    "Number",
    "Part",
    "Question",
    "Questions",
    "Scale",
    "Several",
    "check_questions",
    "load_questions",
    "text_in",
]
