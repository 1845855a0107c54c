"""The output of an analysis: files, and lines for the terminal."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
from tabulate import tabulate

from ablate.errors import DataError
from ablate.report.number_format import probability, quantity, with_interval
from ablate.system.atomic_write import atomic_write
from ablate.turing.analyse.analysis import Analysis
from ablate.turing.analyse.preference_sentences import ranks
from ablate.turing.analyse.rate_text import rate_text
from ablate.turing.analyse.turned_away_text import turned_away_words


def write_files(analysis: Analysis, trials: pd.DataFrame, folder: Path) -> None:
    """Write an analysis into a folder, which is made.

    Args:
        analysis: What was found.
        trials: In what: see `export.columns.TRIALS`.
        folder: Where to.

    Raises:
        DataError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("rates", "pairs", "photographs", "exclusions"):
            with atomic_write(folder / f"{name}.csv") as file:
                file.write(getattr(analysis, name).to_csv(index=False).encode())
        with atomic_write(folder / "trials.parquet") as file:
            trials.to_parquet(file, index=False)
        with atomic_write(folder / "summary.json") as file:
            file.write((json.dumps(analysis.summary, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise DataError(f"the analysis cannot be written to {folder}: {error.strerror or error}") from None


def terminal_lines(analysis: Analysis) -> list[str]:
    """Return what the terminal shows: the table, sentences, and what was left out, in lines."""
    people, trials = analysis.summary["participants"], analysis.summary["trials"]["kept"]
    lines = [
        f"Experiment {analysis.summary['experiment']}: {quantity(people['started'], 'participant')}, "
        f"{people['finished']:,} finished, {people['kept']:,} with {quantity(trials, 'trial')} that count"
        + (f"; {people['withdrawn']:,} withdrew" if people["withdrawn"] else "")
    ]
    if analysis.summary["turned_away"]:
        lines.append(f"Turned away by gates, before they began: {turned_away_words(analysis.summary['turned_away'])}")
    if len(analysis.rates):
        lines += ["", _table(analysis.rates), ""]
    lines += analysis.summary["answer"]
    lines += [f"Warning: {warning}" for warning in analysis.summary["warnings"]]
    lines += [
        f"Left out: {row['rule']}: {quantity(row['participants'], 'participant')}, {quantity(row['trials'], 'trial')}"
        for row in analysis.exclusions.to_dict("records")
        if row["participants"] or row["trials"]
    ]
    return lines


def _table(rates: pd.DataFrame) -> str:
    """Write rates, the ranking of a preference design, or mean ratings, as a table."""
    rows: list[tuple[Any, ...]]
    if "share" in rates:
        ranked = rates.sort_values("rank", kind="stable").to_dict("records")
        rows = [
            (
                row["algorithm"],
                row["participants"],
                row["trials"],
                "-" if pd.isna(row["share"]) else rate_text(row["share"], row["low"], row["high"]),
                "-" if pd.isna(row["rank"]) else ranks(row),
            )
            for row in ranked
        ]
        headings = ["algorithm", "participants", "trials", "preferred, % [95 %]", "rank"]
    elif "rating" in rates:
        rows = [
            (
                row["algorithm"],
                row["participants"],
                row["trials"],
                rate_text(row["rating"], row["low"], row["high"]),
                f"{row['sd']:.2f}",
            )
            for row in rates.to_dict("records")
        ]
        headings = ["algorithm", "participants", "trials", "mean rating [95 %]", "sd of ratings"]
    else:
        rows = [
            (
                row["algorithm"],
                row["participants"],
                row["trials"],
                rate_text(row["rate"], row["low"], row["high"]),
                probability(row["p_corrected"]),
                with_interval(row["d_prime"], row["d_prime_low"], row["d_prime_high"], plus=False),
                with_interval(row["left"], row["left_low"], row["left_high"], plus=False),
            )
            for row in rates.to_dict("records")
        ]
        headings = ["algorithm", "participants", "trials", "fooled, % [95 %]", "p of 50 %, corrected"]
        headings += ["d' [95 %]", "left chosen, % [95 %]"]
    return tabulate(rows, headings, disable_numparse=True, colalign=("left", *["right"] * (len(headings) - 1)))
