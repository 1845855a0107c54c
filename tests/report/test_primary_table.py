"""The table for papers: columns and rows of one's choice, which change no number."""

from dataclasses import replace

import pytest

from ablate.errors import ConfigError
from ablate.report.compare import cost_differences
from ablate.report.comparison import comparison_of
from ablate.report.load import load
from ablate.report.results import Results
from ablate.report.selection import Gap
from ablate.report.tables import Columns, Layout, Table, primary_table
from ablate.report.tables.layout import chosen_rows
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.stores import add_run, record_hand_made

A, B, BOTH = "loss=a", "loss=b", "depth=x,loss=a"


@pytest.fixture(scope="module")
def results(empty_store, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """A study of four variants; RMSE is exploratory."""
    folder = tmp_path_factory.mktemp("table")
    (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    open_store(uri)
    for variant, gain in (("baseline", 0.0), (A, 5.0), (B, -4.0), (BOTH, 0.01)):
        for seed in (0, 1, 2):
            add_run(folder, variant, seed, gain=gain)
    variants = {"one": {"loss": "a"}, "other": {"loss": "b"}, "both": {"depth": "x", "loss": "a"}}
    factors = {"loss": ["even", "a", "b"], "depth": ["y", "x"]}
    record_hand_made(
        folder, baseline={"loss": "even", "depth": "y"}, factors=factors, design="list", variants=variants
    )
    return load(read_study("hand", uri), partial=True)


def table_of(results: Results, columns: str = "", rows: str = "") -> Table:
    costs, comparison = cost_differences(results.costs), comparison_of(results)
    return primary_table(results, Columns(results, comparison, costs, lambda runs: ""), Layout(columns, rows))


def texts(table: Table) -> dict[str, list[str]]:
    return {row[0].text: [cell.marked for cell in row[1:]] for row in [*table.rows, *table.footer]}


@pytest.mark.slow
def test_the_whole_table_needs_no_remarks(results: Results) -> None:
    table = table_of(results)
    assert table.headings == [
        "variant", "seeds", "AuC, % ↑", "difference [95 %]", "p", "effect size", "minimum detectable effect",
        "verdict", "Training, s: difference",
    ]  # fmt: skip
    assert list(texts(table)) == ["baseline", A, B, BOTH, "grey"]
    assert (table.remarks, texts(table)[A][6], texts(table)[B][6]) == ("", "▲ better", "▼ worse")
    assert "3 variants and the baseline, 3 seeds each, 12 photographs." in table.method
    assert "docs/" in table.method
    assert "docs/" not in table.footnote


@pytest.mark.slow
def test_a_choice_changes_no_number_and_says_what_is_left_out(results: Results) -> None:
    whole = texts(table_of(results))
    table = table_of(results, "difference,mark,auc,rmse,rmse.difference,cost/parameters", f"{B};baseline")
    assert table.headings == [
        "variant", "difference [95 %]", "verdict", "AuC, % ↑", "RMSE <b>, ab ↓", "RMSE <b>: difference [95 %]",
        "Parameters",
    ]  # fmt: skip
    found = texts(table)
    assert list(found) == [B, "baseline"]
    assert (found[B][0], found[B][1], found[B][2]) == (whole[B][2], "▼", whole[B][1])
    assert found["baseline"][:2] == ["", ""]
    assert table.remarks == (
        "Left out: 2 of 4 variants and 1 of 1 trivial baseline. Intervals, p and verdicts are still those of all 3 "
        "variants at once. Exploratory: RMSE <b>. Marks: ▼ worse."
    )
    assert not any(cell.strong for row in table.rows for cell in row)  # the best is left out
    assert table.footnote.startswith("Left out: ")


@pytest.mark.slow
def test_what_is_not_shown_is_not_explained(results: Results) -> None:
    table = table_of(results, "auc,color")
    assert table.note == "± is the standard deviation over seeds."
    assert "p is adjusted" not in table.method
    assert table.remarks == "Exploratory: Colour."


@pytest.mark.slow
def test_a_partial_table_says_so_where_the_seeds_do_not(results: Results) -> None:
    partial = replace(results, gaps=[Gap("loss=new", 0, "to do"), Gap("loss=new", 1, "to do")])
    assert texts(table_of(partial))["loss=new"][0] == "0 of 2"
    table = table_of(partial, "auc", "loss=new;baseline")
    assert texts(table) == {"loss=new": ["-"], "baseline": texts(table_of(results, "auc"))["baseline"]}
    assert "Partial: 2 runs missing." in table.remarks


@pytest.mark.slow
def test_rows_are_variants_by_any_of_their_names_and_trivial_baselines(results: Results) -> None:
    for given in (f"grey;{BOTH};{A}", f"grey; depth=x, loss=a; {A} ;"):
        found = chosen_rows(given, results)
        assert (found.variants, found.references) == ([BOTH, A], ["grey"])
    assert chosen_rows(f"{A},baseline", results).variants == [A, "baseline"]
    assert chosen_rows(BOTH, results).variants == [BOTH]
    renamed = replace(results, names={**results.names, A: "loss=a,and=more"})
    assert chosen_rows("loss=a,and=more;baseline", renamed).variants == [A, "baseline"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("columns", "rows", "message"),
    [
        ("auc,pp", "", r"unknown level: columns=pp. Allowed: columns=COST.difference, columns=METRIC.difference, .*"
                       r"columns=auc, .*columns=cost/parameters, .*columns=verdict\. Did you mean columns=p\?"),
        ("auc.gained", "", "unknown level: columns=auc.gained. Allowed: "),  # it is more than right or wrong
        ("cost/parameters.p", "", "unknown level: columns=cost/parameters.p"),
        ("look", "", "unknown level: columns=look"),
        ("auc,", "", "unknown level: columns=. Allowed"),
        ("p,auc,p", "", "columns= names p twice"),
        (",", "", "columns= names nothing twice"),
        ("", "loss=c", "unknown level: rows=loss=c. Allowed: rows=baseline, .*Did you mean rows=loss=[ab]?"),
        ("", f"{A};{A}", "rows= names loss=a twice"),
        ("", "grey", "rows=grey names no variant; it must name one of baseline; loss=a; loss=b; depth=x,loss=a"),
    ],
)  # fmt: skip
def test_what_is_unknown_is_refused_with_what_is_allowed(
    results: Results, columns: str, rows: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        table_of(results, columns, rows)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.slow
def test_a_row_that_may_mean_two_things_is_refused(results: Results) -> None:
    odd = replace(results, gaps=[Gap("depth=x", 0, "to do")])
    with pytest.raises(
        ConfigError, match="may mean one variant or 2: write `depth=x,loss=a;` for the one, `depth=x;l"
    ):
        chosen_rows(BOTH, odd)
    assert chosen_rows(f"{BOTH};", odd).variants == [BOTH]
    assert chosen_rows("depth=x;loss=a", odd).variants == ["depth=x", A]
