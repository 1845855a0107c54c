"""The section of a rating design, in a report on a store that is filled by hand."""

import json
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
from ablate.turing.analyse.simulation_ratings import draw_ratings
from ablate.turing.bundle import Algorithm
from ablate.turing.database import Answers
from ablate.turing.protocol import REAL, Protocol
from ablate.turing.report.figures.mean_ratings import mean_ratings
from ablate.turing.report.sections import sections
from tests.support.analyses import OTHERS
from tests.support.stores import ODD

PROTOCOL = Protocol(practice=0, test=40, checks=0, design="rating", with_real=True)


def rated(runs: dict[str, str], participants: int) -> Answers:
    """Make answers of people to whom real pictures look most natural, then the baseline's."""
    names = ("baseline", ODD, OTHERS, REAL)
    drawn = draw_ratings(
        DEVIATIONS[0], (4.0, 2.5, 3.0, 6.0), participants=max(participants, 2), trials=40, photographs=60,
        random=np.random.default_rng(0),
    )  # fmt: skip
    drawn = drawn[drawn["participant"] < participants]
    trials = drawn.assign(
        algorithm=drawn["algorithm"].map({f"a{place}": name for place, name in enumerate(names)}), other="",
        photograph="p" + drawn["photograph"].astype(str), recolored="x", real="y", kind="test", choice="rated",
        real_side="", fooled=drawn["rating"] > 4, number=1, exposure_ms=1000.0, response_ms=900.0, loads=1, shown=True,
        missed=False,
    )  # fmt: skip
    people = pd.DataFrame(
        {"algorithm": "", "color_vision": "normal", "finished": pd.Timestamp("2026-01-01", tz="UTC"),
         "screened_out": pd.NaT},
        index=pd.RangeIndex(participants, name="participant"),
    )  # fmt: skip
    algorithms = [Algorithm(name=name, run_id=runs.get(name), seed=0) for name in names[:3]]
    return Answers("friends", "hand", "c" * 64, Path("gone"), PROTOCOL, algorithms, True, people, trials)


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
@pytest.mark.parametrize(("participants", "figures"), [(20, 1), (1, 1), (0, 0)])
def test_ratings_are_shown(hand_made: Path, participants: int, figures: int) -> None:
    uri = f"sqlite:///{hand_made / 'mlflow.db'}"
    record = read_study("hand", uri)
    runs = dict(zip(record.runs["variant"], map(str, record.runs.index), strict=True))
    found = analyse(rated(runs, participants), None)
    tables = {name: getattr(found, name) for name in TABLES}
    log_analysis("hand", "friends", tables=tables, summary=found.summary, runs=found.runs)
    results = load(read_study("hand", uri))
    (section,) = sections(results, lambda runs: "")
    means, pairs = section.tables
    assert len(section.figures) == figures
    folder = hand_made / "report"
    write(make_report(results), folder)
    page = (folder / "report.html").read_text()
    assert "<h2>Human evaluation</h2>" in page
    assert "Ratings are from 1 to 7." in page
    if not participants:
        assert "No answer counts of: baseline" in means.method
        return
    ranked = [row[0].text for row in means.rows]
    assert ranked[:2] == [REAL, "baseline"]
    assert [(row[0].text, row[1].text) for row in pairs.rows] == list(combinations(ranked, 2))
    assert all(row[2].text.startswith("+") for row in pairs.rows)
    assert {len(row) for table in section.tables for row in table.rows} == {6, 5}
    if participants == 1:
        assert {row[3].detail for row in means.rows} == {"no interval: one participant"}
        return
    assert (folder / "figures" / "ratings.png").stat().st_size > 1000
    (summary,) = json.loads((folder / "summary.json").read_text())["sections"]["human_evaluation"]
    assert [row["algorithm"] for row in summary["rates"]] == ["baseline", ODD, OTHERS, REAL]


def test_the_figure_has_the_highest_on_top(drawn: list[Drawing]) -> None:
    ratings = pd.DataFrame({"algorithm": ["a", "b"], "rating": [3.0, 5.5], "low": [2.5, 5.0], "high": [3.5, np.nan]})
    figure = mean_ratings(ratings, points=7, name="ratings")
    assert figure is not None
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert "middle of the scale, 4" in [text.get_text() for text in axes.texts]
    assert axes.get_xlabel().startswith("mean rating of how natural pictures look, 1 to 7")
    assert "Mean ratings of 2 algorithms" in figure.alt
    assert "%" not in figure.alt.replace("95 %", "")
    assert mean_ratings(ratings.iloc[:0], points=7, name="ratings") is None
