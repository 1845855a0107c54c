"""The runs of a study that are compared, with their scores."""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import pandas as pd
import yaml

from ablate.config.schema import validate
from ablate.config.short_names import shorten
from ablate.errors import ConfigError, TrackingError
from ablate.execution.code_version import Code
from ablate.report.comparability import comparable
from ablate.report.run_values import RunValues
from ablate.report.selection import Selection, newest_finished
from ablate.report.variants import in_order, short_names, shown_names
from ablate.report.whole_set import WholeSet, common_replicates
from ablate.study.definition import StudyFile
from ablate.study.examples import by_contents, fingerprint, labels_of
from ablate.tracking.names import EVALUATED, EVALUATION_GROUP, metric_name
from ablate.tracking.study import parse_yaml
from ablate.tracking.study_record import StudyRecord

LARGEST = 1e300
_READERS = 4

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class ComparedRuns:
    """Runs that are compared.

    Attributes:
        selection: How they were chosen, under the names in the store.
        runs: Index `run_id`, by `in_order` and seed; `variant` is the name that is shown.
        names: By the name of a variant in the store, the one that is shown.
        whole: By the name that is shown, the whole one.
        common: What all variants have in common beside the defaults.
        tables: By `run_id`, its examples' metrics, by contents.
        labels: What examples are called, by contents.
        specs: What the metrics mean.
        scores: See `Results`.
        whole_set: See `Results`.
    """

    selection: Selection
    runs: pd.DataFrame
    names: Mapping[str, str]
    whole: Mapping[str, str]
    common: str
    tables: Mapping[str, pd.DataFrame]
    labels: "pd.Series[str]"
    specs: pd.DataFrame
    scores: pd.DataFrame
    whole_set: WholeSet

    @property
    def newest(self) -> str:
        """Id of the newest run."""
        return str(self.runs["started"].idxmax())

    @property
    def values(self) -> RunValues:
        """Values of all runs, by metric."""
        return RunValues(self.scores, self.whole_set)

    def only(self, kept: Collection[tuple[str, int]]) -> "ComparedRuns":
        """Return those of some variants, as they are shown, and seeds."""
        runs = self.runs[[run in kept for run in zip(self.runs["variant"], self.runs["seed"], strict=True)]]

        def of_kept(frame: pd.DataFrame) -> pd.DataFrame:
            index = pd.MultiIndex.from_arrays([frame.index.get_level_values(level) for level in ("variant", "seed")])
            return frame[index.isin(list(kept))]

        whole_set = replace(
            self.whole_set, values=of_kept(self.whole_set.values), replicates=of_kept(self.whole_set.replicates)
        )
        return replace(self, runs=runs, scores=of_kept(self.scores), whole_set=whole_set)


def compared_runs(record: StudyRecord, definition: StudyFile | None, *, partial: bool = False) -> ComparedRuns:
    """Choose the runs that are compared, and read their scores.

    Args:
        record: The study.
        definition: Its file, None where it has none.
        partial: See `comparability.comparable`.

    Raises:
        NotComparable: They cannot stand in one table.
        TrackingError: No run has finished, or an artifact of one is missing or damaged.
    """
    planned = _planned(definition) if definition else None
    selection = newest_finished(record.runs, record.readable, planned)
    if selection.runs.empty:
        said = f": {'; '.join(str(gap) for gap in selection.gaps[:3])}" if selection.gaps else ""
        raise TrackingError(f"study {record.name} has no finished run yet{said}")
    tables = {run: by_contents(table) for run, table in of_each(selection.runs.index, record.per_example).items()}
    examples = pd.Series({run: fingerprint(table) for run, table in tables.items()}, dtype=object)
    selection = replace(selection, runs=selection.runs.assign(examples=examples))
    selection = comparable(
        selection, record.name, partial=partial, params=record.params, code=lambda run: _code(record, run)
    )
    variants = selection.runs["variant"].tolist()
    names, common = shown_names(variants)
    absent = {gap.variant: gap.variant for gap in selection.gaps}
    whole = {**absent, **short_names(variants)[0]}
    names = {**{variant: shorten(variant) for variant in absent}, **names}
    runs = selection.runs.assign(variant=selection.runs["variant"].map(names))
    order = {name: place for place, name in enumerate(in_order(runs["variant"].tolist()))}
    runs = runs.sort_values(
        ["variant", "seed"], key=lambda column: column.map(order) if column.name == "variant" else column
    )
    newest = str(runs["started"].idxmax())
    specs, labels = record.metric_specs(newest), labels_of(tables[newest])
    scores = _scores(runs, tables, labels, list(specs.index))
    return ComparedRuns(
        selection=selection,
        runs=runs,
        names=names,
        whole={shown: whole[variant] for variant, shown in names.items()},
        common=common,
        tables=tables,
        labels=labels,
        specs=specs,
        scores=scores,
        whole_set=_whole_set(record, runs, specs.index.difference(scores.columns, sort=False), len(labels)),
    )


