"""The codebook: it, the files and the docs name the same columns, and types are read by it alone."""

import csv
import json
import re
import runpy
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from ablate.turing.analyse.exclusions import rule_words
from ablate.turing.database import Answers
from ablate.turing.export.columns import TABLES
from ablate.turing.export.tables import tables
from tests.support.r import check_read_by_r, needs_r

DOCS = Path(__file__).parents[3] / "docs"


def test_files_codebook_and_docs_name_the_same_columns(folder: Path) -> None:
    package = json.loads((folder / "codebook.json").read_text(encoding="utf-8"))
    turing = (DOCS / "turing.md").read_text(encoding="utf-8").partition("\n## The data\n")[2].partition("\n## ")[0]
    for resource in package["resources"]:
        names = [field["name"] for field in resource["schema"]["fields"]]
        assert names == [column.name for column in TABLES[resource["name"]]]
        with (folder / resource["path"]).open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == names
        (said,) = re.findall(rf"- \*\*{resource['name']}\*\*:(.*?)(?=\n- |\n\n)", turing, re.DOTALL)
        assert re.findall(r"`(\w+)`", said) == names


def test_the_page_is_what_the_code_says() -> None:
    page = runpy.run_path(str(DOCS / "turing_codebook.py"))["page"]()
    said = "python docs/turing_codebook.py writes it"
    assert (DOCS / "turing_codebook.md").read_text(encoding="utf-8") == page, said


def test_it_says_what_the_values_mean(folder: Path, answers: Answers) -> None:
    package = json.loads((folder / "codebook.json").read_text(encoding="utf-8"))
    fields = {field["name"]: field for field in package["resources"][1]["schema"]["fields"]}
    meant = {each["value"]: each["label"] for each in fields["exclusion"]["categories"]}
    assert meant == rule_words(answers.protocol)
    assert fields["algorithm"]["constraints"]["enum"] == ["baseline", "loss=regression"]
    assert fields["response_ms"]["unit"] == "ms"
    gone = answers.withdrawals["algorithm"].item()
    assert package["withdrawals"] == [{"algorithm": gone, "by": "participant", "participants": 1}]
    assert "Withdrawn, of whom nothing is here: 1 by themselves, 0 removed" in package["description"]


def test_pandas_reads_the_export_by_the_readme(
    folder: Path, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(folder)
    found: dict[str, dict[str, pd.DataFrame]] = {}
    exec(script, found)
    for name, table in tables(answers).items():
        read = found["tables"][name]
        for column in TABLES[name]:
            same = read[column.name].dtype
            if column.type == "datetime":
                assert isinstance(same, pd.DatetimeTZDtype)
            else:
                assert column.levels == {} or isinstance(same, pd.CategoricalDtype)
            assert read[column.name].isna().tolist() == table[column.name].isna().tolist()
            assert (column.missing is not None) or read[column.name].notna().all()
            known = table[column.name].notna()
            assert read.loc[known, column.name].tolist() == table.loc[known, column.name].tolist()
    assert {"NA", "007", "TRUE"} < set(found["tables"]["trials"]["photograph"])


def test_ten_lines_read_it_as_r_does(folder: Path, answers: Answers) -> None:
    # As R's read.csv with colClasses and na.strings: column by column, a cell a value of the codebook's type.
    classes = {"string": str, "integer": int, "number": float, "boolean": {"true": True, "false": False}.__getitem__,
               "datetime": lambda cell: datetime.strptime(cell, "%Y-%m-%dT%H:%M:%S%z")}  # fmt: skip
    read = {}
    for resource in json.loads((folder / "codebook.json").read_text(encoding="utf-8"))["resources"]:
        fields, missing = resource["schema"]["fields"], resource["schema"]["missingValues"]
        with (folder / resource["path"]).open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        column_class = {field["name"]: classes[field["type"]] for field in fields}
        cells = {name: [row[place] for row in rows] for place, name in enumerate(header)}
        read[resource["name"]] = {
            name: [None if cell in missing else column_class[name](cell) for cell in cells[name]] for name in header
        }
    for name, table in tables(answers).items():
        for column in TABLES[name]:
            expected = [None if pd.isna(value) else value for value in table[column.name]]
            assert read[name][column.name] == expected
    fooled = [
        fooled for fooled, counts in zip(read["trials"]["fooled"], read["trials"]["counts"], strict=True) if counts
    ]
    assert len(fooled) == 7


@pytest.mark.slow
@needs_r
def test_r_reads_the_export_by_the_readme(folder: Path, answers: Answers) -> None:
    check_read_by_r(folder, answers)
