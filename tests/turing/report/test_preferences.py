"""The section of a preference design, in a report on a store that is filled by hand."""

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing

from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import make_report
from ablate.tracking.study_record import read_study
from ablate.turing.analyse.analysis import analyse
from ablate.turing.analyse.record import TABLES, log_analysis
from ablate.turing.analyse.simulation import DEVIATIONS
from ablate.turing.analyse.simulation_designs import draw_preferences
from ablate.turing.bundle import Algorithm
from ablate.turing.database import Answers
from ablate.turing.protocol import REAL, Protocol
from ablate.turing.report.figures.preferences import preferences
from ablate.turing.report.sections import sections
from tests.support.analyses import OTHERS
from tests.support.stores import ODD

START = pd.Timestamp("2026-01-01", tz="UTC")
PROTOCOL = Protocol(practice=0, test=40, checks=0, design="preference", with_real=True)


def compared(runs: dict[str, str], participants: int) -> Answers:
    """Make answers of people who prefer the real picture by far, then the baseline."""
    names = ("baseline", ODD, OTHERS, REAL)
    drawn = draw_preferences(
        DEVIATIONS[0], (1.0, 0.0, 0.0, 4.0), participants=max(participants, 2), trials=40, photographs=60,
        random=np.random.default_rng(0),
    )  # fmt: skip
    drawn = drawn[drawn["participant"] < participants]
    named = {f"a{place}": name for place, name in enumerate(names)}
    trials = drawn.assign(
        **{column: drawn[column].map(named) for column in ("algorithm", "other")},
        photograph="p" + drawn["photograph"].astype(str), recolored="x", real="y", kind="test", choice="left",
        real_side="left", number=1, exposure_ms=1000.0, response_ms=900.0, loads=1, shown=True, missed=False,
    )  # fmt: skip
    people = pd.DataFrame(
        {"algorithm": "", "color_vision": "normal", "finished": START, "screened_out": pd.NaT},
        index=pd.RangeIndex(participants, name="participant"),
    )
    algorithms = [Algorithm(name=name, run_id=runs.get(name), seed=0) for name in names[:3]]
    return Answers("friends", "hand", "c" * 64, Path("gone"), PROTOCOL, algorithms, True, people, trials)


def nowhere(runs: pd.Index) -> str:
    return ""


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("participants", "figures"), [(20, 1), (1, 1), (0, 0)])
def test_a_ranking_is_shown(hand_made: Path, participants: int, figures: int) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    record = read_study("hand", uri)
    runs = dict(zip(record.runs["variant"], map(str, record.runs.index), strict=True))
    found = analyse(compared(runs, participants), None)
    tables = {name: getattr(found, name) for name in TABLES}
    log_analysis("hand", "friends", tables=tables, summary=found.summary, runs=found.runs)
    results = load(read_study("hand", uri))
    (section,) = sections(results, nowhere)
    ranking, pairs = section.tables
    assert len(section.figures) == figures
    if not participants:
        assert "No answer counts of: baseline" in ranking.method
        return
    assert [row[0].text for row in ranking.rows][:2] == [REAL, "baseline"]
    assert len(pairs.rows) == 6
    # The stronger one first, in the order of the ranking.
    ranked = [row[0].text for row in ranking.rows]
    assert [(row[0].text, row[1].text) for row in pairs.rows] == list(combinations(ranked, 2))
    assert all(row[2].sort is not None and row[2].sort >= 50 for row in pairs.rows)
    assert {len(row) for row in ranking.rows} == {len(ranking.headings)}
    assert {len(row) for row in pairs.rows} == {len(pairs.headings)}
    if participants == 1:
        assert {row[3].detail for row in ranking.rows} == {"no interval: one participant"}
        return
    assert [row[4].text for row in ranking.rows] == ["1", "2", "3 to 4", "3 to 4"]
    assert "Left out by rules fixed before the first answer" in ranking.method
    folder = hand_made / "report"
    write(make_report(results), folder)
    page = (folder / "report.html").read_text()
    assert "<h2>Human evaluation</h2>" in page
    assert (folder / "figures" / "preferences.png").stat().st_size > 1000
    # Both columns of names are read from the left, and the last row of one table is no part of what follows.
    assert '<th scope="col" class="name"><button type="button">other' in page
    assert page.count('<td class="name">') == 6
    markdown = (folder / "report.md").read_text()
    assert "strength, log odds" in markdown
    assert re.search(r"\n\n\| algorithm \| other \|.*\|\n\| --- \| --- \| ---: \|", markdown)
    latex = (folder / "report.tex").read_text()
    assert "preferences.pdf" in latex
    assert r"\begin{tabular}{llrrrrr}" in latex


def test_the_figure_has_the_first_on_top(drawn: list[Drawing]) -> None:
    ranking = pd.DataFrame(
        {"algorithm": ["a", "b", "c"], "share": [40.0, 65.0, np.nan], "low": [35.0, np.nan, np.nan],
         "high": [45.0, np.nan, np.nan]}
    )  # fmt: skip
    figure = preferences(ranking, name="preferences")
    assert figure is not None
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert not drawn[0].legends  # of marks that are all alike
    assert "b 65.00 % at the top to a 40.0 [35.0, 45.0] % at the bottom" in figure.alt
    assert "without a line has no interval" in figure.method
    assert preferences(ranking.iloc[2:], name="preferences") is None
