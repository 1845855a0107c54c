"""Which runs of a study stand in one table: what is finished and can be compared. Pure functions on frames."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ablate.errors import NotComparable
from ablate.study.code import Code, differences

SETTING = {
    "data.fingerprint": "contents of the data",
    "examples": "evaluated examples",
    "evaluation": "way of evaluating",
    "scale": "scale",
    "code": "code that computes results",
    "setting": "setting",
}
"""What all runs of a table must agree in, by the column that says it."""
_SHOWN = 12
"""Runs named in a message; of more, their number."""


@dataclass(frozen=True)
class Gap:
    """A run that a table lacks."""

    variant: str
    seed: int
    why: str

    def __str__(self) -> str:
        return f"{self.variant}, seed {self.seed}: {self.why}"


@dataclass(frozen=True)
class Selection:
    """The runs that are compared, and those that are missing.

    Attributes:
        runs: Index `run_id`, newest first, one row for each variant and seed.
        gaps: What is missing.
        superseded: Number of finished runs of a variant and seed that has a newer one.
    """

    runs: pd.DataFrame
    gaps: Sequence[Gap]
    superseded: int = 0


def newest_finished(
    runs: pd.DataFrame, readable: pd.Series, planned: Iterable[tuple[str, int]] | None = None
) -> Selection:
    """Choose the newest finished run of each variant and seed.

    Args:
        runs: Index `run_id`, newest first; columns of `StudyRecord.runs`.
        readable: By `run_id`, whether a run has a result that can be read.
        planned: The variants and seeds that the study asks for; None where no file says: what was begun.

    Returns:
        The runs; gaps are what was begun or planned and has no such run.
    """
    results = runs[(runs["status"] == "FINISHED") & readable.reindex(runs.index, fill_value=False)]
    kept = results.drop_duplicates(["variant", "seed"], keep="first")
    there = set(zip(kept["variant"], kept["seed"], strict=True))
    gaps = dict[tuple[str, int], Gap]()
    for run in runs[~runs.index.isin(results.index)].to_dict("records"):
        cell = (str(run["variant"]), int(run["seed"]))
        if cell not in there:
            gaps.setdefault(cell, Gap(*cell, _why(run)))
    for cell in planned or ():
        if cell not in there:
            gaps.setdefault(cell, Gap(*cell, "not begun"))
    return Selection(kept, list(gaps.values()), len(results) - len(kept))


def comparable(
    selection: Selection, study: str, *, partial: bool, code: Callable[[str], Code | None] = lambda run: None
) -> Selection:
    """Check that runs may stand in one table.

    Args:
        selection: Finished runs, with the columns of `SETTING` that are known, and `configuration`.
        study: Name of the study, for the message.
        partial: Whether to leave out what does not agree with the newest run, and to do without what is missing.
        code: Returns the code that a run's result depends on, if that is known.

    Returns:
        The runs that are compared; what was left out are gaps.

    Raises:
        NotComparable: Runs disagree, or some are missing, and `partial` is false. It says which, and what to do.
    """
    runs, left = selection.runs, list[Gap]()
    while disagreements := _disagreements(runs):
        if not partial:
            raise NotComparable(_mixed(study, disagreements, runs, code))
        what, groups = disagreements[0]
        others = [run for _, ids in groups[1:] for run in ids]
        left += [Gap(*_cell(runs, run), f"another {what} than the newest run's") for run in others]
        runs = runs.drop(others)
    gaps = [*selection.gaps, *left]
    if gaps and not partial:
        raise NotComparable(_unfinished(study, gaps, len(runs)))
    return Selection(runs, gaps, selection.superseded)


_Disagreement = tuple[str, list[tuple[str, list[str]]]]
"""What differs, and for each value the runs that have it, those of the newest run first."""


def _disagreements(runs: pd.DataFrame) -> list[_Disagreement]:
    found = list[_Disagreement]()
    for column, what in SETTING.items():
        if column == "setting" and found:
            continue  # a hash of what was named before
        if column in runs and _differ(runs[column]):
            found.append((what, _groups(runs[column])))
    if "configuration" in runs:
        for variant, own in runs.groupby("variant", sort=False):
            if not found and _differ(own["configuration"]):
                found.append((f"configuration of {variant}", _groups(own["configuration"])))
    return found


def _differ(values: pd.Series) -> bool:
    return len(_groups(values)) > 1


def _groups(values: pd.Series) -> list[tuple[str, list[str]]]:
    known = values.astype(object).fillna("not recorded").astype(str)
    return [(str(value), [str(run) for run in own.index]) for value, own in known.groupby(known, sort=False)]


def _mixed(
    study: str, disagreements: Sequence[_Disagreement], runs: pd.DataFrame, code: Callable[[str], Code | None]
) -> str:
    lines = [f"the runs of study {study} cannot stand in one table: they differ in the"]
    for what, groups in disagreements:
        lines.append(f"  {what}:")
        for value, ids in groups:
            names = ["{} seed {}".format(*_cell(runs, run)) for run in ids]
            lines.append(f"    {value[:24]}: {_listed(names)}")
        if what == SETTING["code"]:
            lines += _changes([code(ids[0]) for _, ids in groups])
    return "\n".join(
        [
            *lines,
            "Start the study again with one of them, and what is missing is trained; give what is another study",
            "another name, study.name=NAME; or partial=true compares what agrees with the newest run, and shows the",
            "rest as gaps.",
        ]
    )


def _changes(codes: Sequence[Code | None]) -> list[str]:
    """Say in what the code of later groups of runs differs from that of the first."""
    first, *others = codes
    changed = [differences(first, other) for other in others if first is not None and other is not None]
    return [f"    the code differs in {_listed(each)}" for each in changed if each]


def _unfinished(study: str, gaps: Sequence[Gap], finished: int) -> str:
    shown = [f"  {gap}" for gap in gaps[:_SHOWN]]
    if len(gaps) > _SHOWN:
        shown.append(f"  and {len(gaps) - _SHOWN} more")
    return "\n".join(
        [
            f"study {study} is not finished: {len(gaps)} of {finished + len(gaps)} runs have no result:",
            *shown,
            "The command that started it goes on with it (rerun=failed tries again what has failed); or partial=true",
            "reports on what there is, and shows the gaps.",
        ]
    )


def _cell(runs: pd.DataFrame, run: str) -> tuple[str, int]:
    row: Any = runs.loc[run]
    return str(row["variant"]), int(row["seed"])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return "; ".join(names[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _why(run: Mapping[Hashable, object]) -> str:
    if run["status"] == "FINISHED":
        missing = run.get("missing")
        return f"its result cannot be read: {missing}" if isinstance(missing, str) else "finished without results"
    reason = run.get("reason")
    return str(run["status"]).lower() + (f", {reason}" if isinstance(reason, str) else "")
