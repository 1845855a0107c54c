"""A report's contents: its sentences, tables and figures, the same in every form."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ablate.config.short_names import shorten
from ablate.report.answer import ANSWER_METHOD, answer, answer_by_effects, notes
from ablate.report.checklist import Item, checklist
from ablate.report.compare import cost_differences
from ablate.report.comparison import comparison_of
from ablate.report.deviations import Plan, plan_of
from ablate.report.energy import without_mixed_energy
from ablate.report.factorial import study_credit, study_effects
from ablate.report.fairness import NAME as FAIRNESS
from ablate.report.fairness import fairness_notes, fairness_section
from ablate.report.figures import Figure
from ablate.report.figures.draw import draw_figures
from ablate.report.links import links_to
from ablate.report.more_seeds import more_seeds
from ablate.report.number_format import quantity
from ablate.report.results import Results
from ablate.report.sections import Section, added_sections
from ablate.report.tables import (
    Columns,
    Layout,
    Table,
    cost_table,
    credit_table,
    effects_table,
    metrics_table,
    primary_table,
    runs_table,
)
from ablate.report.tables.layout import WHOLE

UNKNOWN = "unknown"


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        results: What it is about.
        comparison: What `compare.compare` found.
        costs: What `compare.cost_differences` found.
        effects: What `effects.estimate_effects` found.
        credit: What `credit.estimate_credit` found.
        more_seeds: How many more seeds would decide, by variant, of those that are undecided.
        answer: Sentences that answer the study's question: the first for all readers, then the verdicts.
        notes: What a reader has to know before the numbers, a sentence each.
        tables: By name.
        table: The primary table in the layout that was chosen, for Markdown and LaTeX; without one the whole.
        figures: By name.
        sections: Those that installed packages add, see `added_sections`.
        plan: What was written down before, and deviations from it.
        facts: Where it comes from, by label.
        checklist: The reproducibility checklist, question by question.
        names: By the name that is shown, the whole one, of what is shown shortened.
    """

    results: Results
    comparison: pd.DataFrame
    costs: pd.DataFrame
    effects: pd.DataFrame
    credit: pd.DataFrame
    more_seeds: Mapping[str, float]
    answer: Sequence[str]
    notes: Sequence[str]
    tables: Mapping[str, Table]
    table: Table
    figures: Mapping[str, Figure]
    sections: Mapping[str, Sequence[Section]]
    plan: Plan
    facts: Mapping[str, str]
    checklist: Sequence[Item]
    names: Mapping[str, str]

    @property
    def descriptions(self) -> dict[str, str]:
        """What the metrics mean, by their label, of those that say it."""
        rows = self.results.specs[["label", "description"]].itertuples(index=False)
        return {str(label): str(text) for label, text in rows if text}

    @property
    def answer_method(self) -> str:
        """What the words of the answer mean; nothing where nothing is compared."""
        return ANSWER_METHOD if len(self.answer) > 1 else ""

    @property
    def methods(self) -> list[tuple[str, str]]:
        """What is to be known of the numbers of tables and figures, by title, of those that say it."""
        tables = [*self.tables.values(), *(table for section in self.added_sections for table in section.tables)]
        shown: list[Table | Figure] = [*tables, *self.figures.values()]
        of_answer = [("The answer", self.answer_method)] if self.answer_method else []
        return of_answer + [(it.title, it.method) for it in shown if it.method]

    @property
    def shows_examples(self) -> bool:
        """Whether a figure shows single examples, or what they have in common."""
        return not {"grid", "per_example", "gains", "distributions"}.isdisjoint(self.figures)

    @property
    def added_sections(self) -> list[Section]:
        """All sections that installed packages add, in order."""
        return [section for added in self.sections.values() for section in added]


