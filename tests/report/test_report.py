"""The command on stores that are filled by hand."""

import json
import math
import os
import re
import shutil
import unicodedata
from html import unescape
from pathlib import Path

import mlflow
import pandas as pd
import pytest
import yaml
from PIL import Image

from ablate.errors import NotComparable
from ablate.report.compare import compare
from ablate.report.figures.draw import draw_figures
from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import make_report
from ablate.statistics.effects import COLUMNS
from ablate.tracking.store import open_store
from ablate.tracking.study import LIMIT
from ablate.tracking.study_record import read_study
from tests.conftest import Command
from tests.support.stores import IMPORTED, ODD, PHOTOGRAPHS, STUDY, add_failed, add_run, record_hand_made

FILES = {
    "report.html", "report.md", "report.tex", "comparison.csv", "comparison.parquet", "runs.csv", "scores.parquet",
    "summary.json",
}  # fmt: skip

NO_EFFECTS = pd.DataFrame(columns=list(COLUMNS))


def test_the_command_answers_the_question_and_is_logged_under_its_study_once(
    hand_made: Path, forked_m: Command
) -> None:
    for _ in range(2):
        finished = forked_m("ablate.report", "study=hand", "out=there")
        assert finished.stderr == ""
        assert finished.returncode == 0
    lines = finished.stdout.splitlines()
    assert lines[:2] == ["6 runs of study hand compared", "By AuC, of 1 variant:"]
    assert re.fullmatch(
        r"1 is better than the baseline: loss=<i>odd</i> \(\+[45]\.\d+ \[\+.*, \+.*\] points\)\.", lines[2]
    )
    assert lines[3] == "Report: there/report.html"

    client = mlflow.MlflowClient()
    experiment = client.get_experiment_by_name("hand")
    assert experiment is not None
    (run,) = client.search_runs([experiment.experiment_id], "tags.`ablate.report` = 'true'")
    assert {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "report")} == {*FILES, "figures"}
    assert (run.info.run_name, run.info.status) == ("report", "FINISHED")


def test_all_forms_are_written(made: Path) -> None:
    assert {path.name for path in made.iterdir()} == {*FILES, "figures"}
    figures = {path.name for path in (made / "figures").iterdir()}
    assert {
        f"{name}.png" for name in ("differences", "cost", "curves", "grid", "distributions", "photographs")
    } <= figures
    assert {f"{name}.pdf" for name in ("differences", "cost", "curves", "distributions", "photographs")} <= figures
    with Image.open(made / "figures" / "differences.png") as picture:
        assert picture.width > 1000


def test_the_frames_are_the_scores_and_what_follows_from_them(made: Path) -> None:
    scores = pd.read_parquet(made / "scores.parquet")
    assert list(scores.columns) == ["variant", "seed", "example", "auc", "rmse", "color"]
    assert len(scores) == 6 * len(PHOTOGRAPHS)
    table = pd.read_csv(made / "comparison.csv").fillna({"verdict": ""}).set_index(["variant", "metric"])
    means = scores.pivot_table(index="seed", columns="variant", values="auc")
    row = table.loc[(ODD, "auc")]
    assert row["difference"] == pytest.approx((means[ODD] - means["baseline"]).mean())
    assert row["low"] < row["difference"] < row["high"]
    assert (row["n"], row["n_paired"], row["examples"], row["verdict"]) == (3, 3, len(PHOTOGRAPHS), "better")
    assert table.loc[(ODD, "rmse"), "exploratory"]
    # Of a metric without a better direction nothing is better or worse.
    assert table.loc[(ODD, "color"), "verdict"] == "higher"
    assert math.isnan(table.loc[("baseline", "auc"), "difference"])
    pd.testing.assert_frame_equal(
        pd.read_parquet(made / "comparison.parquet"), table.reset_index(), check_dtype=False, check_like=True
    )
    runs = pd.read_csv(made / "runs.csv").set_index(["variant", "seed"])
    assert len(runs) == 6
    assert runs.loc[(ODD, 1), "auc"] == pytest.approx(means.loc[1, ODD])
    assert runs.loc[(ODD, 1), "cost/wall_seconds"] == 13.5


def test_the_summary_is_for_programs(made: Path) -> None:
    summary = json.loads((made / "summary.json").read_text())
    assert summary["metric"] == {"name": "auc", "higher_is_better": True, "margin": None}
    assert [row["verdict"] for row in summary["variants"]] == ["", "better"]
    assert (summary["runs"], summary["seeds"], summary["examples"], summary["missing"]) == (6, [0, 1, 2], 12, [])


