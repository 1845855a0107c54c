"""Validity of the human evaluation's intervals, comparisons and plans, by simulated participants.

`ablate.turing.analyse.simulation` says how. Results go between two markers of docs/turing.md.

    python benchmarks/turing_validity.py [--experiments N]
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from tqdm import tqdm

from ablate.system.threads import job_threads
from ablate.turing.analyse.power import participants_needed
from ablate.turing.analyse.simulation import DEVIATIONS, Deviations, Validity, components, simulate
from side_by_side import ROOT, renewed

PAGE = ROOT / "docs" / "turing.md"
BEGIN, END = "<!-- simulation: written by benchmarks/turing_validity.py -->", "<!-- end of simulation -->"
PARTICIPANTS, TRIALS, PHOTOGRAPHS, ALGORITHMS = (5, 20, 40), (20, 40), (50, 200), 4
RATE, RATES = 0.32, (0.01, 0.05, 0.2, 0.5)
PLANNED = ((50, 0.15), (200, 0.1), (200, 0.06))
"""Photographs, and the difference to find."""


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


def _shares(cells: Sequence[Validity], *columns: str) -> str:
    return " | ".join(", ".join(f"{100 * getattr(cell, column):.1f} %" for cell in cells) for column in columns)


def _said(deviations: Deviations) -> str:
    return f"{deviations.participants:g}, {deviations.photographs:g}, {deviations.both:g}"


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--experiments", type=int, default=2000, metavar="N", help="experiments a cell")
    rows = tables(parser.parse_args().experiments)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, BEGIN, END), encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
