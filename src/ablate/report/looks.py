"""A study that looks at its results more than once: which runs it asks for, and what each look decided."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.config.variant import BASELINE
from ablate.report.compared_runs import ComparedRuns
from ablate.report.run_values import RunValues
from ablate.statistics.seed_plan import SeedPlan
from ablate.statistics.sequential import Look, looks
from ablate.study.definition import StudyFile

Array = npt.NDArray[np.float64]
Run = tuple[str, int]
"""A variant and a seed."""


@dataclass(frozen=True)
class StudyLooks:
    """What the looks at a study found so far.

    Attributes:
        seeds: The plan.
        variants: Names of the variants, the baseline's first.
        found: The looks of which all runs are there, and at the end one of which some are missing, if there is one.
        asked: The runs that are asked for so far.
        missing: Those of them that there are not, in the order of the study.
    """

    seeds: SeedPlan
    variants: list[str]
    found: Sequence[Look]
    asked: frozenset[Run]
    missing: Sequence[Run]

    @property
    def table(self) -> pd.DataFrame:
        """What `many_to_one` found of each variant, at the look at which it was decided, index the variant's name."""
        names = pd.Index(self.variants[1:], name="variant")
        return self.found[-1].table.set_axis(names, axis=0)


def looks_of(
    compared: ComparedRuns, definition: StudyFile | None, failed: Collection[Run] | None = None
) -> StudyLooks | None:
    """Look at the runs that are compared; None where the study plans one look, or its runs lack its metric.

    Args:
        compared: The runs.
        definition: The study's file.
        failed: Runs that have no result and are not waited for, under the names that are shown; None: the gaps that
            are said to have failed.
    """
    if definition is None or len(definition.seed_plan.looks) == 1:
        return None
    metric = definition.metric.name
    if metric not in compared.specs.index:
        return None
    if failed is None:
        gaps = [gap for gap in compared.selection.gaps if gap.reason.startswith("failed")]
        failed = {(compared.names[gap.variant], gap.seed) for gap in gaps}
    return study_looks(definition, compared.values, metric, compared.names, failed)


def study_looks(
    definition: StudyFile, runs: RunValues, metric: str, names: Mapping[str, str], failed: Collection[Run] = ()
) -> StudyLooks:
    """Look at a study as often as its runs allow.

    Args:
        definition: The study's, with looks.
        runs: Values of the runs that there are; others than it asks for do not count.
        metric: By which it is decided.
        names: What the runs call a variant, by its name in the study; its own name where that is missing.
        failed: Runs that have no result and are not waited for: a look does without them.
    """
    whole = [definition.variant_of(levels).name for levels in definition.expansion().variants]
    variants = [names.get(name, name) for name in whole]
    assert variants[0] == BASELINE
    plan, all_seeds = definition.seed_plan, definition.all_seeds
    values = _placed(runs, runs.finished(metric), variants, all_seeds)
    replicates = runs.replicates(metric)
    drawn = None if replicates is None else _placed(runs, replicates, variants, all_seeds)
    there = ~np.isnan(values[:, :, 0])
    waited_for = ~there & ~np.array([[(variant, seed) in failed for seed in all_seeds] for variant in variants])
    found, asked = list[Look](), np.zeros_like(there)
    for look in looks(values, plan, margin=definition.metric.margin, replicates=drawn, examples=runs.examples(metric)):
        found.append(look)
        asked |= look.asked
        if (look.asked & waited_for).any():
            break
    cells = [(str(variants[row]), int(all_seeds[place])) for row, place in np.argwhere(asked)]
    missing = [(str(variants[row]), int(all_seeds[place])) for row, place in np.argwhere(asked & waited_for)]
    return StudyLooks(plan, variants, found, frozenset(cells), missing)


def _placed(runs: RunValues, values: Array, variants: Sequence[str], seeds: Sequence[int]) -> Array:
    """Return values of runs in the order of variants and seeds; NaN where there is no run."""
    placed = np.full((len(variants), len(seeds), values.shape[2]), np.nan)
    for row, variant in enumerate(variants):
        for place, seed in enumerate(seeds):
            if variant in runs.variants and seed in runs.seeds:
                placed[row, place] = values[runs.variants.index(variant), runs.seeds.index(seed)]
    return placed
