"""What people said, in a report on a store that is filled by hand."""

import io
import json
import math
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing
from PIL import Image

from ablate.report.figures import convincing, fooling_rates
from ablate.report.load import load
from ablate.report.page import make_page
from ablate.report.people import people
from ablate.report.render import write
from ablate.system.images import CELL, GAP, LINE
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from ablate.tracking.turing import TABLES, log_turing
from ablate.turing.analyse.findings import findings
from ablate.turing.bundle import Algorithm
from ablate.turing.database import Answers
from ablate.turing.protocol import Protocol
from tests.report.conftest import ODD, add_run

OTHERS = "Others' <b>_50 %"
"""A system that is no variant."""
MOST, LEAST = "most convincing", "least convincing"


def png(red: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(file, format="PNG")
    return file.getvalue()


def rates(**of: tuple[float, float]) -> pd.DataFrame:
    """Make rates of (rate, corrected p), with an interval of 4 points, by algorithm."""
    frame = pd.DataFrame(of, index=["rate", "p_corrected"]).T.rename_axis("algorithm").reset_index()
    return frame.assign(
        participants=range(40, 40 + len(frame)), photographs=30, trials=1600, low=frame["rate"] - 2,
        high=frame["rate"] + 2, p_chance=frame["p_corrected"] / 2, median_response_ms=812.4,
    )  # fmt: skip


def pictures(*algorithms: str, each: int = 2) -> pd.DataFrame:
    """Make pictures of one colour: of the algorithm at place p, rank r, real is red 10 p + r, recoloured 100 more."""
    rows = [
        (algorithm, f"photo{rank}", place, rank, 8, 100 - rank if place == MOST else rank, png(red), png(100 + red))
        for order, algorithm in enumerate(algorithms)
        for place in (MOST, LEAST)
        for rank in range(1, each + 1)
        for red in [10 * order + rank + (5 if place == LEAST else 0)]
    ]
    return pd.DataFrame(
        rows, columns=["algorithm", "photograph", "place", "rank", "trials", "rate", "real", "recolored"]
    )


def said(found: pd.DataFrame, pairs: Sequence[tuple[str, str, float]]) -> dict[str, pd.DataFrame]:
    """Make the frames of an analysis, with pairs of (algorithm, other, difference) whose intervals are 6 points."""
    shown = pictures(*found["algorithm"])
    differences = pd.DataFrame(pairs, columns=["algorithm", "other", "difference"]).assign(
        low=lambda frame: frame["difference"] - 2,
        high=lambda frame: frame["difference"] + 4,
        p=0.01,
        p_corrected=0.03,
        detectable=7.54,
    )
    return {
        "rates": found,
        "pairs": differences,
        "exclusions": pd.DataFrame(
            {
                "rule": [
                    "took an obvious fake for real more than once",
                    "seen for 100 ms < or > than 1000 ms",
                    "reloaded",
                ],
                "participants": [1, 0, 0],
                "trials": [40, 1017, 0],
            }
        ),
        "photographs": shown[["algorithm", "photograph", "trials", "rate"]],
        "pictures": shown,
    }


def log_said(
    study: str, experiment: str, tables: Mapping[str, pd.DataFrame], runs: Mapping[str, str], closed: bool = True
) -> str:
    """Log an analysis of the algorithms in its rates and in `runs`, which says which run coloured their pictures."""
    names = dict.fromkeys([*tables["rates"]["algorithm"], *runs])
    facts = {
        "experiment": experiment,
        "study": study,
        "checksum": "c" * 64,
        "closed": closed,
        "algorithms": [{"name": name, "run_id": runs.get(name), "seed": 0} for name in names],
        "participants": {"started": 1180, "finished": 176, "kept": 172},
        "answer": ["Nothing."],
    }
    return log_turing(study, experiment, tables=tables, summary=facts, runs={})


def of_variants(uri: str) -> dict[str, str]:
    """Return, by variant, one of its runs in the study."""
    runs = read_study("hand", uri).runs
    return dict(zip(runs["variant"], runs.index, strict=True))


ASKED = said(
    rates(**{"baseline": (25.25, 1e-9), ODD: (48.0, 0.31), OTHERS: (21.0, 0.02), "nobody": (math.nan, math.nan)}),
    [("baseline", ODD, -22.75), (OTHERS, "baseline", -4.25), (ODD, OTHERS, 27.0)],
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, filled_store: Path) -> Path:
    """A report on `filled_store` after people were asked."""
    folder = tmp_path_factory.mktemp("asked")
    uri = f"sqlite:///{shutil.copy(filled_store, folder / 'mlflow.db')}"
    open_store(uri)
    log_said("hand", "friends", ASKED, of_variants(uri))
    write(make_page(load(read_study("hand", uri))), folder / "there")
    return folder / "there"


def section(text: str, start: str, end: str) -> str:
    assert text.count(start) == 1
    return text[text.index(start) : text.index(end)]


def test_the_table_says_who_was_fooled_how_often(asked: Path) -> None:
    page = section((asked / "report.html").read_text(), "<h2>What people said</h2>", "<h2>All metrics</h2>")
    rows = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    ]
    assert rows == [
        ["algorithm", "participants", "trials", "fooling rate, % [95\N{NO-BREAK SPACE}%] ↑",
         "p against 50 %, corrected", "difference [95 %]", "p, corrected", "detectable", "median response, s"],
        ["baseline", "40", "1,600", "25.2 [23.2, 27.2]", "&lt;0.001", "", "", "", "0.81"],
        ["loss=&lt;i&gt;odd&lt;/i&gt;", "41", "1,600", "48.0 [46.0, 50.0]", "0.31", "+22.8 [+18.8, +24.8]", "0.030",
         "7.5", "0.81"],
        ["Others&#39; &lt;b&gt;_50 %", "42", "1,600", "21.0 [19.0, 23.0]", "0.020", "-4.2 [-6.2, -0.2]", "0.030",
         "7.5", "0.81"],
        ["nobody", "43", "1,600", "-", "-", "-", "-", "-", "0.81"],
    ]  # fmt: skip
    assert "<strong><a href" in page.replace("\n", "")
    assert "took an obvious fake for real more than once (1 participant, 40 trials); " in page
    assert "seen for 100 ms &lt; or &gt; than 1000 ms (0 participants, 1,017 trials); reloaded (none)." in page
    assert "Experiment friends: 1,180 participants, 176 of them to the end; 172 count. " in page
    assert "at 50 % people could not tell them apart" in page
    assert "docs/turing.md" in page
    assert page.count("<img src=") == 2
    assert len(re.findall(r'<img [^>]*alt="[^"]{80,}', page)) == 2
    assert "<i>" not in page


