"""Studies that look at their results more than once, and what they wrote down before."""

import os
from pathlib import Path
from typing import Any

import pytest

from ablate.errors import NotComparable
from ablate.report.load import load
from ablate.report.report import Report, make_report
from ablate.report.results import Results
from ablate.report.summary import plain_rows
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.stores import ODD, add_failed, add_run, record_hand_made

TWICE = {"seeds": {"looks": [2, 4]}}
MANY = {
    **TWICE,
    "factors": {"loss": ["even", "<i>odd</i>", "same"]},
}
SAME = "loss=same"


def loaded(**options: Any) -> Results:
    return load(read_study("hand", os.environ["MLFLOW_TRACKING_URI"]), **options)


def reported(**options: Any) -> Report:
    return make_report(loaded(**options))


@pytest.fixture
def looked(home: Path) -> Path:
    """A store with the first look of a study: one variant is decided there, the other is not."""
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    record_hand_made(home, **MANY)
    for seed in (0, 1):
        add_run(home, "baseline", seed)
        add_run(home, ODD, seed, gain=40.0)
        add_run(home, SAME, seed, gain=1.0)
    return home


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_study_is_finished_when_its_looks_are(looked: Path) -> None:
    with pytest.raises(NotComparable, match=r"loss=same, seed 2: to do") as refused:
        loaded()
    assert "odd" not in str(refused.value)
    half = reported(partial=True)
    assert [(gap.variant, gap.seed) for gap in half.results.gaps] == [
        ("baseline", 2), ("baseline", 3), (SAME, 2), (SAME, 3),
    ]  # fmt: skip
    for seed in (2, 3):
        add_run(looked, "baseline", seed)
        add_run(looked, SAME, seed, gain=1.0)
    add_run(looked, ODD, 2, gain=40.0)
    report = reported()
    rows = {row["variant"]: row for row in report.comparison[report.comparison["metric"] == "auc"].to_dict("records")}
    assert (rows[ODD]["look"], rows[ODD]["outcome"], rows[ODD]["n"]) == (0, "decided", 2)
    assert (rows[SAME]["look"], rows[SAME]["n"]) == (1, 4)
    # What it said at its look, it says at the end.
    before = half.comparison[(half.comparison["metric"] == "auc") & (half.comparison["variant"] == ODD)]
    assert [before[name].item() for name in ("low", "high", "p")] == [rows[ODD][name] for name in ("low", "high", "p")]
    assert report.tables["primary"].headings[2] == "look"
    assert [row[2].text for row in report.tables["primary"].rows][:2] == ["", "1, decided"]
    assert any("10 of 12 runs, 2 saved" in note for note in report.notes)
    assert report.plan.deviations == ["1 finished run that no look asked for left out."]
    assert plain_rows(report.comparison)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_plan_that_was_kept(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    record_hand_made(home, seeds=[0], baseline_seeds=3)
    # As long as there is no result it may be written anew.
    record_hand_made(home, seeds=[0, 1], baseline_seeds=3)
    for seed in (0, 1, 2):
        add_run(home, "baseline", seed)
    with pytest.raises(NotComparable, match="odd"):
        loaded()
    for seed in (0, 1):
        add_run(home, ODD, seed, gain=5.0)
    report = reported()
    assert report.plan.deviations == []
    assert "before the first result; no deviations" in report.facts["Plan"]
    assert not report.results.paired
    assert report.comparison[report.comparison["metric"] == "auc"]["n"].tolist() == [3, 2]
    assert not any("different numbers of seeds" in note for note in report.notes)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_every_deviation_is_named(home: Path) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    record_hand_made(home)
    for seed in (0, 1, 2):
        add_run(home, "baseline", seed)
        add_run(home, ODD, seed, gain=5.0)
    assert reported().plan.deviations == []
    for seed in (3, 4):
        add_run(home, "baseline", seed)
        add_run(home, ODD, seed, gain=5.0)
    add_run(home, SAME, 7)
    record_hand_made(
        home,
        seeds=[0, 1, 2, 3, 4],
        factors={"loss": ["even", "<i>odd</i>", "third"]},
        metric={"name": "rmse", "direction": "minimize", "margin": 0.5},
        tune={"grid": {"optimizer.learning_rate": [1e-3, 1e-2]}},
    )
    said = " ".join(reported(partial=True).plan.deviations)
    for part in (
        "The metric was changed: auc, maximize, now rmse, minimize.",
        "The margin was changed: none, now 0.5.",
        "1 variant added: loss=third.",
        "The search for values, tune, was changed.",
        "2 seeds added: 3; 4. Who adds seeds until something is found looks more than once: false alarms up to 8 %",
        "Not planned are 1 variant: loss=same.",
        "Not planned are 1 seed: 7.",
        "partial",
    ):
        assert part in said
    other = reported(partial=True, metric="auc")
    assert not any("exploratory" in line for line in other.plan.deviations)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_study_of_an_older_store_says_that_nothing_was_written_down(hand_made: Path) -> None:
    report = reported(metric="rmse")
    assert report.facts["Plan"].startswith("not written down before the first result")
    add_run(hand_made, ODD, 0, gain=5.0)
    assert "left out for a newer one" in " ".join(reported().plan.deviations)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_look_does_not_wait_for_what_failed(looked: Path) -> None:
    record_hand_made(looked, **{**MANY, "factors": {"loss": ["even", "<i>odd</i>", "same", "broken"]}})
    with pytest.raises(NotComparable, match="loss=broken, seed 0: to do"):
        loaded()
    for seed in (0, 1):
        add_failed(looked, "loss=broken", seed)
    looks = loaded(partial=True).looks
    assert looks is not None
    assert looks.table["outcome"].to_dict() == {ODD: "decided", SAME: "undecided", "loss=broken": "dropped"}
    assert list(looks.missing) == [("baseline", 2), ("baseline", 3), (SAME, 2), (SAME, 3)]
