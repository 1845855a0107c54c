"""The table that answers the question: variants by the primary metric, beside what else is chosen."""

from collections.abc import Collection, Sequence

from ablate.report.marks import legend
from ablate.report.nouns import plural
from ablate.report.number_format import quantity
from ablate.report.results import Results
from ablate.report.tables.columns import (
    DIFFERENCE,
    GAINED,
    MARK,
    SEEDS_COLUMN,
    VERDICT,
    Column,
    Columns,
    reference_cell,
)
from ablate.report.tables.layout import WHOLE, Layout, Rows, all_rows, chosen_rows
from ablate.report.tables.table import MORE, Cell, Table, reference_text


def primary_table(results: Results, columns: Columns, layout: Layout = WHOLE) -> Table:
    """Return the table that answers the question.

    Args:
        results: What was loaded.
        columns: All that it may have.
        layout: What it shows. Numbers are the same in every layout: intervals, p and verdicts are those of all
            variants, and what is left out is said in the remarks.

    Raises:
        ConfigError: A column or a row is unknown.
    """
    shown = [columns.of(name) for name in layout.column_names or columns.default]
    rows = chosen_rows(layout.rows, results)
    references = [name for name in rows.references if any(name in column.references for column in shown)]
    cells = [
        [
            Cell(text=variant),
            *(
                column.cell(variant) if variant in results.variants else columns.absent(column.name, variant)
                for column in shown
            ),
        ]
        for variant in rows.variants
    ]
    return Table(
        name="primary",
        title=str(results.spec(results.primary.name)["label"]),
        headings=["variant", *(column.heading for column in shown)],
        rows=cells,
        footer=[
            [Cell(text=reference_text(name)), *(reference_cell(column, name) for column in shown)]
            for name in references
        ],
        note=_note(results, shown, compared=columns.compared),
        remarks=" ".join(_remarks(results, columns, shown, rows, cells)) if layout != WHOLE else "",
        method=_method(results, shown) if columns.compared else "",
    )


def _note(results: Results, shown: Sequence[Column], *, compared: bool) -> str:
    statistics = {column.statistic for column in shown}
    means = results.several_seeds and any(column.metric and not column.statistic for column in shown)
    spread = ["± is the standard deviation over seeds."] if means else []
    if not compared:
        return " ".join(["No variant is the baseline, so there are no differences from it.", *spread])
    if DIFFERENCE in statistics:
        intervals = any(results.sampled(column.metric) for column in shown if column.statistic == DIFFERENCE)
        at_once = "; all their 95 % intervals hold at once" if intervals else ""
        return " ".join([f"Differences are from the baseline{at_once}.", *spread])
    return " ".join(["Statistics are of differences from the baseline.", *spread] if statistics - {""} else spread)


def _remarks(
    results: Results, columns: Columns, shown: Sequence[Column], rows: Rows, cells: Sequence[Sequence[Cell]]
) -> list[str]:
    """Say what is left out, what is missing, which metrics are exploratory, and what marks mean, a sentence each."""
    every = all_rows(results)
    said = []
    left_out = [
        f"{len(whole) - len(some)} of {quantity(len(whole), noun)}"
        for whole, some, noun in (
            (every.variants, rows.variants, "variant"),
            (every.references, rows.references, "trivial baseline"),
        )
        if len(some) < len(whole)
    ]
    if left_out:
        said.append(f"Left out: {' and '.join(left_out)}.")
    if len(rows.variants) < len(every.variants) and columns.compared:
        count = quantity(len(results.variants) - 1, "variant")
        said.append(f"Intervals, p and verdicts are still those of all {count} at once.")
    if results.gaps and SEEDS_COLUMN not in (column.name for column in shown):
        said.append(f"Partial: {quantity(len(results.gaps), 'run')} missing.")
    metrics = dict.fromkeys(column.metric for column in shown if column.metric)
    exploratory = [str(results.spec(name)["label"]) for name in metrics if name != results.primary.name]
    if exploratory:
        said.append(f"Exploratory: {', '.join(exploratory)}.")
    marks = [row[place].mark for row in cells for place, column in enumerate(shown, 1) if column.statistic == MARK]
    return [*said, *legend(marks)]


