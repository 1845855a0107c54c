"""Simulated studies: how often simultaneous intervals, verdicts and detectable differences keep what they promise.

A study is simulated as its runs: the sum of what a seed does to all variants, and of what it does to each, whose
standard deviation is 1 in most variants. In some kinds of study examples vary too. No variant differs from the
baseline: a verdict that one does is a false alarm. What would be said of a variant that differs follows from adding
the difference, as intervals move with what they estimate.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.statistics.effects import contrasts
from ablate.statistics.simultaneous import linear_contrasts, many_to_one

Array = npt.NDArray[np.float64]

EXAMPLES = 100
"""In studies whose examples vary."""
POINTS = 2**12
"""Quasi-random points of each study: half widths are known to 1 %."""
COLLAPSE, COLLAPSES = 8.0, 0.1
"""By how many standard deviations a run is worse that collapses, and how many of them do."""


@dataclass(frozen=True)
class Kind:
    """A kind of study.

    Attributes:
        name: Short.
        log_sd: Standard deviation of the logarithms of the variants' standard deviations over seeds.
        baseline_sd: How many times as large as without it the baseline's standard deviation is.
        variant_sd: The same of one variant.
        t_df: Degrees of freedom of Student's t, scaled to the standard deviation 1; None: normal.
        collapses: Which variants collapse with some seeds: `none`, `all` or `one`.
        examples: The examples' part of a difference's variance, in units of the seeds'; None: one value a run.
        residual: Share of the seeds' variance that is of seeds on single examples.
        correlation: Of the baseline's runs with those of every other variant with the same seed.
        missing: Share of the runs that there are not.
        unequal: Whether every other variant has two thirds of the seeds.
        more_baseline: Whether the baseline has twice the seeds, and runs are not paired.
        factorial: Whether the study is a full factorial of two levels, and its effects are estimated.
    """

    name: str
    log_sd: float = 0.0
    baseline_sd: float = 1.0
    variant_sd: float = 1.0
    t_df: float | None = None
    collapses: str = "none"
    examples: float | None = None
    residual: float = 0.5
    correlation: float = 0.0
    missing: float = 0.0
    unequal: bool = False
    more_baseline: bool = False
    factorial: bool = False


KINDS = (
    Kind("all alike"),
    Kind("sds log-normal, 0.3", log_sd=0.3),
    Kind("sds log-normal, 0.6", log_sd=0.6),
    Kind("one variant 3 times noisier", variant_sd=3.0),
    Kind("baseline 3 times noisier", baseline_sd=3.0),
    Kind("baseline 3 times quieter", baseline_sd=1 / 3),
    Kind("seeds t with 4 df", t_df=4.0),
    Kind("collapses in all", collapses="all"),
    Kind("collapses in one variant", collapses="one"),
    Kind("examples' part 0, seeds on examples only", examples=0.0, residual=1.0),
    Kind("examples' part 1", examples=1.0),
    Kind("examples' part 5", examples=5.0),
    Kind("seeds correlated, 0.7", correlation=0.7),
    Kind("a run in six missing", missing=1 / 6),
    Kind("unequal seeds", unequal=True),
    Kind("unpaired, baseline twice the seeds", more_baseline=True),
    Kind("the same, baseline 3 times noisier", more_baseline=True, baseline_sd=3.0),
    Kind("effects, all alike", factorial=True),
    Kind("effects, sds log-normal, 0.6", factorial=True, log_sd=0.6),
    Kind("effects, one variant 3 times noisier", factorial=True, variant_sd=3.0),
)


@dataclass(frozen=True)
class Study:
    """A simulated study.

    Attributes:
        values: (num_variants + 1, num_seeds, num_examples), NaN for missing runs; true means are 0.
        deviations: (num_variants + 1,), true standard deviations over seeds.
        paired: Whether runs are compared seed by seed.
    """

    values: Array
    deviations: Array
    paired: bool = True


def draw_scales(kind: Kind, variants: int, random: np.random.Generator) -> Array:
    """Draw the variants' standard deviations over seeds, the baseline's first: (num_variants + 1,)."""
    scales = np.exp(random.normal(0, kind.log_sd, variants + 1))
    scales[0] *= kind.baseline_sd
    scales[1] *= kind.variant_sd
    return scales


def draw(kind: Kind, scales: Array, runs: npt.NDArray[np.bool_], random: np.random.Generator) -> Study:
    """Draw a study.

    Args:
        kind: Which.
        scales: See `draw_scales`.
        runs: See `draw_runs`.
        random: Where it is drawn from.
    """
    shape, variants, seeds_of_all = runs.shape, len(runs) - 1, runs.shape[1]
    noise = random.normal(size=shape) if kind.t_df is None else random.standard_t(kind.t_df, shape)
    spread = np.full(variants + 1, 1.0 if kind.t_df is None else np.sqrt(kind.t_df / (kind.t_df - 2)))
    if kind.correlation:
        # The baseline's runs have the same part as those of every other variant.
        share = np.sqrt(kind.correlation)
        noise[0::2] = share * random.normal(size=seeds_of_all) + np.sqrt(1 - share**2) * noise[0::2]
    if kind.collapses != "none":
        which = slice(None) if kind.collapses == "all" else slice(1, 2)
        noise[which] -= COLLAPSE * ((random.random(shape) < COLLAPSES)[which] - COLLAPSES)
        spread[which] = np.sqrt(1 + COLLAPSE**2 * COLLAPSES * (1 - COLLAPSES))
    if kind.t_df is not None:
        noise, spread = noise / spread[:, None], np.ones(variants + 1)
    scales = scales * spread
    # What a seed does to all variants cancels where runs are paired, and is not there where they are not.
    common = 0.0 if kind.more_baseline else random.normal(0, 2, seeds_of_all)
    means = noise * (scales / spread)[:, None]
    if kind.examples is None:
        values = (means + common)[:, :, None]
    else:
        values = _with_examples(kind, means, scales, random) + np.asarray(common)[:, None]
    values[~runs] = np.nan
    return Study(values, scales, not kind.more_baseline)


def _with_examples(kind: Kind, means: Array, scales: Array, random: np.random.Generator) -> Array:
    """Return values whose means over examples have the standard deviations of `scales` over seeds."""
    assert kind.examples is not None
    shape = (*means.shape, EXAMPLES)
    of_both = random.normal(size=shape) * np.sqrt(kind.residual * EXAMPLES) * scales[:, None, None]
    # So much of a difference of two variants with as many seeds as there are.
    of_examples = random.normal(size=(shape[0], 1, EXAMPLES)) * np.sqrt(kind.examples * EXAMPLES / shape[1])
    return np.asarray(np.sqrt(1 - kind.residual) * means[:, :, None] + of_both + of_examples)


def draw_runs(kind: Kind, variants: int, seeds: int, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Draw which runs there are: (num_variants + 1, num_seeds)."""
    runs = random.random((variants + 1, 2 * seeds if kind.more_baseline else seeds)) >= kind.missing
    if kind.unequal:
        runs[1::2, int(np.ceil(2 * seeds / 3)) :] = False
    if kind.more_baseline:
        runs[1:, seeds:] = False
    return runs