def of_each(runs: pd.Index, read: Callable[[str], _Read]) -> dict[str, _Read]:
    """Read something of every run, several at a time: a server takes a while to answer each."""
    ids = [str(run) for run in runs]
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(ids, pool.map(read, ids), strict=True))


def definition_of(record: StudyRecord, text: str | None) -> StudyFile | None:
    """Return the file of a study, as the store has it; None where it has none.

    Raises:
        TrackingError: It cannot be read.
    """
    if text is None:
        return None
    try:
        return validate(StudyFile, parse_yaml(text))
    except (ConfigError, yaml.YAMLError) as error:
        raise TrackingError(f"what study {record.name} asks for cannot be read: {error}") from None


def _code(record: StudyRecord, run_id: str) -> Code | None:
    said = record.code(run_id)
    return Code(**said) if said else None


def _planned(definition: StudyFile) -> list[tuple[str, int]]:
    """Return the variants and seeds that the study asks for before it has looked at any result."""
    plan, variants = definition.seed_plan, definition.expansion().variants
    counts = plan.counts(0, [0] * (len(variants) - 1))
    return [
        (definition.variant_of(levels).name, seed)
        for levels, count in zip(variants, counts, strict=True)
        for seed in definition.all_seeds[:count]
    ]


def _scores(
    runs: pd.DataFrame, tables: Mapping[str, pd.DataFrame], labels: "pd.Series[str]", metrics: list[str]
) -> pd.DataFrame:
    named, names = labels.sort_values(), ["variant", "seed", "example"]
    known = [metric for metric in metrics if all(metric in tables[str(run)] for run in runs.index)]
    if named.empty or not known:
        return pd.DataFrame(index=pd.MultiIndex.from_arrays([[], [], []], names=names))
    frames = {
        (str(variant), int(seed)): tables[str(run)].loc[named.index, known].set_axis(named, axis=0)
        for run, variant, seed in runs[["variant", "seed"]].itertuples()
    }
    joined = pd.concat(frames, names=names)
    # Whether an example is right may be a bool.
    try:
        return joined.astype({name: float for name in known if not pd.api.types.is_float_dtype(joined[name])})
    except (ValueError, TypeError) as error:
        raise TrackingError(f"a run's table of examples is damaged: {str(error).splitlines()[0]}") from None


def _whole_set(record: StudyRecord, runs: pd.DataFrame, metrics: pd.Index, examples: int) -> WholeSet:
    """Read the metrics that single examples do not have, and their replicates."""
    runs_metrics, index = record.metrics.loc[runs.index], pd.MultiIndex.from_frame(runs[["variant", "seed"]])
    known = runs_metrics.reindex(columns=[metric_name(EVALUATION_GROUP, name) for name in metrics])
    # Databases keep an infinite value as their largest number.
    values = known.mask(known.abs() > LARGEST, np.inf).set_axis(metrics, axis=1).set_axis(index, axis=0)
    replicates = of_each(runs.index, record.replicates) if len(metrics) else {}
    tables = dict(zip(index, replicates.values(), strict=False))
    if not examples:
        examples = int(np.nan_to_num(runs_metrics.reindex(columns=EVALUATED).to_numpy(np.float64)).max())
    return WholeSet(
        values.rename_axis(columns=None),
        common_replicates(tables, [str(metric) for metric in metrics]),
        examples,
    )
