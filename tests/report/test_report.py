"""The contents of a report: effects of a factorial study, and the figures that results allow."""

import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image

from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import make_report
from ablate.report.summary import summary
from ablate.tracking.study_record import read_study
from tests.support.stores import ODD, PHOTOGRAPHS, add_run, record_hand_made


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_factorial_study_has_effects(hand_made: Path) -> None:
    record_hand_made(hand_made, name="two", factors={"a": ["x", "y"], "b": ["x", "y"]}, baseline={"a": "x", "b": "x"},
           design="full_factorial", seeds=[0, 1, 2])  # fmt: skip
    gains = {"baseline": 0.0, "a=y": 4.0, "b=y": 0.5, "a=y,b=y": 10.5}
    for variant, gain in gains.items():
        for seed in (0, 1, 2):
            add_run(hand_made, variant, seed, gain=gain, study="two")
    report = make_report(load(read_study("two", os.environ["MLFLOW_TRACKING_URI"])))
    said = json.loads(summary(report))
    effects = {row["effect"]: row for row in said["effects"]}
    assert effects["a=y"]["estimate"] == pytest.approx(7, abs=0.6)
    assert effects["a=y × b=y"]["estimate"] == pytest.approx(6, abs=1)
    assert "interactions" in report.figures
    assert "effects" in report.tables
    credit = {(row["factor"], row["kind"]): row["estimate"] for row in said["credit"]}
    assert credit["a=y", "shapley"] == pytest.approx(7, abs=0.6)
    assert credit["b=y", "added_alone"] == pytest.approx(0.5, abs=0.6)
    assert credit["b=y", "left_out"] == pytest.approx(6.5, abs=0.6)
    assert credit["a=y", "shapley"] + credit["b=y", "shapley"] == pytest.approx(credit["all factors", "total"])
    assert "credit" in report.figures
    assert [row[0].text for row in report.tables["credit"].rows] == ["a=y", "b=y", "all factors"]
    files = {path.name: path.read_text() for path in write(report, hand_made / "out") if path.stem == "report"}
    assert set(files) == {"report.html", "report.md", "report.tex"}
    assert all("Who deserves the credit" in text for text in files.values())


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_credit_needs_all_combinations_of_two_levels(hand_made: Path) -> None:
    record_hand_made(hand_made, name="three", factors={"a": ["x", "y", "z"], "b": ["x"]},
           baseline={"a": "x", "b": "x"}, design="full_factorial", seeds=[0, 1])  # fmt: skip
    for variant in ("baseline", "a=y", "a=z"):
        for seed in (0, 1):
            add_run(hand_made, variant, seed, gain=0.0, study="three")
    report = make_report(load(read_study("three", os.environ["MLFLOW_TRACKING_URI"])))
    assert "effects" in report.tables
    assert "credit" not in {**report.tables, **report.figures}
    assert report.credit.empty


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_only_examples_of_all_variants_are_shown(hand_made: Path) -> None:
    for seed in (0, 1, 2):
        add_run(hand_made, ODD, seed, gain=5.0, pictured=PHOTOGRAPHS[:1])
    report = make_report(load(read_study("hand", os.environ["MLFLOW_TRACKING_URI"])))
    with Image.open(io.BytesIO(report.figures["grid"].files["jpg"])) as grid:
        # A header, and one row.
        assert grid.height < 2 * 192
