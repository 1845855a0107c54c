"""The section of the human evaluation, in a report on a store that is filled by hand."""

import json
import math
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import make_report
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from ablate.turing.analyse.analysis import analyse
from ablate.turing.analyse.record import TABLES, log_analysis, read_analyses
from ablate.turing.bundle import Algorithm
from ablate.turing.database import Answers
from ablate.turing.protocol import Protocol
from ablate.turing.report.sections import sections, with_shown_names
from tests.support.analyses import OTHERS, analysis_tables, log_hand_made_analysis, png, rates
from tests.support.stores import ODD, add_run


def of_variants(uri: str) -> dict[str, str]:
    """Return, by variant, one of its runs in the study."""
    runs = read_study("hand", uri).runs
    return dict(zip(runs["variant"], runs.index, strict=True))


ASKED = analysis_tables(
    rates(**{"baseline": (25.25, 1e-9), ODD: (48.0, 0.31), OTHERS: (21.0, 0.02), "nobody": (math.nan, math.nan)}),
    [("baseline", ODD, -22.75), (OTHERS, "baseline", -4.25), (ODD, OTHERS, 27.0)],
)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, filled_store: Path) -> Path:
    """A report on `filled_store` after people were asked."""
    folder = tmp_path_factory.mktemp("asked")
    uri = f"sqlite:///{shutil.copy(filled_store, folder / 'mlflow.db')}"
    open_store(uri)
    log_hand_made_analysis("hand", "friends", ASKED, of_variants(uri))
    write(make_report(load(read_study("hand", uri))), folder / "there")
    return folder / "there"


def section(text: str, start: str, end: str) -> str:
    assert text.count(start) == 1
    return text[text.index(start) : text.index(end)]


