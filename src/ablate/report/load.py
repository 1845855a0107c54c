"""A study's results, loaded from the store."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ablate.config.schema import unknown_level
from ablate.errors import ConfigError, NotComparable
from ablate.report.comparability import unfinished
from ablate.report.compare import Primary
from ablate.report.compared_runs import compared_runs, definition_of, of_each
from ablate.report.curves import read_curves
from ablate.report.looks import looks_of
from ablate.report.nouns import EXAMPLE, plural
from ablate.report.results import DRAWN, Results
from ablate.report.searched_values import searched_values
from ablate.report.selection import Gap
from ablate.report.settings import settings_of
from ablate.report.variants import in_order
from ablate.study.definition import StudyFile
from ablate.study.examples import relabelled
from ablate.tracking.names import (
    COST_GROUP,
    DATA_GROUP,
    EXAMPLES,
    EXAMPLES_PER_SECOND,
    LEAKED,
    REFERENCE_GROUP,
    TRAINING_GROUP,
    VALIDATION_GROUP,
    group_of,
)
from ablate.tracking.study_record import StudyRecord


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
    definition = definition_of(record, record.definition)
    compared = compared_runs(record, definition, partial=partial)
    looks, found = looks_of(compared, definition), len(compared.runs)
    gaps = [Gap(compared.names[gap.variant], gap.seed, gap.reason) for gap in compared.selection.gaps]
    if looks is not None:
        known = {(gap.variant, gap.seed) for gap in gaps}
        gaps += [Gap(*run, "to do") for run in looks.missing if run not in known]
        if gaps and not partial:
            raise NotComparable(unfinished(record.name, gaps, len(looks.asked) - len(gaps)))
        compared = compared.only(looks.asked)
    runs, newest, specs = compared.runs, compared.newest, compared.specs
    example = _example(runs["example"].get(newest) if "example" in runs else None)
    metrics = record.metrics.loc[runs.index]
    index = pd.MultiIndex.from_frame(runs[["variant", "seed"]])
    shown = runs[runs["variant"].isin(in_order(runs["variant"].tolist())[:DRAWN])]
    first = shown.drop_duplicates("variant")
    return Results(
        study=record.name,
        question=record.question,
        definition=definition,
        registered=definition_of(record, record.registered),
        registered_at=record.registered_at,
        aliases=record.aliases,
        uri=record.uri,
        experiment_id=record.experiment_id,
        primary=primary_of(metric, definition, specs, record.params.loc[runs.index]),
        looks=looks,
        runs=runs.set_axis([record.origins[str(run)].run_id for run in runs.index]).rename_axis("run_id"),
        origins={origin.run_id: origin for run in runs.index for origin in [record.origins[str(run)]]},
        names=compared.whole,
        shown_names=compared.names,
        gaps=gaps,
        beyond=found - len(compared.runs),
        superseded=compared.selection.superseded,
        others=compared.selection.others,
        common=compared.common,
        example=example,
        specs=specs,
        scores=compared.scores,
        whole_set=compared.whole_set,
        costs=_costs(metrics).set_axis(index, axis=0),
        references=_references(metrics.loc[[newest]].iloc[0]),
        curves=read_curves(
            shown,
            [str(name) for name in metrics if metrics[name].notna().any()],
            plural(example),
            lambda name: of_each(shown.index, lambda run: record.curve(run, name)),
        ),
        samples=_by_variant(first, lambda run: relabelled(record.samples(run), compared.tables[run], compared.labels)),
        distributions=_distributions(record, shown),
        problems=record.problems(newest),
        leaked=int(np.nan_to_num(metrics.loc[newest].get(LEAKED, 0))),
        searched=searched_values(
            runs,
            record.params,
            record.tuning,
            definition,
            {shown: variant for variant, shown in compared.names.items()},
        ),
        settings=settings_of(runs, record.params),
        counts=_counts(metrics.loc[[newest]].iloc[0]),
        packages=record.packages(newest),
    )


def primary_of(metric: str | None, definition: StudyFile | None, specs: pd.DataFrame, params: pd.DataFrame) -> Primary:
    """Return the metric that ranks: the one asked for, the study's, or the first of which a direction is better.

    Where no metric has a direction, all can be compared, and none ranks.
    """
    directed = specs[specs["higher_is_better"].notna()]
    directed = specs if directed.empty else directed
    if definition is not None and metric in (None, definition.metric.name):
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


def _references(metrics: "pd.Series[Any]") -> pd.DataFrame:
    rows = []
    for name, value in metrics.items():
        kind, _, rest = str(name).partition("/")
        if kind == REFERENCE_GROUP:
            reference, _, metric = rest.partition("/")
            rows.append({"reference": reference, "metric": metric, "value": value})
    return pd.DataFrame(rows, columns=["reference", "metric", "value"])


def _counts(metrics: "pd.Series[Any]") -> dict[str, int]:
    known = metrics[[group_of(str(name)) == DATA_GROUP and name != LEAKED for name in metrics.index]].dropna()
    return {str(name).partition("/")[2]: int(value) for name, value in known.sort_index().items()}


def _example(said: object) -> str:
    return said if isinstance(said, str) and said else EXAMPLE


def _costs(metrics: pd.DataFrame) -> pd.DataFrame:
    costs = metrics[[name for name in metrics if group_of(str(name)) == COST_GROUP]]
    # A loop of one's own counts as one example: how many of them it does in a second says nothing.
    own_loop = EXAMPLES in metrics and bool((metrics[EXAMPLES] == 1).all())
    return costs.drop(columns=EXAMPLES_PER_SECOND, errors="ignore") if own_loop else costs


def _by_variant(runs: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    found = of_each(runs.index, read)
    return pd.concat([found[str(run)].assign(variant=variant) for run, variant in runs["variant"].items()])


def _distributions(record: StudyRecord, runs: pd.DataFrame) -> pd.DataFrame:
    found = of_each(runs.index, record.distribution)
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
