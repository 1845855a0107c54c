"""The text of a comparison, for people and for programs."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ablate.cli.terminal import visible_line
from ablate.compare.judge import FEWEST_SEEDS, Change, Judgement
from ablate.compare.ledger import Entry
from ablate.report.compare import BETTER
from ablate.report.number_format import number, signed, with_interval
from ablate.statistics.online import ALPHA

_LINES = 12
"""Differences of a kind that are named."""


def for_people(change: Change, entry: Entry, ledger: str) -> str:
    """Write what was found, what that means, and what differs; `ledger` is the name of that which counts it."""
    points = {"": "", "%": " points"}.get(change.unit, f" {change.unit}")
    lines = [
        f"{change.variant}: {change.before} (before) against {change.after} (after)",
        f"{entry.judgement.capitalize()}: {_found(change, points)}",
        *_reasons(change, entry, points, ledger),
    ]
    if change.left_out:
        lines.append(f"Left out, as one side alone has them: seeds {', '.join(map(str, change.left_out))}")
    lines += ["", *_others(change)] if change.others and not change.identical else []
    for kind, differs in change.differs.items():
        lines += ["", f"Differs in the {kind}:", *(f"  {line}" for line in differs[:_LINES])]
        lines += [f"  and {len(differs) - _LINES} more"] if len(differs) > _LINES else []
    if not change.differs:
        lines += ["", "Nothing differs in configuration, code, packages or data, as far as it was recorded."]
    if change.conflicting:
        lines.append(
            "Both states have runs of the same identities, and other results: of another machine, or changed."
        )
    return "\n".join(map(visible_line, lines))


def _found(change: Change, points: str) -> str:
    row = change.row
    if change.identical:
        return "both states have the same runs, or runs of the same identities: the same results to the last bit"
    means = f"{change.label} {number(row['mean_before'])} before, {number(row['mean'])} after"
    over = f"{_count(len(change.seeds), 'seed')} and {_count(change.examples, 'example')}"
    if not row["over"]:
        return f"{means}; it cannot be compared with what there is ({over})"
    return f"{with_interval(row['difference'], row['low'], row['high'])}{points} ({means}; {over})"


def _reasons(change: Change, entry: Entry, points: str, ledger: str) -> list[str]:
    if change.identical:
        return ["It is no try: it has no place among the changes that were tried."]
    lines, known, verdict = [], bool(change.row["over"]), change.row["verdict"]
    if entry.judgement == Judgement.EQUIVALENT and change.same_results:
        lines.append("All results are the same to the last bit, of every seed and example.")
    elif entry.judgement == Judgement.EQUIVALENT:
        lines.append(f"The interval lies within the margin of {number(change.margin or 0.0)}{points}.")
    if len(change.seeds) < FEWEST_SEEDS:
        lines.append("One seed says nothing of another, whatever its examples say: train more seeds in both states.")
    elif entry.judgement == Judgement.NOT_KNOWN and verdict == BETTER:
        lines.append(
            "The interval alone excludes 0, but of so many tries some do by chance: "
            f"p is {change.row['p']:.2g}, and must be at most {entry.level:.2g} here. More seeds decide."
        )
    elif entry.judgement == Judgement.NOT_KNOWN and known:
        no_margin = ", and no margin says what does not matter (margin=)"
        found = number(change.row["minimum_detectable_effect"])
        lines += [
            f"The interval includes 0{no_margin if change.margin is None else ', and more than the margin'}.",
            f"As many seeds find a difference of {found}{points} four times of five; more seeds find a smaller one.",
        ]
    lines.append(
        f"It is change number {entry.number} of the ledger {ledger}: better from p {entry.level:.2g} down, so that "
        f"all its tries together accept a change of nothing with a probability of {100 * ALPHA:.0f} % at most."
    )
    return lines


def _others(change: Change) -> list[str]:
    rows = [
        (str(row["label"]), number(row["mean_before"]), number(row["mean"]), _interval(row), str(row["verdict"]))
        for row in change.others
    ]
    heads = ("Also measured", "before", "after", "difference", "by itself")
    widths = [max(len(each[place]) for each in (heads, *rows)) for place in range(len(heads))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *rows)
    ]


def _interval(row: Mapping[str, Any]) -> str:
    return (
        with_interval(row["difference"], row["low"], row["high"]) if row["over"] else signed(row["difference"]) or "0"
    )


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def for_programs(change: Change, entry: Entry) -> str:
    """Write the same as JSON; what is no finite number is null."""
    numbers = ("mean_before", "mean", "difference", "low", "high", "p", "minimum_detectable_effect")

    def row_of(row: Mapping[str, Any]) -> dict[str, object]:
        return {name: row[name] for name in numbers} | {"over": row["over"], "verdict": row["verdict"]}

    said = {
        "judgement": entry.judgement,
        "exit_code": entry.judgement.exit_code,
        "identical": change.identical,
        "conflicting": change.conflicting,
        "before": {"name": change.before, "commits": change.commits[0], "identities": change.identities[0]},
        "after": {"name": change.after, "commits": change.commits[1], "identities": change.identities[1]},
        "variant": change.variant,
        "metric": {
            "name": change.metric,
            "unit": change.unit,
            "higher_is_better": change.higher_is_better,
            "margin": change.margin,
            **row_of(change.row),
        },
        "seeds": change.seeds,
        "left_out_seeds": change.left_out,
        "examples": change.examples,
        "others": {str(row["metric"]): row_of(row) for row in change.others},
        "differs": change.differs,
        "ledger": {key: value for key, value in asdict(entry).items() if key in ("number", "level", "at", "key")},
    }
    return json.dumps(_finite(said), indent=2)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
