"""The runs of a study that a report compares: the newest finished one of each variant and seed. Pure functions."""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from ablate.config.short_names import shorten

SETTING = {
    "data.fingerprint": "contents of the data",
    "examples": "evaluated examples",
    "evaluation": "way of evaluating",
    "scale": "scale",
    "code": "code that computes results",
    "setting": "setting",
}
"""What all runs of a table must agree in, by the column that says it."""


@dataclass(frozen=True)
class Gap:
    """A run that a table lacks."""

    variant: str
    seed: int
    reason: str

    def __str__(self) -> str:
        return f"{shorten(self.variant)}, seed {self.seed}: {self.reason}"


@dataclass(frozen=True)
class Selection:
    """The runs that are compared, and those that are missing.

    Attributes:
        runs: Index `run_id`, newest first, one row for each variant and seed.
        gaps: What is missing.
        superseded: Number of finished runs that are left out since the same was run again.
        others: Those that are left out for a newer run of their variant and seed that is not the same: how many, by
            what differs.
    """

    runs: pd.DataFrame
    gaps: Sequence[Gap]
    superseded: int = 0
    others: Mapping[str, int] = field(default_factory=dict)


def newest_finished(
    runs: pd.DataFrame, readable: pd.Series, planned: Iterable[tuple[str, int]] | None = None
) -> Selection:
    """Choose the newest finished run of each variant and seed.

    An older one of the same `configuration` was run again. One in another setting (data, scale, code) was replaced.
    One of another configuration in the same setting is something else under the same name: it is chosen as well, so
    that `comparable` sees the two.

    Args:
        runs: Index `run_id`, newest first; columns of `StudyRecord.runs`.
        readable: By `run_id`, whether a run has a result that can be read.
        planned: The variants and seeds that the study asks for; None where no file says: what was begun.

    Returns:
        The runs; gaps are what was begun or planned and has no such run.
    """
    results = runs[(runs["status"] == "FINISHED") & readable.reindex(runs.index, fill_value=False)]
    kept, others = _without_older(results)
    there = set(zip(kept["variant"], kept["seed"], strict=True))
    gaps = dict[tuple[str, int], Gap]()
    for run in runs[~runs.index.isin(results.index)].to_dict("records"):
        cell = (str(run["variant"]), int(run["seed"]))
        if cell not in there:
            gaps.setdefault(cell, Gap(*cell, _reason(run)))
    for cell in planned or ():
        if cell not in there:
            gaps.setdefault(cell, Gap(*cell, "to do"))
    return Selection(kept, list(gaps.values()), len(results) - len(kept) - sum(others.values()), others)


def _without_older(results: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out what a newer run of the same variant and seed replaces; count what differs from that, by in what."""
    columns = [name for name in SETTING if name in results]
    kept, others = list[str](), Counter[str]()
    for _, cell in results.groupby(["variant", "seed"], sort=False):
        if "configuration" not in cell:
            kept.append(str(cell.index[0]))
            continue
        settings = known_values(cell[columns])
        for run in known_values(cell["configuration"]).drop_duplicates().index:
            differs = [SETTING[name] for name in columns if settings.loc[run, name] != settings.iloc[0][name]]
            if differs:
                others[differs[0]] += int((cell["configuration"] == cell.loc[run, "configuration"]).sum())
            else:
                kept.append(str(run))
    return results.loc[results.index.isin(kept)], dict(others)


def known_values(values: Any) -> Any:
    """Return values as text, with a word for those that a run does not record."""
    return values.astype(object).fillna("not recorded").astype(str)


def _reason(run: Mapping[Hashable, object]) -> str:
    if run["status"] == "FINISHED":
        missing = run.get("missing")
        return f"its result cannot be read: {missing}" if isinstance(missing, str) else "finished without results"
    reason = run.get("reason")
    return str(run["status"]).lower() + (f", {reason}" if isinstance(reason, str) else "")