def _method(results: Results, shown: Sequence[Column]) -> str:
    """Say how the numbers of some columns come about."""
    metrics = list(dict.fromkeys(column.metric for column in shown if column.statistic))
    statistics = {column.statistic for column in shown}
    sentences = _differences(results, metrics, statistics)
    means = [column.metric for column in shown if column.metric and not column.statistic]
    if any(results.directions[name] is not None for name in means):
        sentences.append("The best mean of all variants is bold.")
    if "p" in statistics:
        levels = _levels(results)
        sentences.append(
            f"p is adjusted for the number of variants: below {levels or '0.05'} where 0 is outside of the interval."
        )
    if "effect_size" in statistics:
        single = f"{results.example} and seed" if results.primary.name in results.scores else "seed"
        sentences.append(
            f"The effect size is the difference over the standard deviation of a single one, one {single}."
        )
    if "minimum_detectable_effect" in statistics:
        sentences.append(
            "The minimum detectable effect is the smallest true difference that such a study finds with a power of "
            "80 %."
        )
    if results.primary.margin and statistics & {VERDICT, MARK}:
        sentences.append(f"Equivalent: the interval lies within ±{results.primary.margin:g}.")
    return " ".join([*sentences, MORE]) if sentences else ""


def _differences(results: Results, metrics: Sequence[str], statistics: Collection[str]) -> list[str]:
    """Say how differences are taken, and what their intervals hold."""
    said = {name: _taken(results, name) for name in metrics}
    sentences, intervals = list[str](), any(map(results.sampled, metrics))
    for text in dict.fromkeys(said.values()):
        labels = [str(results.spec(name)["label"]) for name in metrics if said[name] == text]
        of = f" of {', '.join(labels)}" if len(set(said.values())) > 1 else ""
        sentences.append(f"Differences{of} are {text}.")
    if sentences:
        sentences.insert(0, _scope(results))
    if intervals:
        each = ", of each metric by itself" if len(metrics) > 1 else ""
        sentences.append(f"They hold for all variants at once{each}, and the verdict is read off them.")
    if GAINED in statistics:
        sentences.append(
            f"Gained are the {plural(results.example)} that a variant gets right and the baseline wrong, lost the "
            "reverse; mean over seeds."
        )
    return sentences


def _taken(results: Results, metric: str) -> str:
    example = results.example if metric in results.scores else ""
    sampled = results.sampled(metric)
    intervals = f"their intervals cover {sampled}" if sampled else "one seed has no interval"
    return f"{_pairing(results, example)}; {intervals}"


def _scope(results: Results) -> str:
    """Say how many variants, seeds and examples the comparison has."""
    seeds = sorted(set(results.runs.groupby("variant")["seed"].nunique()))
    many = quantity(seeds[0], "seed") if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]} seeds"
    examples = f", {quantity(results.num_examples, results.example)}" if results.num_examples else ""
    return f"{quantity(len(results.variants) - 1, 'variant')} and the baseline, {many} each{examples}."


def _pairing(results: Results, example: str) -> str:
    """Say how runs are compared; `example` is empty where examples have no values of their own."""
    if results.paired:
        return f"paired by seed{f' and {example}' if example else ''}"
    same = f", on the same {plural(example)}" if example else ""
    return f"between means over all seeds of each, as the baseline has more of them by plan{same}"


def _levels(results: Results) -> str:
    """Return the level of each look that was made, in words; nothing where there was one look."""
    if results.looked is None or results.looks is None:
        return ""
    levels = [f"{1 - look.level:.2g} at look {look.place + 1}" for look in results.looks.found]
    return ", ".join(levels)
