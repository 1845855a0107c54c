"""Frames of a study's runs and curves, of all runs that were begun. Pure functions of its record."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from ablate.config.level import level_text
from ablate.config.variant import Variant
from ablate.execution.status import Status
from ablate.report.variants import in_order, shown_names
from ablate.study.definition import StudyFile
from ablate.tracking.factors import recorded_levels
from ablate.tracking.names import (
    COST_GROUP,
    DATA_GROUP,
    EVALUATION_GROUP,
    REFERENCE_GROUP,
    factor_param,
    group_of,
    is_result,
)
from ablate.tracking.study_record import StudyRecord

_READERS = 4
_SINGLE_VALUES = (EVALUATION_GROUP, REFERENCE_GROUP, DATA_GROUP)
"""Groups of metrics that are results, and no curves."""


def runs_frame(record: StudyRecord, definition: StudyFile | None) -> pd.DataFrame:
    """Return one row a run, see `Study.runs`."""
    runs, names = record.runs, _names(record)
    levels = _levels(record, definition)
    metrics = record.metrics[
        [name for name in record.metrics if group_of(str(name)) in (EVALUATION_GROUP, COST_GROUP)]
    ]
    own = pd.DataFrame(
        {
            "variant": runs["variant"].map(names),
            "seed": runs["seed"],
            "status": [str(_status(run)) for run in runs.to_dict("records")],
            "started": runs["started"],
            "seconds": runs["seconds"],
            "reason": [_reason(run) for run in runs.to_dict("records")],
        }
    )
    frame = own.join(levels[[name for name in levels if name not in own]]).join(metrics)
    if "energy" in runs:
        frame["cost/energy"] = runs["energy"]
    order = {name: place for place, name in enumerate(in_order(frame["variant"].tolist()))}
    return frame.sort_values(
        ["variant", "seed", "started"], key=lambda column: column.map(order) if column.name == "variant" else column
    )


def curves_frame(record: StudyRecord) -> pd.DataFrame:
    """Return one row a run, curve and step, see `Study.curves`; the store is open."""
    names, metrics = _names(record), [str(name) for name in record.metrics if _is_curve(str(name))]
    known = [(str(run), metric) for metric in metrics for run in record.metrics.index[record.metrics[metric].notna()]]
    with ThreadPoolExecutor(_READERS) as pool:  # a server takes a while to answer each
        histories = list(pool.map(lambda key: record.curve(*key), known))
    columns = ["run_id", "variant", "seed", "metric", "step", "value"]
    rows = [
        history.assign(
            run_id=run, variant=names[str(record.runs["variant"][run])], seed=record.runs["seed"][run], metric=metric
        )
        for (run, metric), history in zip(known, histories, strict=True)
    ]
    return pd.concat(rows, ignore_index=True)[columns] if rows else pd.DataFrame(columns=columns)


def _names(record: StudyRecord) -> Mapping[str, str]:
    return shown_names([str(name) for name in record.runs["variant"].unique()])[0]


def _levels(record: StudyRecord, definition: StudyFile | None) -> pd.DataFrame:
    """Return the level of each factor, as text: as tracked, else of the variant's name or of the configuration."""
    params, variants = record.params, record.runs["variant"]
    named = pd.DataFrame([_named_levels(str(name), definition) for name in variants], index=params.index)
    levels = record.factors.combine_first(named)
    return levels.combine_first(params[[name for name in levels if name in params]])


def _named_levels(variant: str, definition: StudyFile | None) -> dict[str, str]:
    baseline = {} if definition is None else {name: level_text(level) for name, level in definition.baseline.items()}
    differences = (part.partition("=") for part in Variant.parse(variant).differences)
    levels = {**baseline, **{key: level for key, equals, level in differences if equals}}
    return recorded_levels({factor_param(key): level for key, level in levels.items()})


def _status(run: Mapping[Any, Any]) -> Status:
    if run["status"] == "FINISHED":
        if isinstance(run["missing"], str):
            return Status.TODO
        return Status.CACHED if isinstance(run.get("cached_from"), str) else Status.DONE
    if run["status"] == "RUNNING":
        return Status.RUNNING
    return Status.INTERRUPTED if run.get("resumable") == "true" else Status.FAILED


def _reason(run: Mapping[Any, Any]) -> str:
    said = [run.get(name) for name in ("missing", "reason", "error")]
    return ": ".join(text for text in said if isinstance(text, str))


def _is_curve(metric: str) -> bool:
    return is_result(metric) and group_of(metric) not in _SINGLE_VALUES
