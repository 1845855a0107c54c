"""The numbers that pages quote are those of the committed report."""

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import optimize

from ablate.report.number_format import number, with_interval
from ablate.report.tables.table import mean_sd
from ablate.statistics import many_to_one
from ablate.statistics.error_distribution import ErrorDistribution

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


def simultaneous() -> pd.DataFrame:
    """Compare the variants by today's method, index variant.

    The report is of an earlier one, and scores are not kept. But what the method needs of them follows from the
    report: the variance that examples add from an interval and its p, and with it MS_E from the effect size.
    """
    table = pd.read_csv(REPORT / "comparison.csv").query("metric == 'auc_rebalanced'").set_index("variant")
    runs = pd.read_csv(REPORT / "runs.csv").pivot_table(index="variant", columns="seed", values="auc_rebalanced")
    means = runs.loc[table.index].to_numpy()
    values = np.repeat(means[:, :, None], 2000, axis=2)
    # A pattern with the mean 0 over examples, and one with the mean 0 over both seeds and examples.
    examples = np.tile([1.0, -1.0], 1000)
    both = np.outer([1, -1, 0], examples)
    for place, row in enumerate(table.to_dict("records")[1:], 1):
        of_seeds = (means[place] - means[0]).var(ddof=1) / 3
        above = 6000 * of_examples(row, of_seeds)
        deviation = (row["difference"] / row["effect_size"]) ** 2
        rest = float(
            optimize.brentq(
                lambda ms, above=above, of_seeds=of_seeds, deviation=deviation: (
                    max(6000 * of_seeds - ms, 0) / 2000 + above / 3 + ms - deviation
                ),
                0,
                2 * deviation,
            )
        )
        values[place] += both * np.sqrt(rest * 2 * 1999 / 4000)
        values[place] += examples * np.sqrt((above + rest if above else 0) / 3 * 1999 / 2000)
    return many_to_one(values).set_index(table.index[1:])


def of_examples(row: dict[str, float], of_seeds: float) -> float:
    """Return the variance that examples add: of those with this interval the one with this p."""

    def excess(part: float) -> float:
        return ErrorDistribution(of_seeds, 2, part).half_width(0.05) - (row["high"] - row["low"]) / 2

    grid: npt.NDArray[np.float64] = np.concatenate([[0], np.geomspace(1e-6, 10, 400) * of_seeds])
    found = [float(excess(part)) for part in grid]
    parts = [0.0] if abs(found[0]) < 1e-9 else []
    parts += [
        float(optimize.brentq(excess, grid[place], grid[place + 1], xtol=1e-15))
        for place in range(len(parts), len(grid) - 1)
        if found[place] * found[place + 1] < 0
    ]

    def p(part: float) -> float:
        return 2 * ErrorDistribution(of_seeds, 2, part).tail_probability(abs(row["difference"]))

    (part,) = (part for part in parts if abs(p(part) - row["p"]) < 1e-9)
    return part


@pytest.mark.slow
def test_the_pages_say_what_today_s_method_says_of_the_study() -> None:
    today = simultaneous()
    readme, page = (" ".join((folder / "README.md").read_text().split()) for folder in (ROOT, REPORT))
    found = today[(today["low"] > 0) | (today["high"] < 0)]
    assert list(found.index) == ["loss=unweighted"]
    assert not ((today["low"] >= -0.5) & (today["high"] <= 0.5)).any()
    for variant in ("loss=unweighted", "depth=reduced", "depth=shallow"):
        row = today.loc[variant, ["difference", "low", "high"]]
        written = f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
        assert written in page, written
        assert variant == "depth=shallow" or written in readme, written
    assert f"{today['detectable'].min():.1f} to {today['detectable'].max():.1f} points" in page
    table = pd.read_csv(REPORT / "comparison.csv").query("metric == 'auc_rebalanced'").set_index("variant")
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
