"""A/A study: how often rules of comparison claim a difference between real runs of one configuration.

A hundred runs of examples/digits and a hundred of the colouriser differ in their seed alone. They are dealt at random
into a baseline and eight "variants", again and again: whoever claims a difference is wrong. Then one variant gets a
true difference, and it is counted who finds it. The scores of the runs are in results/null_study; the tables go
between two markers of docs/statistics.md.

    python benchmarks/null_study.py [--deals N] [--jobs N]
    python benchmarks/null_study.py --train FOLDER     trains the runs first, on a folder of photographs
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats
from tqdm import tqdm

from ablate.statistics import many_to_one
from ablate.statistics.corrections import holm
from ablate.system.threads import job_threads
from side_by_side import RESULTS, ROOT, renewed

Array = npt.NDArray[np.float64]

PAGE = ROOT / "docs" / "statistics.md"
FOLDER = RESULTS / "null_study"
BEGIN, END = "<!-- null study: written by benchmarks/null_study.py -->", "<!-- end of null study -->"
RUNS, VARIANTS, SEEDS = 100, 8, (3, 5)
METRICS = {"digits": "nll", "colours": "auc_rebalanced"}
PLANTED = 6.0
"""The true difference, in standard errors of a difference with that many seeds."""
POINTS = 2**12
DEALT = 25


def bold(values: Array) -> npt.NDArray[np.bool_]:
    """Claim that what has the best mean is better."""
    means = values.mean(axis=(1, 2))
    return np.asarray(np.arange(1, len(means)) == np.argmax(means))


def apart(values: Array) -> npt.NDArray[np.bool_]:
    """Claim a difference where mean and standard deviation of two variants do not overlap."""
    runs = values.mean(axis=2)
    means, deviations = runs.mean(axis=1), runs.std(axis=1, ddof=1)
    return np.asarray(np.abs(means[1:] - means[0]) > deviations[1:] + deviations[0])


def p_values(values: Array) -> Array:
    """Return the p-values of Student's t-tests against the baseline, two samples each."""
    runs = values.mean(axis=2)
    return np.array([stats.ttest_ind(own, runs[0]).pvalue for own in runs[1:]])


def uncorrected(values: Array) -> npt.NDArray[np.bool_]:
    """Claim what p < 0.05 says, variant by variant."""
    return np.asarray(p_values(values) < 0.05)


def corrected(values: Array) -> npt.NDArray[np.bool_]:
    """Claim what p < 0.05 says after Holm's correction."""
    return np.asarray(holm(p_values(values)) < 0.05)


def intervals(values: Array) -> npt.NDArray[np.bool_]:
    """Claim what simultaneous intervals say."""
    found = many_to_one(values, points=POINTS)
    return np.asarray((found["low"] > 0) | (found["high"] < 0))


RULES: dict[str, Callable[[Array], npt.NDArray[np.bool_]]] = {
    "the best mean in bold": bold,
    "means ± standard deviations do not overlap": apart,
    "t-test, p < 0.05": uncorrected,
    "t-test, Holm": corrected,
    "**ablate**": intervals,
}


def dealt(scores: Array, seeds: int, deals: Sequence[int]) -> Array:
    """Deal runs and ask all rules: (num_deals, num_rules, 3).

    Args:
        scores: (num_runs, num_examples).
        seeds: Of each variant.
        deals: Seeds of the random numbers of each deal.

    Returns:
        Whether a rule claims a difference where there is none; whether it finds the one that there is, if the first
        variant has one; and whether it claims another then.
    """
    error = float(scores.mean(axis=1).std(ddof=1)) * math.sqrt(2 / seeds)
    rows = []
    for deal in deals:
        places = np.random.default_rng(deal).permutation(len(scores))[: (VARIANTS + 1) * seeds]
        values = scores[places].reshape(VARIANTS + 1, seeds, -1)
        planted = values.copy()
        planted[1] += PLANTED * error
        claims = [(rule(values), rule(planted)) for rule in RULES.values()]
        rows.append([[null.any(), there[0], there[1:].any()] for null, there in claims])
    return np.array(rows, dtype=np.float64)


