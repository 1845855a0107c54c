"""Whether the report's intervals, tests and detectable differences keep what they promise, by simulated studies.

A study is simulated as its scores: for every variant, seed and photograph the sum of what the photograph, the seed,
the variant on that photograph, the variant with that seed, and chance make of it, all of them normal. The truth is
known, so that the share of intervals that cover it can be counted. Results go between two markers of
docs/statistics.md.

    python benchmarks/validity.py [--studies N]
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ablate.report.compare import ALPHA, holm
from ablate.statistics.intervals import Estimate, crossed_mean
from ablate.system.threads import job_threads
from side_by_side import ROOT, renewed

PAGE = ROOT / "docs" / "statistics.md"
BEGIN, END = "<!-- simulation: written by benchmarks/validity.py -->", "<!-- end of simulation -->"
SEEDS, EXAMPLES, VARIANTS = (3, 5, 10), 100, 8


@dataclass(frozen=True)
class Components:
    """Standard deviations of a variant's score by what makes it; those of a difference are sqrt(2) times as large."""

    name: str
    of_seeds: float
    of_examples: float
    of_both: float


COMPONENTS = (
    Components("seeds make no difference", 0.0, 1.5, 1.0),
    Components("seeds and photographs alike", 0.15, 1.5, 1.0),
    Components("seeds alone make one", 0.5, 0.5, 1.0),
)


@dataclass(frozen=True)
class Validity:
    """What was counted.

    Attributes:
        coverage: Share of 95 % intervals, of all variants, that cover the true difference.
        false_alarms: Share of studies without any difference in which some variant has one.
        power: Share of studies in which a variant is found to differ that differs as much as another study of the same
            kind says that it could have found.
    """

    coverage: float
    false_alarms: float
    power: float


def scores(
    components: Components, truth: npt.ArrayLike, *, seeds: int, random: np.random.Generator, examples: int = EXAMPLES
) -> npt.NDArray[np.float64]:
    """Draw a study's scores.

    Args:
        components: How much each part varies.
        truth: (num_variants,): each variant's true mean; the first is the baseline's.
        seeds: How many.
        random: Where they are drawn from.
        examples: How many.

    Returns:
        (num_variants, num_seeds, num_examples).
    """
    means = np.asarray(truth, dtype=np.float64)[:, None, None]
    count = len(means)
    # What all variants share, such as how hard a photograph is, is larger than any difference, and cancels.
    photographs, initial = random.normal(0, 10, (1, 1, examples)), random.normal(0, 1, (1, seeds, 1))
    return (
        means
        + photographs
        + initial
        + random.normal(0, components.of_seeds, (count, seeds, 1))
        + random.normal(0, components.of_examples, (count, 1, examples))
        + random.normal(0, components.of_both, (count, seeds, examples))
    )


def simulate(components: Components, *, seeds: int, studies: int, seed: int) -> Validity:
    """Simulate studies of `VARIANTS` variants and a baseline.

    Args:
        components: How much each part of a score varies.
        seeds: Of each study.
        studies: How many.
        seed: Of the random numbers.
    """
    random = np.random.default_rng(seed)
    covered, alarms, found = 0, 0, 0
    for _ in range(studies):
        null = estimates(scores(components, np.zeros(VARIANTS + 1), seeds=seeds, random=random))
        covered += sum(low <= 0 <= high for low, high in (estimate.interval() for estimate in null))
        alarms += bool((holm([estimate.p_value for estimate in null]) < ALPHA).any())
        assert null[0].spread is not None
        truth = np.zeros(VARIANTS + 1)
        truth[1] = null[0].spread.detectable(alpha=ALPHA / VARIANTS)
        other = estimates(scores(components, truth, seeds=seeds, random=random))
        found += bool(holm([estimate.p_value for estimate in other])[0] < ALPHA)
    return Validity(covered / studies / VARIANTS, alarms / studies, found / studies)


def estimates(drawn: npt.NDArray[np.float64]) -> list[Estimate]:
    """Estimate each variant's difference from the baseline, the first one of the scores."""
    return [crossed_mean(own - drawn[0]) for own in drawn[1:]]


def table(studies: int) -> str:
    """Simulate all rows, on all cores, and write them as Markdown."""
    cases = [(components, seeds) for components in COMPONENTS for seeds in SEEDS]
    with ProcessPoolExecutor(job_threads()) as pool:
        pending = [
            pool.submit(simulate, components, seeds=seeds, studies=studies, seed=place)
            for place, (components, seeds) in enumerate(cases)
        ]
        found = [future.result() for future in tqdm(pending, unit=" rows")]
    lines = [
        f"{studies:,} studies a row of {VARIANTS} variants and a baseline on {EXAMPLES} photographs.",
        "",
        "| what varies | sd: seeds, photographs, both | seeds | coverage | a false alarm | detected |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for (components, seeds), row in zip(cases, found, strict=True):
        deviations = f"{components.of_seeds:g}, {components.of_examples:g}, {components.of_both:g}"
        shares = " | ".join(f"{100 * share:.1f} %" for share in (row.coverage, row.false_alarms, row.power))
        lines.append(f"| {components.name} | {deviations} | {seeds} | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--studies", type=int, default=10_000, metavar="N", help="studies a row")
    rows = table(parser.parse_args().studies)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, BEGIN, END), encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
