"""The two sides of a comparison: the runs of one variant in two states, with their scores and what they differ in."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from ablate.config.result_keys import changes_result
from ablate.config.schema import unknown_level
from ablate.config.variant import BASELINE
from ablate.errors import ConfigError, NotComparable, TrackingError
from ablate.execution.code_version import Code, differences
from ablate.report.compare import Primary
from ablate.report.compared_runs import ComparedRuns, compared_runs, definition_of
from ablate.report.load import primary_of
from ablate.report.selection import SETTING, known_values
from ablate.report.variants import shown_names
from ablate.report.whole_set import WholeSet
from ablate.study.definition import StudyFile
from ablate.tracking.provenance import NEW_FILE
from ablate.tracking.study_record import StudyRecord

AFTER = "after"
"""What the later state is called beside the baseline, the earlier one."""
_EQUAL = {"examples": "evaluated examples", "evaluation": "way of evaluating"}
"""What the two sides must agree in: without it their scores are of different things."""
_FACTS = {"data.fingerprint": "contents of the data", "scale": "scale"}


@dataclass(frozen=True)
class Side:
    """The finished runs of a variant in one state.

    Attributes:
        name: What the state is called.
        definition: The study's file, None where it has none.
        compared: Its runs and their scores, the newest of each seed.
        params: The configuration of the newest run, as text by key, without the keys that change no result.
        facts: What else runs of one state agree in, by its name.
        code: The code that computed the results, None where that is not recorded.
        packages: The versions of packages.
        commits: The commits that its runs were trained at.
    """

    name: str
    definition: StudyFile | None
    compared: ComparedRuns
    params: Mapping[str, str]
    facts: Mapping[str, str]
    code: Code | None
    packages: Mapping[str, str]
    commits: tuple[str, ...]

    @property
    def identities(self) -> dict[int, str]:
        """The identity of each seed's run."""
        runs = self.compared.runs
        return {int(seed): str(identity) for seed, identity in zip(runs["seed"], runs["identity"], strict=True)}


def read_side(record: StudyRecord, variant: str, name: str, *, committed: bool = False) -> Side:
    """Read the runs of one variant, in the state of the newest of them.

    Args:
        record: The study, perhaps without some of its runs.
        variant: The variant, as MLflow or the report calls it; the baseline is also the only one that a study has.
        name: What the side is called.
        committed: Whether runs count alone that were trained without uncommitted changes.

    Raises:
        ConfigError: There is no such variant.
        NotComparable: Its runs are not of one state.
        TrackingError: None has finished, or an artifact of one is missing.
    """
    runs = record.runs[record.runs["variant"] == _stored_name(record, variant, name)]
    if committed:
        runs = _of_commit(record, runs, name)
    compared = compared_runs(replace(record, runs=runs[_of_newest(runs, record.readable)]), None)
    run, said = compared.newest, record.code(compared.newest)
    row = compared.runs.loc[run]
    params = record.params.loc[run].dropna()
    no_result_keys = str(row.get("no_result_keys") or "").split()
    return Side(
        name=name,
        definition=definition_of(record, record.definition),
        compared=compared,
        params={str(key): str(value) for key, value in params.items() if changes_result(str(key), no_result_keys)},
        facts={column: str(row[column]) for column in (*_EQUAL, *_FACTS) if column in row},
        code=Code(**said) if said else None,
        packages=record.packages(run),
        commits=tuple(sorted({str(each) for each in compared.runs.get("commit", pd.Series(dtype=object)).dropna()})),
    )


def _stored_name(record: StudyRecord, variant: str, side: str) -> str:
    known = sorted({str(each) for each in record.runs["variant"]})
    if variant == BASELINE and len(known) == 1:
        return known[0]
    names = {shown: stored for stored, shown in shown_names(known)[0].items()} | {name: name for name in known}
    if variant not in names:
        raise ConfigError(f"{side} has no such variant: {unknown_level('variant', variant, known)}")
    return names[variant]


def _of_newest(runs: pd.DataFrame, readable: "pd.Series[bool]") -> "pd.Series[bool]":
    """Tell which runs are of the state of the newest that finished: the others that finished were before."""
    finished = readable.loc[runs.index]
    own = known_values(runs[[name for name in SETTING if name in runs]])
    newest = own[finished].iloc[:1]
    return ~finished | (own == newest.iloc[0]).all(axis=1) if len(newest) else ~finished


def at_commit(record: StudyRecord, commit: str) -> StudyRecord:
    """Return a study with the runs alone that were trained at a commit.

    Args:
        record: The study.
        commit: Its hash, or the beginning of it.

    Raises:
        TrackingError: There is none.
    """
    commits = record.runs.get("commit", pd.Series("", index=record.runs.index)).fillna("").astype(str)
    found = record.runs[commits.str.startswith(commit)]
    if found.empty:
        known = ", ".join(sorted({each[:10] for each in commits if each not in ("", "none")})) or "none"
        raise TrackingError(
            f"study {record.name} has no run that was trained at commit {commit[:10]}. Its runs are of: {known}. "
            "`git worktree add` checks the commit out beside this folder: start the study there, with tracking.uri= "
            "of this store, and compare again"
        )
    return replace(record, runs=found)