def read(name: str) -> Array:
    """Read the scores of all runs, higher is better: (num_runs, num_examples)."""
    with np.load(FOLDER / f"{name}.npz") as archive:
        scores = archive["scores"].astype(np.float64)
    return -scores if METRICS[name] == "nll" else scores


def table(found: dict[tuple[str, int], Array]) -> str:
    """Write the rates as Markdown."""
    columns = [f"{name}, {seeds} seeds" for name, seeds in found]
    lines = [
        f"| | {' | '.join(f'{column}: false claims, %' for column in columns)} |",
        f"| --- |{' ---: |' * len(columns)}",
    ]
    rates = {cell: 100 * rows.mean(axis=0) for cell, rows in found.items()}
    for place, rule in enumerate(RULES):
        lines.append(f"| {rule} | {' | '.join(f'{own[place, 0]:.1f}' for own in rates.values())} |")
    lines += [
        "",
        f"One variant truly differs, by {PLANTED:g} standard errors: how often that is found, and in brackets how "
        "often another one is claimed too.",
        "",
        f"| | {' | '.join(f'{column}: found, %' for column in columns)} |",
        f"| --- |{' ---: |' * len(columns)}",
    ]
    for place, rule in enumerate(RULES):
        cells = (f"{own[place, 1]:.0f} ({own[place, 2]:.0f})" for own in rates.values())
        lines.append(f"| {rule} | {' | '.join(cells)} |")
    return "\n".join(lines)


def train(photographs: Path) -> None:
    """Train the runs of both tasks, and keep their scores."""
    with tempfile.TemporaryDirectory() as folder:
        store = f"sqlite:///{folder}/mlflow.db"
        shared = [f"tracking.uri={store}", f"seed=range(0,{RUNS})", "hardware.threads=1"]
        prepared = f"{folder}/set"
        _command(ROOT, "prepare", "scale=smoke", "data=folder", f"data.root={photographs}", f"out={prepared}")
        _command(
            ROOT, "run", "-m", "study.name=colours", "scale=smoke", "data=prepared", f"data.root={prepared}", *shared
        )
        _command(ROOT / "examples" / "digits", "run", "-m", "study.name=digits", *shared)
        for name in METRICS:
            collect(store, name, name)


def _command(folder: Path, name: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", f"ablate.{name}", *arguments], check=True, cwd=folder)


def collect(store: str, study: str, name: str) -> None:
    """Keep the scores of a study's runs."""
    from ablate.report.compared_runs import compared_runs
    from ablate.tracking.store import open_store
    from ablate.tracking.study_record import read_study

    open_store(store)
    scores = compared_runs(read_study(study, store), None).scores[METRICS[name]].unstack("example").to_numpy()
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(FOLDER / f"{name}.npz", scores=scores.astype(np.float32))


def main() -> None:
    """Deal, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--deals", type=int, default=1_000, metavar="N", help="of each task and number of seeds")
    parser.add_argument("--jobs", type=int, default=job_threads(), metavar="N", help="processes")
    parser.add_argument("--train", type=Path, metavar="FOLDER", help="photographs to train the colouriser on")
    arguments = parser.parse_args()
    if arguments.train:
        train(arguments.train.resolve())
    found = {}
    parts = [range(start, min(start + DEALT, arguments.deals)) for start in range(0, arguments.deals, DEALT)]
    with ProcessPoolExecutor(arguments.jobs) as pool:
        for name in METRICS:
            for seeds in SEEDS:
                ask = partial(dealt, read(name), seeds)
                found[name, seeds] = np.concatenate(
                    list(tqdm(pool.map(ask, parts), total=len(parts), desc=f"{name}, {seeds} seeds"))
                )
    rows = table(found)
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8"), rows, BEGIN, END), encoding="utf-8")
    print(rows)


if __name__ == "__main__":
    main()
