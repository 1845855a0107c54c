"""The committed studies: their reports are those of their archives, and pages quote what the reports say."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ablate.report.number_format import number, with_interval
from ablate.report.tables.table import mean_sd
from tests.support.commands import Command

ROOT = Path(__file__).parents[1]
STUDIES = ("original_study", "screening")
REPORT = ROOT / "reports" / "original_study"


def files_of(folder: Path) -> list[Path]:
    """Return a report's files; the scores are in the archives, and too large to be kept twice."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "scores.parquet"]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the table that begins with `| variant | AuC rebalanced`."""
    lines = text[text.index("| variant | AuC rebalanced") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines[2:]]


def expected() -> list[list[str]]:
    table = pd.read_csv(REPORT / "comparison.csv").fillna({"verdict": ""}).set_index(["variant", "metric"])
    cells = []
    for variant in table.index.unique("variant"):
        primary = table.loc[(variant, "auc_rebalanced")]
        cells.append(
            [
                variant.replace(",", ", "),
                mean_sd(primary),
                "" if variant == "baseline" else with_interval(primary["difference"], primary["low"], primary["high"]),
                primary["verdict"],
                number(table.loc[(variant, "auc_raw"), "mean"]),
                number(table.loc[(variant, "colorfulness_ratio"), "mean"]),
            ]
        )
    return cells


def test_the_study_s_page_says_what_the_report_says() -> None:
    assert rows((REPORT / "README.md").read_text()) == expected()


def test_the_page_of_effects_says_what_its_report_says() -> None:
    page, report = ((ROOT / "reports" / "screening" / name).read_text() for name in ("README.md", "report.md"))
    lines = [line for line in page.splitlines() if line.startswith(("| `", "| the strongest interaction, "))]
    assert len(lines) == 6
    for line in lines:
        assert line.replace("`", "").replace("the strongest interaction, ", "") in report


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_the_report_is_made_anew_from_the_archive(study: str, home: Path, forked_m: Command) -> None:
    folder = ROOT / "reports" / study
    archives = ",".join(map(str, sorted(folder.glob("*.zip"))))
    done = forked_m("ablate.report", f"from={archives}", "out=anew")
    assert done.returncode == 0, done.stderr
    committed = {path.relative_to(folder) for path in files_of(folder) if path.suffix != ".zip"} - {Path("README.md")}
    made = {path.relative_to(home / "anew") for path in files_of(home / "anew")}
    assert committed == made
    for path in committed:
        # The last bits of a number depend on the processor, and what is rounded does not.
        anew, before = home / "anew" / path, folder / path
        if path.suffix == ".csv":
            pd.testing.assert_frame_equal(pd.read_csv(anew), pd.read_csv(before), rtol=1e-9)
        elif path.suffix == ".json":
            assert json.loads(anew.read_text()) == approximately(json.loads(before.read_text()))
        elif path.suffix != ".parquet":
            assert anew.read_bytes() == before.read_bytes(), path


def approximately(value: Any) -> Any:
    """Return JSON of which floating-point numbers equal those that agree in nine digits."""
    if isinstance(value, dict):
        return {key: approximately(each) for key, each in value.items()}
    if isinstance(value, list):
        return [approximately(each) for each in value]
    return pytest.approx(value, rel=1e-9) if isinstance(value, float) else value


@pytest.mark.parametrize("study", STUDIES)
def test_a_committed_report_is_whole_and_small_and_names_no_place(study: str) -> None:
    files = files_of(ROOT / "reports" / study)
    assert {"report.html", "report.md", "report.tex", "comparison.csv", "summary.json", "README.md"} <= {
        path.name for path in files
    }
    assert sum(path.stat().st_size for path in files) < 18e6
    for path in files:
        if path.suffix in (".html", ".md", ".tex", ".csv", ".json"):
            text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text())
            assert not re.search(r"/(tmp|home|work|root)/", text), path


def test_pages_link_to_what_is_there() -> None:
    for page in (ROOT / "README.md", *(ROOT / "reports").glob("*/README.md"), *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not link.startswith(("http", "data:")):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