@cache
def effect_weights(factors: int) -> Array:
    """Return the weights of main effects and two-way interactions of a full factorial of two levels."""
    levels = pd.DataFrame(
        [map(str, row) for row in product((0, 1), repeat=factors)], columns=[f"f{place}" for place in range(factors)]
    )
    return contrasts(levels, {str(name): "0" for name in levels}).weights.to_numpy(np.float64)


@dataclass(frozen=True)
class Errors:
    """How a study's estimates err, and what it says of them.

    Arrays have one element a comparison, NaN where it could not be made.

    Attributes:
        errors: Estimates less the truth.
        joint: Half widths of the simultaneous intervals.
        alone: Of the individual ones.
        detectable: Detectable differences.
        deviations: True standard deviations of the errors.
    """

    errors: Array
    joint: Array
    alone: Array
    detectable: Array
    deviations: Array


def judge(study: Study, kind: Kind) -> Errors:
    """Compare a study's variants, or estimate its effects."""
    if kind.factorial:
        weights = effect_weights(round(np.log2(len(study.values))))
        frame = linear_contrasts(study.values, weights, points=POINTS)
    else:
        weights = np.column_stack([-np.ones(len(study.values) - 1), np.eye(len(study.values) - 1)])
        frame = many_to_one(study.values, paired=study.paired, points=POINTS)
    there = ~np.isnan(study.values[:, :, 0])
    if study.paired:
        counts = np.stack([np.broadcast_to(there[row != 0].all(axis=0).sum(), len(there)) for row in weights])
    else:
        counts = np.broadcast_to(there.sum(axis=1), weights.shape)
    variance = (weights**2 * study.deviations**2 / np.maximum(counts, 1)).sum(axis=1)
    if kind.correlation:
        together = weights[:, 0::2]
        variance = variance - kind.correlation * ((together**2).sum(axis=1) - together.sum(axis=1) ** 2) / counts[:, 0]
    if kind.examples:
        variance = variance + (weights**2).sum(axis=1) * kind.examples / study.values.shape[1]
    difference, high, alone = (frame[name].to_numpy() for name in ("difference", "high", "high_individual"))
    return Errors(difference, high - difference, alone - difference, frame["detectable"].to_numpy(), np.sqrt(variance))


