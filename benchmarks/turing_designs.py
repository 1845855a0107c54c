"""Validity of the human evaluation's other designs: intervals, rankings and plans, by simulated participants.

`ablate.turing.analyse.simulation_designs` and `simulation_ratings` say how. Results go between markers of
docs/turing_designs.md.

    python benchmarks/turing_designs.py [--experiments N] [--ratings]
"""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from scipy import special
from tqdm import tqdm

from ablate.system.threads import job_threads
from ablate.turing.analyse.power import participants_needed
from ablate.turing.analyse.simulation import DEVIATIONS, Deviations, Validity, components
from ablate.turing.analyse.simulation_designs import (
    OWN,
    preference_components,
    simulate_preferences,
    simulate_within,
    true_preferences,
)
from ablate.turing.analyse.simulation_ratings import POINTS, rating_components, simulate_ratings, true_mean
from side_by_side import ROOT, renewed

PAGE = ROOT / "docs" / "turing_designs.md"
BEGIN, END = "<!-- simulation: written by benchmarks/turing_designs.py -->", "<!-- end of simulation -->"
BEGIN_RATINGS = "<!-- ratings: written by benchmarks/turing_designs.py -->"
END_RATINGS = "<!-- end of ratings -->"
PARTICIPANTS, TRIALS, PHOTOGRAPHS = (5, 20, 40), 40, (50, 200)
STRENGTHS = {"all alike": (0.0,) * 4, "a ladder": (0.0, 0.4, 0.8, 1.6), "8 alike": (0.0,) * 8}
"""Log odds of each algorithm."""
RATES = {"all 32 %": (0.32,) * 4, "5, 20, 32 and 50 %": (0.05, 0.2, 0.32, 0.5)}
CENTRES = {"all alike": (4.0,) * 4, "a ladder": (2.0, 3.5, 5.0, 6.5)}
"""What each algorithm alone makes of a rating."""
PLANNED_RATINGS = ((50, 0.75), (200, 0.5), (200, 0.4))
"""Photographs, and the points of the scale to find."""
PLANNED = ((50, 15.0), (200, 10.0), (200, 7.0))
"""Photographs, and the points to find, of two algorithms: from 50 %, or between rates around `RATE`."""
RATE = 0.32

Job = Callable[..., Validity]


