"""Simulated studies that look at their results more than once: false alarms, what is found, and runs saved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ablate.statistics.seed_plan import SeedPlan
from ablate.statistics.sequential import looks
from ablate.statistics.simulation import POINTS, Kind, draw, draw_scales

Array = npt.NDArray[np.float64]

RATES = ("false_alarm", "runs", "found")
"""What `looks_outcomes` gives of each study.

- false_alarm: some variant without a difference has one, or one with a difference has the opposite one;
- runs: how many it took;
- found: share of the variants with a difference that have it.
"""


@dataclass(frozen=True)
class Truth:
    """True differences.

    Attributes:
        variants: How many there are beside the baseline.
        different: How many of them differ from it.
        size: By how much, in standard errors of a difference at the last look.
    """

    variants: int
    different: int = 0
    size: float = 0.0


def looks_outcomes(kind: Kind, seeds: SeedPlan, truth: Truth, *, studies: int, seed: int | Sequence[int]) -> Array:
    """Simulate studies and return what they came to: (studies, len(RATES)), `found` NaN where nothing differs.

    Args:
        kind: Of study.
        seeds: The plan.
        truth: What is true.
        studies: How many.
        seed: Of the random numbers.
    """
    random = np.random.default_rng(seed)
    # SeedPlan that only the baseline has cannot cancel.
    kind = replace(kind, more_baseline=not seeds.paired)
    return np.array([_outcome(kind, seeds, truth, random) for _ in range(studies)])


def _outcome(kind: Kind, seeds: SeedPlan, truth: Truth, random: np.random.Generator) -> tuple[float, float, float]:
    scales = draw_scales(kind, truth.variants, random)
    study = draw(kind, scales, np.ones((truth.variants + 1, seeds.most), dtype=bool), random)
    variances = study.deviations**2 / np.array([seeds.most, *[seeds.looks[-1]] * truth.variants])
    errors = np.sqrt(variances[1:] + variances[0] + 2 * (kind.examples or 0.0) / seeds.most)
    differs = np.arange(truth.variants) < truth.different
    values = study.values.copy()
    values[1:] += np.where(differs, truth.size * errors, 0.0)[:, None, None]
    *_, last = looks(values, seeds, points=POINTS)
    higher, lower = last.table["low"].to_numpy() > 0, last.table["high"].to_numpy() < 0
    wrong = (~differs & (higher | lower)) | (differs & lower)
    found = float(higher[differs].mean()) if truth.different else np.nan
    return float(wrong.any()), float(last.asked.sum()), found
