"""The files of a report: every form holds all of it, and names no place."""

import json
import math
import re
import shutil
from collections import Counter
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import make_report
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.figures import quick_drawings
from tests.support.stores import ODD, PHOTOGRAPHS, add_failed, add_run

FILES = {
    "report.html", "report.md", "report.tex", "checklist.md", "comparison.csv", "comparison.parquet", "runs.csv",
    "scores.parquet", "summary.json",
}  # fmt: skip
DROPS = "schedule.drops=" + str([[100 * step, 0.9**step] for step in range(1, 61)])
LONG = [DROPS, DROPS.replace("[6000,", "[6001,")]


def test_all_forms_are_written(made: Path) -> None:
    assert {path.name for path in made.iterdir()} == {*FILES, "figures"}
    figures = {path.name for path in (made / "figures").iterdir()}
    drawn = ("differences", "cost", "curves", "distributions", "per_example")
    assert {"grid.jpg", *(f"{name}.{ending}" for name in drawn for ending in ("png", "pdf"))} <= figures
    with Image.open(made / "figures" / "differences.png") as picture:
        assert picture.width > 1000


def test_the_frames_are_the_scores_and_what_follows_from_them(made: Path) -> None:
    scores = pd.read_parquet(made / "scores.parquet")
    assert list(scores.columns) == ["variant", "seed", "example", "auc", "rmse", "color"]
    assert len(scores) == 6 * len(PHOTOGRAPHS)
    table = pd.read_csv(made / "comparison.csv").fillna({"verdict": "", "over": ""}).set_index(["variant", "metric"])
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
    kinds = Counter(source.split(";")[0] for source in sources)
    assert kinds == {"data:image/png": 5, "data:image/jpeg": 1}
    assert "http" not in re.sub(r"http://localhost:5000/#/", "", page)
    assert len(re.findall(r"<img [^>]*alt=\"[^\"]{20,}", page)) == 6


def test_captions_are_short_and_every_form_has_the_method_too(made: Path) -> None:
    markdown, latex = (made / "report.md").read_text(), (made / "report.tex").read_text()
    captions = re.findall(r"^\*(.+?\..*) \[Method\]\(#method\)$", markdown, re.MULTILINE)
    assert len(captions) == 6
    assert max(map(len, captions)) <= 200
    notes = re.findall(r"^\w.* \[Method\]\(#method\)$", markdown, re.MULTILINE)
    assert len(notes) == 3
    assert max(map(len, notes)) <= 200
    for text in ("a random choice of the 12 that evaluate", "p is adjusted for the number of variants"):
        assert text in markdown.partition("## Method")[2]
        assert latex.count(text) == 1
        assert text in (made / "report.html").read_text()
    # A paper's table has its method below it, and two lines above.
    captions = re.findall(r"\\caption\{(.*)\}", latex)
    assert max(map(len, captions)) <= 250
    table = latex[latex.index(r"\begin{table}") : latex.index(r"\end{table}")]
    for text in ("p is adjusted", "1 variant and the baseline, 3 seeds each, 12 photographs", "intervals cover seeds"):
        assert text in table.partition(r"\end{tabular}")[2]
    assert r"$\bigtriangleup$ better" in table
    assert "▲ better" in markdown


def test_every_number_links_to_its_runs_in_mlflow(made: Path) -> None:
    page = (made / "report.html").read_text()
    runs = pd.read_csv(made / "runs.csv")["run_id"]
    for run in runs:
        assert re.search(
            rf'href="http://localhost:5000/#/experiments/\d+/runs/{run}\?workflowType=machine_learning"', page
        )
    assert page.count("/#/compare-runs?runs=") >= 2 * 3


def test_nothing_tells_where_the_store_was(made: Path, filled_store: Path) -> None:
    for file in (
        "report.html",
        "report.md",
        "report.tex",
        "checklist.md",
        "summary.json",
        "runs.csv",
        "comparison.csv",
    ):
        assert str(filled_store.parent) not in (made / file).read_text(), file


def test_markdown_and_latex_escape_what_they_would_take_for_markup(made: Path) -> None:
    markdown = (made / "report.md").read_text()
    assert r"Is \<i\>odd\</i\> 100 % better & cheaper?" in markdown
    assert "x.jpg: broken" in markdown
    assert re.search(r"\| \*grey\* \|  \| \*50\.00\* \|", markdown)
    latex = (made / "report.tex").read_text()
    assert (
        r"Is \textless{}i\textgreater{}odd\textless{}/\allowbreak{}i\textgreater{} 100 \% better \& cheaper?" in latex
    )
    assert r"\toprule" in latex


@pytest.fixture(scope="session")
def long_names(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on variants whose names are too long to be read."""
    folder = tmp_path_factory.mktemp("long")
    shutil.copy(empty_store, folder / "mlflow.db")
    open_store(f"sqlite:///{folder / 'mlflow.db'}")
    for place, variant in enumerate(["baseline", *LONG]):
        add_run(folder, variant, 0, gain=float(place))
    add_failed(folder, f"{LONG[0]},seed=1", 0)
    with quick_drawings():
        report = make_report(load(read_study("hand", f"sqlite:///{folder / 'mlflow.db'}"), partial=True))
    write(report, folder / "out")
    return folder / "out"


@pytest.mark.slow
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


def test_without_a_human_evaluation_a_report_says_nothing_of_one(made: Path) -> None:
    for name in ("report.html", "report.md", "report.tex"):
        assert "uman evaluation" not in (made / name).read_text(), name
    assert "sections" not in json.loads((made / "summary.json").read_text())
