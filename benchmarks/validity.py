"""Validity of simultaneous intervals, verdicts and detectable differences, by simulated studies.

`ablate.statistics.simulation` says how. Every cell is a kind of study, a number of variants and one of seeds. Counts
go to results/validity.jsonl after every batch, so that a run that is interrupted, or asked for more studies, continues
from there. The table goes between two markers of docs/statistics.md.

    python benchmarks/validity.py [--studies N] [--jobs N] [--only TEXT] [--table]
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from ablate.statistics.simulation import DIFFERENCES, KINDS, RATES, outcomes
from ablate.system.threads import job_threads
from side_by_side import RESULTS, ROOT, renewed

PAGE = ROOT / "docs" / "statistics.md"
FILE = RESULTS / "validity.jsonl"
BEGIN, END = "<!-- simulation: written by benchmarks/validity.py -->", "<!-- end of simulation -->"
SEEDS, VARIANTS = (3, 5, 10), (3, 8, 13)
BATCH = 100


class Cell(NamedTuple):
    """One cell of the grid."""

    kind: str
    variants: int
    seeds: int


KIND = {kind.name: kind for kind in KINDS}
FACTORIALS = {3: 3, 8: 7, 13: 15}
"""Variants beside the baseline of a full factorial in the place of so many."""
GRID = [
    Cell(kind.name, FACTORIALS[variants] if kind.factorial else variants, seeds)
    for kind in KINDS
    for variants in VARIANTS
    for seeds in SEEDS
]

COLUMNS = {
    "false_alarm": "false alarm, %",
    "covered": "single intervals cover, %",
    "noisiest_covered": "the noisiest covers, %",
    "detected": "detected, %",
    "detectable": "detectable, SE",
    "found_at": "80 % found at, SE",
}
Counts = dict[str, list[float]]
"""By rate, its sum over studies and that of its squares; `studies` has their number and that of the batches, `found`
the sums of shares found by `DIFFERENCES`."""


def simulated(cell: Cell, studies: int, batch: int) -> Counts:
    """Simulate a batch of studies: each batch of a cell has random numbers of its own."""
    seed = [GRID.index(cell), batch]
    rows, found = outcomes(KIND[cell.kind], variants=cell.variants, seeds=cell.seeds, studies=studies, seed=seed)
    sums = {name: [float(column.sum()), float((column**2).sum())] for name, column in zip(RATES, rows.T, strict=True)}
    return {"studies": [studies, 1], **sums, "found": [float(share) for share in found.sum(axis=0).round(3)]}


def read(path: Path) -> dict[Cell, Counts]:
    """Read what is known of each cell; nothing where there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {Cell(row.pop("kind"), row.pop("variants"), row.pop("seeds")): row for row in rows}


def write(path: Path, known: Mapping[Cell, Counts]) -> None:
    """Write what is known of each cell, one a line; whole, or not at all."""
    lines = [json.dumps({**cell._asdict(), **known[cell]}) for cell in GRID if cell in known]
    beside = path.with_suffix(".part")
    beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
    beside.replace(path)


def added(one: Counts | None, other: Counts) -> Counts:
    """Add the counts of two batches."""
    if one is None:
        return other
    return {name: [a + b for a, b in zip(one[name], other[name], strict=True)] for name in other}


def simulate(cells: Sequence[Cell], studies: int, jobs: int, path: Path = FILE) -> dict[Cell, Counts]:
    """Simulate so many studies of each cell, less those that the file has; batches of all cells in turn."""
    known = read(path)
    missing = []
    for turn in range(math.ceil(studies / BATCH)):
        for cell in cells:
            done = known[cell]["studies"] if cell in known else [0, 0]
            if done[1] + turn < math.ceil(studies / BATCH):
                missing.append((cell, min(BATCH, studies), int(done[1]) + turn))
    with ProcessPoolExecutor(jobs) as pool, tqdm(total=len(missing), unit=" batches", smoothing=0.05) as progress:
        pending = {pool.submit(simulated, *task): task[0] for task in missing}
        for future in as_completed(pending):
            cell = pending[future]
            known[cell] = added(known.get(cell), future.result())
            write(path, known)
            progress.update()
    return known


