"""A study's results: everything that a report shows, as frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ablate.report.compare import Primary
from ablate.report.looks import StudyLooks
from ablate.report.nouns import plural
from ablate.report.selection import Gap
from ablate.report.variants import in_order
from ablate.report.whole_set import WholeSet
from ablate.study.definition import StudyFile
from ablate.tracking.origin import Origin

DRAWN = 24
"""Variants whose curves, distributions and pictures are read and drawn: the first of so many."""

SEEDS = "seeds"


@dataclass(frozen=True, kw_only=True)
class SearchedValue:
    """A value that was searched for a variant, or that might have been, see `searched_values`.

    Attributes:
        group: The variant, or the optimiser that several have.
        key: The key of the configuration.
        value: What runs have.
        variants: Those that have it, where `group` is none.
        grid: What was tried; empty where nothing was, or something else was chosen.
        scores: What each value of the grid measured, NaN where it diverged; empty where that is not known.
        candidates: How many values, or combinations of several keys' values, were tried.
        seeds: With how many seeds.
        examples: On how many examples; 0 where that is not known.
        scale: The scale that it comes from.
    """

    group: str
    key: str
    value: Any
    variants: tuple[str, ...] = ()
    grid: tuple[Any, ...] = ()
    scores: tuple[float, ...] = ()
    candidates: int = 0
    seeds: int = 0
    examples: int = 0
    scale: str = ""


@dataclass(frozen=True)
class Results:
    """A study's results.

    Attributes:
        study: Name of the study.
        question: What it asks, None where that was never said.
        definition: Its file, None for a sweep without one.
        registered: Its file as it was before its first result; None where that was not recorded.
        registered_at: When that was recorded, in UTC.
        aliases: Effects that its design aliases, a line each.
        uri: Address of the store.
        experiment_id: The study's experiment in MLflow.
        origins: Where the runs that are compared were trained, by `run_id`.
        primary: The metric that answers the question.
        looks: What its looks found, None where its file plans none. They are at the metric that the file names.
        runs: The runs that are compared, index `run_id` as it was where they were trained, by `in_order` and seed;
            `variant` is the name that is shown.
        names: By the name that is shown, the whole one.
        shown_names: By the name of a variant in the store, the one that is shown.
        gaps: The runs that are missing.
        beyond: Number of finished runs that no look asks for, which are left out.
        superseded: Number of older runs of what was run again.
        others: Number of older runs of a variant and seed that are not of what the newest is, by what differs.
        common: What all variants have in common beside the defaults.
        example: What an example is called.
        specs: What the metrics mean: index name, columns label, unit, higher_is_better, description.
        scores: Index (variant, seed, example), one column a metric that single examples have: see `compare`. Examples
            are matched by their contents, and called as in the newest run, see `examples.labels_of`.
        whole_set: All other metrics.
        costs: Index (variant, seed), one column a cost.
        references: Columns reference, metric, value: the values of trivial baselines.
        curves: Columns variant, seed, part, step, value, quantity, see `curves.read_curves`; of the first `DRAWN`
            variants, as the next two.
        samples: Columns variant, kind, example, picture: the sample pictures of each variant's first seed.
        distributions: Columns variant, two coordinates, truth, output, summed over seeds; empty where there are none.
        problems: The files that the data set left out, a line each.
        leaked: Number of evaluation examples that train as well, as far as that is known.
        searched: The values that were searched for variants.
        settings: What the configuration says that changes a result, see `settings.settings_of`.
        counts: The numbers of examples of the data's parts, as the task calls them.
        packages: The versions of packages that the newest run was trained with; empty where it does not say.
    """

    study: str
    question: str | None
    definition: StudyFile | None
    registered: StudyFile | None
    registered_at: str
    aliases: Sequence[str]
    uri: str
    experiment_id: str
    origins: Mapping[str, Origin]
    primary: Primary
    looks: StudyLooks | None
    runs: pd.DataFrame
    names: Mapping[str, str]
    shown_names: Mapping[str, str]
    gaps: Sequence[Gap]
    beyond: int
    superseded: int
    others: Mapping[str, int]
    common: str
    example: str
    specs: pd.DataFrame
    scores: pd.DataFrame
    whole_set: WholeSet
    costs: pd.DataFrame
    references: pd.DataFrame
    curves: pd.DataFrame
    samples: pd.DataFrame
    distributions: pd.DataFrame
    problems: list[str]
    leaked: int
    searched: Sequence[SearchedValue] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)

    def spec(self, metric: str) -> Mapping[str, Any]:
        """Return what a metric means, a row of `specs`: `higher_is_better` is None where neither direction is."""
        row = {str(key): value for key, value in self.specs.loc[[metric]].to_dict("records")[0].items()}
        # Beside True and False, pandas reads None as NaN.
        direction = row["higher_is_better"]
        return {**row, "higher_is_better": None if pd.isna(direction) else bool(direction)}

    @property
    def directions(self) -> dict[str, bool | None]:
        """Of each metric, whether higher is better; None where neither is, and the study does not say."""
        given = {name: self.spec(name)["higher_is_better"] for name in map(str, self.specs.index)}
        own = self.primary
        return {**given, own.name: own.higher_is_better if given[own.name] is None else given[own.name]}

    @property
    def paired(self) -> bool:
        """Whether runs are compared seed by seed: not where the baseline has more seeds by plan."""
        return self.definition is None or self.definition.seed_plan.paired

    @property
    def looked(self) -> pd.DataFrame | None:
        """What looks found of each variant by the primary metric, see `StudyLooks.table`; None without looks at it."""
        if self.looks is None or self.definition is None or self.definition.metric.name != self.primary.name:
            return None
        return self.looks.table

    @property
    def home(self) -> Origin:
        """Where the newest run was trained."""
        return self.origins[str(self.runs["started"].idxmax())]

    @property
    def num_examples(self) -> int:
        """How many examples every run was evaluated on; 0 where that is not known."""
        return self.whole_set.examples

    @cached_property
    def values(self) -> pd.DataFrame:
        """Each run's value of each metric: index (variant, seed), a column a metric, in the order of `specs`."""
        metrics, runs = list(map(str, self.scores)), pd.MultiIndex.from_frame(self.runs[["variant", "seed"]])
        known = self.whole_set.values.reindex(runs)
        if metrics:
            table = self.scores.to_numpy(np.float64).reshape(len(runs), -1, len(metrics))
            with np.errstate(invalid="ignore"):  # infinity less infinity
                known = known.assign(**dict(zip(metrics, table.mean(axis=1).T, strict=True)))
        return known[list(self.specs.index)]

    def sampled(self, metric: str) -> str:
        """Return what a metric's intervals are over, as in `seeds and digits`; empty where there are none."""
        if self.several_seeds:
            return f"{SEEDS} and {plural(self.example)}" if self.resampled(metric) else SEEDS
        return f"{plural(self.example)} alone, with one seed" if self.resampled(metric) else ""

    def resampled(self, metric: str) -> bool:
        """Say whether a metric's intervals are over examples: it has values of each, or of bootstrapped ones."""
        return metric in self.scores or metric in self.whole_set.replicates

    @property
    def several_seeds(self) -> bool:
        """Whether any variant has more than one seed."""
        return bool(self.runs.groupby("variant")["seed"].nunique().max() > 1)

    @property
    def variants(self) -> list[str]:
        """The variants that are compared, in order."""
        return in_order(self.runs["variant"].tolist())