def test_numbers_link_to_the_run_that_holds_them(asked: Path) -> None:
    (said_here,) = json.loads((asked / "summary.json").read_text())["people"]
    page = (asked / "report.html").read_text()
    assert len(re.findall(rf'href="http://localhost:5000/#/experiments/\d+/runs/{said_here["run_id"]}"', page)) == 14


def test_figures_are_files_and_of_every_form(asked: Path) -> None:
    for name in ("people.png", "people.pdf", "convincing.png"):
        assert (asked / "figures" / name).stat().st_size > 1000
    markdown = section((asked / "report.md").read_text(), "## What people said", "## All metrics")
    assert r"| loss=\<i\>odd\</i\> | 41 | 1,600 | **48.0 [46.0, 50.0]** | 0.31 | +22.8 [+18.8, +24.8] |" in markdown
    assert re.findall(r"\]\((.*?)\)", markdown) == ["figures/people.png", "figures/convincing.png"]
    assert "Others' <b>" not in markdown
    latex = (asked / "report.tex").read_text()
    assert r"Others' \textless{}b\textgreater{}\_50 \% & 42 & 1,\allowbreak{}600 & 21.0 " in latex
    assert latex.index("figures/differences.pdf") < latex.index("figures/people.pdf") < latex.index("{All metrics.")


