"""The Psych-DS folder of an experiment (https://psych-ds.github.io): tables, codebook, metadata, consent texts."""

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from ablate.errors import DataError
from ablate.system.atomic_write import atomic_write
from ablate.turing.database import Answers
from ablate.turing.export.codebook import TIMES, codebook, summary, tables_in_words
from ablate.turing.export.columns import Column, levels_of
from ablate.turing.export.own_columns import tables_of
from ablate.turing.export.tables import tables

CODEBOOK = "codebook.json"


def psych_ds_files(answers: Answers, created: float) -> dict[str, bytes]:
    """Return the files of an experiment's folder, by their paths in it.

    Args:
        answers: The experiment's.
        created: Seconds since 1970.
    """
    paths = {name: f"data/{data_name(answers.experiment, name)}.csv" for name in tables_of(answers)}
    at = pd.Timestamp(created, unit="s").strftime(TIMES)
    written = {paths[name]: table_file(table, "csv") for name, table in tables(answers).items()}
    documents = {
        "dataset_description.json": _json(_description(answers, at)),
        CODEBOOK: _json(codebook(answers, paths, at)),
        "README.md": _readme(answers).encode(),
    }
    consents = {f"documentation/consent-{digest}.txt": text.encode() for digest, text in answers.consents.items()}
    return documents | written | consents


def data_name(experiment: str, table: str) -> str:
    """Return the name of a table's file without its ending, from keywords of Psych-DS."""
    return f"study-{re.sub('[^A-Za-z0-9]', '', experiment)}_description-{table}_data"


def table_file(table: pd.DataFrame, ending: Literal["csv", "parquet"]) -> bytes:
    """Return a table as a file: CSV with `true`, `false` and times in UTC, or Parquet."""
    if ending == "parquet":
        file = io.BytesIO()
        table.to_parquet(file, index=False)
        return file.getvalue()
    written = table.copy()
    for name in table.select_dtypes(["bool", "boolean"]):
        written[name] = table[name].map({True: "true", False: "false"}).astype("object")
    return written.to_csv(index=False, date_format=TIMES, lineterminator="\n").encode()


def zipped(content: Mapping[str, bytes], folder: str) -> bytes:
    """Return files as a ZIP archive that unpacks into one folder."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in content.items():
            archive.writestr(f"{folder}/{path}", data)
    return file.getvalue()


def may_be_there(experiment: str) -> Sequence[str]:
    """Return patterns of the files that an export of an experiment has at one time and not at another."""
    return f"data/{data_name(experiment, '*')}.csv", "documentation/consent-*.txt"


def write_folder(content: Mapping[str, bytes], folder: Path, stale: Sequence[str] = ()) -> None:
    """Write files into a folder, which is made.

    Args:
        content: By their paths in it.
        folder: Which one.
        stale: Patterns of files that are removed where `content` has them no more: what is of who withdrew.

    Raises:
        DataError: They cannot be written.
    """
    try:
        for pattern in stale:
            for found in folder.glob(pattern):
                if found.relative_to(folder).as_posix() not in content:
                    found.unlink()
        for path, data in content.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(folder / path) as file:
                file.write(data)
    except OSError as error:
        raise DataError(f"the data cannot be written to {folder}: {error.strerror or error}") from None


def _description(answers: Answers, created: str) -> dict[str, Any]:
    columns = {column.name: column for table in tables_of(answers).values() for column in table}
    return {
        "@context": "https://schema.org",
        "@type": "Dataset",
        "name": answers.experiment,
        "description": summary(answers),
        "dateCreated": created,
        "measurementTechnique": "rating scale" if answers.protocol.is_rating else "two-alternative forced choice",
        "keywords": ["human evaluation", "colorization", "Turing test"],
        "variableMeasured": [_variable(column, levels_of(column, answers)) for column in columns.values()],
    }


def _variable(column: Column, levels: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"@type": "PropertyValue", "name": column.name, "description": column.description}
    if column.unit:
        found["unitText"] = column.unit
    if levels:
        found["valueReference"] = [
            {"@type": "PropertyValue", "value": value, "description": label} for value, label in levels.items()
        ]
    return found


def _readme(answers: Answers) -> str:
    how = (files("ablate.turing.export") / "reading.md").read_text(encoding="utf-8")
    return "\n".join([f"# {answers.experiment}", "", summary(answers), "", tables_in_words(answers), how])


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
