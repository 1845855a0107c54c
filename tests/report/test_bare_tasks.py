"""Reports on tasks that have little: no pictures, no distribution, no FLOPs, no curves."""

import json
import os
from pathlib import Path

import pytest

from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import Report, make_report
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.digits import ACCURACY, add_digits

FORMS = ("report.html", "report.md", "report.tex")


def reported(folder: Path) -> Report:
    """Report on the study of digits, and write that."""
    report = make_report(load(read_study("digits", os.environ["MLFLOW_TRACKING_URI"])))
    write(report, folder)
    return report


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_report_leaves_out_what_is_not_there(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    for variant, skill in (("baseline", 0.0), ("activation=leaky_relu", 0.5)):
        add_digits(home, variant, 0, skill=skill, metrics=(ACCURACY,))
    report = reported(home / "out")
    assert set(report.tables) == {"primary", "runs"}
    assert set(report.figures) == {"differences", "per_example"}
    for form in FORMS:
        text = (home / "out" / form).read_text()
        for absent in ("hotograph", "All metrics", "Cost", "FLOPs", "training, s", "Learning curves"):
            assert absent not in text, (form, absent)
        assert "digits only: one seed" in text
    assert "unknown" not in " ".join(report.facts.values())
    assert report.facts["Evaluation"] == "400 digits that did not train"
    assert json.loads((home / "out" / "summary.json").read_text())["examples"] == 400
