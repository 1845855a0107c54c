"""The export of every design, read from its codebook alone: each cell is what that allows, whatever people wrote."""

import csv
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from ablate.turing.database import Answers, Database, Trial, read_answers
from ablate.turing.export.codebook import codebook
from ablate.turing.export.psych_ds import psych_ds_files, write_folder
from ablate.turing.protocol import Design, Protocol
from ablate.turing.serve.enrollment import Newcomer
from ablate.turing.serve.plain_text import plain_text
from ablate.turing.serve.recruiting import Recruiting
from ablate.turing.serve.sessions import Choice
from tests.support.bundles import make_bundle
from tests.support.judged import START, english, opened
from tests.support.r import check_read_by_r, needs_r

WRITTEN = (
    'two\nlines, a "quote"\n\nand more', "=1+1", "NA", '"', "'", 'back\\slash "\\', "色\u3000緑, 👩\u200d🎨", "true",
    "#1", "a\tb",
)  # fmt: skip
"""Comments that a reader without types, or without the rules of quotes, would spoil."""
NAMES = ("baseline", 'loss="a, b"|c', "ä ö")


def judged(tmp_path: Path, database: Database, protocol: Protocol) -> Answers:
    """Return an experiment that has participants who write, miss pairs, leave, and click at random."""
    bundle = make_bundle(tmp_path / "b", "Exp_1.x", protocol=protocol, algorithms=NAMES, photographs=12, side=16)
    sessions = opened(database, bundle, Recruiting("PID"))

    def choose(trial: Trial, person: int) -> Choice | int:
        if trial.number == 3 + person:
            return "missed"
        if protocol.is_rating:
            return 1 + (trial.number + person) % protocol.points
        return "left" if (trial.number + person) % 2 else "right"

    for person, comment in enumerate(WRITTEN):
        key = f"key {person}"
        sessions.begin(Newcomer(key, "unknown" if person % 3 else "deficient", english(sessions), f"00{person}"))
        for number in range(1, 4 if person == 4 else protocol.photographs + 1):
            trial = sessions.send(key, number)
            assert trial is not None
            assert sessions.show(key, number)
            known = None if number % 5 == 0 else 200.0
            sessions.answer(key, number, choose(trial, person), exposure_ms=known, response_ms=known)
        sessions.comment(key, comment)
    return read_answers(database, "Exp_1.x", personal=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("design", "with_real"),
    [
        ("between", False), ("within", False), ("preference", False), ("preference", True), ("rating", False),
        ("rating", True),
    ],
)  # fmt: skip
def test_each_cell_is_what_the_codebook_allows(
    tmp_path: Path, database: Database, monkeypatch: pytest.MonkeyPatch, design: Design, with_real: bool
) -> None:
    protocol = Protocol(practice=2, test=6, checks=2, exposure_ms=200, design=design, with_real=with_real)
    folder = tmp_path / "data of it"
    write_folder(psych_ds_files(judged(tmp_path, database, protocol), START), folder)
    monkeypatch.chdir(folder)
    (script,) = re.findall(r"```python\n(.*?)```", Path("README.md").read_text(encoding="utf-8"), re.DOTALL)
    found: dict[str, dict[str, pd.DataFrame]] = {}
    exec(script, found)
    for resource in json.loads(Path("codebook.json").read_text(encoding="utf-8"))["resources"]:
        table, schema = found["tables"][resource["name"]], resource["schema"]
        with Path(resource["path"]).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == len(table)
        assert not table.duplicated(schema["primaryKey"]).any()
        for field in schema["fields"]:
            allowed, column = field.get("constraints", {}), table[field["name"]]
            # Of what is not in `enum` nothing is left.
            assert column.isna().tolist() == [row[field["name"]] == "" for row in rows]
            assert not (allowed.get("required") and column.isna().any())
            if "minimum" in allowed:
                assert column.dropna().between(allowed["minimum"], allowed["maximum"]).all()
    people, trials = found["tables"]["participants"], found["tables"]["trials"]
    assert people["comment"].dropna().tolist() == [
        plain_text(each) for place, each in enumerate(WRITTEN) if place != 4
    ]
    assert people["external_id"].tolist() == [f"00{person}" for person in range(len(WRITTEN))]
    assert set(trials["participant"]) == set(people["participant"])


@pytest.mark.slow
@needs_r
def test_r_reads_whatever_people_wrote(tmp_path: Path, database: Database) -> None:
    answers = judged(tmp_path, database, Protocol(practice=2, test=6, checks=2, design="preference", with_real=True))
    write_folder(psych_ds_files(answers, START), tmp_path / "data of ä")
    check_read_by_r(tmp_path / "data of ä", answers)


def test_a_scale_has_the_bounds_of_the_experiment(tmp_path: Path, database: Database) -> None:
    protocol = Protocol(practice=2, test=6, checks=2, design="rating", points=5)
    opened(database, make_bundle(tmp_path / "b", protocol=protocol, photographs=12, side=16))
    package = codebook(read_answers(database, "drawn"), {"participants": "p", "trials": "t"}, "")
    (field,) = (each for each in package["resources"][1]["schema"]["fields"] if each["name"] == "rating")
    assert field["constraints"] == {"minimum": 1, "maximum": 5}
