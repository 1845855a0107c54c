import math
from functools import partial

import pandas as pd
import pytest

from ablate.report.compare import compare, in_order, select, short_names
from ablate.report.render import large, number, signed, without_password


def frame(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    """Make runs, newest first, of (status, setting, variant, seed)."""
    runs = pd.DataFrame(rows, columns=["status", "setting", "variant", "seed"])
    runs["reason"] = ["diverged" if status == "FAILED" else None for status in runs["status"]]
    runs.index = pd.Index([f"run{place}" for place in range(len(rows))], name="run_id")
    return runs


def values(**seeds: list[float | None]) -> pd.DataFrame:
    """Make the values of one metric, by variant and seed; None where a seed is missing."""
    rows = [
        {"variant": variant, "seed": seed, "metric": "auc", "value": value}
        for variant, of_seeds in seeds.items()
        for seed, value in enumerate(of_seeds)
        if value is not None
    ]
    return pd.DataFrame(rows)


def test_only_finished_runs_of_the_newest_setting_are_compared() -> None:
    selection = select(
        frame(
            ("RUNNING", "new", "a=1", 0),
            ("FINISHED", "new", "a=1", 1),
            ("FINISHED", "old", "a=1", 0),
            ("FAILED", "new", "a=2", 0),
            ("FINISHED", "new", "baseline", 0),
        )
    )
    assert list(selection.runs.index) == ["run1", "run4"]
    assert selection.left_out == [
        "a=1, seed 0: running (finished in another run)",
        "a=2, seed 0: failed, diverged",
        "1 finished runs on other data, evaluation, scale or code than the newest run's",
    ]


def test_of_repeated_runs_the_newest_counts() -> None:
    selection = select(frame(*[("FINISHED", "s", "baseline", seed) for seed in (0, 1, 0, 0)]))
    assert list(selection.runs.index) == ["run0", "run1"]
    assert selection.left_out == ["2 older runs of a variant and seed that has a newer one"]


def test_runs_configured_otherwise_are_no_repetitions() -> None:
    runs = frame(*[("FINISHED", "s", variant, seed) for variant in ("baseline", "a=1") for seed in (0, 1)])
    runs["configuration"] = ["x", "y", "z", "z"]
    selection = select(runs)
    assert list(selection.runs.index) == ["run0", "run2", "run3"]
    assert selection.left_out == ["baseline, seed 1: configured otherwise than the newest run of that name"]


def test_a_run_without_results_is_left_out() -> None:
    runs = frame(*[("FINISHED", "s", "baseline", seed) for seed in (0, 1)])
    selection = select(runs, evaluated=pd.Series({"run0": True, "run1": False}))
    assert list(selection.runs.index) == ["run0"]
    assert selection.left_out == ["baseline, seed 1: finished without results"]


def test_without_finished_runs_nothing_is_compared() -> None:
    assert select(frame(("KILLED", "s", "baseline", 0))).runs.empty


@pytest.mark.parametrize(
    ("variants", "short", "common"),
    [
        (["baseline", "a=1"], ["baseline", "a=1"], ""),
        (["e=3", "a=1,e=3", "a=[1,2],e=3"], ["baseline", "a=1", "a=[1,2]"], "e=3"),
        (["a=1,e=3"], ["a=1,e=3"], ""),
        (["a=1,b=2", "a=1,b=3"], ["b=2", "b=3"], "a=1"),
    ],
)
def test_what_all_variants_share_is_named_once(variants: list[str], short: list[str], common: str) -> None:
    assert short_names(variants) == (dict(zip(variants, short, strict=True)), common)


def test_the_baseline_comes_first_and_combinations_last() -> None:
    assert in_order(["b=1,c=1", "c=2", "baseline", "b=3", "c=2"]) == ["baseline", "b=3", "c=2", "b=1,c=1"]


def test_means_deviations_and_paired_differences() -> None:
    table = compare(values(baseline=[1.0, 2.0, 6.0], changed=[2.0, 5.0, None])).set_index("variant")
    assert table.loc["baseline", ["mean", "n", "difference"]].tolist() == [3.0, 3, 0.0]
    assert table.loc["baseline", "sd"] == pytest.approx(math.sqrt(7))
    assert table.loc["changed", ["mean", "n", "n_paired"]].tolist() == [3.5, 2, 2]
    # The pairs are (1, 2) and (2, 5): their mean difference is 2, while the means differ by 0.5.
    assert table.loc["changed", "difference"] == 2.0


def test_one_seed_has_no_deviation_and_no_baseline_no_difference() -> None:
    table = compare(values(one=[4.0], two=[5.0]))
    assert table["sd"].isna().all()
    assert table["difference"].isna().all()
    assert table["n_paired"].tolist() == [0, 0]


def test_seeds_that_do_not_meet_give_no_difference() -> None:
    table = compare(values(baseline=[1.0, None], changed=[None, 2.0])).set_index("variant")
    assert math.isnan(table.loc["changed", "difference"])


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (number, 85.5612, "85.56"),
        (number, float("inf"), "∞"),
        (number, 1.8e308, "∞"),
        (large, 999_800, "1 M"),
        (large, float("nan"), "-"),
        (partial(signed, counted=True), -59_543_920, "-59.5 M"),
        (partial(signed, counted=True), 0.0, ""),
        (number, 0.86794, "0.8679"),
        (number, 0.000072, "0.0001"),
        (number, 1462.4, "1,462"),
        (number, 0.0, "0"),
        (number, math.nan, "-"),
        (signed, -5.9412, "-5.94"),
        (signed, 12345.0, "+12,345"),
        (large, 2032585, "2.03 M"),
        (large, 83.6e9, "83.6 G"),
        (large, 12, "12"),
        (without_password, "postgresql://me:secret@host:5432/db", "postgresql://host:5432/db"),
        (without_password, "sqlite:////a/b.db", "sqlite:////a/b.db"),
    ],
)
def test_numbers_and_addresses_read_well(write: object, value: object, text: str) -> None:
    assert callable(write)
    assert write(value) == text
