"""The tables of own questions and devices: by the codebook alone pandas reads them as they were answered."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from ablate.turing.bundle import Bundle
from ablate.turing.database import Answers, Database, read_answers
from ablate.turing.export.command import main as export
from ablate.turing.export.own_columns import DEVICES, TAKEN
from ablate.turing.export.psych_ds import psych_ds_files, write_folder
from ablate.turing.export.tables import tables
from ablate.turing.serve.enrollment import Newcomer
from ablate.turing.serve.gates import Gates
from ablate.turing.serve.recruiting import Recruiting
from tests.support.judged import START, opened
from tests.support.own_questions import own_questions
from tests.support.r import check_read_by_r, needs_r
from tests.turing.test_device import SENT

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def asked(bundle: Bundle, database: Database, tmp_path: Path) -> Database:
    """Three participants: one has replied to all, one to what is required before, one to nothing."""
    ways = Recruiting(questions=own_questions(tmp_path), gates=Gates(record=True))
    sessions = opened(database, bundle, ways)
    for key in ("all", "before", "nothing"):
        sessions.begin(Newcomer(key, "normal", device={**SENT, "browser": "Firefox"}))
    sessions.keep_replies("all", "before", {"age": 31, "screen": "NA", "cameras": ["phone", "none"]})
    sessions.keep_replies("before", "before", {"age": 99, "screen": None, "cameras": ["reflex"]})
    while (state := sessions.find("all")) and state.trial:
        assert sessions.send("all", state.trial.number)
        assert sessions.show("all", state.trial.number)
        sessions.answer("all", state.trial.number, "left", exposure_ms=200.0, response_ms=800.0)
    sessions.keep_replies("all", "after", {"sure": 5, "distance": 0.7, "strategy": 'NA,\nthe "sky" | me'})
    return database


def read(answers: Answers, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, pd.DataFrame]:
    """Return the tables as the README's lines of pandas read them."""
    write_folder(psych_ds_files(answers, START), folder)
    return tables_by_readme(folder, monkeypatch)