def test_the_summary_is_for_programs(asked: Path) -> None:
    (found,) = json.loads((asked / "summary.json").read_text())["people"]
    assert (found["experiment"], found["checksum"]) == ("friends", "c" * 64)
    assert [row["algorithm"] for row in found["rates"]] == ["baseline", ODD, OTHERS, "nobody"]
    assert [row["rate"] for row in found["rates"]] == [25.25, 48.0, 21.0, None]
    assert found["pairs"][0] == {
        "algorithm": "baseline", "other": ODD, "difference": -22.75, "low": -24.75, "high": -18.75, "p": 0.01,
        "p_corrected": 0.03, "detectable": 7.54,
    }  # fmt: skip
    assert [row["trials"] for row in found["exclusions"]] == [40, 1017, 0]


def test_a_report_for_which_nobody_was_asked_says_nothing_of_people(made: Path) -> None:
    for name in ("report.html", "report.md", "report.tex"):
        assert "eople" not in (made / name).read_text(), name
    assert "people" not in json.loads((made / "summary.json").read_text())


def nowhere(runs: pd.Index) -> str:
    return ""


def test_each_experiment_has_its_section_the_newest_first(hand_made: Path) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    runs = of_variants(uri)
    log_said("hand", "friends", ASKED, runs)
    alone = rates(baseline=(30.0, math.nan)).assign(participants=1, low=math.nan, high=math.nan)
    log_said("hand", "b & c", said(alone, []), {ODD: "gone", "baseline": runs["baseline"]}, closed=False)
    sections = people(load(read_study("hand", uri)), nowhere)
    assert [each.table.title for each in sections] == ["What people said: b & c", "What people said: friends"]
    assert [[figure.name for figure in each.figures] for each in sections] == [
        ["people", "convincing"],
        ["people-2", "convincing-2"],
    ]
    # With nothing to compare with there are no differences, and no best.
    (row,) = sections[0].table.rows
    assert [cell.text for cell in row] == ["baseline", "1", "1,600", "30.00", "-", "0.81"]
    assert (row[3].strong, row[3].detail) == (False, "no interval: one participant")
    notes = [each.table.note for each in sections]
    for text in (
        "The experiment was still open when it was analysed.",
        f"No answer counts of: {ODD}.",
        f"Coloured by runs that are not compared in this report: {ODD}.",
    ):
        assert [text in note for note in notes] == [True, False]
    assert ["Differences" in note for note in notes] == [False, True]


def test_variants_are_called_what_the_report_calls_them(home: Path) -> None:
    uri = f"sqlite:///{home / 'mlflow.db'}"
    open_store(uri)
    for variant in ("e=3", "a=1,e=3"):
        add_run(home, variant, 0)
    runs = of_variants(uri)
    both = {"a=1,e=3": (30.0, 0.01), "e=3": (20.0, 0.01)}
    log_said("hand", "x", said(rates(**both, **{"e=3,b=1": (9.0, 0.01)}), [("a=1,e=3", "e=3", 10.0)]), runs)
    results = load(read_study("hand", uri))
    (found,) = results.people
    assert found.rates["algorithm"].tolist() == ["a=1", "baseline", "e=3,b=1"]
    assert found.pairs[["algorithm", "other"]].to_numpy().tolist() == [["a=1", "baseline"]]
    assert set(found.pictures["algorithm"]) == {"a=1", "baseline", "e=3,b=1"}
    rows = people(results, nowhere)[0].table.rows
    assert [[cell.text for cell in row][5:8] for row in rows] == [
        ["", "", ""],
        ["+10.0 [+8.0, +14.0]", "0.030", "7.5"],
        ["-", "-", "-"],
    ]
    # Another system's name must not become that of two.
    log_said("hand", "x", said(rates(**both, **{"a=1": (9.0, 0.01)}), []), runs)
    (found,) = load(read_study("hand", uri)).people
    assert found.rates["algorithm"].tolist() == ["a=1,e=3", "e=3", "a=1"]


