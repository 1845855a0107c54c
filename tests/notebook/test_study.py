"""A study as frames, figures and a report, from a store that is filled by hand."""

import io
import os
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from PIL import Image

import ablate
from ablate.errors import ConfigError, NotComparable, TrackingError
from ablate.notebook.frames import runs_frame
from ablate.notebook.models import find_run
from ablate.notebook.study import Study
from ablate.tracking.study_record import StudyRecord
from tests.support.run_frames import frame
from tests.support.stores import ODD, PHOTOGRAPHS, add_failed, add_run, record_hand_made

FACTOR = {"loss": "<i>odd</i>"}
COMPARED = [
    *("n", "mean", "sd", "n_paired", "examples", "difference", "low", "high"),
    *("low_individual", "high_individual", "p", "minimum_detectable_effect", "standard_error", "over"),
    *("effect_size", "gained", "lost", "verdict"),
]


@pytest.fixture(scope="module")
def hand(filled_store: Path) -> Study:
    """The study, read once."""
    return ablate.study("hand", uri=f"sqlite:///{filled_store}")


def test_runs_say_their_levels_their_status_and_what_they_measured(hand: Study) -> None:
    assert list(hand.runs.columns[:7]) == ["variant", "seed", "status", "started", "seconds", "reason", "loss"]
    assert list(hand.runs["variant"]) == ["baseline"] * 3 + [ODD] * 3
    assert list(hand.runs["seed"]) == [0, 1, 2] * 2
    assert list(hand.runs["loss"]) == ["even"] * 3 + ["<i>odd</i>"] * 3
    assert set(hand.runs["status"]) == {"done"}
    assert list(hand.runs["cost/wall_seconds"]) == [12.5, 13.5, 14.5] * 2
    assert {"eval/auc", "eval/rmse", "eval/color", "cost/parameters"} <= {*hand.runs}
    assert hand.runs.index.name == "run_id"


def test_scores_have_a_row_an_example_and_agree_with_the_runs(hand: Study) -> None:
    assert hand.scores.index.names == ["variant", "seed", "example"]
    assert list(hand.scores) == ["auc", "rmse", "color"]
    assert set(hand.scores.index.unique("example")) == {*PHOTOGRAPHS}
    means = hand.scores["auc"].groupby(level=["variant", "seed"]).mean()
    of_runs = hand.runs.set_index(["variant", "seed"])["eval/auc"]
    pd.testing.assert_series_equal(means.sort_index(), of_runs.sort_index(), check_names=False)


def test_curves_are_what_was_logged(hand: Study) -> None:
    assert list(hand.curves) == ["run_id", "variant", "seed", "metric", "step", "value"]
    assert len(hand.curves) == 6 * 2 * 3
    for metric, first in (("train/loss", 3.0), ("val/loss", 4.0)):
        own = hand.curves[hand.curves["metric"] == metric]
        assert (own["value"] == first / own["step"]).all()
        assert set(own["run_id"]) == {*hand.runs.index}


def test_costs_have_a_row_a_run(hand: Study) -> None:
    assert hand.costs.index.names == ["variant", "seed"]
    assert hand.costs.loc[(ODD, 2), "cost/wall_seconds"] == 14.5


@pytest.mark.slow
def test_variants_are_compared_with_the_baseline_by_any_metric(hand: Study) -> None:
    table = hand.compare()
    assert list(table) == COMPARED
    assert list(table.index) == ["baseline", ODD]
    assert list(table["verdict"]) == ["", "better"]
    assert table.loc[ODD, "difference"] == pytest.approx(5.0, abs=0.5)
    assert table.loc[ODD, "p"] < 0.05
    # What is lost of the one is gained of the other.
    other = hand.compare("rmse")
    assert other.loc[ODD, "difference"] == pytest.approx(-table.loc[ODD, "difference"])
    assert list(other["verdict"]) == ["", "better"]
    with pytest.raises(ConfigError, match="metric=color has no better direction"):
        hand.compare("color")
    assert list(hand.metrics.index) == ["auc", "rmse", "color"]


