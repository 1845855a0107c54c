"""An experiment with participants of all kinds, as another analysis would get it."""

from pathlib import Path

import pytest

from ablate.turing.bundle import Bundle
from ablate.turing.database import Answers, Database, Trial, read_answers
from ablate.turing.export.psych_ds import psych_ds_files, write_folder
from ablate.turing.serve.sessions import Choice
from tests.support.judged import START, opened, take_part

ODD = {"photo1": "NA", "photo2": "007", "photo3": 'NA, "odd"; 1', "photo4": "TRUE", "photo5": "ä|é"}
"""Names that a reader without types would spoil."""


@pytest.fixture
def answers(bundle: Bundle, database: Database) -> Answers:
    """Five participants, in this order: all well; misses; leaves; deficient; seen too long; and one who withdrew."""
    sessions, tests = opened(database, bundle), list[int]()

    def misses_first_test(trial: Trial) -> Choice:
        tests.extend([trial.number] * (trial.kind == "test"))
        return "missed" if tests == [trial.number] else "right"

    take_part(sessions, "well", lambda trial: "left" if trial.number % 2 else "right")
    take_part(sessions, "misses", misses_first_test)
    take_part(sessions, "leaves", trials=3)
    take_part(sessions, "deficient", vision="deficient")
    take_part(sessions, "too long", exposure_ms=5000.0)
    take_part(sessions, "gone")
    sessions.withdraw("gone")
    found = read_answers(database, "drawn")
    for frame in (found.trials, found.unanswered):
        frame["photograph"] = frame["photograph"].replace(ODD)
    return found


@pytest.fixture
def folder(answers: Answers, tmp_path: Path) -> Path:
    """Its data, as a folder."""
    write_folder(psych_ds_files(answers, START), tmp_path / "data of it")
    return tmp_path / "data of it"