def test_the_page_needs_nothing_else(made: Path) -> None:
    page = (made / "report.html").read_text()
    assert "<i>odd</i>" not in page
    assert "loss=&lt;i&gt;odd&lt;/i&gt;" in page
    assert "RMSE &lt;b&gt;, ab ↓" in page
    assert "Is &lt;i&gt;odd&lt;/i&gt; 100 % better &amp; cheaper?" in page
    sources = re.findall(r'src="([^"]{0,30})', page)
    assert len(sources) == 6
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http" not in re.sub(r"http://localhost:5000/#/", "", page)
    assert len(re.findall(r"<img [^>]*alt=\"[^\"]{20,}", page)) == 6


def test_every_number_links_to_its_runs_in_mlflow(made: Path) -> None:
    page = (made / "report.html").read_text()
    runs = pd.read_csv(made / "runs.csv")["run_id"]
    for run in runs:
        assert re.search(rf'href="http://localhost:5000/#/experiments/\d+/runs/{run}"', page)
    assert page.count("/#/compare-runs?runs=") >= 2 * 3


def test_nothing_tells_where_the_store_was(made: Path, filled_store: Path) -> None:
    for file in ("report.html", "report.md", "report.tex", "summary.json", "runs.csv", "comparison.csv"):
        assert str(filled_store.parent) not in (made / file).read_text(), file


def test_markdown_and_latex_escape_what_they_would_take_for_markup(made: Path) -> None:
    markdown = (made / "report.md").read_text()
    assert r"Is \<i\>odd\</i\> 100 % better & cheaper?" in markdown
    assert "x.jpg: broken" in markdown
    assert re.search(r"\| \*grey\* \|  \| \*50\.00\* \|", markdown)
    latex = (made / "report.tex").read_text()
    assert r"Is \textless{}i\textgreater{}odd\textless{}/i\textgreater{} 100 \% better \& cheaper?" in latex
    assert r"\toprule" in latex


def test_the_newest_study_is_the_default_and_experiments_of_others_are_none(
    hand_made: Path, forked_m: Command
) -> None:
    add_run(hand_made, "baseline", 0, study="newer")
    add_run(hand_made, ODD, 0, gain=3.0, study="newer")
    client = mlflow.MlflowClient()
    client.create_run(client.create_experiment("somebody-else"))
    finished = forked_m("ablate.report", "out=there")
    assert finished.stdout.startswith("2 runs of study newer compared")
    markdown = (hand_made / "there" / "report.md").read_text()
    assert "One seed for each variant: intervals are over photographs only" in markdown
    assert re.search(r"\| \+\d.*\] \(over photographs only: one seed\) \|", markdown)


def test_an_unfinished_study_is_refused_and_shown_with_gaps_on_demand(hand_made: Path, forked_m: Command) -> None:
    record_hand_made(hand_made, factors={"loss": ["even", "<i>odd</i>", "new"]})
    add_failed(hand_made, "loss=new", 1)
    refused = forked_m("ablate.report", "study=hand", "out=there")
    assert refused.returncode == 1
    assert "Error: study hand is not finished: 3 of 9 runs have no result:" in refused.stderr
    assert "  loss=new, seed 1: failed, OSError\n  loss=new, seed 0: not begun" in refused.stderr
    assert "partial=true" in refused.stderr
    assert not (hand_made / "there").exists()
    finished = forked_m("ablate.report", "study=hand", "out=there", "partial=true")
    assert "Missing: loss=new, seed 1: failed, OSError" in finished.stdout
    markdown = (hand_made / "there" / "report.md").read_text()
    assert "| loss=new | 0 of 3 | - |" in markdown
    assert "This report is partial: 3 runs missing" in markdown
    assert "| baseline | 3 of 3 |" in markdown


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"data.fingerprint": "e" * 64, "setting": "t"}, "contents of the data"),
        ({"evaluation": "side 16", "setting": "t"}, "way of evaluating"),
        ({"code": "0ther", "setting": "t"}, "code that computes results"),
        ({"scale": "paper", "setting": "t"}, "scale"),
        ({"setting": "t"}, "setting"),
        ({"configuration": "x"}, "configuration of loss=<i>odd</i>"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    tags: dict[str, str], what: str, hand_made: Path, forked_m: Command
) -> None:
    add_run(hand_made, ODD, 2, gain=5.0, tags=tags)
    refused = forked_m("ablate.report", "study=hand", "out=there")
    assert refused.returncode == 1
    assert "the runs of study hand cannot stand in one table: they differ in the" in refused.stderr
    assert f"  {what}:\n" in refused.stderr
    assert "loss=<i>odd</i> seed 2" in refused.stderr
    assert "study.name=NAME" in refused.stderr