def test_what_is_handed_in_as_the_baseline_is_not_the_baseline(hand_made: Path) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    log_said("hand", "x", ASKED, {ODD: of_variants(uri)[ODD]})
    (found,) = people(load(read_study("hand", uri)), nowhere)
    assert len(found.table.headings) == 6
    assert {len(row) for row in found.table.rows} == {6}


def answered(runs: Mapping[str, str], participants: int) -> Answers:
    """Make answers of so many participants, who are fooled by 2 to 4, 5 to 7 and 8 to 10 of 12 pictures."""
    algorithms = [Algorithm(name=name, run_id=runs.get(name), seed=0) for name in ("baseline", ODD, OTHERS)]
    rows = [
        (person, number, "test", algorithms[person % 3].name, f"p{number}", f"r{number}", f"{person % 3}{number}",
         number <= 2 + 3 * (person % 3) + person // 3, 1000.0, 700.0 + person, 1)
        for person in range(participants)
        for number in range(1, 13)
    ]  # fmt: skip
    columns = ["participant", "number", "kind", "algorithm", "photograph", "real", "recolored", "fooled",
               "exposure_ms", "response_ms", "loads"]  # fmt: skip
    return Answers(
        experiment="friends",
        study="hand",
        checksum="c" * 64,
        folder=Path("gone"),
        protocol=Protocol(practice=0, test=12, checks=0),
        algorithms=algorithms,
        closed=True,
        participants=pd.DataFrame(
            {
                "algorithm": [algorithms[person % 3].name for person in range(participants)],
                "color_vision": "normal",
                "finished": pd.Timestamp("2026-01-01", tz="UTC"),
            },
            index=pd.RangeIndex(participants, name="participant"),
        ),
        trials=pd.DataFrame(rows, columns=columns).astype(
            {"fooled": bool, "exposure_ms": float, "response_ms": float}
        ),
    )


@pytest.mark.parametrize(
    ("participants", "rates_shown", "figures_shown"),
    [(9, [25, 50, 75], 2), (2, [16.67, 41.67], 2), (0, [], 0)],
)
def test_what_an_analysis_finds_is_shown(
    hand_made: Path, participants: int, rates_shown: list[float], figures_shown: int
) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    found = findings(answered(of_variants(uri), participants), lambda file: png(len(file)))
    tables = {name: getattr(found, name) for name in TABLES}
    log_turing("hand", "friends", tables=tables, summary=found.summary, runs=found.runs)
    (shown,) = people(load(read_study("hand", uri)), nowhere)
    assert [float(row[3].text.split()[0]) for row in shown.table.rows] == rates_shown
    assert len(shown.figures) == figures_shown
    assert f"Experiment friends: {participants} participants, {participants} of them to the end" in shown.table.note


def test_a_section_says_that_nobody_has_answered(hand_made: Path) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    nobody = {name: frame.iloc[:0] for name, frame in ASKED.items()}
    log_said("hand", "x", nobody, of_variants(uri))
    (found,) = people(load(read_study("hand", uri)), nowhere)
    assert (list(found.table.rows), list(found.figures)) == ([], [])
    assert f"No answer counts of: {ODD}; baseline." in found.table.note


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Drawing]:
    """Collect what is drawn, without its files."""
    kept: list[Drawing] = []

    def keep(drawing: Drawing, file: io.BytesIO, **options: Any) -> None:
        if options["format"] == "png":
            kept.append(drawing)

    monkeypatch.setattr(Drawing, "savefig", keep)
    return kept