def tables(experiments: int) -> str:
    """Simulate all rows, on all cores, and write them as Markdown."""
    preferred = [
        (name, deviations, participants)
        for name in STRENGTHS
        for deviations in DEVIATIONS
        for participants in PARTICIPANTS
    ]
    within = [
        (name, deviations, participants)
        for name in RATES
        for deviations in DEVIATIONS
        for participants in PARTICIPANTS
    ]
    planned = [(deviations, *case) for deviations in DEVIATIONS for case in PLANNED]
    needed = [
        participants_needed(
            points, trials=TRIALS, photographs=photographs, components=preference_components(deviations),
            design="preference",
        )
        for deviations, photographs, points in planned
    ]  # fmt: skip
    needed_within = [
        participants_needed(
            points, trials=TRIALS, photographs=photographs, components=components(deviations, RATE, own=OWN),
            design="within",
        )
        for deviations, photographs, points in planned
    ]  # fmt: skip
    jobs: list[Job] = [
        partial(simulate_preferences, deviations, STRENGTHS[name], participants=participants, photographs=photographs)
        for name, deviations, participants in preferred
        for photographs in PHOTOGRAPHS
    ]
    jobs += [
        partial(simulate_within, deviations, RATES[name], participants=participants, photographs=photographs)
        for name, deviations, participants in within
        for photographs in PHOTOGRAPHS
    ]
    jobs += [
        partial(
            simulate_preferences, deviations, _apart(deviations, points), participants=count, photographs=photographs
        )
        for (deviations, photographs, points), count in zip(planned, needed, strict=True)
    ]
    jobs += [
        partial(
            simulate_within, deviations, (RATE - points / 200, RATE + points / 200), participants=count,
            photographs=photographs,
        )
        for (deviations, photographs, points), count in zip(planned, needed_within, strict=True)
    ]  # fmt: skip
    found = iter(_simulated(jobs, experiments))
    lines = [
        f"{TRIALS} trials of each participant; {experiments:,} experiments a share. The first of two shares is with "
        f"{PHOTOGRAPHS[0]} photographs in the bundle, the second with {PHOTOGRAPHS[1]}.",
        "",
        "Preferences (`design=preference`). *Found* is a false alarm where all are alike.",
        "",
        "| strengths | what varies | participants | coverage of shares | of pairs | ranks hold | found |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, deviations, participants in preferred:
        shares = _shares([next(found) for _ in PHOTOGRAPHS], "rates", "differences", "others", "found")
        lines.append(f"| {name} | {deviations.name} | {participants} | {shares} |")
    lines += [
        "",
        "All algorithms of each participant beside the real picture (`design=within`); *found* is a false alarm where "
        "all fool as often.",
        "",
        "| rates | what varies | participants | coverage of rates | of differences | of d\N{PRIME} | found |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, deviations, participants in within:
        shares = _shares([next(found) for _ in PHOTOGRAPHS], "rates", "differences", "others", "found")
        lines.append(f"| {name} | {deviations.name} | {participants} | {shares} |")
    lines += [
        "",
        "Plans: two algorithms, as many participants as `--plan` says.",
        "",
        "| design | what varies | photographs | difference | participants | found | coverage of it |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for design, counts in (("preference", needed), ("within", needed_within)):
        for (deviations, photographs, points), count in zip(planned, counts, strict=True):
            cell = next(found)
            lines.append(
                f"| {design} | {deviations.name} | {photographs} | {points:g} points | {count} | "
                f"{100 * cell.found:.1f} % | {100 * cell.differences:.1f} % |"
            )
    return "\n".join(lines)


def rating_tables(experiments: int) -> str:
    """Simulate all rows of the rating design, and write them as Markdown."""
    rated = [
        (name, deviations, participants)
        for name in CENTRES
        for deviations in DEVIATIONS
        for participants in PARTICIPANTS
    ]
    planned = [(deviations, *case) for deviations in DEVIATIONS for case in PLANNED_RATINGS]
    needed = [
        participants_needed(
            100 * points / (POINTS - 1), trials=TRIALS, photographs=photographs,
            components=rating_components(deviations, 4.0), design="rating",
        )
        for deviations, photographs, points in planned
    ]  # fmt: skip
    jobs: list[Job] = [
        partial(simulate_ratings, deviations, CENTRES[name], participants=participants, photographs=photographs)
        for name, deviations, participants in rated
        for photographs in PHOTOGRAPHS
    ]
    jobs += [
        partial(
            simulate_ratings, deviations, _means_apart(deviations, points), participants=count, photographs=photographs
        )
        for (deviations, photographs, points), count in zip(planned, needed, strict=True)
    ]
    found = iter(_simulated(jobs, experiments))
    lines = [
        f"Ratings from 1 to {POINTS}, {TRIALS} of each participant; {experiments:,} experiments a share. The first of "
        f"two shares is with {PHOTOGRAPHS[0]} photographs in the bundle, the second with {PHOTOGRAPHS[1]}. *Found* is "
        "a false alarm where all are alike.",
        "",
        "| means | what varies | participants | coverage of means | of differences | found |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, deviations, participants in rated:
        shares = _shares([next(found) for _ in PHOTOGRAPHS], "rates", "differences", "found")
        lines.append(f"| {name} | {deviations.name} | {participants} | {shares} |")
    lines += [
        "",
        "Plans: two algorithms, as many participants as `--plan` says.",
        "",
        "| what varies | photographs | difference | participants | found | coverage of it |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for (deviations, photographs, points), count in zip(planned, needed, strict=True):
        cell = next(found)
        lines.append(
            f"| {deviations.name} | {photographs} | {points:g} points | {count} | {100 * cell.found:.1f} % | "
            f"{100 * cell.differences:.1f} % |"
        )
    return "\n".join(lines)


def _simulated(jobs: Sequence[Job], experiments: int) -> list[Validity]:
    """Run jobs on all cores."""
    with ProcessPoolExecutor(job_threads()) as pool:
        begun = [
            pool.submit(job, trials=TRIALS, experiments=experiments, seed=place) for place, job in enumerate(jobs)
        ]
        return [job.result() for job in tqdm(begun, unit=" rows")]


def _means_apart(deviations: Deviations, points: float) -> tuple[float, float]:
    """Return what two algorithms make of ratings whose means are so far apart, around the middle."""
    half = points / 2
    for _ in range(20):
        half += (points - (true_mean(4 + half, deviations) - true_mean(4 - half, deviations))) / 2
    return 4 + half, 4 - half


def _apart(deviations: Deviations, points: float) -> tuple[float, float]:
    """Return strengths of two algorithms of which one is preferred in so many points more than 50 % of pairs."""
    wanted = strength = float(special.logit(0.5 + points / 100))
    for _ in range(20):
        pairs, _ = true_preferences(deviations, (strength, 0.0))
        strength += wanted - float(special.logit(pairs[0] / 100))
    return round(strength, 6), 0.0


def _shares(cells: Sequence[Validity], *columns: str) -> str:
    return " | ".join(", ".join(f"{100 * getattr(cell, column):.1f} %" for cell in cells) for column in columns)


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--experiments", type=int, default=2000, metavar="N", help="experiments a cell")
    parser.add_argument("--ratings", action="store_true", help="of the rating design alone")
    given = parser.parse_args()
    parts = {(BEGIN_RATINGS, END_RATINGS): rating_tables}
    if not given.ratings:
        parts[BEGIN, END] = tables
    for (begin, end), made in parts.items():
        rows = made(given.experiments)
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, begin, end), encoding="utf-8")
        print(rows)


if __name__ == "__main__":
    main()
