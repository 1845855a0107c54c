"""Sections that installed packages add to the report."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pandas as pd
import pytest

from ablate.report import sections
from ablate.report.figures import Figure
from ablate.report.links import Links
from ablate.report.load import load
from ablate.report.render import write
from ablate.report.report import make_report
from ablate.report.results import Results
from ablate.report.sections import Section
from ablate.report.tables import Cell, Table
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.analyses import png


def energy(results: Results, links: Links) -> list[Section]:
    """Return a section as another package would."""
    table = Table(
        name="energy",
        title="Energy <use>",
        headings=["variant", "kWh"],
        rows=[[Cell(text=name), Cell(text="1.5", link=links(results.runs.index[:1]))] for name in results.variants],
    )
    figure = Figure(name="energy", title="Energy", alt="Bars.", caption="By variant.", files={"png": png(9)})
    return [Section(title="Energy <use>", tables=[table], figures=[figure], summary={"kWh": 1.5})]


def broken(results: Results, links: Links) -> list[Section]:
    """Fail as another package may."""
    raise KeyError("no <watt> known\nin line 3")


def offer(monkeypatch: pytest.MonkeyPatch, **targets: str) -> None:
    found = [EntryPoint(name, target, sections.GROUP) for name, target in targets.items()]
    monkeypatch.setattr(sections, "entry_points", lambda group: found if group == sections.GROUP else [])


@pytest.mark.slow
@pytest.mark.usefixtures("drawn")
def test_a_package_adds_a_section(monkeypatch: pytest.MonkeyPatch, filled_store: Path, tmp_path: Path) -> None:
    offer(monkeypatch, energy=f"{__name__}:energy")
    uri = f"sqlite:///{filled_store}"
    open_store(uri, to_read=True)
    report = make_report(load(read_study("hand", uri)))
    assert report.notes == []
    write(report, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.index("Energy &lt;use&gt;</h2>") < page.index("<h2>All metrics</h2>")
    assert "By variant." in page
    assert r"## Energy \<use\>" in (tmp_path / "report.md").read_text()
    assert r"\caption{\textbf{Energy \textless{}use\textgreater{}" in (tmp_path / "report.tex").read_text()
    assert (tmp_path / "figures" / "energy.png").is_file()
    assert json.loads((tmp_path / "summary.json").read_text())["sections"] == {"energy": [{"kWh": 1.5}]}


@pytest.mark.slow
def test_sections_that_fail_are_named_and_cost_nothing_else(
    monkeypatch: pytest.MonkeyPatch, filled_store: Path, caplog: pytest.LogCaptureFixture
) -> None:
    offer(monkeypatch, energy=f"{__name__}:energy", broken=f"{__name__}:broken", gone="no_such_package:sections")
    uri = f"sqlite:///{filled_store}"
    open_store(uri, to_read=True)
    results = load(read_study("hand", uri))
    found, failed = sections.added_sections(results, lambda runs: "")
    assert {name: [each.title for each in added] for name, added in found.items()} == {"energy": ["Energy <use>"]}
    assert failed == [
        "The section broken is missing: 'no <watt> known\\nin line 3'",
        "The section gone is missing: No module named 'no_such_package'",
    ]
    assert failed == caplog.messages
    assert isinstance(results.runs, pd.DataFrame)