def test_rates_are_sorted_around_chance(drawn: list[Drawing]) -> None:
    found = rates(
        low=(20.0, 0.001), high=(61.0, 0.04), untested=(55.0, math.nan), even=(50.5, 0.05), none=(math.nan, 1)
    )
    figure = fooling_rates(found, name="people")
    assert figure is not None
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["high", "untested", "even", "low"]
    marks = [line for line in axes.lines if line.get_linestyle() == "None"]
    assert [(float(np.asarray(line.get_xdata())[0]), line.get_marker()) for line in marks] == [
        (61.0, "^"), (55.0, "d"), (50.5, "o"), (20.0, "v"),
    ]  # fmt: skip
    intervals = [np.asarray(line.get_xdata()).tolist() for line in axes.lines if line.get_marker() == "|"]
    assert intervals == [[59, 63], [53, 57], [48.5, 52.5], [18, 22]]
    (chance,) = [text for text in axes.texts if text.get_text() == "chance, 50 %"]
    assert chance.get_position()[0] == 50
    assert "20.0 [18.0, 22.0]" in [text.get_text() for text in axes.texts]
    assert [text.get_text() for text in drawn[0].legends[0].get_texts()] == [
        "taken for real more often (1)", "no difference from chance found (1)", "told apart (1)", "not tested (1)",
    ]  # fmt: skip
    assert "high 61.0 [59.0, 63.0] % at the top to low 20.0 [18.0, 22.0] %" in figure.alt


def test_of_many_algorithms_the_outermost_rates_are_drawn(drawn: list[Drawing]) -> None:
    figure = fooling_rates(rates(**{f"v{place}": (20.0 + place / 4, 0.01) for place in range(64)}), name="people")
    assert figure is not None
    labels = [label.get_text() for label in drawn[0].axes[0].get_yticklabels()]
    assert (labels[0], labels[30], labels[-1]) == ("v63", "… 4 more …", "v0")
    assert "the 30 highest and the 30 lowest are drawn" in figure.caption


def test_without_a_rate_there_is_no_figure() -> None:
    assert fooling_rates(rates(a=(math.nan, math.nan)), name="people") is None
    assert convincing(pictures("a").iloc[:0], order=["a"], most=24, name="convincing") is None


def cells(figure: Any, columns: int) -> list[list[int]]:
    """Return the red of each picture of a row of tables; tables end at the bottom."""
    with Image.open(io.BytesIO(figure.files["png"])) as page:
        aside = 2 * LINE + GAP
        width = aside + 2 * (CELL + GAP) + GAP
        tops = range(page.height - GAP - CELL, 2 * LINE, -(CELL + GAP))
        lefts = [table * width + aside + GAP + side * (CELL + GAP) for table in range(columns) for side in (0, 1)]
        found = [[page.getpixel((left + CELL // 2, top + CELL // 2)) for left in lefts] for top in tops]
    return [[pixel[0] for pixel in row] for row in found[::-1]]  # type: ignore[index]


def test_real_and_recoloured_stand_beside_each_other_the_most_convincing_on_top() -> None:
    figure = convincing(pictures("a", "b,\nand <c>", each=3), order=["b,\nand <c>", "a"], most=24, name="convincing")
    assert figure is not None
    assert cells(figure, 2) == [[11, 111, 1, 101], [12, 112, 2, 102], [16, 116, 6, 106], [17, 117, 7, 107]]
    assert "a: most convincing photo1, 99 % of 8 trials; a: least convincing photo1, 1 % of 8 trials" in figure.alt


@pytest.mark.parametrize(
    ("count", "most", "rows", "shown"), [(7, 24, 2, 7), (3, 4, 2, 2), (2, 1, 2, 1), (3, 11, 2, 3)]
)
def test_a_page_holds_few_pictures(count: int, most: int, rows: int, shown: int) -> None:
    names = [f"v{place}" for place in range(count)]
    figure = convincing(pictures(*names), order=names, most=most, name="convincing")
    assert figure is not None
    with Image.open(io.BytesIO(figure.files["png"])) as page:
        assert page.height == math.ceil(shown / 3) * (2 * LINE + GAP + rows * (CELL + GAP))
    assert (f"The first {shown} of {count} algorithms" in figure.caption) == (shown < count)