def test_other_evaluation_photographs_are_refused(hand_made: Path, forked_m: Command) -> None:
    add_run(hand_made, ODD, 2, gain=5.0, photographs=(*PHOTOGRAPHS[:-1], "another"))
    assert "  evaluated examples:\n" in forked_m("ablate.report", "study=hand", "out=there").stderr


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
        after, compare(after.scores, {"auc": True, "rmse": False, "color": None}, after.primary), NO_EFFECTS
    )
    assert "the 12 that evaluate" in figure["grid"].caption


def test_partial_leaves_out_what_differs_from_the_newest_run(hand_made: Path, forked_m: Command) -> None:
    add_run(hand_made, "baseline", 0, tags={"code": "new", "setting": "t"})
    add_run(hand_made, ODD, 0, gain=1.0, tags={"code": "new", "setting": "t"})
    finished = forked_m("ablate.report", "study=hand", "out=there", "partial=true")
    assert finished.stdout.startswith("2 runs of study hand compared")
    assert "Missing: baseline, seed 2: another code that computes results than the newest run's" in finished.stdout


def test_training_losses_do_not_rank(hand_made: Path, forked_m: Command) -> None:
    refused = forked_m("ablate.report", "study=hand", "out=there", "metric=val/loss")
    assert refused.returncode == 1
    assert "val/loss does not rank variants" in refused.stderr
    assert "metric= takes one of auc, rmse" in refused.stderr


def test_another_metric_may_be_asked_for(hand_made: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.report", "study=hand", "out=there", "metric=rmse")
    assert "By RMSE <b>, of 1 variant:\n1 is better than the baseline" in finished.stdout


def test_a_margin_makes_variants_equivalent(hand_made: Path, forked_m: Command) -> None:
    record_hand_made(hand_made, metric={"name": "auc", "direction": "maximize", "margin": 30.0})
    finished = forked_m("ablate.report", "study=hand", "out=there")
    assert "1 is equivalent, within ±30 points of it: loss=<i>odd</i>." in finished.stdout


def test_a_factorial_study_has_effects(hand_made: Path, forked_m: Command) -> None:
    record_hand_made(hand_made, name="two", factors={"a": ["x", "y"], "b": ["x", "y"]}, baseline={"a": "x", "b": "x"},
           design="full_factorial", seeds=[0, 1, 2])  # fmt: skip
    gains = {"baseline": 0.0, "a=y": 4.0, "b=y": 0.5, "a=y,b=y": 10.5}
    for variant, gain in gains.items():
        for seed in (0, 1, 2):
            add_run(hand_made, variant, seed, gain=gain, study="two")
    assert forked_m("ablate.report", "study=two", "out=there").returncode == 0
    effects = {row["effect"]: row for row in json.loads((hand_made / "there" / "summary.json").read_text())["effects"]}
    assert effects["a=y"]["estimate"] == pytest.approx(7, abs=0.6)
    assert effects["a=y × b=y"]["estimate"] == pytest.approx(6, abs=1)
    assert (hand_made / "there" / "figures" / "interactions.pdf").exists()


def asked() -> str:
    return str(yaml.safe_load(read_study("hand", os.environ["MLFLOW_TRACKING_URI"]).definition)["question"])


def test_a_long_definition_is_kept_whole(hand_made: Path, forked_m: Command) -> None:
    question = "Does it matter? " * (LIMIT // 10)
    record_hand_made(hand_made, question=question)
    assert forked_m("ablate.report", "study=hand", "out=there").returncode == 0
    assert asked() == question
    record_hand_made(hand_made)
    assert asked() == STUDY["question"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["study=none"], "has no study none. Its studies: hand"),
        (["stud=hand"], "unknown key: stud. Allowed: metric, out, partial, study, track, uri. Did you mean study?"),
        (["study"], "study needs a value, as in study=VALUE"),
        (["partial=yes"], "partial must be true or false. Received: partial=yes"),
        (
            ["study=hand", "metric=au"],
            "unknown level: metric=au. Allowed: metric=auc, metric=rmse. Did you mean metric=auc?",
        ),
        (["study=hand", "metric=color"], "metric=color has no better direction; it must be one of auc, rmse"),
        (["uri=sqlite:///missing.db"], "missing.db does not exist. `python -m ablate.run` makes one"),
        (["uri=sqlite:///text.db"], "text.db"),
        (["study=hand", "out=text.db"], "the report cannot be written to text.db: "),
    ],
)
def test_a_mistake_ends_in_one_clear_line(
    arguments: list[str], message: str, hand_made: Path, forked_m: Command
) -> None:
    (hand_made / "text.db").write_text("this is no database\n" * 100)
    finished = forked_m("ablate.report", *arguments)
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert message in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
    assert not (hand_made / "missing.db").exists()


