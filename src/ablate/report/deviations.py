"""A study's plan, as written down before its first result, and every deviation from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ablate.config.short_names import shorten
from ablate.report.answer import exclusions
from ablate.report.number_format import quantity
from ablate.report.results import Results
from ablate.statistics.simultaneous import LEVEL
from ablate.statistics.spending import false_alarm
from ablate.study.definition import StudyFile
from ablate.tracking.study import stamp

_NAMED = 6
"""Variants named in a sentence."""


@dataclass(frozen=True)
class Plan:
    """A study's plan.

    Attributes:
        registered: What was written down before its first result, in words.
        deviations: From it, a sentence each.
        written: Whether anything was.
    """

    registered: str
    deviations: Sequence[str]
    written: bool = True

    @property
    def fact(self) -> str:
        """The plan in one line."""
        count = len(self.deviations)
        none = ["no deviations"] if self.written else []
        return "; ".join([self.registered, *([quantity(count, "deviation")] if count else none)])


def plan_of(results: Results) -> Plan:
    """Compare what a report shows with what was written down before the study's first result."""
    plan, definition = results.registered, results.definition
    if definition is None:
        return Plan("none, no study file was written before: all of this is exploratory", exclusions(results), False)
    if plan is None:
        return Plan("not written down before the first result", _of_runs(results, definition), False)
    said = f"{stamp(plan.plain())}, written down {results.registered_at} UTC, before the first result"
    return Plan(said, [*_of_file(plan, definition), *_of_metric(results, plan), *_of_runs(results, plan)])


def _of_file(plan: StudyFile, now: StudyFile) -> list[str]:
    """Name what has changed in the study's file."""
    found = []
    for what, old, new in (
        ("question", plan.question, now.question),
        ("metric", _metric(plan), _metric(now)),
        ("margin", plan.metric.margin, now.metric.margin),
        ("design", plan.design, now.design),
        ("baseline", plan.baseline, now.baseline),
    ):
        if old != new:
            found.append(f"The {what} was changed: {_said(old)}, now {_said(new)}.")
    before, after = _variants(plan), _variants(now)
    for what, names in (("added", after - before), ("dropped", before - after)):
        if names:
            found.append(f"{quantity(len(names), 'variant')} {what}: {_listed(sorted(names))}.")
    if plan.tune != now.tune:
        found.append("The search for values, tune, was changed.")
    return [*found, *_of_seeds(plan, now)]


def _of_seeds(plan: StudyFile, now: StudyFile) -> list[str]:
    if plan.seeds == now.seeds and plan.baseline_seeds == now.baseline_seeds:
        return []
    before, after = set(plan.all_seeds), set(now.all_seeds)
    added, removed = sorted(after - before), sorted(before - after)
    found = []
    if added:
        found.append(f"{quantity(len(added), 'seed')} added: {_listed(added)}. {_as_looks(plan, now)}")
    if removed:
        found.append(f"{quantity(len(removed), 'seed')} removed: {_listed(removed)}.")
    return found or [f"The seeds were changed: {_seeds(plan)}, now {_seeds(now)}."]


def _as_looks(plan: StudyFile, now: StudyFile) -> str:
    """Say what seeds do that were added once there were results."""
    most = now.seed_plan.looks[-1]
    counts = [*plan.seed_plan.looks, most]
    shares = [count / most for count in sorted(set(counts))]
    rate = false_alarm(shares, [1 - LEVEL] * len(shares))
    return (
        "Who adds seeds until something is found looks more than once: "
        f"false alarms up to {100 * rate:.0f} % instead of {100 * (1 - LEVEL):.0f} %, for one comparison."
    )


def _of_metric(results: Results, plan: StudyFile) -> list[str]:
    if results.primary.name in (plan.metric.name, results.definition.metric.name if results.definition else ""):
        return []
    return [f"Compared by {results.primary.name}, the plan is {plan.metric.name}: what follows is exploratory."]


def _of_runs(results: Results, plan: StudyFile) -> list[str]:
    """Name the runs that are shown and were not planned, and those that are left out."""
    found, variants, seeds = [], _variants(plan), set(plan.all_seeds)
    shown = [(results.names[variant], int(seed)) for variant, seed in results.runs[["variant", "seed"]].to_numpy()]
    current = _variants(results.definition) if results.definition else set()
    if strange := sorted({variant for variant, _ in shown} - variants - current):
        found.append(f"Not planned are {quantity(len(strange), 'variant')}: {_listed(strange)}.")
    known = seeds | (set(results.definition.all_seeds) if results.definition else set())
    if strange_seeds := sorted({seed for _, seed in shown} - known):
        found.append(f"Not planned are {quantity(len(strange_seeds), 'seed')}: {_listed(strange_seeds)}.")
    if results.beyond:
        found.append(f"{quantity(results.beyond, 'finished run')} that no look asked for left out.")
    return [*found, *exclusions(results)]


def _variants(file: StudyFile) -> set[str]:
    return {file.variant_of(levels).name for levels in file.expansion().variants}


def _metric(file: StudyFile) -> str:
    return f"{file.metric.name}, {file.metric.direction}"


def _seeds(file: StudyFile) -> str:
    plan = file.seed_plan
    said = f"looks at {', '.join(map(str, plan.looks))}" if len(plan.looks) > 1 else _listed(file.all_seeds)
    return said + (f", {plan.of_baseline} of the baseline" if plan.of_baseline else "")


def _said(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={level}" for key, level in value.items())
    return "none" if value is None else str(value)


def _listed(names: Sequence[Any]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(shorten(str(name)) for name in names[:_NAMED]) + more
