"""Parts of texts on a run in Markdown, which its description and its model card share."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mlflow.entities import Run

from ablate.config.short_names import shorten
from ablate.config.variant import Variant
from ablate.tracking import names
from ablate.tracking.notes import escaped
from ablate.tracking.phase_shares import phase_seconds, phases_text
from ablate.tracking.stored_runs import source_of

_WIDTH = 64
"""Characters of a line of code."""
_WORD = re.compile(r"""(?:[^\s'"]|'[^']*'|"[^"]*")+""")


def command_block(command: str) -> str:
    """Return a command as code in Markdown, on short lines: a long one would widen MLflow's page."""
    lines = [""]
    for word in _WORD.findall(command):
        if lines[-1] and len(lines[-1]) + len(word) > _WIDTH:
            lines.append("   ")
        lines[-1] += f" {word}" if lines[-1] else word
    return code_block(" \\\n".join(lines).splitlines())


def code_block(lines: Sequence[str]) -> str:
    """Return lines as code in Markdown."""
    return "\n".join(f"    {line}" for line in lines)


def difference(run: Run, baseline: Run | None, shared: Collection[str] = ()) -> str:
    """Say in what a run differs from the baseline.

    Args:
        run: The run.
        baseline: The finished run of the baseline with its seed; None where there is none, or it is the run itself.
        shared: The differences from the defaults that all variants have, and so the baseline.
    """
    variant, seed = run.data.tags[names.VARIANT_TAG], run.data.tags[names.SEED_TAG]
    parts = []
    for each in Variant.parse(variant).differences:
        if each in shared:
            continue
        key, equals, _ = each.partition("=")
        other = baseline.data.params.get(names.factor_param(key)) if baseline is not None and equals else None
        parts.append(f"**{escaped(shorten(each))}**" + (f" (baseline: {escaped(other)})" if other else ""))
    if not parts:
        return f"The baseline, seed {seed}."
    return f"Differs from the baseline in {', '.join(parts)}; seed {seed}."


def metric_heading(spec: Mapping[str, Any]) -> str:
    """Return what a table calls a metric: label, unit, and an arrow to where it is better.

    Args:
        spec: What it means: `label`, `unit`, `higher_is_better`.
    """
    arrow = {True: " ↑", False: " ↓", None: ""}[spec["higher_is_better"]]
    return escaped(f"{spec['label']}{', ' if spec['unit'] else ''}{spec['unit']}") + arrow


def number(value: float) -> str:
    """Return a value of a metric, as tables show it."""
    return f"{value:.4g}"


def time_taken(run: Run) -> str:
    """Say where a run's time went; nothing of a run of an earlier version."""
    spent = phase_seconds(run.data.metrics)
    total = sum(spent.values())
    return f"Took {phases_text(total, {phase: seconds / total for phase, seconds in spent.items()})}." if spent else ""


def model_address(run: Run) -> str:
    """Return the address by which MLflow finds the model of a run, that of another one where the result is cached."""
    return f"runs:/{source_of(run)}/model"
