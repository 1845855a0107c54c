"""Whether the Turing test's intervals, comparisons and plans keep what they promise, by simulated participants.

An answer fools with a probability whose log odds are the sum of what the algorithm, the participant, the photograph,
and the photograph in that algorithm's colours make of it, all but the first normal. True rates are known, so that the
share of intervals that cover them can be counted. Results go between two markers of docs/turing.md.

    python benchmarks/turing_validity.py [--experiments N]
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special
from tqdm import tqdm

from ablate.report.compare import ALPHA, holm
from ablate.system.threads import job_threads
from ablate.turing.analyse.power import Components, participants_needed
from ablate.turing.analyse.statistics import difference_estimate, rate_interval, sides
from side_by_side import ROOT, renewed

PAGE = ROOT / "docs" / "turing.md"
BEGIN, END = "<!-- simulation: written by benchmarks/turing_validity.py -->", "<!-- end of simulation -->"
PARTICIPANTS, TRIALS, PHOTOGRAPHS, ALGORITHMS = (5, 20, 40), (20, 40), (50, 200), 4
RATE, RATES = 0.32, (0.01, 0.05, 0.2, 0.5)
PLANNED = ((50, 0.15), (200, 0.1), (200, 0.06))
"""Photographs, and the difference to find."""


@dataclass(frozen=True)
class Deviations:
    """Standard deviations of the log odds by what makes them vary.

    Attributes:
        name: What the table says.
        participants: Of people.
        photographs: Of what a photograph does to all algorithms alike.
        both: Of what it does to each one.
    """

    name: str
    participants: float
    photographs: float
    both: float

    @property
    def total(self) -> float:
        """Of all three together."""
        return float(np.sqrt(self.participants**2 + self.photographs**2 + self.both**2))


DEVIATIONS = (
    Deviations("people alone", 0.6, 0.0, 0.0),
    Deviations("people and photographs", 0.6, 0.6, 0.6),
    Deviations("photographs above all", 0.3, 1.0, 1.0),
)


@dataclass(frozen=True)
class Kept:
    """What was counted.

    Attributes:
        rates: Share of 95 % intervals of rates that cover the true one.
        differences: The same of differences.
        found: Share of experiments that call some difference one.
    """

    rates: float
    differences: float
    found: float


def answers(
    deviations: Deviations,
    rates: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    random: np.random.Generator,
) -> pd.DataFrame:
    """Draw an experiment's answers.

    Args:
        deviations: How much each part of the log odds varies.
        rates: (num_algorithms,): true rates, over all people and photographs, 0 to 1.
        participants: Of each algorithm.
        trials: Of each participant, each with another photograph.
        photographs: In the bundle.
        random: Where they are drawn from.

    Returns:
        Columns participant, photograph, algorithm, fooled.
    """
    count = len(rates)
    alike = random.normal(0, deviations.photographs, photographs)
    own = random.normal(0, deviations.both, (count, photographs))
    people = random.normal(0, deviations.participants, (count, participants))
    seen = random.random((count, participants, photographs)).argsort(axis=2)[:, :, :trials]
    algorithm, person, _ = np.indices(seen.shape)
    centre = np.array([_centre(rate, deviations.total) for rate in rates])
    odds = centre[algorithm] + people[algorithm, person] + alike[seen] + own[algorithm, seen]
    return pd.DataFrame(
        {
            "participant": (algorithm * participants + person).ravel(),
            "photograph": seen.ravel(),
            "algorithm": algorithm.ravel(),
            "fooled": (random.random(seen.shape) < special.expit(odds)).ravel(),
        }
    )


def simulate(
    deviations: Deviations,
    rates: Sequence[float],
    *,
    participants: int,
    trials: int,
    photographs: int,
    experiments: int,
    seed: int,
) -> Kept:
    """Simulate experiments: see `answers`."""
    random = np.random.default_rng(seed)
    of_rates, of_differences, found = 0, 0, 0
    pairs = list(combinations(range(len(rates)), 2))
    for _ in range(experiments):
        drawn = answers(
            deviations, rates, participants=participants, trials=trials, photographs=photographs, random=random
        )
        judged = list(sides(drawn).values())
        for rate, side in zip(rates, judged, strict=True):
            low, high, _ = rate_interval(side)
            of_rates += low <= rate <= high
        estimates = [difference_estimate(judged[a], judged[b]) for a, b in pairs]
        for (a, b), estimate in zip(pairs, estimates, strict=True):
            low, high = estimate.interval()
            of_differences += low <= rates[a] - rates[b] <= high
        found += bool((holm([estimate.p_value for estimate in estimates]) < ALPHA).any())
    return Kept(
        of_rates / experiments / len(rates), of_differences / experiments / max(len(pairs), 1), found / experiments
    )


def components(deviations: Deviations, rate: float) -> Components:
    """Return what the log odds' deviations are in percentage points, around a rate: what a plan is made from."""
    nodes, weights = _normal()

    def variance(within: float) -> float:
        """Of the mean answer, over what has this deviation of the log odds."""
        rest = np.sqrt(max(deviations.total**2 - within**2, 0.0))
        odds = _centre(rate, deviations.total) + within * nodes[:, None] + rest * nodes
        return float(weights @ (special.expit(odds) @ weights - rate) ** 2)

    alone = variance(np.hypot(deviations.photographs, deviations.both)) - variance(deviations.photographs)
    return Components(100 * rate, 100 * np.sqrt(variance(deviations.participants)), 100 * np.sqrt(max(alone, 0.0)))


