"""The folder keeps the rules of Psych-DS: https://psychds-docs.readthedocs.io/en/latest/reference/rules_and_conventions/."""

import csv
import hashlib
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from ablate.errors import DataError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Answers, Database
from ablate.turing.export.command import main
from ablate.turing.export.psych_ds import data_name, psych_ds_files, table_file, write_folder
from ablate.turing.export.tables import tables
from tests.support.judged import opened, take_part

NAME = r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv"
"""Of a data file, as the specification's schema has it."""
PROPERTY_VALUE = {"@type", "name", "description", "unitText", "value", "valueReference"}
"""Properties of schema.org's PropertyValue that are used."""


def test_the_rules_are_kept(folder: Path) -> None:
    description = json.loads((folder / "dataset_description.json").read_text(encoding="utf-8"))
    assert description["@context"] == "https://schema.org"
    assert description["@type"] == "Dataset"
    assert all(description[name] for name in ("name", "description", "variableMeasured"))
    variables = description["variableMeasured"]
    assert all(each["@type"] == "PropertyValue" and set(each) <= PROPERTY_VALUE for each in variables)
    names = [each["name"] for each in variables]
    assert len(set(names)) == len(names)
    files = list((folder / "data").iterdir())
    assert {file.name for file in files} == {
        "study-drawn_description-participants_data.csv",
        "study-drawn_description-trials_data.csv",
    }
    for file in files:
        assert re.fullmatch(NAME, file.name)
        with file.open(encoding="utf-8", newline="") as opened:
            header, *rows = csv.reader(opened)
        assert set(header) <= set(names)
        assert rows
        assert {len(row) for row in rows} == {len(header)}
    assert (folder / "README.md").is_file()


@pytest.mark.parametrize("experiment", ["a_b.c-d", "2026-11_Depth", "x"])
def test_any_name_of_an_experiment_makes_a_name_of_a_file(experiment: str) -> None:
    assert re.fullmatch(NAME, data_name(experiment, "trials") + ".csv")


def test_the_consent_texts_are_beside_it_and_hash_to_their_names(folder: Path, answers: Answers) -> None:
    (file,) = (folder / "documentation").iterdir()
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert file.name == f"consent-{digest}.txt"
    assert set(answers.participants["consent"]) == {digest}
    text = file.read_text(encoding="utf-8")
    assert text.startswith("language: en\n")
    assert "I agree to take part" in text
    assert "{" not in text


def test_parquet_has_the_same_types(answers: Answers, tmp_path: Path) -> None:
    for name, table in tables(answers).items():
        (tmp_path / name).write_bytes(table_file(table, "parquet"))
        read = pd.read_parquet(tmp_path / name)
        assert read.astype(table.dtypes).equals(table)
        assert read["counts"].dtype == "bool"


def test_the_command_writes_it_and_writes_it_again_without_who_withdrew(
    bundle: Bundle, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sessions = opened(database, bundle)
    numbers = [take_part(sessions, f"key {number}") for number in range(3)]
    arguments = [f"database=sqlite:///{tmp_path / 'turing.db'}", f"out={tmp_path / 'there'}"]
    participants = tmp_path / "there" / "data" / "study-drawn_description-participants_data.csv"
    for left in (numbers, numbers[1:]):
        main(arguments)
        said = capsys.readouterr().out.splitlines()
        assert f"Participants: {len(left)}, finished: {len(left)}." in said[0]
        assert said[-1] == f"Data: {tmp_path / 'there'}"
        assert pd.read_csv(participants)["participant"].tolist() == left
        sessions.withdraw("key 0")
    assert "1 by themselves" in said[0]


def test_a_folder_that_cannot_be_written_is_named(answers: Answers, tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(DataError, match="the data cannot be written to"):
        write_folder(psych_ds_files(answers, 0.0), tmp_path)