@pytest.mark.slow
def test_the_table_says_who_was_fooled_how_often(asked: Path) -> None:
    page = section((asked / "report.html").read_text(), "<h2>Human evaluation</h2>", "<h2>All metrics</h2>")
    rows = [
        [re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.DOTALL)]
        for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL)
    ]
    assert rows == [
        ["algorithm", "participants", "trials", "fooling rate, % [95\N{NO-BREAK SPACE}%] ↑",
         "p against 50\N{NO-BREAK SPACE}%, corrected", "difference, points [95\N{NO-BREAK SPACE}%]", "p, corrected",
         "minimum detectable effect, points", "median response, s"],
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
    assert "at 50 % participants guess" in page
    assert "docs/turing.md" in page
    assert page.count("<img src=") == 2
    assert len(re.findall(r'<img [^>]*alt="[^"]{80,}', page)) == 2
    assert "<i>" not in page


def test_numbers_link_to_the_run_that_holds_them(asked: Path) -> None:
    (said_here,) = json.loads((asked / "summary.json").read_text())["sections"]["human_evaluation"]
    page = (asked / "report.html").read_text()
    assert len(re.findall(rf'href="http://localhost:5000/#/experiments/\d+/runs/{said_here["run_id"]}\?', page)) == 14


def test_figures_are_files_and_of_every_form(asked: Path) -> None:
    for name in ("fooling_rates.png", "fooling_rates.pdf", "convincing.png"):
        assert (asked / "figures" / name).stat().st_size > 1000
    markdown = section((asked / "report.md").read_text(), "## Human evaluation", "## All metrics")
    assert r"| loss=\<i\>odd\</i\> | 41 | 1,600 | **48.0 [46.0, 50.0]** | 0.31 | +22.8 [+18.8, +24.8] |" in markdown
    assert re.findall(r"\]\((fig.*?)\)", markdown) == ["figures/fooling_rates.png", "figures/convincing.png"]
    assert "Others' <b>" not in markdown
    latex = (asked / "report.tex").read_text()
    assert r"Others' \textless{}b\textgreater{}\_\allowbreak{}50 \% & 42 & 1,600 & 21.0 " in latex
    assert (
        latex.index("figures/differences.pdf")
        < latex.index("figures/fooling_rates.pdf")
        < latex.index("{All metrics.")
    )


def test_the_summary_is_for_programs(asked: Path) -> None:
    (found,) = json.loads((asked / "summary.json").read_text())["sections"]["human_evaluation"]
    assert (found["experiment"], found["checksum"]) == ("friends", "c" * 64)
    assert [row["algorithm"] for row in found["rates"]] == ["baseline", ODD, OTHERS, "nobody"]
    assert [row["rate"] for row in found["rates"]] == [25.25, 48.0, 21.0, None]
    assert found["pairs"][0] == {
        "algorithm": "baseline", "other": ODD, "difference": -22.75, "low": -24.75, "high": -18.75, "p": 0.01,
        "p_corrected": 0.03, "minimum_detectable_effect": 7.54,
    }  # fmt: skip
    assert [row["trials"] for row in found["exclusions"]] == [40, 1017, 0]


def nowhere(runs: pd.Index) -> str:
    return ""


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_each_experiment_has_its_section_the_newest_first(hand_made: Path) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    runs = of_variants(uri)
    log_hand_made_analysis("hand", "friends", ASKED, runs)
    alone = rates(baseline=(30.0, math.nan)).assign(participants=1, low=math.nan, high=math.nan)
    log_hand_made_analysis(
        "hand", "b & c", analysis_tables(alone, []), {ODD: "gone", "baseline": runs["baseline"]}, closed=False
    )
    found = sections(load(read_study("hand", uri)), nowhere)
    assert [each.title for each in found] == ["Human evaluation: b & c", "Human evaluation: friends"]
    assert [[figure.name for figure in each.figures] for each in found] == [
        ["fooling_rates", "convincing"],
        ["fooling_rates-2", "convincing-2"],
    ]
    # With nothing to compare with there are no differences, and no best.
    (row,) = found[0].tables[0].rows
    assert [cell.text for cell in row] == ["baseline", "1", "1,600", "30.00", "-", "0.81"]
    assert (row[3].strong, row[3].detail) == (False, "no interval: one participant")
    notes = [each.tables[0].method for each in found]
    for text in (
        "The experiment was still open when it was analysed.",
        f"No answer counts of: {ODD}.",
        f"Coloured by runs that are not compared in this report: {ODD}.",
    ):
        assert [text in note for note in notes] == [True, False]
    assert ["Differences" in note for note in notes] == [False, True]


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_variants_are_called_what_the_report_calls_them(home: Path) -> None:
    uri = f"sqlite:///{home / 'mlflow.db'}"
    open_store(uri)
    for variant in ("e=3", "a=1,e=3"):
        add_run(home, variant, 0)
    runs = of_variants(uri)
    both = {"a=1,e=3": (30.0, 0.01), "e=3": (20.0, 0.01)}
    log_hand_made_analysis(
        "hand", "x", analysis_tables(rates(**both, **{"e=3,b=1": (9.0, 0.01)}), [("a=1,e=3", "e=3", 10.0)]), runs
    )
    results = load(read_study("hand", uri))
    (record,) = read_analyses(results.study, results.experiment_id, results.uri)
    found = with_shown_names(record, results.shown_names)
    assert found.rates["algorithm"].tolist() == ["a=1", "baseline", "e=3,b=1"]
    assert found.pairs[["algorithm", "other"]].to_numpy().tolist() == [["a=1", "baseline"]]
    assert set(found.pictures["algorithm"]) == {"a=1", "baseline", "e=3,b=1"}
    rows = sections(results, nowhere)[0].tables[0].rows
    assert [[cell.text for cell in row][5:8] for row in rows] == [
        ["", "", ""],
        ["+10.0 [+8.0, +14.0]", "0.030", "7.5"],
        ["-", "-", "-"],
    ]
    # Another system's name must not become that of two.
    log_hand_made_analysis("hand", "x", analysis_tables(rates(**both, **{"a=1": (9.0, 0.01)}), []), runs)
    (record,) = read_analyses(results.study, results.experiment_id, results.uri)
    found = with_shown_names(record, results.shown_names)
    assert found.rates["algorithm"].tolist() == ["a=1,e=3", "e=3", "a=1"]


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_external_pictures_of_that_name_are_not_the_baseline(hand_made: Path) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    log_hand_made_analysis("hand", "x", ASKED, {ODD: of_variants(uri)[ODD]})
    (found,) = sections(load(read_study("hand", uri)), nowhere)
    assert len(found.tables[0].headings) == 6
    assert {len(row) for row in found.tables[0].rows} == {6}


def answered(runs: Mapping[str, str], participants: int) -> Answers:
    """Make answers of so many participants, who are fooled by 2 to 4, 5 to 7 and 8 to 10 of 12 pictures."""
    algorithms = [Algorithm(name=name, run_id=runs.get(name), seed=0) for name in ("baseline", ODD, OTHERS)]
    rows = [
        (person, number, "test", algorithms[person % 3].name, f"p{number}", f"r{number}", f"{person % 3}{number}",
         fooled, 1000.0, 700.0 + person, 1, True, False, "left" if number % 2 else "right",
         "left" if fooled == bool(number % 2) else "right")
        for person in range(participants)
        for number in range(1, 13)
        for fooled in [number <= 2 + 3 * (person % 3) + person // 3]
    ]  # fmt: skip
    columns = ["participant", "number", "kind", "algorithm", "photograph", "real", "recolored", "fooled",
               "exposure_ms", "response_ms", "loads", "shown", "missed", "real_side", "choice"]  # fmt: skip
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
                "screened_out": pd.NaT,
            },
            index=pd.RangeIndex(participants, name="participant"),
        ),
        trials=pd.DataFrame(rows, columns=columns).astype(
            {"fooled": bool, "exposure_ms": float, "response_ms": float}
        ),
    )


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(
    ("participants", "rates_shown", "figures_shown"),
    [(9, [25, 50, 75], 2), (2, [16.67, 41.67], 2), (0, [], 0)],
)
def test_what_an_analysis_finds_is_shown(
    hand_made: Path, participants: int, rates_shown: list[float], figures_shown: int
) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    answers = answered(of_variants(uri), participants)
    if participants == 2:
        answers = replace(answers, withdrawals=pd.DataFrame({"algorithm": ["baseline"], "by": ["participant"]}))
    found = analyse(answers, lambda file: png(len(file)))
    tables = {name: getattr(found, name) for name in TABLES}
    log_analysis("hand", "friends", tables=tables, summary=found.summary, runs=found.runs)
    (shown,) = sections(load(read_study("hand", uri)), nowhere)
    assert [float(row[3].text.split()[0]) for row in shown.tables[0].rows] == rates_shown
    assert len(shown.figures) == figures_shown
    assert (
        f"Experiment friends: {participants} participants, {participants} of them to the end" in shown.tables[0].note
    )
    assert ("; 1 withdrew." in shown.tables[0].note) == (participants == 2)


@pytest.mark.slow
def test_a_section_says_that_nobody_has_answered(hand_made: Path) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    nobody = {name: frame.iloc[:0] for name, frame in ASKED.items()}
    log_hand_made_analysis("hand", "x", nobody, of_variants(uri))
    (found,) = sections(load(read_study("hand", uri)), nowhere)
    assert (list(found.tables[0].rows), list(found.figures)) == ([], [])
    assert f"No answer counts of: {ODD}; baseline." in found.tables[0].method
