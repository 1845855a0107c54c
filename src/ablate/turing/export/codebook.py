"""The codebook: what each column of the exported tables is, as JSON with the data and as Markdown for people.

The JSON is a Data Package of Frictionless (https://datapackage.org): R's and Python's packages of that name read the
tables by it.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from ablate.turing.database import Answers
from ablate.turing.export.columns import KEYS, ROWS, TABLES, Column, levels_of

PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TIMES = "%Y-%m-%dT%H:%M:%SZ"


def codebook(answers: Answers, paths: Mapping[str, str], created: str) -> dict[str, Any]:
    """Return the codebook of an experiment's export, as plain values.

    Args:
        answers: The experiment's.
        paths: The file of each table, by its name.
        created: When it was written, in the form of `TIMES`.
    """
    withdrawals = Counter(answers.withdrawals[["algorithm", "by"]].itertuples(index=False, name=None))
    return {
        "$schema": PROFILE,
        "name": answers.experiment.lower(),
        "title": answers.experiment,
        "description": summary(answers),
        "created": created,
        "resources": [_resource(name, paths[name], answers) for name in TABLES],
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
    if answers.participants[["external_id", "comment"]].notna().any(axis=None):
        sentences.append("It has ids or comments of participants, which are personal data: not to be published.")
    return " ".join(sentences)


def _task(answers: Answers) -> str:
    """Return what participants did."""
    protocol = answers.protocol
    shown, chosen = "one real and one recoloured", "that they took for the fake"
    if not protocol.has_fakes:
        also = ", the real one among them" if protocol.with_real else ""
        shown, chosen = f"in the colours of two algorithms{also}", "that looked more natural to them"
    several = " Each participant judged all algorithms." if protocol.design == "within" else ""
    return (
        f"Experiment {answers.experiment}: of two pictures of a photograph, {shown}, seen for "
        f"{protocol.exposure_ms:,} ms, participants chose the one {chosen}.{several}"
    )


def _resource(name: str, path: str, answers: Answers) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "fields": [_field(column, levels_of(column, answers)) for column in TABLES[name]],
        "missingValues": [""],
        "primaryKey": list(KEYS[name]),
    }
    if name == "trials":
        reference = {"resource": "participants", "fields": ["participant"]}
        schema["foreignKeys"] = [{"fields": ["participant"], "reference": reference}]
    return {
        "name": name,
        "path": path,
        "description": ROWS[name],
        "type": "table",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }


def _field(column: Column, levels: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": column.type, "description": column.description}
    if column.type == "datetime":
        found["format"] = TIMES
    if column.unit:
        found["unit"] = column.unit
    if column.missing is None:
        found["constraints"] = {"required": True}
    else:
        found["missing"] = column.missing
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
    for name, columns in TABLES.items():
        rows = [_row(column, column.levels if answers is None else levels_of(column, answers)) for column in columns]
        table = [("column", "type", "what it is", "values", "empty"), ("---",) * 5, *rows]
        lines += [f"## {name}", "", ROWS[name], "", *(f"| {' | '.join(row)} |" for row in table), ""]
    return "\n".join(lines)


def _row(column: Column, levels: Mapping[str, str]) -> tuple[str, ...]:
    values = "; ".join(f"`{value}`: {label}" for value, label in levels.items()).replace("|", "\\|")
    kind = f"{column.type}, {column.unit}" if column.unit else column.type
    return f"`{column.name}`", kind, column.description, values, column.missing or "never"
