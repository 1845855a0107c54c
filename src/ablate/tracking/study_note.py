"""The description of a study that MLflow shows above its runs: question, design, definition and report."""

from collections.abc import Mapping, Sequence
from typing import Any

from ablate.config.level import level_text
from ablate.config.short_names import shorten
from ablate.tracking.notes import escaped, table
from ablate.tracking.views import view_links

_MOST_ROWS = 20
_DESIGNS = {
    "one_at_a_time": "One factor at a time around the baseline",
    "full_factorial": "All combinations of the factors' levels",
    "fractional_factorial": "A fraction of the combinations of the factors' levels",
    "list": "A list of variants",
}


def study_note(
    definition: Mapping[str, Any] | None,
    *,
    name: str,
    experiment_id: str,
    stamps: Sequence[str] = (),
    varied: Mapping[str, Sequence[str]] | None = None,
    report: str = "",
    limit: int,
) -> str:
    """Describe a study in Markdown.

    Args:
        definition: Its file, as plain values; None for an ad-hoc sweep.
        name: Its name.
        experiment_id: Its experiment in MLflow.
        stamps: Of its definitions, each with a date, the newest last.
        varied: By factor, the levels that runs of an ad-hoc sweep have.
        report: What its report says, in Markdown.
        limit: Most characters: the report is left out where it does not fit.
    """
    try:
        parts = _defined(definition, stamps) if definition else _ad_hoc(name, varied or {})
    except (KeyError, TypeError, ValueError, AttributeError):  # it was edited in MLflow to something else
        parts = _ad_hoc(name, varied or {})
    parts.append(view_links(experiment_id))
    text = "\n\n".join([*parts, *([report] if report else [])])
    return text if len(text) <= limit else "\n\n".join(parts)[:limit]


def _defined(definition: Mapping[str, Any], stamps: Sequence[str]) -> list[str]:
    metric = definition["metric"]
    baseline, variants = definition["baseline"], definition.get("variants") or {}
    rows = [
        [escaped(factor), escaped(level_text(baseline[factor])), escaped(_others(levels, baseline[factor]))]
        for factor, levels in definition["factors"].items()
    ]
    named = [f"{escaped(str(own))}: {escaped(_listed_levels(levels))}" for own, levels in variants.items()]
    margin = f", a difference below {metric['margin']:g} does not matter" if metric.get("margin") else ""
    return [
        f"**{escaped(str(definition['question']))}**",
        f"{_DESIGNS[definition['design']]}; {_seeds(definition)}; "
        f"compared by `{metric['name']}` ({metric['direction']}{margin}).",
        table(["factor", "baseline", "other levels"], rows[:_MOST_ROWS]),
        *([f"Variants beside the design: {'; '.join(named[:_MOST_ROWS])}."] if named else []),
        _stamped(stamps),
    ]


def _seeds(definition: Mapping[str, Any]) -> str:
    seeds, of_baseline = definition["seeds"], definition.get("baseline_seeds")
    looks = isinstance(seeds, Mapping)
    said = f"looks at {', '.join(map(str, seeds['looks']))} seeds" if looks else f"seeds {', '.join(map(str, seeds))}"
    return said + (f", at least {of_baseline} of the baseline" if of_baseline else "")


def _others(levels: Sequence[Any], baseline: Any) -> str:
    return ", ".join(shorten(level_text(level), 60) for level in levels if level_text(level) != level_text(baseline))


def _listed_levels(levels: Mapping[str, Any]) -> str:
    return shorten(", ".join(f"{factor}={level_text(level)}" for factor, level in levels.items()))


def _stamped(stamps: Sequence[str]) -> str:
    """Name the stamp of the definition, and those of before: an edited study is seen."""
    *before, newest = stamps or ["unknown"]
    date, _, digits = newest.rpartition(" ")
    edited = (
        f" Edited since: it was {', '.join(f'`{old[-8:]}` of {old[:-9]}' for old in before[-3:])}." if before else ""
    )
    return f"Definition `{digits}` of {date}.{edited} A run's tag `ablate.stamp` says which one it began with."


def _ad_hoc(name: str, varied: Mapping[str, Sequence[str]]) -> list[str]:
    rows = [[escaped(factor), escaped(", ".join(levels[:8]))] for factor, levels in varied.items()]
    return [
        "Runs without a study file: a variant is named by its differences from the defaults.",
        *([table(["varied", "levels"], rows[:_MOST_ROWS])] if rows else []),
        f"`python -m ablate.report study={name}` compares them.",
    ]