def tables_by_readme(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, pd.DataFrame]:
    (script,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(folder)
    found: dict[str, dict[str, pd.DataFrame]] = {}
    exec(script, found)
    return found["tables"]


def test_pandas_reads_what_was_answered(asked: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(read_answers(asked, "drawn", personal=True), tmp_path / "all", monkeypatch)
    table = found["questions"]
    assert list(table) == [
        "participant", "before_answered", "age", "screen", "cameras_phone", "cameras_reflex", "cameras_none",
        "after_answered", "sure", "distance", "strategy",
    ]  # fmt: skip
    assert table["participant"].tolist() == [1, 2]
    assert table["age"].tolist() == [31, 99]
    assert table["screen"].tolist()[0] == "NA"
    assert table["screen"].isna().tolist() == [False, True]
    assert table["cameras_phone"].tolist() == [True, False]
    assert table["sure"].tolist()[0] == 5
    assert table["distance"].tolist()[0] == 0.7
    assert table["strategy"].tolist()[0] == 'NA,\nthe "sky" | me'
    assert table.loc[1, ["after_answered", "sure", "distance", "strategy"]].isna().all()
    assert isinstance(table["before_answered"].dtype, pd.DatetimeTZDtype)
    devices = found["devices"]
    assert list(devices) == [column.name for column in DEVICES]
    assert devices["participant"].tolist() == [1, 2, 3]
    assert devices["pixel_ratio"].tolist() == [1.5] * 3
    assert set(devices["browser"]) == {"Firefox"}
    assert devices["touch"].tolist() == [False] * 3
    joined = found["participants"].merge(table, on="participant").merge(devices, on="participant")
    assert joined.columns.is_unique


@pytest.mark.slow
@needs_r
def test_r_reads_what_was_answered(asked: Database, tmp_path: Path) -> None:
    answers = read_answers(asked, "drawn", personal=True)
    write_folder(psych_ds_files(answers, START), tmp_path / "all")
    check_read_by_r(tmp_path / "all", answers)


@pytest.mark.slow
@needs_r
def test_r_reads_tables_without_rows(bundle: Bundle, database: Database, tmp_path: Path) -> None:
    opened(database, bundle, Recruiting(questions=own_questions(tmp_path)))
    answers = read_answers(database, "drawn")
    write_folder(psych_ds_files(answers, START), tmp_path / "none")
    check_read_by_r(tmp_path / "none", answers)


def test_the_codebook_describes_each(asked: Database) -> None:
    answers = read_answers(asked, "drawn", personal=True)
    files = psych_ds_files(answers, START)
    package = json.loads(files["codebook.json"])
    (resource,) = [each for each in package["resources"] if each["name"] == "questions"]
    fields = {field["name"]: field for field in resource["schema"]["fields"]}
    assert fields["age"]["type"] == "integer"
    assert fields["age"]["constraints"] == {"minimum": 18, "maximum": 120}
    assert fields["screen"]["description"] == "What do you sit at?"
    assert fields["screen"]["categories"][1] == {"value": "monitor", "label": "A monitor | desk"}
    assert fields["cameras_reflex"]["type"] == "boolean"
    assert fields["cameras_reflex"]["description"] == "Which cameras do you use? Chosen: A reflex camera"
    assert fields["sure"]["description"] == "How sure were you? 1: not at all; 7: very."
    assert fields["distance"]["type"] == "number"
    assert answers.questions is not None
    assert package["questions"]["sha256"] == answers.questions.hash
    assert package["questions"]["before"][0]["name"] == "age"
    readme = files["README.md"].decode()
    assert "| `sure` | integer | How sure were you? 1: not at all; 7: very. |" in readme
    assert "A monitor \\| desk" in readme
    variables = [each["name"] for each in json.loads(files["dataset_description.json"])["variableMeasured"]]
    assert {"age", "cameras_none", "refresh_rate"} < set(variables)
    assert len(set(variables)) == len(variables)


def test_texts_are_personal(asked: Database) -> None:
    plain, personal = (psych_ds_files(read_answers(asked, "drawn", personal=each), START) for each in (False, True))
    assert b"sky" not in b"".join(plain.values())
    assert b"not to be published" not in plain["README.md"]
    assert any(b"sky" in content for content in personal.values())
    assert b"personal data: not to be published" in personal["README.md"]


def test_without_replies_the_table_is_empty_of_the_same_types(asked: Database) -> None:
    answers = read_answers(asked, "drawn")
    nobody = Answers(**{**vars(answers), "own_answers": answers.own_answers.iloc[:0]})
    empty, full = tables(nobody)["questions"], tables(answers)["questions"]
    assert len(empty) == 0
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)


def test_a_table_that_is_no_more_does_not_stay_from_an_earlier_export(
    asked: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bundle: Bundle
) -> None:
    folder = tmp_path / "out"
    arguments = [f"database={asked.engine.url.render_as_string()}", f"out={folder}", "personal=true"]
    export(arguments)
    (folder / "data" / "my_own.csv").touch()
    sessions = opened(asked, bundle, Recruiting(questions=own_questions(tmp_path)))
    for key in ("all", "before", "nothing"):
        sessions.withdraw(key)
    export(arguments)
    names = [f"study-drawn_description-{name}_data.csv" for name in ("participants", "questions", "trials")]
    assert sorted(file.name for file in (folder / "data").iterdir()) == ["my_own.csv", *names]
    assert not any(b"sky" in file.read_bytes() for file in folder.rglob("*") if file.is_file())
    found = tables_by_readme(folder, monkeypatch)
    assert [len(table) for table in found.values()] == [0, 0, 0]
    assert found["participants"]["answers"].dtype == "Int64"


def test_the_docs_name_the_columns_of_devices() -> None:
    turing = (DOCS / "turing.md").read_text(encoding="utf-8").partition("\n## The data\n")[2].partition("\n## ")[0]
    (said,) = re.findall(r"- \*\*devices\*\*:(.*?)(?=\n- |\n\n)", turing, re.DOTALL)
    assert re.findall(r"`(\w+)`", said) == [column.name for column in DEVICES]
    assert {"participant", "touch", "before_answered", "after_answered"} < TAKEN
