"""The numbers that pages quote are those of the committed report."""

import re
from pathlib import Path

import pandas as pd

from ablate.report.number_format import number, with_interval
from ablate.report.tables.table import mean_sd

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "reports" / "original_study"


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


def test_the_readme_says_what_the_report_says() -> None:
    table = pd.read_csv(REPORT / "comparison.csv").query("metric == 'auc_rebalanced'").set_index("variant")
    said = re.search(
        r"by ([\d.]+) points\s+\[([\d.]+), ([\d.]+)\]\. Of the other twelve", (ROOT / "README.md").read_text()
    )
    assert said is not None
    assert [f"{table.loc['depth=reduced', name]:.2f}" for name in ("difference", "low", "high")] == list(said.groups())
    assert dict(table["verdict"].value_counts()) == {"better": 1, "no difference found": 12}
    assert table["mean"].idxmax() == "depth=shallow"


def test_the_committed_report_is_whole_and_small_and_names_no_place() -> None:
    files = [path for path in REPORT.rglob("*") if path.is_file()]
    assert {"report.html", "report.md", "report.tex", "comparison.csv", "summary.json", "README.md"} <= {
        path.name for path in files
    }
    assert sum(path.stat().st_size for path in files) < 15e6
    for path in files:
        if path.suffix in (".html", ".md", ".tex", ".csv", ".json"):
            text = re.sub(r"base64,[A-Za-z0-9+/=]+", "", path.read_text())
            assert not re.search(r"/(tmp|home|work|root)/", text), path


def test_pages_link_to_what_is_there() -> None:
    for page in (ROOT / "README.md", REPORT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text()):
            if not link.startswith(("http", "data:")):
                assert (page.parent / link).exists(), f"{page.name}: {link}"