def make_report(results: Results, layout: Layout = WHOLE) -> Report:
    """Compare what was loaded, and say and draw it.

    Args:
        results: What was loaded.
        layout: What the primary table shows in Markdown and LaTeX; a page has all of it.

    Raises:
        ConfigError: The layout names what is not there.
    """
    comparison = comparison_of(results)
    costs, links = without_mixed_energy(results, cost_differences(results.costs)), links_to(results)
    columns = Columns(results, comparison, costs, links)
    table = primary_table(results, columns, layout)  # refused before anything takes time
    needed = more_seeds(results.scores, comparison, results.primary, results.whole_set)
    plan = plan_of(results)
    effects, aliased = study_effects(results)
    credit = study_credit(results)
    spec = results.spec(results.primary.name)
    tables = [
        primary_table(results, columns),
        # The primary table says all that there is to say of a single metric.
        metrics_table(results, comparison, links) if len(results.specs) > 1 else None,
        cost_table(results, costs, links),
        runs_table(results, links),
        effects_table(effects, str(spec["unit"]), links(results.runs.index)) if len(effects) else None,
        credit_table(credit, spec, links(results.runs.index)) if len(credit) else None,
    ]
    added, failed = added_sections(results, links)
    sections = {FAIRNESS: fairness_section(results), **added}
    return Report(
        results=results,
        comparison=comparison,
        costs=costs,
        effects=effects,
        credit=credit,
        more_seeds=needed,
        answer=[*answer_by_effects(results, effects), *answer(results, comparison, needed)],
        notes=[
            *plan.deviations,
            *notes(results),
            *fairness_notes(results),
            *([f"Aliased by the design: {'; '.join(aliased)}."] if aliased else []),
            *failed,
        ],
        tables={each.name: each for each in tables if each is not None},
        table=table,
        figures={
            **draw_figures(results, comparison, effects, credit),
            **{figure.name: figure for added in sections.values() for section in added for figure in section.figures},
        },
        sections=sections,
        plan=plan,
        facts=_facts(results, plan),
        checklist=checklist(results, plan),
        names=_long_names(results, effects),
    )


def _long_names(results: Results, effects: pd.DataFrame) -> dict[str, str]:
    """Return the whole names of what a report shows shortened, by what it shows."""
    others = [results.common, *map(str, effects["effect"])]
    names = {**results.names, **{shorten(name): name for name in others}}
    return {shown: whole for shown, whole in names.items() if shown != whole}


def _facts(results: Results, plan: Plan) -> dict[str, str]:
    runs = results.runs
    stores = {results.origins[str(run)].store for run in runs.index}
    facts = {
        "Plan": plan.fact,
        "Store": f"{', '.join(sorted(stores))}, study {results.study}",
        "Newest run": f"{runs['started'].max():%Y-%m-%d %H:%M} UTC",
        "Data": _distinct(runs, "data.fingerprint"),
        "Evaluation": _evaluation(results),
        "Scale": _distinct(runs, "scale"),
        "Code": _code(runs),
        "Precision": _distinct(runs, "precision"),
        "Devices": _distinct(runs, "devices"),
    }
    return {label: text for label, text in facts.items() if text != UNKNOWN}


def _code(runs: pd.DataFrame) -> str:
    commit, code = _distinct(runs, "commit"), _distinct(runs, "code")
    return f"results {code}" if commit == "none" else f"commit {commit}, results {code}"


def _evaluation(results: Results) -> str:
    count, settings = results.num_examples, _distinct(results.runs, "evaluation")
    counted = [quantity(count, results.example)] if count else []
    return ", ".join([*counted, *([settings] if settings != UNKNOWN else [])]) or UNKNOWN


def _distinct(runs: pd.DataFrame, column: str) -> str:
    # Of a task without settings of its evaluation the text is empty; older stores say None where there is no scale.
    values = sorted({str(value) for value in runs[column].dropna()} - {"", "None"}) if column in runs else []
    return ", ".join(value[:12] if len(value) >= 40 else value for value in values) or UNKNOWN