def rate(counts: Counts, name: str) -> tuple[float, float]:
    """Return a mean over studies and its standard error."""
    studies = counts["studies"][0]
    mean = counts[name][0] / studies
    # One study more, half of it: a rate of 0 is not known to be 0.
    variance = max(counts[name][1] / studies - mean**2, 0.25 / studies)
    return mean, math.sqrt(variance / studies)


def found_at(counts: Counts, power: float = 0.8) -> float:
    """Return the true difference, in standard errors, that is found with a probability; NaN beyond `DIFFERENCES`."""
    shares = np.maximum.accumulate(np.array(counts["found"]) / counts["studies"][0])
    return float(np.interp(power, shares, DIFFERENCES, left=np.nan, right=np.nan))


TARGETS = {"false_alarm": (0.0, 0.055), "detected": (0.76, 0.86), "wrongly_equivalent": (0.0, 0.05)}
NOISY_BASELINE = (0.0, 0.07)
FOUND_AT = 5.6
"""Standard errors that are enough where all variants are alike, with 3 seeds and 8 variants."""


def met(cell: Cell, name: str, mean: float) -> bool:
    """Tell whether a rate is what it should be."""
    low, high = TARGETS.get(name, (-math.inf, math.inf))
    if name == "false_alarm" and KIND[cell.kind].baseline_sd > 1:
        low, high = NOISY_BASELINE
    return low <= mean <= high


def shown(cell: Cell, counts: Counts, name: str) -> str:
    """Show a rate; a target that is missed stands out, and a dash is in place of a number that there is not."""
    value = found_at(counts) if name == "found_at" else rate(counts, name)[0]
    if math.isnan(value):
        return "–"
    if name == "found_at":
        text, good = f"{value:.1f}", value <= FOUND_AT or cell != Cell("all alike", 8, 3)
    else:
        text, good = f"{math.exp(value):.1f}" if name == "detectable" else f"{100 * value:.1f}", met(cell, name, value)
    return text if good else f"**{text}**"


def table(known: Mapping[Cell, Counts]) -> str:
    """Write what is known as Markdown: one row a kind and number of variants, the seeds beside each other."""
    counts = [int(found["studies"][0]) for found in known.values()]
    many = f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
    errors = {name: max(100 * rate(found, name)[1] for found in known.values()) for name in RATES}
    worst = max(100 * rate(found, "wrongly_equivalent")[0] for found in known.values())
    missed = {
        name: sum(not met(cell, name, rate(found, name)[0]) for cell, found in known.items()) for name in TARGETS
    }
    lines = [
        f"{many} studies a cell, {len(known)} cells; with 3 / 5 / 10 seeds. Bold figures miss their target: "
        f"{missed['false_alarm']} of false alarms and {missed['detected']} of detected; chance alone makes some miss. "
        f"Wrongly equivalent are at most {worst:.1f} % in a cell. "
        f"Standard errors are at most {errors['false_alarm']:.1f} points of false "
        f"alarms, {errors['covered']:.1f} of single "
        f"intervals, {errors['noisiest_covered']:.1f} of the noisiest one and {errors['detected']:.1f} of detected.",
        "",
        f"| {' | '.join(['study', 'variants', *COLUMNS.values()])} |",
        "| --- | ---: |" + " --- |" * len(COLUMNS),
    ]
    for kind in KINDS:
        for variants in VARIANTS:
            count = FACTORIALS[variants] if kind.factorial else variants
            cells = [Cell(kind.name, count, seeds) for seeds in SEEDS]
            if any(cell in known for cell in cells):
                rates = (
                    " / ".join(shown(cell, known[cell], name) if cell in known else "–" for cell in cells)
                    for name in COLUMNS
                )
                lines.append(f"| {kind.name} | {count} | {' | '.join(rates)} |")
    return "\n".join(lines)


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--studies", type=int, default=4_000, metavar="N", help="studies a cell")
    parser.add_argument("--jobs", type=int, default=job_threads(), metavar="N", help="processes")
    parser.add_argument("--only", default="", metavar="TEXT", help="kinds of study whose name holds it")
    parser.add_argument("--table", action="store_true", help="write the table of what is known, simulate nothing")
    arguments = parser.parse_args()
    cells = [cell for cell in GRID if arguments.only in cell.kind]
    known = read(FILE) if arguments.table else simulate(cells, arguments.studies, arguments.jobs)
    rows = table(known)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, BEGIN, END), encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
