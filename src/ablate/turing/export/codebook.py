"""The codebook: what each column of the exported tables is, as JSON with the data and as Markdown for people.

The JSON is a Data Package of Frictionless (https://datapackage.org): R's and Python's packages of that name read the
tables by it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ablate.turing.analyse.turned_away_text import turned_away_words
from ablate.turing.database import Answers
from ablate.turing.export.columns import KEYS, ROWS, TABLES, Column, bounds_of, levels_of
from ablate.turing.export.own_columns import DEVICES, tables_of
from ablate.turing.export.own_columns import ROWS as OWN_ROWS
from ablate.turing.questions import FreeText

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TIMES = "%Y-%m-%dT%H:%M:%SZ"
_ROWS = {**ROWS, **OWN_ROWS}


def codebook(answers: Answers, paths: Mapping[str, str], created: str) -> dict[str, Any]:
    """Return the codebook of an experiment's export, as plain values.

    Args:
        answers: The experiment's.
        paths: The file of each table, by its name.
        created: When it was written, in the form of `TIMES`.
    """
    found = tables_of(answers)
    withdrawals = Counter(answers.withdrawals[["algorithm", "by"]].itertuples(index=False, name=None))
    return {
        "$schema": PROFILE,
        "name": answers.experiment.lower(),
        "title": answers.experiment,
        "description": summary(answers),
        "created": created,
        "resources": [_resource(name, paths[name], columns, answers) for name, columns in found.items()],
        "experiment": {
            "study": answers.study,
            "bundle": answers.checksum,
            "closed": answers.closed,
            "protocol": answers.protocol.model_dump(mode="json"),
            "algorithms": [each.model_dump(mode="json") for each in answers.algorithms],
        },
        "withdrawals": [
            {"algorithm": algorithm or None, "by": by, "participants": count}
            for (algorithm, by), count in sorted(withdrawals.items())
        ],
        **_own(answers),
    }


def summary(answers: Answers) -> str:
    """Return what the data are, in sentences."""
    gone = answers.withdrawals["by"].value_counts()
    sentences = [
        _task(answers),
        f"Participants: {len(answers.participants):,}, finished: "
        f"{int(answers.participants['finished'].notna().sum()):,}.",
    ]
    screened_out = int(answers.participants["screened_out"].notna().sum())
    if screened_out:
        sentences.append(f"Screened out after failed checks, and not counted: {screened_out:,}.")
    if len(answers.withdrawals):
        sentences.append(
            f"Withdrawn, of whom nothing is here: {int(gone.get('participant', 0)):,} by themselves, "
            f"{int(gone.get('experimenter', 0)):,} removed by the experimenter."
        )
    if answers.turned_away:
        sentences.append(f"Turned away by gates, before they began: {turned_away_words(answers.turned_away)}.")
    if _has_personal(answers):
        sentences.append(
            "It has ids, comments or texts of participants, which are personal data: not to be published."
        )
    return " ".join(sentences)


def _has_personal(answers: Answers) -> bool:
    if answers.participants[["external_id", "comment"]].notna().any(axis=None):
        return True
    texts = [each.name for each in answers.questions.all if isinstance(each, FreeText)] if answers.questions else []
    return any(replies.get(name) for replies in answers.own_answers["answers"] for name in texts) if texts else False


def _own(answers: Answers) -> dict[str, Any]:
    """Return what there is of own questions and gates."""
    found: dict[str, Any] = {}
    if answers.questions is not None:
        found["questions"] = {"sha256": answers.questions.hash, **json.loads(answers.questions.stored)}
    if answers.turned_away:
        found["turned_away"] = dict(answers.turned_away)
    return found


def _task(answers: Answers) -> str:
    """Return what participants did."""
    protocol = answers.protocol
    shown, chosen = "one real and one recoloured", "that they took for the fake"
    if not protocol.has_fakes:
        also = ", the real one among them" if protocol.with_real else ""
        shown, chosen = f"in the colours of two algorithms{also}", "that looked more natural to them"
    if protocol.is_rating:
        also = " or in its real ones" if protocol.with_real else ""
        return (
            f"Experiment {answers.experiment}: of a picture of a photograph in an algorithm's colours{also}, seen for "
            f"{protocol.exposure_ms:,} ms, participants said how natural it looked, from 1, not at all, to "
            f"{protocol.points}. Each participant rated all algorithms."
        )
    several = " Each participant judged all algorithms." if protocol.design == "within" else ""
    return (
        f"Experiment {answers.experiment}: of two pictures of a photograph, {shown}, seen for "
        f"{protocol.exposure_ms:,} ms, participants chose the one {chosen}.{several}"
    )


def _resource(name: str, path: str, columns: Sequence[Column], answers: Answers) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(column, levels_of(column, answers), bounds_of(column, answers)) for column in columns],
        "missingValues": [""],
        "primaryKey": list(KEYS.get(name, ("participant",))),
    }
    if name != "participants":
        reference = {"resource": "participants", "fields": ["participant"]}
        schema["foreignKeys"] = [{"fields": ["participant"], "reference": reference}]
    return {
        "name": name,
        "path": path,
        "description": _ROWS[name],
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }


def _field(column: Column, levels: Mapping[str, str], bounds: tuple[float, float] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.description}
    if column.type == "datetime":
        found["format"] = TIMES
    if column.unit:
        found["unit"] = column.unit
    if column.missing is None:
        found["constraints"] = {"required": True}
    else:
        found["missing"] = column.missing
    if bounds is not None:
        least, most = (int(end) if column.type == "integer" else end for end in bounds)
        found["constraints"] = {**found.get("constraints", {}), "minimum": least, "maximum": most}
    if levels:
        found["constraints"] = {**found.get("constraints", {}), "enum": list(levels)}
        found["categories"] = [{"value": value, "label": label} for value, label in levels.items()]
    return found


def tables_in_words(answers: Answers | None = None) -> str:
    """Return the columns of all tables in Markdown.

    Args:
        answers: An experiment's, whose algorithms and rules are named; None for the rules where `build` is told none.
    """
    lines = list[str]()
    every = {**TABLES, "devices": DEVICES} if answers is None else tables_of(answers)
    for name, columns in every.items():
        rows = [_row(column, column.levels if answers is None else levels_of(column, answers)) for column in columns]
        table = [("column", "type", "what it is", "values", "empty"), ("---",) * 5, *rows]
        lines += [f"## {name}", "", _ROWS[name], "", *(f"| {' | '.join(row)} |" for row in table), ""]
    return "\n".join(lines)


def _row(column: Column, levels: Mapping[str, str]) -> tuple[str, ...]:
    values = "; ".join(f"`{value}`: {label}" for value, label in levels.items()).replace("|", "\\|")
    kind = f"{column.type}, {column.unit}" if column.unit else column.type
    described = column.description.replace("|", "\\|")
    return f"`{column.name}`", kind, described, values, column.missing or "never"
