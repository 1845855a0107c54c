"""The forest plot of differences from the baseline."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.artist import Artist

from ablate.report.figures.figure import (
    BLUE,
    BROWN,
    DARK,
    GREEN,
    PURPLE,
    RED,
    Figure,
    figure_files,
    replace_missing_glyphs,
    report_style,
    with_unit,
)
from ablate.report.figures.forest import MOST, OTHER, Row, forest, key, outermost
from ablate.report.number_format import with_interval

_SHAPES = {
    "better": ("^", BLUE),
    "worse": ("v", RED),
    "higher": (">", PURPLE),
    "lower": ("<", BROWN),
    "equivalent": ("s", GREEN),
    "no difference found": ("o", DARK),
}


def differences(
    comparison: pd.DataFrame,
    *,
    metric: str,
    label: str,
    unit: str,
    higher_is_better: bool | None,
    margin: float | None,
    sampled: str,
) -> Figure | None:
    """Draw each variant's paired difference from the baseline with its 95 % interval.

    Args:
        comparison: Columns variant, metric, difference, low, high, verdict, exploratory; the baseline's verdict is
            empty and its difference is not drawn.
        metric: Which of the metrics.
        label: What it is called.
        unit: Its unit, or nothing.
        higher_is_better: None where neither is.
        margin: Up to which difference variants count as equivalent; None without such a margin.
        sampled: What intervals are over, as in `seeds and digits`.

    Returns:
        The figure; None where nothing is compared.
    """
    rows = comparison[(comparison["metric"] == metric) & (comparison["verdict"] != "")]
    finite = rows[np.isfinite(rows["difference"].astype(float))]
    finite = finite.sort_values("difference", ascending=higher_is_better is False, kind="stable")
    if finite.empty:
        return None
    verdicts = Counter(finite["verdict"].tolist())
    drawn_rows = [
        Row(row["variant"], row["difference"], row["low"], row["high"], *_SHAPES.get(row["verdict"], OTHER),
            hollow=bool(row["exploratory"]))
        for row in finite.to_dict("records")
    ]  # fmt: skip
    direction = "" if higher_is_better is None else " (right is better)" if higher_is_better else " (left is better)"
    with report_style():
        known = [word for word in _SHAPES if verdicts[word]] + sorted(word for word in verdicts if word not in _SHAPES)
        hollow = finite.groupby("verdict")["exploratory"].all()
        legend: list[Artist] = [
            key(
                f"{replace_missing_glyphs(word)} ({verdicts[word]})",
                *_SHAPES.get(word, OTHER),
                hollow=bool(hollow[word]),
            )
            for word in known
        ]
        drawn = forest(
            outermost(drawn_rows), xlabel=f"difference in {with_unit(label, unit)}{direction}", line="baseline",
            margin=margin, legend=legend, heading="difference [95 % interval]",
        )  # fmt: skip
        made = figure_files(drawn)
    return Figure(
        name="differences",
        title=f"Difference from the baseline: {label}",
        alt=_differences_alt(finite, verdicts, with_unit(label, unit)),
        caption=_caption(finite, sampled),
        files=made,
        method=_method(rows, finite, unit, higher_is_better, margin),
    )


def _differences_alt(finite: pd.DataFrame, verdicts: Mapping[str, int], quantity: str) -> str:
    ends = [
        f"{row['variant']} {with_interval(row['difference'], row['low'], row['high'])}"
        for row in finite.iloc[[0, -1] if len(finite) > 1 else [0]].to_dict("records")
    ]
    counts = ", ".join(f"{count} {word}" for word, count in verdicts.items())
    return (
        f"Differences from the baseline in {quantity}, with 95 % intervals, from {' at the top to '.join(ends)}"
        f"{' at the bottom' if len(ends) > 1 else ''}. Of {len(finite)}: {counts}."
    )


def _caption(finite: pd.DataFrame, sampled: str) -> str:
    exploratory = " Hollow marks are exploratory." if finite["exploratory"].any() else ""
    if not sampled:
        return f"One seed has no intervals.{exploratory}"
    return f"Lines are 95 % intervals over {sampled}; one that misses the baseline shows a difference.{exploratory}"


def _method(
    rows: pd.DataFrame, finite: pd.DataFrame, unit: str, higher_is_better: bool | None, margin: float | None
) -> str:
    sentences = ["A mark is the paired difference from the baseline, a line its 95 % interval."]
    if len(finite) > 1:
        sentences.append("The intervals hold for all variants at once, and verdicts are read off them.")
    if finite["low"].isna().any():
        sentences.append("A mark without a line has no interval.")
    if margin is not None:
        sentences.append(f"In the grey band, ±{margin:g}{f' {unit}' if unit else ''}, a difference does not matter.")
    if finite["exploratory"].any():
        sentences.append("Exploratory: of many metrics some differ by chance.")
    if len(finite) > MOST:
        best, worst = ("highest", "lowest") if higher_is_better is None else ("best", "worst")
        sentences.append(f"Of {len(finite)} variants, the {MOST // 2} {best} and the {MOST // 2} {worst} are drawn.")
    if len(rows) > len(finite):
        missing = ", ".join(rows.loc[~rows.index.isin(finite.index), "variant"].iloc[:5])
        sentences.append(f"Without a finite difference, and not drawn: {len(rows) - len(finite)} ({missing}).")
    return " ".join(sentences)
