"""Results that are loaded from a store."""

import os
import unicodedata
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ablate.errors import NotComparable
from ablate.report.compare import Primary, compare
from ablate.report.figures.draw import draw_figures
from ablate.report.load import load, primary_of
from ablate.report.results import Results
from ablate.statistics.effects import COLUMNS
from ablate.study.definition import StudyFile
from ablate.tracking.store import open_store
from ablate.tracking.study import LIMIT
from ablate.tracking.study_record import read_study
from tests.support.stores import ODD, PHOTOGRAPHS, STUDY, add_run, record_hand_made

NO_EFFECTS = pd.DataFrame(columns=list(COLUMNS))


def loaded(**options: Any) -> Results:
    return load(read_study("hand", os.environ["MLFLOW_TRACKING_URI"]), **options)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_renamed_photographs_are_the_same_ones(hand_made: Path) -> None:
    before = load(read_study("hand", os.environ["MLFLOW_TRACKING_URI"]))
    # An order of names that is another than before, and another spelling of one of them.
    names = [f"caf\u00e9{99 - place}.png" for place in range(len(PHOTOGRAPHS))]
    add_run(hand_made, ODD, 2, gain=5.0, names=[unicodedata.normalize("NFD", name) for name in names])
    add_run(hand_made, "baseline", 2, names=names)
    after = load(read_study("hand", os.environ["MLFLOW_TRACKING_URI"]))
    renamed = dict(zip(names, PHOTOGRAPHS, strict=True))
    pd.testing.assert_frame_equal(after.scores.rename(index=renamed).sort_index(), before.scores.sort_index())
    assert set(after.samples["example"]) == set(names[:6])
    figure = draw_figures(
        after,
        compare(after.scores, {"auc": True, "rmse": False, "color": None}, after.primary),
        NO_EFFECTS,
        NO_EFFECTS,
    )
    assert "the 12 that evaluate" in figure["grid"].method


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_pictures_of_photographs_that_do_not_evaluate_are_the_first_and_said_to_be_so(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    for variant in ("baseline", ODD):
        add_run(home, variant, 0, pictured=["shown.png", PHOTOGRAPHS[0]])
    results = loaded(partial=True)
    assert set(results.samples["example"]) == {"shown.png", f"{PHOTOGRAPHS[0]} (only shown)"}
    comparison = compare(results.scores, {"auc": True, "rmse": False, "color": None}, results.primary)
    figure = draw_figures(results, comparison, NO_EFFECTS, NO_EFFECTS)["grid"]
    assert "The first 2 of 2 photographs that are only shown; none of them evaluates." in figure.method
    assert "chosen" not in figure.caption
    assert "random" not in figure.alt


@pytest.mark.slow
def test_a_report_refuses_two_configurations_under_one_name(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    for configuration in ("one", "other", "other"):
        add_run(home, "x", 0, tags={"configuration": configuration})
    record = read_study("hand", os.environ["MLFLOW_TRACKING_URI"])
    with pytest.raises(NotComparable, match="configuration of x"):
        load(record)
    results = load(record, partial=True)
    assert (results.superseded, dict(results.others)) == (1, {"configuration": 1})
    assert results.gaps == []


@pytest.mark.slow
def test_partial_leaves_out_what_differs_from_the_newest_run(hand_made: Path) -> None:
    add_run(hand_made, "baseline", 0, tags={"code": "new", "setting": "t"})
    add_run(hand_made, ODD, 0, gain=1.0, tags={"code": "new", "setting": "t"})
    results = loaded(partial=True)
    assert len(results.runs) == 2
    assert "baseline, seed 2: another code that computes results than the newest run's" in map(str, results.gaps)


@pytest.mark.slow
def test_a_long_definition_is_kept_whole(hand_made: Path) -> None:
    question = "Does it matter? " * (LIMIT // 10)
    for asked, kept in (({"question": question}, question), ({}, STUDY["question"])):
        record_hand_made(hand_made, **asked)
        definition = loaded().definition
        assert definition is not None
        assert definition.question == kept


def test_the_metric_of_the_study_is_the_same_where_it_is_named() -> None:
    asked = {"name": "color", "direction": "minimize", "margin": 2}
    definition = StudyFile.model_validate({**STUDY, "metric": asked})
    specs = pd.DataFrame({"higher_is_better": [True, None]}, index=["auc", "color"])
    named, own = (primary_of(metric, definition, specs, pd.DataFrame()) for metric in ("color", None))
    assert named == own == Primary("color", False, 2.0)