def test_an_empty_store_has_nothing_to_report(home: Path, forked_m: Command) -> None:
    finished = forked_m("ablate.report")
    assert finished.returncode == 1
    assert "there are no runs yet" in finished.stderr


def test_a_study_without_finished_runs_says_why(home: Path, forked_m: Command) -> None:
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    add_failed(home, "depth=shallow", 0)
    finished = forked_m("ablate.report", "study=hand")
    assert finished.stderr == "Error: study hand has no finished run yet: depth=shallow, seed 0: failed, OSError\n"


def test_tensorflow_is_not_loaded(made: Path) -> None:
    imported = {line.rpartition("|")[2].strip() for line in (made.parent / IMPORTED).read_text().splitlines()}
    assert "ablate.report.render" in imported
    assert not {"tensorflow", "keras"} & imported


def test_help_teaches(forked_m: Command) -> None:
    assert "python -m ablate.report study=NAME" in forked_m("ablate.report", "--help").stdout


def test_only_examples_of_all_variants_are_shown(hand_made: Path, forked_m: Command) -> None:
    for seed in (0, 1, 2):
        add_run(hand_made, ODD, seed, gain=5.0, shown=1)
    assert forked_m("ablate.report", "out=there").returncode == 0
    with Image.open(hand_made / "there" / "figures" / "grid.png") as grid:
        # A header, and one row.
        assert grid.height < 2 * 192


DROPS = "training.learning_rate_drops=" + str([[100 * step, 0.9**step] for step in range(1, 61)])
LONG = [DROPS, DROPS.replace("[6000,", "[6001,")]


@pytest.fixture(scope="session")
def long_names(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on variants whose names are too long to be read."""
    folder = tmp_path_factory.mktemp("long")
    shutil.copy(empty_store, folder / "mlflow.db")
    open_store(f"sqlite:///{folder / 'mlflow.db'}")
    for place, variant in enumerate(["baseline", *LONG]):
        add_run(folder, variant, 0, gain=float(place))
    add_failed(folder, f"{LONG[0]},seed=1", 0)
    page = make_report(load(read_study("hand", f"sqlite:///{folder / 'mlflow.db'}"), partial=True))
    write(page, folder / "out")
    return folder / "out"


def test_long_names_are_shown_shortened(long_names: Path) -> None:
    html = (long_names / "report.html").read_text()
    titles = re.findall(r'<th scope=row[^>]* title="([^"]*)">(.*?)</th>', html, re.DOTALL)
    shown = {unescape(whole): re.sub(r"<.*?>", "", text).strip() for whole, text in titles}
    assert set(LONG) <= set(shown)
    assert len(set(shown.values())) == len(shown)
    assert max(map(len, shown.values())) < 60
    for form in ("report.html", "report.md", "report.tex"):
        assert "Long names" in (long_names / form).read_text()
    answer = json.loads((long_names / "summary.json").read_text())["answer"]
    assert max(map(len, answer)) < 400


def test_long_names_are_whole_where_programs_read_them(long_names: Path) -> None:
    expected = {"baseline", *LONG}
    for name in ("comparison.csv", "runs.csv"):
        assert set(pd.read_csv(long_names / name)["variant"]) == expected
    for name in ("comparison.parquet", "scores.parquet"):
        assert set(pd.read_parquet(long_names / name)["variant"]) == expected
    summary = json.loads((long_names / "summary.json").read_text())
    assert {row["variant"] for row in summary["variants"]} == expected
    assert [row["variant"] for row in summary["missing"]] == [f"{LONG[0]},seed=1"]


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
