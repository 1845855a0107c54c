"""The judgement of a change: better, worse, equivalent, or not known. Pure functions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pandas as pd

from ablate.compare.sides import AFTER, Side, differing, joined
from ablate.config.variant import BASELINE
from ablate.report.compare import BETTER, EQUIVALENT, WORSE, Primary, compare

FEWEST_SEEDS = 2
"""That both states must have: two networks that differ in their seed alone differ by their examples as well."""


class Judgement(StrEnum):
    """What is said of a change; `exit_code` is the command's."""

    BETTER = "better"
    EQUIVALENT = "equivalent"
    WORSE = "worse"
    NOT_KNOWN = "not known"

    @property
    def exit_code(self) -> int:
        """0 for a change that may go in, 3 for one that makes it worse, 4 for what is not known; errors have 1."""
        return {Judgement.WORSE: 3, Judgement.NOT_KNOWN: 4}.get(self, 0)


@dataclass(frozen=True)
class Change:
    """Two states compared, before anything is judged.

    Attributes:
        before: Name of the earlier state.
        after: Name of the later one.
        variant: The variant.
        metric: The metric that decides.
        label: What it is called.
        unit: Its unit.
        higher_is_better: Its direction.
        margin: Up to where a difference does not matter, None where nothing is said.
        same_identities: Whether both states have runs of the same identities, of the seeds that they share.
        same_results: Whether all that was measured of these seeds is the same to the last bit.
        row: What was found by the metric, see `report.compare.compare`; `mean_before` is the earlier state's mean.
        others: The same of all other metrics.
        seeds: Those that both have.
        left_out: Those that one state alone has.
        examples: How many evaluate.
        differs: See `sides.differing`.
        commits: Of both states.
        identities: Of the runs of both states, in order.
    """

    before: str
    after: str
    variant: str
    metric: str
    label: str
    unit: str
    higher_is_better: bool
    margin: float | None
    same_identities: bool
    same_results: bool
    row: Mapping[str, Any]
    others: tuple[Mapping[str, Any], ...]
    seeds: tuple[int, ...]
    left_out: tuple[int, ...]
    examples: int
    differs: Mapping[str, list[str]]
    commits: tuple[tuple[str, ...], tuple[str, ...]]
    identities: tuple[tuple[str, ...], tuple[str, ...]]

    @property
    def identical(self) -> bool:
        """Whether both states have the same runs, or runs of the same identities with the same results."""
        return self.same_identities and self.same_results

    @property
    def conflicting(self) -> bool:
        """Whether they have runs of the same identities with other results."""
        return self.same_identities and not self.same_results


def compared(before: Side, after: Side, variant: str, primary: Primary) -> Change:
    """Compare two states of a variant by all metrics that both have.

    Raises:
        NotComparable: Their scores are of different things, or they share no seed.
    """
    scores, whole_set = joined(before, after)
    specs = after.compared.specs
    known = [name for name in specs.index if name in scores or name in whole_set.values]
    directions = {str(name): _direction(specs.loc[[name], "higher_is_better"]) for name in known}
    table = compare(scores, {**directions, primary.name: primary.higher_is_better}, primary, whole_set)
    rows = {(row["variant"], row["metric"]): row for row in table.to_dict("records")}
    found = [
        {
            **{str(key): value for key, value in rows[AFTER, name].items()},
            "label": str(specs.loc[name, "label"]),
            "mean_before": rows["baseline", name]["mean"],
        }
        for name in (primary.name, *(name for name in directions if name != primary.name))
    ]
    one, other = before.identities, after.identities
    shared = sorted(set(one) & set(other))
    return Change(
        before=before.name,
        after=after.name,
        variant=variant,
        metric=primary.name,
        label=str(specs.loc[primary.name, "label"]),
        unit=str(specs.loc[primary.name, "unit"]),
        higher_is_better=bool(primary.higher_is_better),
        margin=primary.margin,
        same_identities=all(one[seed] == other[seed] for seed in shared),
        same_results=_equal(scores) and _equal(whole_set.values),
        row=found[0],
        others=tuple(found[1:]),
        seeds=tuple(shared),
        left_out=tuple(sorted(set(one) ^ set(other))),
        examples=int(found[0]["examples"]),
        differs=differing(before, after),
        commits=(before.commits, after.commits),
        identities=(tuple(one[seed] for seed in sorted(one)), tuple(other[seed] for seed in sorted(other))),
    )


def _equal(values: pd.DataFrame) -> bool:
    """Return whether both states have the same values of the seeds that they share."""
    if values.empty:
        return True
    one, other = (pd.DataFrame(values.xs(state, level="variant")) for state in (BASELINE, AFTER))
    shared = one.index.intersection(other.index)
    return bool(one.reindex(shared).equals(other.reindex(shared)))


def _direction(values: "pd.Series[Any]") -> bool | None:
    # Beside True and False, pandas reads None as NaN.
    value = values.iloc[0]
    return None if pd.isna(value) else bool(value)


def judge(change: Change, level: float) -> Judgement:
    """Judge a change.

    Equivalent where the 95 % interval lies within the margin, or where all results are the same to the last bit; worse
    where the interval excludes 0 on the worse side. To be better, its p-value must be at most the level of its place
    in the stream of all changes that were tried. With one seed an interval says nothing of another seed: none of them
    is known then.

    Args:
        change: What was found.
        level: See `statistics.online`.
    """
    if change.identical:
        return Judgement.EQUIVALENT
    if len(change.seeds) < FEWEST_SEEDS:
        return Judgement.NOT_KNOWN
    verdict = change.row["verdict"]
    if verdict == EQUIVALENT or (change.same_results and change.row["over"]):
        return Judgement.EQUIVALENT
    if verdict == WORSE:
        return Judgement.WORSE
    return Judgement.BETTER if verdict == BETTER and change.row["p"] <= level else Judgement.NOT_KNOWN