def tables(experiments: int) -> str:
    """Simulate all rows, on all cores, and write them as Markdown."""
    crossed = [
        (deviations, participants, trials, photographs)
        for deviations in DEVIATIONS
        for participants in PARTICIPANTS
        for trials in TRIALS
        for photographs in PHOTOGRAPHS
    ]
    by_rate = [
        (rate, participants, photographs)
        for rate in RATES
        for participants in PARTICIPANTS
        for photographs in PHOTOGRAPHS
    ]
    planned = [(deviations, *case) for deviations in DEVIATIONS for case in PLANNED]
    needed = [
        participants_needed(
            100 * difference, trials=TRIALS[-1], photographs=photographs, components=components(deviations, RATE)
        )
        for deviations, photographs, difference in planned
    ]
    with ProcessPoolExecutor(job_threads()) as pool:
        jobs = [
            pool.submit(simulate, deviations, (RATE,) * ALGORITHMS, participants=participants, trials=trials,
                        photographs=photographs, experiments=experiments, seed=place)
            for place, (deviations, participants, trials, photographs) in enumerate(crossed)
        ]  # fmt: skip
        jobs += [
            pool.submit(simulate, DEVIATIONS[1], (rate,) * 2, participants=participants, trials=TRIALS[-1],
                        photographs=photographs, experiments=experiments, seed=1000 + place)
            for place, (rate, participants, photographs) in enumerate(by_rate)
        ]  # fmt: skip
        jobs += [
            pool.submit(simulate, deviations, (RATE - difference / 2, RATE + difference / 2), participants=count,
                        trials=TRIALS[-1], photographs=photographs, experiments=experiments, seed=2000 + place)
            for place, ((deviations, photographs, difference), count) in enumerate(zip(planned, needed, strict=True))
        ]  # fmt: skip
        found = iter([job.result() for job in tqdm(jobs, unit=" rows")])
    lines = [
        f"{ALGORITHMS} algorithms that all fool in {100 * RATE:.0f} % of trials; {experiments:,} experiments a share. "
        f"The first of two shares is with {PHOTOGRAPHS[0]} photographs in the bundle, the second with "
        f"{PHOTOGRAPHS[1]}.",
        "",
        "| what varies | sd of log odds: people, photographs, both | participants | trials | coverage of rates |"
        " of differences | a false alarm |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for deviations, participants, trials, _ in crossed[:: len(PHOTOGRAPHS)]:
        shares = _shares([next(found) for _ in PHOTOGRAPHS], "rates", "differences", "found")
        lines.append(f"| {deviations.name} | {_said(deviations)} | {participants} | {trials} | {shares} |")
    lines += [
        "",
        f"Rates nearer to 0, and chance: two algorithms of the same rate, {DEVIATIONS[1].name}, {TRIALS[-1]} trials, "
        f"and again {PHOTOGRAPHS[0]} and {PHOTOGRAPHS[1]} photographs.",
        "",
        "| rate | participants | coverage of rates | of differences |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for rate, participants, _ in by_rate[:: len(PHOTOGRAPHS)]:
        shares = _shares([next(found) for _ in PHOTOGRAPHS], "rates", "differences")
        lines.append(f"| {100 * rate:.0f} % | {participants} | {shares} |")
    lines += [
        "",
        f"Plans: two algorithms whose rates differ by so much, around {100 * RATE:.0f} %, as many participants as "
        f"`--plan` says, {TRIALS[-1]} trials each.",
        "",
        "| what varies | photographs | difference | participants an algorithm | found | coverage of the difference |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (deviations, photographs, difference), count in zip(planned, needed, strict=True):
        cell = next(found)
        lines.append(
            f"| {deviations.name} | {photographs} | {100 * difference:.0f} points | {count} | "
            f"{100 * cell.found:.1f} % | {100 * cell.differences:.1f} % |"
        )
    return "\n".join(lines)


def _shares(cells: Sequence[Kept], *columns: str) -> str:
    return " | ".join(", ".join(f"{100 * getattr(cell, column):.1f} %" for cell in cells) for column in columns)


def _said(deviations: Deviations) -> str:
    return f"{deviations.participants:g}, {deviations.photographs:g}, {deviations.both:g}"


@cache
def _normal() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return nodes and weights of the normal distribution."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(64)
    return nodes, weights / weights.sum()


@cache
def _centre(rate: float, deviation: float) -> float:
    """Return the mean log odds that give a rate."""
    nodes, weights = _normal()

    def beyond(centre: float) -> float:
        return float(weights @ special.expit(centre + deviation * nodes)) - rate

    return float(optimize.brentq(beyond, -15, 15))


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--experiments", type=int, default=2000, metavar="N", help="experiments a cell")
    rows = tables(parser.parse_args().experiments)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, BEGIN, END), encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