DIFFERENCES = np.arange(2.0, 16.1, 0.5)
"""True differences, in standard errors, of which it is counted how many are found."""
RATES = ("false_alarm", "covered", "noisiest_covered", "detected", "detectable", "wrongly_equivalent")
"""What `outcomes` gives of each study.

- false_alarm: some simultaneous interval does not hold the truth. As no variant differs it is a family-wise error;
- covered: share of the individual intervals that hold it;
- noisiest_covered: that of the comparison whose error varies most does;
- detected: share of the differences found that are as large as a repetition of the study calls detectable;
- detectable: the median of them, in true standard errors, its logarithm;
- wrongly_equivalent: some variant that differs by a wide margin, all of them doing so, is called equivalent.
"""


def outcomes(kind: Kind, *, variants: int, seeds: int, studies: int, seed: int | Sequence[int]) -> tuple[Array, Array]:
    """Simulate studies, each with a repetition of it, and return what they came to.

    Args:
        kind: Of study.
        variants: How many beside the baseline.
        seeds: Of each variant.
        studies: How many, repetitions among them: an even number.
        seed: Of the random numbers.

    Returns:
        (studies, len(RATES)), and the share of comparisons that find a difference: (studies, len(DIFFERENCES)).
    """
    random = np.random.default_rng(seed)
    rows, curves = list[tuple[float, ...]](), list[Array]()
    while len(rows) < studies:
        scales, runs = draw_scales(kind, variants, random), draw_runs(kind, variants, seeds, random)
        one, other = (judge(draw(kind, scales, runs, random), kind) for _ in range(2))
        # With many runs missing it may be that nothing is comparable.
        if np.isnan(one.errors).all():
            continue
        # What the one calls detectable the other should find, and the other way round.
        rows += [_outcome(one, other.detectable), _outcome(other, one.detectable)]
        curves += [_found(one), _found(other)]
    return np.array(rows), np.array(curves)


def _found(found: Errors) -> Array:
    """Return the share of comparisons that find a true difference, by its size: (len(DIFFERENCES),)."""
    known = ~np.isnan(found.errors)
    errors, limits = found.errors[known] / found.deviations[known], found.joint[known] / found.deviations[known]
    distances = np.abs(errors + np.multiply.outer([1, -1], DIFFERENCES)[:, :, None])
    return np.asarray((distances > limits).mean(axis=(0, 2)), np.float64)


def _outcome(found: Errors, truth: Array) -> tuple[float, ...]:
    """Return a study's `RATES`; `truth` is what its repetition calls detectable."""
    errors, joint, known = found.errors, found.joint, ~np.isnan(found.errors)
    noisiest = int(np.nanargmax(np.where(known, found.deviations, np.nan)))
    held = np.abs(errors) <= found.alone
    detected = [np.abs(errors[known] + sign * truth[known]) > joint[known] for sign in (1, -1)]
    return (
        float((np.abs(errors) > joint).any()),
        float(held[known].mean()),
        float(held[noisiest]),
        float(np.mean(detected)),
        float(np.log(np.median(found.detectable[known] / found.deviations[known]))),
        float((errors < -joint).any() + (errors > joint).any()) / 2,
    )
