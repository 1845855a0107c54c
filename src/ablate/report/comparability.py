"""Comparability: the checks that runs may stand in one table. Pure functions on frames."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import pandas as pd

from ablate.config.result_keys import changes_result
from ablate.config.short_names import shorten
from ablate.errors import NotComparable
from ablate.execution.code_version import Code, differences
from ablate.report.selection import SETTING, Gap, Selection, known_values

_CONFIGURATION = "configuration"
_KEYS = 6
"""Params named in a message."""
_LONGEST, _CUT = 60, 24
"""Characters of a value that a message shows whole, and of a longer one, such as a hash."""
_SHOWN = 12
"""Runs named in a message; of more, their number."""


def comparable(
    selection: Selection,
    study: str,
    *,
    partial: bool,
    params: pd.DataFrame | None = None,
    code: Callable[[str], Code | None] = lambda run: None,
) -> Selection:
    """Check that runs may stand in one table.

    Args:
        selection: Finished runs, with the columns of `SETTING` that are known, and `configuration`.
        study: Name of the study, for the message.
        partial: Whether to leave out what does not agree with the newest run, and to do without what is missing.
        params: By `run_id`, the runs' configurations, to say in what they differ.
        code: Returns the code that a run's result depends on, if that is known.

    Returns:
        The runs that are compared; what was left out are gaps.

    Raises:
        NotComparable: Runs disagree, or some are missing, and `partial` is false. It says which, and what to do.
    """
    runs, left = selection.runs, list[Gap]()
    while disagreements := _disagreements(runs, params):
        if not partial:
            raise NotComparable(_mixed(study, disagreements, runs, code))
        what, groups = disagreements[0]
        dropped = [run for _, ids in groups[1:] for run in ids]
        left += [Gap(*_cell(runs, run), f"another {what} than the newest run's") for run in dropped]
        runs = runs.drop(dropped)
    there = set(zip(runs["variant"], runs["seed"], strict=True))
    gaps = [*selection.gaps, *(gap for gap in left if (gap.variant, gap.seed) not in there)]
    if gaps and not partial:
        raise NotComparable(unfinished(study, gaps, len(runs)))
    older = sum((gap.variant, gap.seed) in there for gap in left)
    return Selection(
        runs, gaps, selection.superseded, {**selection.others, **({_CONFIGURATION: older} if older else {})}
    )


def check_names(selection: Selection, study: str, params: pd.DataFrame | None = None) -> None:
    """Check that of each variant and seed one run was chosen.

    Raises:
        NotComparable: Two configurations have the same name and seed.
    """
    twice = selection.runs[selection.runs.duplicated(["variant", "seed"], keep=False)]
    if len(twice):
        raise NotComparable(_mixed(study, _of_variants(twice, params), twice))


_Disagreement = tuple[str, list[tuple[str, list[str]]]]
"""What differs, and for each value the runs that have it, those of the newest run first."""


def _disagreements(runs: pd.DataFrame, params: pd.DataFrame | None) -> list[_Disagreement]:
    found = list[_Disagreement]()
    for column, what in SETTING.items():
        if column == "setting" and found:
            continue  # a hash of what was named before
        if column in runs and _differ(runs[column]):
            values, groups = zip(*_groups(runs[column]), strict=True)
            found.append((what, list(zip(_differing_parts(values), groups, strict=True))))
    return found or _of_variants(runs, params)


def _differing_parts(values: Sequence[str]) -> list[str]:
    """Return of each value the parts, as in `side 64, samples 8`, that not all of them have; hashes are cut."""
    parts = [value.split(", ") for value in values]
    common = set.intersection(*map(set, parts))
    differing = [", ".join(part for part in own if part not in common) for own in parts]
    return [(text if len(text) <= _LONGEST else text[:_CUT]) or "nothing" for text in differing]


def _of_variants(runs: pd.DataFrame, params: pd.DataFrame | None) -> list[_Disagreement]:
    """Return the variants whose runs are of several configurations, each named by the params in which they differ."""
    if "configuration" not in runs:
        return []
    found = list[_Disagreement]()
    for variant, own in runs.groupby("variant", sort=False):
        groups = _groups(own["configuration"])
        if len(groups) > 1:
            first = [ids[0] for _, ids in groups]
            named = _settings_of(params.loc[first], _no_result_keys(runs)) if params is not None else [""] * len(first)
            found.append(
                (
                    f"{_CONFIGURATION} of {shorten(str(variant))}",
                    [(said or value[:24], ids) for said, (value, ids) in zip(named, groups, strict=True)],
                )
            )
    return found


def _no_result_keys(runs: pd.DataFrame) -> set[str]:
    if "no_result_keys" not in runs:
        return set()
    return {key for keys in runs["no_result_keys"].dropna() for key in str(keys).split()}


def _settings_of(params: pd.DataFrame, no_result_keys: Collection[str]) -> list[str]:
    """Write of each run the params in which it differs from the others, as in `depth.name=full`."""
    keys = [str(key) for key in params if changes_result(str(key), no_result_keys) and _differ(params[key])]
    more = f" and {len(keys) - _KEYS} more" if len(keys) > _KEYS else ""
    return [
        ", ".join(shorten(f"{key}={'absent' if pd.isna(row[key]) else row[key]}") for key in keys[:_KEYS]) + more
        for _, row in params.iterrows()
    ]


def _differ(values: pd.Series) -> bool:
    return len(_groups(values)) > 1


def _groups(values: pd.Series) -> list[tuple[str, list[str]]]:
    known = known_values(values)
    return [(str(value), [str(run) for run in own.index]) for value, own in known.groupby(known, sort=False)]


def _mixed(
    study: str,
    disagreements: Sequence[_Disagreement],
    runs: pd.DataFrame,
    code: Callable[[str], Code | None] = lambda run: None,
) -> str:
    lines = [f"the runs of study {study} cannot stand in one table: they differ in the"]
    for what, groups in disagreements:
        lines.append(f"  {what}:")
        for value, ids in groups:
            names = [f"{shorten(variant)} seed {seed}" for variant, seed in (_cell(runs, run) for run in ids)]
            lines.append(f"    {value}: {_listed(names)}")
        if what == SETTING["code"]:
            lines += _changes([code(ids[0]) for _, ids in groups])
    if runs.duplicated(["variant", "seed"]).any():
        advice = [
            "A name and a seed stand for one configuration: give the other another name, study.variant=NAME or",
            "study.name=NAME, or delete its runs in MLflow; or partial=true (of the report) compares the newest.",
        ]
    else:
        advice = [
            "Start the study again with one of them, and what is missing is trained; give what is another study",
            "another name, study.name=NAME; or partial=true (of the report) compares what agrees with the newest run,",
            "and shows the rest as gaps.",
        ]
    return "\n".join([*lines, *advice])


def _changes(codes: Sequence[Code | None]) -> list[str]:
    """Say in what the code of later groups of runs differs from that of the first."""
    first, *others = codes
    changed = [differences(first, other) for other in others if first is not None and other is not None]
    return [f"    the code differs in {_listed(each)}" for each in changed if each]


def unfinished(study: str, gaps: Sequence[Gap], finished: int) -> str:
    """Return the message for a study of which runs are missing."""
    shown = [f"  {gap}" for gap in gaps[:_SHOWN]]
    if len(gaps) > _SHOWN:
        shown.append(f"  and {len(gaps) - _SHOWN} more")
    return "\n".join(
        [
            f"study {study} is not finished: {len(gaps)} of {finished + len(gaps)} runs have no result:",
            *shown,
            "The command that started it resumes it (rerun=failed tries again what has failed); or partial=true",
            "(of the report) shows what there is, and the gaps.",
        ]
    )


def _cell(runs: pd.DataFrame, run: str) -> tuple[str, int]:
    row: Any = runs.loc[run]
    return str(row["variant"]), int(row["seed"])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return "; ".join(names[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