def _of_commit(record: StudyRecord, runs: pd.DataFrame, name: str) -> pd.DataFrame:
    """Leave out the runs that were trained with uncommitted changes, which are those of no commit."""
    readable = record.readable
    changed = [bool(readable[run]) and _is_changed(record, str(run)) for run in runs.index]
    if all(changed):
        raise TrackingError(
            f"{name} has no run without uncommitted changes, and those are another state than the commit's. "
            "`git worktree add` checks the commit out beside this folder: start the study there, with tracking.uri= "
            "of this store, and compare again"
        )
    return runs[[not each for each in changed]]


def _is_changed(record: StudyRecord, run: str) -> bool:
    """Return whether a run was trained with changes of files that git has; new files are none."""
    return any(not line.startswith(NEW_FILE) for line in record.uncommitted(run).splitlines())


def differing(before: Side, after: Side) -> dict[str, list[str]]:
    """Return what two sides differ in, a line each, by kind: configuration, code, packages, data."""
    keys = sorted({*before.params, *after.params})
    changed = [key for key in keys if before.params.get(key) != after.params.get(key)]
    packages = sorted({*before.packages, *after.packages})
    code = differences(before.code, after.code) if before.code is not None and after.code is not None else []
    found = {
        "configuration": [
            f"{key}: {before.params.get(key, 'absent')} before, {after.params.get(key, 'absent')} after"
            for key in changed
        ],
        "code": code,
        "packages": [
            f"{name}: {before.packages.get(name, 'none')} before, {after.packages.get(name, 'none')} after"
            for name in packages
            if before.packages.get(name) != after.packages.get(name)
        ],
        "data": [
            f"{what}: {_short(before.facts.get(column))} before, {_short(after.facts.get(column))} after"
            for column, what in _FACTS.items()
            if before.facts.get(column) != after.facts.get(column)
        ],
    }
    return {kind: lines for kind, lines in found.items() if lines}


def _short(value: str | None) -> str:
    return "not recorded" if value is None else value if len(value) < 60 else value[:12]


def primary_metric(before: Side, after: Side, metric: str | None, margin: float | None) -> Primary:
    """Return the metric that decides: the one that is named, or that of the study's file, with its margin.

    Args:
        before: The earlier state.
        after: The later one, whose file counts.
        metric: A metric's name, None for the study's own.
        margin: Up to where a difference does not matter, None for the study's own.

    Raises:
        ConfigError: There is no such metric, or neither direction of it is better.
    """
    specs = after.compared.specs.loc[after.compared.specs.index.isin(before.compared.specs.index)]
    if specs.empty:
        raise NotComparable(f"{before.name} and {after.name} have no metric in common")
    found = primary_of(metric, after.definition, specs, pd.DataFrame([after.params, before.params]))
    if found.higher_is_better is None:
        raise ConfigError(f"{found.name} has no better direction: metric= must name one that has")
    return found if margin is None else replace(found, margin=margin)


def joined(before: Side, after: Side) -> tuple[pd.DataFrame, WholeSet]:
    """Join the scores of both sides, the earlier as the baseline, of the seeds that both have.

    Examples are matched by their contents.

    Returns:
        The scores, and what single examples do not have, see `report.compare`: variants `baseline` and `after`.

    Raises:
        NotComparable: They were evaluated on different examples, or in different ways, or share no seed.
    """
    for column, what in _EQUAL.items():
        one, other = before.facts.get(column), after.facts.get(column)
        if one != other:
            raise NotComparable(
                f"{before.name} and {after.name} differ in the {what} ({_short(one)} and {_short(other)}): their "
                "scores are of different things. Evaluate both on the same photographs, at the same evaluation.side"
                if column == "evaluation"
                else f"{before.name} and {after.name} differ in the {what}: their scores are of different things. "
                "Train both on data with the same evaluation examples"
            )
    shared = before.identities.keys() & after.identities.keys()
    if not shared:
        raise NotComparable(f"{before.name} and {after.name} share no seed: train the same seeds in both states")
    labels = before.compared.labels
    calls = dict(zip(after.compared.labels, labels.reindex(after.compared.labels.index), strict=True))
    order = labels.sort_values().tolist()
    metrics = [str(name) for name in before.compared.scores if name in after.compared.scores]
    scores = {
        (name, int(seed)): side.compared.scores.xs((variant, seed))[metrics].rename(index=naming).loc[order]
        for name, side, naming in ((BASELINE, before, dict[str, str]()), (AFTER, after, calls))
        for variant, seed in side.compared.runs[["variant", "seed"]].itertuples(index=False)
        if seed in shared
    }
    frame = (
        pd.concat(scores, names=["variant", "seed", "example"])
        if scores
        else pd.DataFrame(index=pd.MultiIndex.from_arrays([[], [], []], names=["variant", "seed", "example"]))
    )
    return frame, _joined_sets(before.compared.whole_set, after.compared.whole_set, shared)


def _joined_sets(before: WholeSet, after: WholeSet, seeds: Collection[int]) -> WholeSet:
    def both(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
        whole = pd.concat([_called(one, BASELINE), _called(other, AFTER)], join="inner")
        return whole[whole.index.get_level_values("seed").isin(seeds)]

    counts = {
        len(drawn.index.unique("replicate")) if len(drawn) else 0 for drawn in (before.replicates, after.replicates)
    }
    values = both(before.values, after.values)
    if len(counts) > 1 or counts == {0}:
        return WholeSet(values, examples=after.examples)
    return WholeSet(values, both(before.replicates, after.replicates), after.examples)


def _called(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    return frame.rename(index=dict.fromkeys(frame.index.unique("variant"), name), level="variant")
