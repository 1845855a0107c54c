"""A study's results, loaded from the store."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import yaml

from ablate.config.schema import unknown_level, validate
from ablate.config.short_names import shorten
from ablate.errors import ConfigError, NotComparable, TrackingError
from ablate.execution.code_version import Code
from ablate.report.comparability import comparable
from ablate.report.compare import Primary
from ablate.report.curves import read_curves
from ablate.report.nouns import EXAMPLE, plural
from ablate.report.results import DRAWN, Results
from ablate.report.searched_values import searched_values
from ablate.report.selection import Gap, newest_finished
from ablate.report.variants import in_order, short_names, shown_names
from ablate.report.whole_set import WholeSet, common_replicates
from ablate.study.definition import StudyFile
from ablate.study.examples import by_contents, fingerprint, labels_of, relabelled
from ablate.tracking.names import (
    COST_GROUP,
    EVALUATED,
    EVALUATION_GROUP,
    EXAMPLES,
    EXAMPLES_PER_SECOND,
    LEAKED,
    REFERENCE_GROUP,
    TRAINING_GROUP,
    VALIDATION_GROUP,
    group_of,
    metric_name,
)
from ablate.tracking.study_record import StudyRecord

LARGEST = 1e300
_READERS = 4

_Read = TypeVar("_Read")


def load(record: StudyRecord, *, partial: bool = False, metric: str | None = None) -> Results:
    """Load what a report on a study shows.

    Args:
        record: The study.
        partial: See `comparability.comparable`.
        metric: The metric to compare by, None for the study's own.

    Raises:
        NotComparable: Its runs cannot stand in one table, or the metric cannot rank them.
        ConfigError: There is no such metric.
        TrackingError: No run has finished, or an artifact of one is missing.
    """
    definition = definition_of(record)
    planned = _planned(definition) if definition else None
    selection = newest_finished(record.runs, record.readable, planned)
    if selection.runs.empty:
        said = f": {'; '.join(str(gap) for gap in selection.gaps[:3])}" if selection.gaps else ""
        raise TrackingError(f"study {record.name} has no finished run yet{said}")
    tables = {run: by_contents(table) for run, table in _of_each(selection.runs.index, record.per_example).items()}
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
    example = _example(runs["example"].get(newest) if "example" in runs else None)
    specs = record.metric_specs(newest)
    metrics = record.metrics.loc[runs.index]
    index = pd.MultiIndex.from_frame(runs[["variant", "seed"]])
    shown = runs[runs["variant"].isin(list(order)[:DRAWN])]
    first = shown.drop_duplicates("variant")
    labels = labels_of(tables[newest])
    scores = _scores(runs, tables, labels, list(specs.index))
    return Results(
        study=record.name,
        question=record.question,
        definition=definition,
        aliases=record.aliases,
        uri=record.uri,
        experiment_id=record.experiment_id,
        primary=_primary(metric, definition, specs, record.params.loc[runs.index]),
        runs=runs,
        names={shown: whole[variant] for variant, shown in names.items()},
        shown_names=names,
        gaps=[Gap(names[gap.variant], gap.seed, gap.reason) for gap in selection.gaps],
        superseded=selection.superseded,
        others=selection.others,
        common=common,
        example=example,
        specs=specs,
        scores=scores,
        whole_set=_whole_set(record, runs, specs.index.difference(scores.columns, sort=False), len(labels)),
        costs=_costs(metrics).set_axis(index, axis=0),
        references=_references(metrics.loc[[newest]].iloc[0]),
        curves=read_curves(
            shown,
            [str(name) for name in metrics if metrics[name].notna().any()],
            plural(example),
            lambda name: _of_each(shown.index, lambda run: record.curve(run, name)),
        ),
        samples=_by_variant(first, lambda run: relabelled(record.samples(run), tables[run], labels)),
        distributions=_distributions(record, shown),
        problems=record.problems(newest),
        leaked=int(np.nan_to_num(metrics.loc[newest].get(LEAKED, 0))),
        searched=searched_values(
            runs, record.params, record.tuning, definition, {shown: variant for variant, shown in names.items()}
        ),
    )


def _of_each(runs: pd.Index, read: Callable[[str], _Read]) -> dict[str, _Read]:
    """Read something of every run, several at a time: a server takes a while to answer each."""
    ids = [str(run) for run in runs]
    with ThreadPoolExecutor(_READERS) as pool:
        return dict(zip(ids, pool.map(read, ids), strict=True))


def definition_of(record: StudyRecord) -> StudyFile | None:
    """Return the file of a study; None where it has none.

    Raises:
        TrackingError: What the store holds cannot be read.
    """
    if record.definition is None:
        return None
    try:
        return validate(StudyFile, yaml.safe_load(record.definition))
    except (ConfigError, yaml.YAMLError) as error:
        raise TrackingError(f"what study {record.name} asks for cannot be read: {error}") from None


def _code(record: StudyRecord, run_id: str) -> Code | None:
    said = record.code(run_id)
    return Code(**said) if said else None


def _planned(definition: StudyFile) -> list[tuple[str, int]]:
    names = [definition.variant_of(variant).name for variant in definition.expansion().variants]
    return [(name, seed) for name in names for seed in definition.seeds]


def _primary(metric: str | None, definition: StudyFile | None, specs: pd.DataFrame, params: pd.DataFrame) -> Primary:
    """Return the metric that ranks: the one asked for, the study's, or the first of which a direction is better.

    Where no metric has a direction, all can be compared, and none ranks.
    """
    directed = specs[specs["higher_is_better"].notna()]
    directed = specs if directed.empty else directed
    if metric is None and definition is not None:
        of_study = definition.metric
        if of_study.name in specs.index:
            return Primary(of_study.name, of_study.direction == "maximize", of_study.margin)
        metric = of_study.name
    metric = metric or str(directed.index[0])
    if metric in directed.index:
        ranks = bool(specs["higher_is_better"].notna()[metric])
        return Primary(metric, bool(directed.loc[metric, "higher_is_better"]) if ranks else None)
    measured = ", ".join(map(str, directed.index))
    if group_of(metric) in (TRAINING_GROUP, VALIDATION_GROUP):
        varied = [str(name) for name in params if len(params[name].unique()) > 1]
        differ = [name for name in varied if name.split(".")[0] not in ("seed", "study")]
        raise NotComparable(
            f"{metric} does not rank variants: losses of different losses or outputs are different quantities"
            f"{', and these runs differ in ' + ', '.join(differ[:6]) if differ else ''}. "
            f"metric= takes one of {measured}"
        )
    if metric in specs.index:
        raise ConfigError(f"metric={metric} has no better direction; it must be one of {measured}")
    raise ConfigError(unknown_level("metric", metric, [str(name) for name in directed.index]))


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
    return joined.astype({name: float for name in known if not pd.api.types.is_float_dtype(joined[name])})


def _whole_set(record: StudyRecord, runs: pd.DataFrame, metrics: pd.Index, examples: int) -> WholeSet:
    """Read the metrics that single examples do not have, and their replicates."""
    runs_metrics, index = record.metrics.loc[runs.index], pd.MultiIndex.from_frame(runs[["variant", "seed"]])
    known = runs_metrics.reindex(columns=[metric_name(EVALUATION_GROUP, name) for name in metrics])
    # Databases keep an infinite value as their largest number.
    values = known.mask(known.abs() > LARGEST, np.inf).set_axis(metrics, axis=1).set_axis(index, axis=0)
    replicates = _of_each(runs.index, record.replicates) if len(metrics) else {}
    tables = dict(zip(index, replicates.values(), strict=False))
    if not examples:
        examples = int(np.nan_to_num(runs_metrics.reindex(columns=EVALUATED).to_numpy(np.float64)).max())
    return WholeSet(
        values.rename_axis(columns=None),
        common_replicates(tables, [str(metric) for metric in metrics]),
        examples,
    )


def _references(metrics: "pd.Series[Any]") -> pd.DataFrame:
    rows = []
    for name, value in metrics.items():
        kind, _, rest = str(name).partition("/")
        if kind == REFERENCE_GROUP:
            reference, _, metric = rest.partition("/")
            rows.append({"reference": reference, "metric": metric, "value": value})
    return pd.DataFrame(rows, columns=["reference", "metric", "value"])


def _example(said: object) -> str:
    return said if isinstance(said, str) and said else EXAMPLE


def _costs(metrics: pd.DataFrame) -> pd.DataFrame:
    costs = metrics[[name for name in metrics if group_of(str(name)) == COST_GROUP]]
    # A loop of one's own counts as one example: how many of them it does in a second says nothing.
    own_loop = EXAMPLES in metrics and bool((metrics[EXAMPLES] == 1).all())
    return costs.drop(columns=EXAMPLES_PER_SECOND, errors="ignore") if own_loop else costs


def _by_variant(runs: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    found = _of_each(runs.index, read)
    return pd.concat([found[str(run)].assign(variant=variant) for run, variant in runs["variant"].items()])


def _distributions(record: StudyRecord, runs: pd.DataFrame) -> pd.DataFrame:
    found = _of_each(runs.index, record.distribution)
    frames = [
        table.assign(variant=variant)
        for run, variant in runs["variant"].items()
        for table in [found[str(run)]]
        if table is not None
    ]
    if not frames:
        return pd.DataFrame(columns=["variant", "x", "y", "truth", "output"])
    joined = pd.concat(frames)
    coordinates = [name for name in joined.columns if name not in ("variant", "truth", "output")]
    return joined.groupby(["variant", *coordinates], sort=False, as_index=False)[["truth", "output"]].sum()
