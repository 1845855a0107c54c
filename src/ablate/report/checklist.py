"""The reproducibility checklist: what venues ask of experiments, answered from what is tracked.

The questions are those of the experimental parts of the NeurIPS paper checklist and of the ACL Responsible NLP
checklist, in words of our own. What a store cannot know is left to the authors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ablate.config.level import level_text
from ablate.config.short_names import shorten
from ablate.config.variant import BASELINE
from ablate.report.deviations import Plan
from ablate.report.energy import energy_in_words, energy_methods
from ablate.report.fairness import fairness_notes
from ablate.report.nouns import plural
from ablate.report.number_format import large, magnitude, number, quantity
from ablate.report.results import SEEDS, Results
from ablate.report.settings import without_place
from ablate.tracking.names import ENERGY, FLOPS, PARAMETERS, PEAK_DEVICE_MEMORY, PEAK_MEMORY, WALL_SECONDS

AUTHORS = "To be answered by the authors."
_NONE = ("", "none", "None", "nan")


@dataclass(frozen=True)
class Item:
    """A question.

    Attributes:
        part: Of the checklist.
        question: What is asked.
        answer: What the store says; empty where it says nothing.
        left: What is left to the authors; empty where nothing is.
    """

    part: str
    question: str
    answer: str
    left: str = ""

    @property
    def text(self) -> str:
        """The whole answer."""
        left = f"{AUTHORS[:-1]}: {self.left}" if self.left else ""
        return " ".join(filter(None, (self.answer, left))) or AUTHORS


def checklist(results: Results, plan: Plan) -> list[Item]:
    """Answer the checklist, part by part."""
    return [*_claims(results, plan), *_code(results), *_data(results), *_set_up(results), *_errors(results),
            *_compute(results), *_people()]  # fmt: skip


def _claims(results: Results, plan: Plan) -> list[Item]:
    label = results.spec(results.primary.name)["label"]
    margin = f", with a margin of {results.primary.margin:g}" if results.primary.margin else ""
    trivial = [str(name).replace("_", " ") for name in results.references["reference"].unique()]
    part = "Claims"
    return [
        Item(part, "What is asked, and by which measure is it answered?",
             f"{results.question + ' ' if results.question else ''}By {label}{margin}; "
             "all other measures are exploratory."),
        Item(part, "Was that fixed before the results were seen?", _sentence(f"Plan: {plan.fact}", *plan.deviations)),
        Item(part, "Is it compared with what costs nothing, trivial baselines?",
             f"Yes: {', '.join(trivial)}." if trivial else "",
             "" if trivial else "no trivial baseline was tracked."),
        Item(part, "What limits the claims: data, scale, assumptions?", _scale(results),
             "how far the findings reach beyond this."),
    ]  # fmt: skip


def _code(results: Results) -> list[Item]:
    part = "Code"
    commits = _values(results, "commit")
    answer = [f"Commit {', '.join(commits)}" if commits else "", _named("code that computes results", results, "code")]
    python, packages = _values(results, "python"), results.packages
    versions = [f"Python {', '.join(python)}" if python else "", *(f"{name} {packages[name]}" for name in packages)]
    whole = "command" in results.runs and bool(results.runs["command"].notna().all())
    tracked = "The command that trains a run once more is tracked with each. " if whole else ""
    return [
        Item(part, "Which code gave the results, and where is it?", _sentence(*answer),
             "the address of the code, and whether it had uncommitted changes, which runs keep as a file."
             if commits else "the commit, which was not tracked, and the address of the code."),
        Item(part, "How is each result made again?",
             f"{tracked}python -m ablate.plan lists the runs, python -m ablate.run trains them, "
             "python -m ablate.report compares them.",
             "how others get the store; python -m ablate.archive export writes it as one file."),
        Item(part, "Which versions of which software?", _sentence(", ".join(filter(None, versions)))),
        Item(part, "Is a repetition bit by bit the same?", _deterministic(results)),
    ]  # fmt: skip


def _data(results: Results) -> list[Item]:
    part, example = "Data", results.example
    counts = [f"{name} {count:,}" for name, count in results.counts.items() if count]
    fingerprints = _values(results, "data.fingerprint")
    excluded = (
        f"{quantity(len(results.problems), 'file')} left out, which the report names" if results.problems else ""
    )
    leaked = f"{quantity(results.leaked, example)} that evaluate train as well" if results.leaked else ""
    return [
        Item(part, "Which data, and which version of it?",
             _sentence(f"Fingerprint of its contents: {', '.join(fingerprints)}" if fingerprints else ""),
             "the data's name, source and citation."),
        Item(part, f"How many {plural(example)}, and how are they split?",
             _sentence(f"Counts: {', '.join(counts)}" if counts else "",
                       f"every run is evaluated on the same {quantity(results.num_examples, example)}"
                       if results.num_examples else "", excluded, leaked),
             "how the split was made."),
        Item(part, "Under which licences are data, code and models used and given on?", ""),
    ]  # fmt: skip


def _set_up(results: Results) -> list[Item]:
    part, definition = "Set-up", results.definition
    factors = []
    if definition is not None:
        levels = {name: ", ".join(map(level_text, each)) for name, each in definition.factors.items()}
        factors = [shorten(f"{name}: {text}", 300) for name, text in levels.items()]
    return [
        Item(part, "What is varied?",
             _sentence(f"{quantity(len(results.variants), 'variant')}, named in the table", *factors)),
        Item(part, "Which hyperparameters did the runs have?",
             _sentence(f"{quantity(len(results.settings), 'setting')}, listed below") if results.settings else ""),
        Item(part, "How were hyperparameters chosen: what was tried, with which budget, judged on what?",
             " ".join(fairness_notes(results)), "how all values that are not searched here were chosen."),
    ]  # fmt: skip


def _errors(results: Results) -> list[Item]:
    part, name = "Uncertainty", results.primary.name
    seeds = sorted(int(seed) for seed in results.runs["seed"].unique())
    per_variant = results.runs.groupby("variant")["seed"].nunique()
    many = _range(per_variant.min(), per_variant.max(), lambda value: f"{value:.0f}")
    listed = f"seed{'s' if len(seeds) > 1 else ''} {_listed(seeds)}"
    compared = len(results.variants) - 1 if BASELINE in results.variants else 0
    sampled = results.sampled(name) if compared else ""
    at_once = f"that hold for all {compared} variants at once" if compared > 1 else "of the one variant"
    intervals = f"95 % intervals of the difference from the baseline, over {sampled}, {at_once}"
    spread = f"± is the standard deviation over {SEEDS}" if compared and results.several_seeds else ""
    corrected = "adjusted by the largest error of all variants" if compared > 1 else "of one comparison"
    return [
        Item(part, "How many runs, with which seeds?",
             _sentence(f"{quantity(len(results.runs), 'run')}, {many} of each variant, {listed}",
                       f"{quantity(len(results.gaps), 'run')} missing" if results.gaps else "")),
        Item(part, "What do error bars show, and what do they vary over?",
             _sentence(intervals if sampled else "", spread)),
        Item(part, "Which test, and how is it corrected for the number of comparisons?",
             _sentence(f"p-values that agree with these intervals, {corrected}",
                       "other measures than the one above are not corrected for their number") if sampled else ""),
        Item(part, "What do intervals assume?",
             f"{_assumed(results, compared)}: docs/statistics.md of ablate says all of it." if sampled else ""),
    ]  # fmt: skip


def _assumed(results: Results, compared: int) -> str:
    """Say what the intervals of so many variants assume."""
    examples = results.resampled(results.primary.name)
    if not results.several_seeds:
        return "Examples are independent samples; nothing is said of other seeds"
    seeds = "how runs vary is moderated over variants" if compared > 1 else "seeds act normally"
    return f"{'Seeds and examples' if examples else 'Seeds'} are independent samples; {seeds}"


def _compute(results: Results) -> list[Item]:
    part, costs, energy = "Compute", results.costs, _energy(results)
    devices = _values(results, "devices")
    seconds = costs[WALL_SECONDS].dropna() if WALL_SECONDS in costs else pd.Series(dtype=float)
    times = (
        f"{_range(seconds.min(), seconds.max(), _duration)} a run, {_duration(seconds.sum())} for the "
        f"{quantity(len(seconds), 'run')} of the table"
        if len(seconds)
        else ""
    )
    memory = [
        f"{label} up to {number(float(costs[name].max()))} MiB"
        for name, label in ((PEAK_MEMORY, "memory"), (PEAK_DEVICE_MEMORY, "GPU memory"))
        if name in costs and costs[name].notna().any()
    ]
    counted = [
        f"{_range(float(costs[name].min()), float(costs[name].max()), large)} {label}"
        for name, label in ((PARAMETERS, "parameters"), (FLOPS, f"FLOPs for one {results.example}"))
        if name in costs and costs[name].notna().any()
    ]
    return [
        Item(part, "How large are the models?", _sentence(*counted)),
        Item(part, "On which hardware did it run?",
             _sentence(", ".join(devices), _named("precision", results, "precision")),
             "" if devices else "the hardware, which was not tracked."),
        Item(part, "How long did a run take, and all of them?", _sentence(times),
             "what runs outside of the table took: failed ones, searches, and what came before."),
        Item(part, "How much memory?", _sentence(*memory)),
        Item(part, "How much energy?", energy,
             "the rest of the machines and their cooling, and what runs outside of the table took." if energy
             else "it was not tracked."),
    ]  # fmt: skip


def _energy(results: Results) -> str:
    methods, costs = energy_methods(results), results.costs
    if not methods:
        return ""
    spent = 1000 * costs[ENERGY].dropna()
    return _sentence(
        f"{_range(spent.min(), spent.max(), magnitude)} Wh a run, {magnitude(float(spent.sum()))} Wh for "
        f"{quantity(len(spent), 'run')} of the table, {energy_in_words(results)}",
        *methods,
    )


def _people() -> list[Item]:
    part = "People"
    return [
        Item(part, "Were people asked: who, how were they told, paid and protected?", ""),
        Item(part, "May the data identify or offend people?", ""),
    ]


def _scale(results: Results) -> str:
    return _sentence(_named("scale", results, "scale"), _named("evaluation", results, "evaluation"))


def _deterministic(results: Results) -> str:
    said = set(_values(results, "deterministic"))
    if said == {"true"}:
        return "Yes, on the same kind of machine with as many threads: all runs were deterministic."
    return "No: some runs were not deterministic." if "false" in said else ""


def _values(results: Results, column: str) -> list[str]:
    """Return the different values of a column of the runs, of those that say it."""
    if column not in results.runs:
        return []
    known = {without_place(str(value)) for value in results.runs[column].dropna()}
    return sorted(known - set(_NONE))


def _named(label: str, results: Results, column: str) -> str:
    values = _values(results, column)
    return f"{label} {', '.join(values)}" if values else ""


def _range(low: float, high: float, write: Callable[[float], str]) -> str:
    least, most = write(float(low)), write(float(high))
    return least if least == most else f"{least} to {most}"


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) if len(seeds) < 12 else f"{seeds[0]} to {seeds[-1]}"


def _duration(seconds: float) -> str:
    """Write a duration in the unit that suits it."""
    if np.isnan(seconds) or seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def _sentence(*parts: str) -> str:
    """Join parts as one sentence; nothing where there are none."""
    said = "; ".join(part.rstrip(".") for part in parts if part)
    return f"{said[0].upper()}{said[1:]}." if said else ""
