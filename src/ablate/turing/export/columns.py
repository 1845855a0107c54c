"""The columns of the exported tables: their types and what they mean. docs/turing_codebook.md is made of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ablate.turing.analyse.exclusions import rule_words
from ablate.turing.database import Answers
from ablate.turing.protocol import REAL, Protocol

Type = Literal["string", "integer", "number", "boolean", "datetime"]
"""As Frictionless' Table Schema names them."""
DTYPES: Mapping[Type, str] = {"string": "str", "integer": "int64", "number": "float64", "boolean": "bool"}
NULLABLE: Mapping[Type, str] = {**DTYPES, "integer": "Int64", "boolean": "boolean"}
"""Of pandas, where values may be missing."""


@dataclass(frozen=True)
class Column:
    """A column of an exported table.

    Attributes:
        name: In the header of the file.
        type: Of its values.
        description: What it is, in a sentence.
        missing: When a cell is empty; None where none is.
        levels: The values that it can have, with what they mean; none where others may be. Those of `algorithm` and
            `exclusion` are the experiment's: `levels_of`.
        unit: Of a number.
        bounds: The least and the greatest that a number can be; None where that is not known. That of `rating` is
            the experiment's: `bounds_of`.
    """

    name: str
    type: Type
    description: str
    missing: str | None = None
    levels: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    bounds: tuple[float, float] | None = None

    @property
    def dtype(self) -> str:
        """Pandas' type of it, times left aside."""
        return (DTYPES if self.missing is None else NULLABLE)[self.type]


_PARTICIPANT = Column(
    "participant", "integer", "Number of the participant, the same in all tables; never given again."
)
_ALGORITHM = Column(
    "algorithm",
    "string",
    "What recoloured the pictures that this participant was to see.",
    missing="the participant was to judge several",
)
_OF_TRIAL = Column(
    "algorithm",
    "string",
    "Whose picture `recolored` is; in a check, whose pictures the participant was to see.",
    missing="a check of a participant who was to judge several",
)
_OTHER = Column(
    "other",
    "string",
    "Whose picture `real` is, where pictures of algorithms were compared with each other.",
    missing="it is the real one, or one picture alone was rated",
)
_PREFERRED = Column(
    "preferred",
    "string",
    "Whose picture was found more natural, where pictures of algorithms were compared with each other.",
    missing="not answered, or missed; compared with the real picture, or with an obvious fake",
)
_EXTERNAL_ID = Column(
    "external_id",
    "string",
    "Id by which the participant came, such as Prolific's: personal data.",
    missing="left out where personal=true was not given, or there was none",
)
_COMMENT = Column(
    "comment",
    "string",
    "What the participant wrote at the end; it may say who they are.",
    missing="left out where personal=true was not given, or there was none",
)
_COUNTS = Column(
    "counts", "boolean", "Whether it counts in the analysis: a trial, or a participant with one that does."
)
_EXCLUSION = Column(
    "exclusion",
    "string",
    "The first of the rules, fixed beforehand, that leaves it out; for a participant, their last trial.",
    missing="no rule leaves it out",
    levels=rule_words(Protocol()),
)

