"""The description of a run that MLflow shows: differences from the baseline, values, time, how to load it."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mlflow.entities import Run

from ablate.config.short_names import shorten
from ablate.tracking import names
from ablate.tracking.notes import escaped, table
from ablate.tracking.run_text import (
    code_block,
    command_block,
    difference,
    metric_heading,
    model_address,
    number,
    time_taken,
)
from ablate.tracking.stored_runs import source_of

_MOST_METRICS = 30


def run_note(run: Run, baseline: Run | None, specs: Sequence[Mapping[str, Any]], shared: Collection[str] = ()) -> str:
    """Describe a run in Markdown.

    Args:
        run: The run.
        baseline: The finished run of the baseline with its seed; None where there is none, or it is the run itself.
        specs: What the metrics mean: `name`, `label`, `unit`, `higher_is_better`.
        shared: The differences from the defaults that all variants have, and so the baseline.
    """
    tags = names.current_tags(run.data.tags)
    parts = [difference(run, baseline, shared), _values(run, baseline, specs), _state(run, tags), _model(run)]
    command = tags.get(names.COMMAND_TAG)
    if command:
        parts.append(f"Train it once more:\n\n{command_block(command)}")
    return "\n\n".join(filter(None, parts))


def _values(run: Run, baseline: Run | None, specs: Sequence[Mapping[str, Any]]) -> str:
    own, other = (_metrics(each) for each in (run, baseline))
    rows = []
    for spec in specs:
        name = names.metric_name(names.EVALUATION_GROUP, str(spec["name"]))
        if name in own:
            value, beside = own[name], other.get(name, math.nan)
            row = [metric_heading(spec), number(value)]
            rows.append([*row, number(beside), f"{value - beside:+.3g}"] if not math.isnan(beside) else row)
    if not rows:
        return ""
    header = ["", "this run"] if len(rows[0]) == 2 else ["", "this run", "the baseline's, same seed", "difference"]
    return table(header, [[*row, *[""] * (len(header) - len(row))] for row in rows[:_MOST_METRICS]])


def _metrics(run: Run | None) -> Mapping[str, float]:
    return {} if run is None else names.current_metrics(run.data.metrics)


def _state(run: Run, tags: Mapping[str, str]) -> str:
    attempts = tags.get(names.ATTEMPTS_TAG, "1")
    tried = "One attempt" if attempts == "1" else f"{attempts} attempts, each resumed from the last checkpoint"
    if source_of(run) != run.info.run_id:
        return f"Cached: its result is that of run `{source_of(run)}` of another study. {tried}."
    reason = tags.get(names.REASON_TAG)
    said = " ".join(filter(None, [f"{tried}.", time_taken(run)]))
    return said + (f" Ended without a result: {escaped(shorten(reason))}." if reason else "")


def _model(run: Run) -> str:
    cached = source_of(run) != run.info.run_id
    if not cached and not (run.outputs and run.outputs.model_outputs):
        return ""
    lines = ["import mlflow", f'model = mlflow.tensorflow.load_model("{model_address(run)}")']
    return f"Load its model:\n\n{code_block(lines)}"
