"""Reports on tasks that have little: no pictures, no distribution, no FLOPs, no curves."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import Report, make_report
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.digits import ACCURACY, LONG, MACRO_F1, NLL, REPLICATES, add_digits, record_digits

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
    assert set(report.figures) == {"differences", "gains"}
    for form in FORMS:
        text = (home / "out" / form).read_text()
        for absent in ("hotograph", "All metrics", "Cost", "FLOPs", "Training, s", "Learning curves"):
            assert absent not in text, (form, absent)
        assert "digits only: one seed" in text
        assert "their intervals cover digits alone, with one seed" in text
        assert not re.search("intervals over seeds|± is the|cover seeds", text), form
    page = (home / "out" / "checklist.md").read_text()
    assert "over digits alone, with one seed, of the one variant" in page
    assert "Examples are independent samples; nothing is said of other seeds" in page
    assert not re.search("± is|largest error|moderated", page)
    assert "unknown" not in " ".join(report.facts.values())
    assert report.descriptions == {"Accuracy": ACCURACY.description}
    assert report.facts["Evaluation"] == "400 digits"
    assert json.loads((home / "out" / "summary.json").read_text())["examples"] == 400


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_one_seed_of_a_metric_of_the_whole_set_has_no_interval(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    for variant, skill in (("baseline", 0.0), ("activation=leaky_relu", 0.5)):
        add_digits(home, variant, 0, skill=skill, metrics=(MACRO_F1,), replicates=False)
    reported(home / "out")
    for form in (*FORMS, "checklist.md"):
        text = (home / "out" / form).read_text()
        assert not re.search("intervals? of the difference|hold at once|intervals cover|over seeds", text), form


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_task_may_have_metrics_of_the_whole_set_alone(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    for variant, skill in (("baseline", 0.0), ("activation=leaky_relu", 0.5)):
        for seed in range(3):
            add_digits(home, variant, seed, skill=skill, metrics=(MACRO_F1,), replicates=False, leaked=7)
    report = reported(home / "out")
    assert report.notes == ["Of 400 digits that evaluate, 7 train as well: the measures flatter."]
    assert set(report.figures) == {"differences"}
    assert not (home / "out" / "scores.parquet").exists()
    assert pd.read_csv(home / "out" / "runs.csv")["macro_f1"].between(0.5, 1).all()
    assert report.facts["Evaluation"] == "400 digits"
    assert "intervals cover seeds." in report.tables["primary"].method
    assert "over seeds;" in report.figures["differences"].caption


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_replicates_tell_of_examples(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    record_digits(home, metric={"name": "macro_f1", "direction": "maximize"})
    variants = ("baseline", "activation=leaky_relu", "dropout.rate=0.25", LONG)
    for place, variant in enumerate(variants):
        for seed in range(3):
            add_digits(home, variant, seed, skill=0.5 * place)
    report = reported(home / "out")
    table = report.comparison[report.comparison["metric"] == "macro_f1"].set_index("variant")
    assert table.loc[LONG, "verdict"] == "better"
    assert table.loc[LONG, "examples"] == 400
    assert "effects" in report.tables
    assert "seeds and digits" in report.tables["primary"].method
    assert "per_example" not in report.figures
    replicates = report.results.whole_set.replicates
    assert (list(replicates), len(replicates)) == (["macro_f1"], 4 * 3 * REPLICATES)
    # Single digits have the other metrics; all have a value for each run.
    assert list(report.results.scores) == ["accuracy", "nll"]
    assert list(report.results.values) == ["accuracy", "nll", "macro_f1"]


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_named(home: Path, bad: float) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    for variant in ("baseline", "activation=leaky_relu"):
        for seed in range(2):
            change = {"nll": bad, "macro_f1": bad} if variant != "baseline" and seed else {}
            add_digits(home, variant, seed, change=change)
    report = reported(home / "out")
    verdicts = report.comparison.set_index(["variant", "metric"])["verdict"]["activation=leaky_relu"]
    assert verdicts[["nll", "macro_f1"]].tolist() == ["not comparable"] * 2
    assert verdicts["accuracy"] != "not comparable"
    assert report.notes == [
        "Cross-entropy is not finite in 1 run, on 1 digit in all: activation=leaky_relu cannot be compared by it.",
        "Macro F1 is not finite in 1 run: activation=leaky_relu cannot be compared by it.",
    ]


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_metrics_without_a_direction_are_compared(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    for variant, skill in (("baseline", 0.0), ("activation=leaky_relu", 1.0)):
        for seed in range(3):
            add_digits(home, variant, seed, skill=skill, metrics=(replace(NLL, higher_is_better=None),))
    report = reported(home / "out")
    assert report.answer[0].startswith("Against the baseline, activation=leaky_relu lowers Cross-entropy (by ")
    assert report.answer[1].startswith("1 is lower than the baseline: activation=leaky_relu (")
    assert report.comparison["verdict"].tolist() == ["", "lower"]
