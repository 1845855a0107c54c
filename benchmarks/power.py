"""Promised and realised power: the differences that `plan power=true` promises to find with 80 %, from a small pilot.

Each pilot is simulated from variances whose truth is known, the differences are promised from it, and studies with
these true differences are simulated from the truth: how many are found? A cell is a kind of study, a number of
variants and a plan. Lines go to results/power.jsonl, one a pilot, so that a run that is interrupted, or asked for more
pilots, continues from there. The table goes between two markers of docs/statistics.md.

    python benchmarks/power.py [--pilots N] [--jobs N] [--table]
"""

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ablate.statistics.pilot import pilot_of
from ablate.statistics.planned_power import Truth, detectable, power_of
from ablate.system.threads import job_threads
from side_by_side import RESULTS, ROOT, renewed

PAGE = ROOT / "docs" / "statistics.md"
FILE = RESULTS / "power.jsonl"
BEGIN, END = "<!-- power: written by benchmarks/power.py -->", "<!-- end of power -->"
VARIANTS = (3, 8)
PROMISED, WITHIN = 80.0, 5.0
STUDIES = 16
"""From the truth, of each pilot."""
EXAMPLES = 40


class Plan(NamedTuple):
    """Seeds of the pilot, and of the study that is planned."""

    pilot: int
    seeds: int
    baseline: int | None = None


class Kind(NamedTuple):
    """A kind of study: standard deviations over seeds, of which what a seed does to all, and the examples' part."""

    log_sd: float = 0.0
    baseline_sd: float = 1.0
    common: float = 1.0
    examples: float = 0.0


KINDS = {
    "all alike": Kind(),
    "sds log-normal, 0.6": Kind(log_sd=0.6),
    "baseline 3 times noisier": Kind(baseline_sd=3.0),
    "examples' part 1/3": Kind(examples=1 / 3),
}
PLANS = {
    "3, then 5": Plan(3, 5),
    "3, then 10": Plan(3, 10),
    "3, then 5, baseline 10": Plan(3, 5, 10),
}
Cell = tuple[str, int, str]
Powers = Mapping[Cell, Mapping[int, float]]
"""By cell and pilot, the realised power in percent."""
GRID: list[Cell] = [(kind, variants, plan) for kind in KINDS for variants in VARIANTS for plan in PLANS]


def truth_of(kind: Kind, variants: int, random: np.random.Generator, *, common: float) -> Truth:
    """Draw what the runs of a study are made of."""
    variances = np.exp(2 * random.normal(0, kind.log_sd, variants + 1))
    variances[0] *= kind.baseline_sd**2
    with_examples = kind.examples > 0
    return Truth(
        of_seeds=variances * (0.5 if with_examples else 1.0),
        common=common,
        of_both=variances * (0.5 if with_examples else 0.0),
        of_examples=np.full(variants + 1, kind.examples),
        num_examples=EXAMPLES if with_examples else 1,
    )


def realised(cell: Cell, number: int) -> float:
    """Return with which power a study finds, on average, what one pilot promises: percent."""
    kind, variants, plan = KINDS[cell[0]], cell[1], PLANS[cell[2]]
    random = np.random.default_rng([GRID.index(cell), number])
    # What a seed does to all variants is of no use where runs are not paired.
    truth = truth_of(kind, variants, random, common=0.0 if plan.baseline else kind.common)
    pilot = pilot_of(truth.draw(plan.pilot, None, random))
    if pilot is None:
        raise ValueError(f"a pilot of {plan.pilot} seeds must tell something")
    promised = detectable(pilot, plan.seeds, plan.baseline)
    found = power_of([truth] * STUDIES, promised, plan.seeds, plan.baseline, seed=1_000 + number)
    return float(100 * found.mean())


def read(path: Path) -> dict[Cell, dict[int, float]]:
    """Read the realised power by cell and pilot; nothing where there is no file."""
    known = defaultdict[Cell, dict[int, float]](dict)
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        row = json.loads(line)
        known[row["kind"], row["variants"], row["plan"]][row["pilot"]] = row["power"]
    return dict(known)


def simulate(cells: Sequence[Cell], pilots: int, jobs: int, path: Path = FILE) -> dict[Cell, dict[int, float]]:
    """Simulate so many pilots of each cell, less those that the file has; of all cells in turn."""
    known = read(path)
    missing = [(cell, pilot) for pilot in range(pilots) for cell in cells if pilot not in known.get(cell, {})]
    with (
        ProcessPoolExecutor(jobs) as pool,
        path.open("a", encoding="utf-8") as file,
        tqdm(total=len(missing), unit=" pilots") as progress,
    ):
        pending = {pool.submit(realised, *task): task for task in missing}
        for future in as_completed(pending):
            (kind, variants, plan), pilot = pending[future]
            row = {"kind": kind, "variants": variants, "plan": plan, "pilot": pilot, "power": future.result()}
            file.write(json.dumps(row) + "\n")
            file.flush()
            progress.update()
    return read(path)


def mean_of(
    known: Mapping[Cell, Mapping[int, float]], kind: str, variants: int, plan: str = ""
) -> tuple[float, float]:
    """Return the mean over pilots and its standard error, percent, of one plan or of all."""
    values = np.array(
        [
            power
            for (own, count, name), powers in known.items()
            if (own, count) == (kind, variants) and plan in ("", name)
            for power in powers.values()
        ]
    )
    if not len(values):
        return math.nan, math.nan
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else math.nan


def table(known: Powers) -> str:
    """Write what is known as Markdown: one row a kind and number of variants, the plans beside each other."""
    rows = [(kind, variants) for kind in KINDS for variants in VARIANTS]
    means = {row: mean_of(known, *row) for row in rows}
    missed = sum(abs(mean - PROMISED) > WITHIN for mean, _ in means.values())
    pilots = min(map(len, known.values()))
    lines = [
        f"At least {pilots} pilots a cell. Of all plans together, {missed} of {len(rows)} rows are more than "
        f"{WITHIN:.0f} points from the promise (bold). Of one plan the figure has a standard error of about "
        f"{max(error for _, error in means.values()) * math.sqrt(len(PLANS)):.0f} points at most.",
        "",
        f"| study | variants | {' | '.join(PLANS)} | all plans, % |",
        "| --- | ---: |" + " ---: |" * (len(PLANS) + 1),
    ]
    for row in rows:
        texts = [f"{mean_of(known, *row, plan)[0]:.0f}".replace("nan", "–") for plan in PLANS]
        mean, error = means[row]
        text = f"{mean:.0f} ± {error:.0f}"
        texts.append(f"**{text}**" if abs(mean - PROMISED) > WITHIN else text)
        lines.append(f"| {row[0]} | {row[1]} | {' | '.join(texts)} |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--pilots", type=int, default=40, metavar="N", help="pilots a cell")
    parser.add_argument("--jobs", type=int, default=job_threads(), metavar="N", help="processes")
    parser.add_argument("--table", action="store_true", help="write the table of what is known, simulate nothing")
    arguments = parser.parse_args()
    known = read(FILE) if arguments.table else simulate(GRID, arguments.pilots, arguments.jobs)
    rows = table(known)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, BEGIN, END), encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
