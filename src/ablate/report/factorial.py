"""The factors of a factorial study in a report: effects, and credit where each factor has two levels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.config.level import level_text
from ablate.report.results import Results
from ablate.report.run_values import RunValues
from ablate.statistics import credit, effects
from ablate.statistics.effects import contrasts, estimate_effects
from ablate.study.definition import StudyFile

FULL, FRACTIONAL = "full_factorial", "fractional_factorial"

Array = npt.NDArray[np.float64]


def study_effects(results: Results) -> tuple[pd.DataFrame, Sequence[str]]:
    """Estimate the effects of a factorial study of which no variant is missing, on the primary metric.

    Returns:
        What `estimate_effects` returns, empty of other studies, and the effects that are aliased.
    """
    levels = _levels(results)
    if levels is None or results.definition is None:
        return pd.DataFrame(columns=list(effects.COLUMNS)), []
    found = contrasts(levels, _baseline(results.definition))
    values, replicates, examples = _values(results, levels)
    return estimate_effects(values, found, replicates, examples), results.aliases or found.aliased


def study_credit(results: Results) -> pd.DataFrame:
    """Estimate the credit of two or more factors of two levels, in a full factorial of which no variant is missing.

    Returns:
        What `estimate_credit` returns, on the primary metric; empty of other studies.
    """
    levels, definition, nothing = _levels(results), results.definition, pd.DataFrame(columns=list(credit.COLUMNS))
    if levels is None or definition is None or definition.design != FULL or len(levels.columns) < 2:
        return nothing
    if any(levels[factor].nunique() != 2 for factor in levels):
        return nothing
    baseline = _baseline(definition)
    changed = pd.DataFrame(
        {
            f"{factor}={next(level for level in own if level != baseline[str(factor)])}": own != baseline[str(factor)]
            for factor, own in levels.items()
        }
    )
    values, replicates, examples = _values(results, levels)
    return credit.estimate_credit(values, changed, replicates, examples)


def _baseline(definition: StudyFile) -> dict[str, str]:
    return {factor: level_text(level) for factor, level in definition.baseline.items()}


def _levels(results: Results) -> pd.DataFrame | None:
    """Return the levels of a factorial study's variants, index variant, one column a factor; None of other studies."""
    definition = results.definition
    if definition is None or definition.design not in (FULL, FRACTIONAL):
        return None
    variants = definition.expansion().variants
    shown = {whole: name for name, whole in results.names.items()}
    given = [definition.variant_of(variant).name for variant in variants]
    names = pd.Index([shown.get(name, name) for name in given], name="variant")
    if set(names) - set(results.variants):
        return None
    return pd.DataFrame(
        [{key: level_text(level) for key, level in variant.items()} for variant in variants], index=names
    )


def _values(results: Results, levels: pd.DataFrame) -> tuple[Array, Array | None, int]:
    """Return the primary metric of variants, its replicates, and on how many examples it is evaluated."""
    name, runs = results.primary.name, RunValues(results.scores, results.whole_set)
    order = [runs.variants.index(str(variant)) for variant in levels.index]
    replicates = runs.replicates(name)
    return runs.finished(name)[order], None if replicates is None else replicates[order], runs.examples(name)
