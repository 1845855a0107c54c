"""The gate for changes, simulated: streams of changes that do nothing, and a loss that the guard promises to find.

A stream compares one state, trained once with a few seeds, with so many others that are no different. What each finds
is judged as `ablate.compare` judges it. The table goes to results/changes.jsonl and between two markers of
docs/changes.md.

    python benchmarks/changes.py [--streams N] [--length N] [--losses N] [--jobs N]
"""

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from tqdm import tqdm

from ablate.report.compare import BETTER, WORSE, verdict
from ablate.statistics import many_to_one
from ablate.statistics.online import ALPHA, next_level
from ablate.system.threads import job_threads
from side_by_side import RESULTS, ROOT, renewed

PAGE = ROOT / "docs" / "changes.md"
FILE = RESULTS / "changes.jsonl"
BEGIN, END = "<!-- changes: written by benchmarks/changes.py -->", "<!-- end of changes -->"
SEEDS = (3, 5)
EXAMPLES, OF_EXAMPLES = 50, 3.0
"""Examples, and the standard deviation over them of a run's scores, in units of that over seeds."""


def state(random: np.random.Generator, seeds: int) -> np.ndarray:
    """Draw a state's scores: (num_seeds, num_examples)."""
    return random.normal(size=(seeds, 1)) + random.normal(0, OF_EXAMPLES, (seeds, EXAMPLES))


def stream(seeds: int, length: int, number: int) -> dict[str, float]:
    """Judge a stream of changes of nothing: whether any was better, by its level and without one, and worse ones."""
    random = np.random.default_rng([seeds, number])
    before, better, alone, worse = state(random, seeds), list[bool](), 0, 0
    for _ in range(length):
        row = many_to_one([before, state(random, seeds)]).iloc[0]
        said = verdict(row, True, None)
        alone += said == BETTER
        worse += said == WORSE
        better.append(said == BETTER and row["p"] <= next_level(better))
    return {"any": any(better), "any_alone": alone > 0, "worse": worse / length}


def promised(seeds: int, number: int) -> float:
    """Return the loss that a comparison of two states promises to find four times of five."""
    random = np.random.default_rng([seeds, number, 1])
    return float(many_to_one([state(random, seeds), state(random, seeds)]).iloc[0]["detectable"])


def found(seeds: int, size: float, number: int) -> bool:
    """Say whether a loss of a size is found to be worse."""
    random = np.random.default_rng([seeds, number, 2])
    row = many_to_one([state(random, seeds), state(random, seeds) - size]).iloc[0]
    return verdict(row, True, None) == WORSE


def measured(pool: ProcessPoolExecutor, seeds: int, streams: int, length: int, losses: int) -> dict[str, float]:
    """Simulate with so many seeds: what a row of the table is made of."""
    judged = list(
        tqdm(pool.map(partial(stream, seeds, length), range(streams)), total=streams, desc=f"{seeds} seeds, streams")
    )
    size = float(np.median(list(pool.map(partial(promised, seeds), range(losses), chunksize=8))))
    caught = list(pool.map(partial(found, seeds, size), range(losses), chunksize=8))
    return {
        "seeds": seeds,
        "streams": streams,
        "length": length,
        **{name: float(np.mean([each[name] for each in judged])) for name in judged[0]},
        "losses": losses,
        "loss": size,
        "caught": float(np.mean(caught)),
    }


def table(results: Sequence[Mapping[str, float]]) -> str:
    """Write the table as Markdown."""
    streams, length, losses = (int(results[0][name]) for name in ("streams", "length", "losses"))
    error, of_losses = (
        100 * math.sqrt(rate * (1 - rate) / count) for rate, count in ((ALPHA, streams), (0.8, losses))
    )
    rows = [
        f"| {each['seeds']} | {100 * each['any']:.1f} | {100 * each['any_alone']:.0f} | {100 * each['worse']:.1f} | "
        f"{each['loss']:.2f} | {100 * each['caught']:.0f} |"
        for each in results
    ]
    return "\n".join(
        [
            f"{streams:,} streams of {length} changes that do nothing, all against the same runs (5 % is known to "
            f"{error:.1f} points), and {losses:,} losses as large as the median detectable effect (80 % is known to "
            f"{of_losses:.1f}); {EXAMPLES} examples.",
            "",
            "| seeds | streams that accept any, % | the same without levels, % | changes called worse, % "
            "| loss, in sd over seeds | found, % |",
            "| ---: | ---: | ---: | ---: | ---: | ---: |",
            *rows,
        ]
    )


def main() -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--streams", type=int, default=200, metavar="N")
    parser.add_argument("--length", type=int, default=200, metavar="N", help="changes of a stream")
    parser.add_argument("--losses", type=int, default=1000, metavar="N")
    parser.add_argument("--jobs", type=int, default=job_threads(), metavar="N", help="processes")
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        results = [measured(pool, seeds, options.streams, options.length, options.losses) for seeds in SEEDS]
    FILE.write_text("".join(f"{json.dumps(each)}\n" for each in results), encoding="utf-8")
    text = table(results)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), text, BEGIN, END), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