@pytest.mark.slow
def test_effects_are_those_of_a_factorial_design(hand: Study, hand_made: Path) -> None:
    assert hand.effects().empty
    assert list(hand.effects()) == ["effect", "kind", "estimate", "low", "high", "p"]
    record_hand_made(hand_made, design="full_factorial")
    (effect,) = ablate.study("hand").effects().to_dict("records")
    assert (effect["effect"], effect["kind"]) == (ODD, "main")
    assert effect["estimate"] == pytest.approx(hand.compare().loc[ODD, "difference"])


@pytest.mark.slow
def test_a_figure_is_matplotlib_s_and_shows_itself(hand: Study, tmp_path: Path) -> None:
    assert {"differences", "curves", "grid"} <= {*hand.figures}
    assert hand.figures["curves"].startswith("Learning curves. Mean over seeds")
    for name in hand.figures:
        figure = hand.figure(name)
        assert isinstance(figure, Figure)
        content, size = figure._repr_png_()
        with Image.open(io.BytesIO(content)) as picture:
            assert (picture.format, picture.width // 2) == ("PNG", size["width"])
        figure.savefig(tmp_path / f"{name}.svg")
    assert pyplot.get_fignums() == []
    assert "AuC" in hand.figure("differences").axes[0].get_xlabel()
    assert "RMSE" in hand.figure("differences", metric="rmse").axes[0].get_xlabel()
    with pytest.raises(ConfigError, match=r"study hand has no figure forest\. Allowed: differences, "):
        hand.figure("forest")


def test_a_configuration_names_the_store(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (home / "own").mkdir()
    (home / "own" / "config.yaml").write_text("defaults: [base, _self_]\ntracking: {uri: 'sqlite:///own.db'}\n")
    assert ablate.study("any", config_dir="own").uri == f"sqlite:///{home / 'own.db'}"
    assert ablate.study("any", config_dir="own", uri="http://mlflow:5000").uri == "http://mlflow:5000"


@pytest.mark.slow
def test_a_changed_figure_changes_no_report(hand_made: Path) -> None:
    study = ablate.study("hand")
    study.report("before", track=False)
    study.figure("differences").axes[0].set_xlim(-99, 99)
    page = study.report("after")
    assert page == Path("after/report.html")
    files = [Path(folder, "figures", "differences.png").read_bytes() for folder in ("before", "after")]
    assert files[0] == files[1]
    mlflow.set_tracking_uri(study.uri)
    experiment = mlflow.get_experiment_by_name("hand")
    assert experiment is not None
    assert len(mlflow.MlflowClient().search_runs([experiment.experiment_id], "tags.`ablate.report` = 'true'")) == 1
    assert "**Report** on 6 runs" in experiment.tags["mlflow.note.content"]


@pytest.mark.slow
def test_an_unfinished_study_shows_what_there_is(hand_made: Path) -> None:
    record_hand_made(hand_made, factors={"loss": ["even", "<i>odd</i>", "new"]})
    add_failed(hand_made, "loss=new", 1)
    study = ablate.study("hand")
    assert list(study.runs["status"]) == ["done"] * 6 + ["interrupted"]  # a full disk may be mended
    assert study.runs.set_index("variant").loc["loss=new", "reason"] == "OSError: disk full"
    assert len(study.curves) == 6 * 2 * 3
    with pytest.raises(NotComparable, match="study hand is not finished"):
        study.compare()
    assert "study hand is not finished: 3 of 9 runs have no result" in repr(study)
    assert "study hand is not finished" in study._repr_html_()
    assert list(ablate.study("hand", partial=True).compare().index) == ["baseline", ODD]


def test_the_levels_that_a_sweep_tracked_come_before_those_of_names() -> None:
    runs = frame(("FINISHED", "baseline", 0), ("FINISHED", "+net@a.rate=0.5", 0), ("FINISHED", "depth=shallow", 1))
    runs = runs.assign(seconds=1.0, missing=None, started=pd.Timestamp(0, tz="UTC"), error=None)
    params = pd.DataFrame({"net:a.rate": ["0.1", "0", "0.2"]}, index=runs.index)
    factors = pd.DataFrame({"depth": ["full", "full", None]}, index=runs.index)
    record = StudyRecord("own", None, None, [], "u", "1", runs, pd.DataFrame(index=runs.index), params, factors, {})
    levels = runs_frame(record, None)[["depth", "net:a.rate"]]
    assert levels.loc["run0":"run2"].astype(object).where(levels.notna(), None).to_numpy().tolist() == [
        ["full", "0.1"],
        ["full", "0.5"],
        ["shallow", "0.2"],
    ]


@pytest.mark.parametrize(
    ("levels", "found"), [({"a": 1}, "run0"), ({"a": 1, "b": 2}, "run0"), ({"b": 2}, "run1"), ({}, "run1")]
)
def test_levels_of_an_ad_hoc_sweep_name_a_run_with_and_without_what_all_share(
    levels: dict[str, object], found: str
) -> None:
    runs = frame(("FINISHED", "a=1,b=2", 0), ("FINISHED", "b=2", 0)).assign(missing=None)
    none = pd.DataFrame(index=runs.index)
    assert find_run(StudyRecord("own", None, None, [], "u", "1", runs, none, none, none, {}), None, levels, 0) == found


@pytest.mark.slow
def test_a_study_describes_itself_and_is_read_again_on_demand(hand_made: Path) -> None:
    study = ablate.study()
    lines = repr(study).splitlines()
    assert lines[0] == "Study hand: Is <i>odd</i> 100 % better & cheaper?"
    assert lines[1] == f"6 runs of 2 variants in {study.uri}: 6 done"
    assert lines[3].startswith("1 is better than the baseline: loss=<i>odd</i> (+")
    page = study._repr_html_()
    assert "Is &lt;i&gt;odd&lt;/i&gt; 100 % better &amp; cheaper?" in page
    assert "<th>verdict</th>" in page
    assert "<i>" not in page
    add_run(hand_made, "baseline", 3)
    assert len(study.runs) == 6
    assert len(study.refresh().runs) == 7


def test_mlflow_s_settings_stay_as_they_are(hand_made: Path, filled_store: Path) -> None:
    mlflow.set_tracking_uri("sqlite:///another.db")
    before = dict(os.environ)
    assert len(ablate.study("hand", uri=f"sqlite:///{filled_store}").runs) == 6
    assert dict(os.environ) == before
    assert mlflow.get_tracking_uri() == "sqlite:///another.db"


@pytest.mark.parametrize(
    ("name", "uri", "said"),
    [
        ("none", None, "has no study none. Its studies: hand"),
        (None, "sqlite:///missing.db", "missing.db does not exist"),
    ],
)
def test_a_study_that_is_not_there(name: str | None, uri: str | None, said: str, hand_made: Path) -> None:
    with pytest.raises(TrackingError, match=said):
        _ = ablate.study(name, uri=uri).runs
    assert not Path("missing.db").exists()


def test_a_study_that_is_not_there_says_so_where_it_is_shown(hand_made: Path) -> None:
    assert "has no study none. Its studies: hand" in repr(ablate.study("none"))


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"variant": "loss=new"}, "unknown level: variant=loss=new. Allowed: variant=baseline, variant=loss=<i>odd"),
        ({"variant": {"loss": "new"}}, "unknown level: loss=new. Allowed: loss=<i>odd</i>, loss=even"),
        ({"variant": {"depth": "full"}}, "depth is no factor of study hand: loss"),
        ({"seed": 7}, "unknown level: seed=7. Allowed: seed=0, seed=1, seed=2"),
    ],
)
def test_a_model_that_is_not_there_is_named(chosen: dict[str, object], said: str, hand: Study) -> None:
    with pytest.raises(ConfigError) as error:
        hand.model(**chosen)  # type: ignore[arg-type]
    assert str(error.value).startswith(said)


def test_a_run_that_kept_no_model_says_so(hand: Study) -> None:
    with pytest.raises(TrackingError, match=r"kept no model: tracking\.model=true"):
        hand.model(variant=FACTOR, seed=1)