PARTICIPANTS = (
    _PARTICIPANT,
    _EXTERNAL_ID,
    _ALGORITHM,
    Column(
        "color_vision",
        "string",
        "What the participant says of their colour vision.",
        levels={"normal": "normal", "deficient": "deficient", "unknown": "does not know, or does not say"},
    ),
    Column("language", "string", "Language of the pages.", missing="began before this was kept"),
    Column(
        "consent",
        "string",
        "SHA-256 of the text that the participant agreed to: documentation/consent-SHA256.txt.",
        missing="began before this was kept",
    ),
    Column("started", "datetime", "When the participant agreed, UTC."),
    Column("finished", "datetime", "When the last trial was answered, UTC.", missing="not finished"),
    Column(
        "screened_out",
        "datetime",
        "When the participant was sent back for failed checks, UTC.",
        missing="not screened out",
    ),
    Column("answers", "integer", "How many trials of all kinds the participant has answered."),
    Column(
        "failed_checks",
        "integer",
        "How many obvious fakes the participant took for real or more natural, or rated above the scale's middle.",
    ),
    Column(
        "median_response_ms",
        "number",
        "Median response time in the test.",
        missing="no response time is known",
        unit="ms",
    ),
    _COMMENT,
    _COUNTS,
    _EXCLUSION,
)
TRIALS = (
    _PARTICIPANT,
    Column("number", "integer", "Place of the trial in the session, from 1."),
    Column(
        "kind",
        "string",
        "What the trial is for.",
        levels={
            "practice": "before the test, with feedback where one picture was the real one",
            "test": "counts",
            "check": "among the test, with an obvious fake in place of the algorithm's picture",
        },
    ),
    _OF_TRIAL,
    _OTHER,
    Column("photograph", "string", "Name of the photograph; several crops of it may be shown."),
    Column("real", "string", "File of the real picture, or that of `other`, in the bundle, without its ending."),
    Column("recolored", "string", "File of the other picture, or of the one that was rated."),
    Column(
        "real_side",
        "string",
        "Where `real` was.",
        missing="one picture alone was rated",
        levels={"left": "on the left", "right": "on the right"},
    ),
    Column(
        "choice",
        "string",
        "Which picture was taken for the fake, or, where algorithms were compared, for the more natural one.",
        missing="not answered",
        levels={
            "left": "the left one",
            "right": "the right one",
            "rated": "one picture alone was rated",
            "missed": "says not to have seen it",
        },
    ),
    Column(
        "rating",
        "integer",
        "How natural the picture looked, 1 being not at all.",
        missing="not answered, or missed; pictures were not rated",
    ),
    Column(
        "fooled",
        "boolean",
        "Whether the recoloured picture was taken for the real one, or an obvious fake for the more natural one, or "
        "was rated above the middle of the scale.",
        missing="not answered, or missed; compared with another algorithm's picture; rated, and no obvious fake",
    ),
    _PREFERRED,
    Column("loads", "integer", "How often the pair was sent to the browser."),
    Column("shown", "boolean", "Whether the page has said that it shows the pair, which it can do once."),
    Column(
        "exposure_ms",
        "number",
        "For how long the pair was seen, by the browser's clock.",
        missing="not known",
        unit="ms",
    ),
    Column(
        "response_ms", "number", "Time from the pair's end to the answer.", missing="not known, or missed", unit="ms"
    ),
    Column("answered", "datetime", "When the answer came, UTC.", missing="not answered"),
    _COUNTS,
    _EXCLUSION,
)
TABLES: Mapping[str, tuple[Column, ...]] = {"participants": PARTICIPANTS, "trials": TRIALS}
KEYS: Mapping[str, tuple[str, ...]] = {"participants": ("participant",), "trials": ("participant", "number")}
"""What no two rows have alike."""
ROWS: Mapping[str, str] = {
    "participants": "A row a participant who has not withdrawn, finished or not.",
    "trials": "A row a trial that a participant was to have, answered or not, by participant and number.",
}


def levels_of(column: Column, answers: Answers) -> Mapping[str, str]:
    """Return the values that a column can have in an experiment, with what they mean; none where others may be."""
    named = {each.name: f"run {each.run_id}" if each.run_id else "external" for each in answers.algorithms}
    with_real = {**named, **({REAL: "the real picture"} if answers.protocol.with_real else {})}
    if column is _ALGORITHM:
        return named
    if column in (_OTHER, _PREFERRED, _OF_TRIAL):
        return with_real
    return rule_words(answers.protocol) if column is _EXCLUSION else column.levels


def bounds_of(column: Column, answers: Answers) -> tuple[float, float] | None:
    """Return the least and the greatest that a number can be in an experiment; None where that is not known."""
    return (1, answers.protocol.points) if column.name == "rating" else column.bounds
