"""Studies that look at their results more than once, simulated: false alarms, what is found, and runs saved.

`ablate.statistics.simulated_looks` says how. The table goes to results/looks.jsonl and between two markers of
docs/statistics.md.

    python benchmarks/looks.py [--studies N] [--jobs N]
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from ablate.statistics.seed_plan import SeedPlan
from ablate.statistics.simulated_looks import RATES, Truth, looks_outcomes
from ablate.statistics.simulation import KINDS
from ablate.system.threads import job_threads
from side_by_side import RESULTS, ROOT, renewed

PAGE = ROOT / "docs" / "statistics.md"
FILE = RESULTS / "looks.jsonl"
BEGIN, END = "<!-- looks: written by benchmarks/looks.py -->", "<!-- end of looks -->"
BATCH = 25
MOST = 0.05
"""False alarms that there may be."""
Array = npt.NDArray[np.float64]
KIND = {kind.name: kind for kind in KINDS}


class Cell(NamedTuple):
    """One row of the table."""

    kind: str
    looks: tuple[int, ...]
    of_baseline: int
    variants: int
    different: int
    size: float


USUAL = (3, 5, 8)
CELLS = [
    *(Cell("all alike", USUAL, 0, 8, different, size) for different, size in ((0, 0.0), (4, 4.0), (4, 6.0))),
    *(Cell("all alike", USUAL, 6, 8, different, size) for different, size in ((0, 0.0), (4, 6.0))),
    *(Cell("all alike", (3, 5, 8, 12), 0, 8, different, size) for different, size in ((0, 0.0), (4, 6.0))),
    *(Cell("all alike", USUAL, 0, 13, different, size) for different, size in ((0, 0.0), (6, 6.0))),
    *(Cell("all alike", USUAL, 0, 3, different, size) for different, size in ((0, 0.0), (1, 6.0))),
    *(
        Cell(kind, USUAL, 0, 8, different, size)
        for kind in (
            "sds log-normal, 0.6",
            "one variant 3 times noisier",
            "baseline 3 times noisier",
            "seeds t with 4 df",
            "collapses in all",
            "examples' part 1",
        )
        for different, size in ((0, 0.0), (4, 6.0))
    ),
]


def simulated(cell: Cell, studies: int, batch: int) -> Array:
    """Simulate a batch of studies."""
    seeds, truth = SeedPlan(cell.looks, cell.of_baseline), Truth(cell.variants, cell.different, cell.size)
    seed = [CELLS.index(cell), batch]
    return looks_outcomes(KIND[cell.kind], seeds, truth, studies=studies, seed=seed)


def summarised(outcomes: Array) -> dict[str, float | None]:
    """Return what a row is made of: the number of studies, and the mean of each rate."""
    means = dict(zip(RATES, outcomes.mean(axis=0), strict=True))
    return {"studies": len(outcomes), **{name: None if math.isnan(mean) else mean for name, mean in means.items()}}


def row(cell: Cell, rates: Mapping[str, float | None]) -> str:
    """Write a row of the table."""
    alarm, runs, found = (rates[name] for name in RATES)
    assert alarm is not None
    assert runs is not None
    most = cell.variants * cell.looks[-1] + max(cell.looks[-1], cell.of_baseline)
    plan = f"{', '.join(map(str, cell.looks))}{f'; baseline {cell.of_baseline}' if cell.of_baseline else ''}"
    cells = [
        cell.kind,
        str(cell.variants),
        plan,
        f"{cell.different} by {cell.size:g} SE" if cell.different else "none",
        f"{100 * alarm:.1f}" if alarm <= MOST else f"**{100 * alarm:.1f}**",
        "–" if found is None else f"{100 * found:.0f}",
        f"{runs:.1f} of {most}",
        f"{100 * (1 - runs / most):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def table(results: Sequence[Mapping[str, float | None]]) -> str:
    """Write the table as Markdown."""
    count = min(int(rates["studies"] or 0) for rates in results)
    error = 100 * math.sqrt(MOST * (1 - MOST) / count)
    return "\n".join(
        [
            f"{count:,} studies a row; a rate of {100 * MOST:g} % is known to {error:.1f} points.",
            "",
            "| study | variants | looks at seeds | differ | false alarm, % | found, % | runs | saved, % |",
            "| --- | ---: | --- | --- | ---: | ---: | --- | ---: |",
            *(row(cell, rates) for cell, rates in zip(CELLS, results, strict=True)),
        ]
    )


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--studies", type=int, default=2_000, metavar="N", help="studies a row")
    parser.add_argument("--jobs", type=int, default=job_threads(), metavar="N", help="processes")
    arguments = parser.parse_args()
    batches = math.ceil(arguments.studies / BATCH)
    tasks = [(cell, min(BATCH, arguments.studies), batch) for cell in CELLS for batch in range(batches)]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        found = list(tqdm(pool.map(simulated, *zip(*tasks, strict=True)), total=len(tasks), unit=" batches"))
    results = [
        summarised(np.concatenate(found[place * batches : (place + 1) * batches])) for place in range(len(CELLS))
    ]
    FILE.write_text("".join(f"{json.dumps(each)}\n" for each in results), encoding="utf-8")
    text = table(results)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), text, BEGIN, END), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
