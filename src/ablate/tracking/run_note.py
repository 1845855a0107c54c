"""The description of a run that MLflow shows: differences from the baseline, values, time, how to load it."""

import math
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mlflow.entities import Run

from ablate.config.short_names import shorten
from ablate.config.variant import Variant
from ablate.tracking import names
from ablate.tracking.notes import escaped, table
from ablate.tracking.phase_shares import phase_seconds, phases_text
from ablate.tracking.stored_runs import source_of

_MOST_METRICS = 30
_WIDTH = 64
"""Characters of a line of code."""
_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def run_note(run: Run, baseline: Run | None, specs: Sequence[Mapping[str, Any]], shared: Collection[str] = ()) -> str:
    """Describe a run in Markdown.

    Args:
        run: The run.
        baseline: The finished run of the baseline with its seed; None where there is none, or it is the run itself.
        specs: What the metrics mean: `name`, `label`, `unit`, `higher_is_better`.
        shared: The differences from the defaults that all variants have, and so the baseline.
    """
    tags = names.current_tags(run.data.tags)
    parts = [_difference(run, baseline, shared), _values(run, baseline, specs), _state(run, tags), _model(run)]
    command = tags.get(names.COMMAND_TAG)
    if command:
        parts.append(f"Train it once more:\n\n{_block(command)}")
    return "\n\n".join(filter(None, parts))


def _block(command: str) -> str:
    """Return a command as code in Markdown, on short lines: a long one would widen MLflow's page."""
    lines = [""]
    for word in _WORD.findall(command):
        if lines[-1] and len(lines[-1]) + len(word) > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return "\n".join(f"    {line}" for line in " \\\n".join(lines).splitlines())


def _difference(run: Run, baseline: Run | None, shared: Collection[str]) -> str:
    variant, seed = run.data.tags[names.VARIANT_TAG], run.data.tags[names.SEED_TAG]
    parts = []
    for difference in Variant.parse(variant).differences:
        if difference in shared:
            continue
        key, equals, _ = difference.partition("=")
        other = baseline.data.params.get(names.factor_param(key)) if baseline is not None and equals else None
        parts.append(f"**{escaped(shorten(difference))}**" + (f" (baseline: {escaped(other)})" if other else ""))
    if not parts:
        return f"The baseline, seed {seed}."
    return f"Differs from the baseline in {', '.join(parts)}; seed {seed}."


def _values(run: Run, baseline: Run | None, specs: Sequence[Mapping[str, Any]]) -> str:
    own, other = (_metrics(each) for each in (run, baseline))
    rows = []
    for spec in specs:
        name = names.metric_name(names.EVALUATION_GROUP, str(spec["name"]))
        if name in own:
            value, beside = own[name], other.get(name, math.nan)
            unit = f", {spec['unit']}" if spec["unit"] else ""
            arrow = {True: " ↑", False: " ↓", None: ""}[spec["higher_is_better"]]
            row = [escaped(f"{spec['label']}{unit}") + arrow, _number(value)]
            rows.append([*row, _number(beside), f"{value - beside:+.3g}"] if not math.isnan(beside) else row)
    if not rows:
        return ""
    header = ["", "this run"] if len(rows[0]) == 2 else ["", "this run", "the baseline's, same seed", "difference"]
    return table(header, [[*row, *[""] * (len(header) - len(row))] for row in rows[:_MOST_METRICS]])


def _metrics(run: Run | None) -> Mapping[str, float]:
    return {} if run is None else names.current_metrics(run.data.metrics)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _state(run: Run, tags: Mapping[str, str]) -> str:
    attempts = tags.get(names.ATTEMPTS_TAG, "1")
    tried = "One attempt" if attempts == "1" else f"{attempts} attempts, each resumed from the last checkpoint"
    if source_of(run) != run.info.run_id:
        return f"Cached: its result is that of run `{source_of(run)}` of another study. {tried}."
    reason = tags.get(names.REASON_TAG)
    return f"{tried}.{_took(run)}" + (f" Ended without a result: {escaped(shorten(reason))}." if reason else "")


def _took(run: Run) -> str:
    """Say where its time went; nothing of a run of an earlier version."""
    spent = phase_seconds(run.data.metrics)
    if not spent:
        return ""
    total = sum(spent.values())
    return f" Took {phases_text(total, {phase: seconds / total for phase, seconds in spent.items()})}."


def _model(run: Run) -> str:
    cached = source_of(run) != run.info.run_id
    if not cached and not (run.outputs and run.outputs.model_outputs):
        return ""
    lines = ["import mlflow", f'model = mlflow.tensorflow.load_model("runs:/{source_of(run)}/model")']
    return "Load its model:\n\n" + "\n".join(f"    {line}" for line in lines)
