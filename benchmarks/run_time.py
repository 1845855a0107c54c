"""The phases of a run and their time, row j: one run of each short scale, on 2,000 evaluation photographs.

Each run is a sweep of one, as a study has many, on photographs that are prepared first. An epoch has 50,000 crops, as
one of Tiny ImageNet has. A `laptop` run has two of its ten epochs, so that what comes once weighs more than it does.

    python benchmarks/run_time.py [--data DIR] [--scales thumbnail,laptop] [--steps N] [--repetitions N]
"""

import argparse
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
from PIL import Image

from ablate.system.phase_clock import Phase
from ablate.tracking.names import EVALUATED, PHASE_SECONDS
from side_by_side import Row, write
from sizes import described

EPOCHS = {"thumbnail": 3, "laptop": 2}
TRAINING, EVALUATION = 5_000, 2_000
CROPS = 50_000
"""Of an epoch."""
SIDE = 72


def generate(folder: Path) -> None:
    """Write photographs that compress as photographs do: smooth colours, some noise."""
    for split, count, seed in (("train", TRAINING, 0), ("val", EVALUATION, 1)):
        (folder / split).mkdir(parents=True)
        random = np.random.default_rng(seed)
        for number in range(count):
            colours = Image.fromarray(random.integers(0, 256, (5, 5, 3), dtype=np.uint8))
            pixels = np.asarray(colours.resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.int16)
            noisy = np.clip(pixels + random.integers(-6, 7, pixels.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(folder / split / f"{number:05}.jpg", quality=90)


def command(module: str, *arguments: str, folder: Path, code: Path | None = None) -> None:
    """Run one of the commands in a folder, perhaps of the version whose checkout is `code`."""
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"}
    if code is not None:
        environment["PYTHONPATH"] = str(code / "src")
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{module} ended with code {done.returncode}:\n{done.stdout}{done.stderr}")


def run(scale: str, prepared: Path, steps: int) -> tuple[dict[Phase, float], int]:
    """Train, and return the seconds of each phase and the number of photographs that evaluate."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command(
            "ablate.run",
            *("-m", "seed=0", f"scale={scale}", "data=prepared", f"data.root={prepared}", "study.name=run_time"),
            "hydra/launcher=basic",
            *(f"training.epochs={EPOCHS[scale]}", f"training.steps_per_epoch={steps}", "check=false"),
            folder=folder,
        )
        with closing(sqlite3.connect(folder / "mlflow.db")) as database:
            values = dict(database.execute("SELECT key, value FROM latest_metrics").fetchall())
    count = next(int(values[metric]) for metric in EVALUATED if metric in values)
    return {phase: values[metric] for phase, metric in PHASE_SECONDS.items()}, count


def rows(scale: str, runs: list[dict[Phase, float]], photographs: int, steps: int) -> list[Row]:
    """Return what some runs of a scale say."""
    medians = {str(phase): statistics.median(each[phase] for each in runs) for phase in Phase}
    total = statistics.median(sum(each.values()) for each in runs)
    said = {
        "letter": "j",
        "configuration": f"scale={scale}, {EPOCHS[scale]} epochs of {steps} steps",
        "unit": "% of a run",
        "sides": medians,
        "sides_unit": "s",
        "note": f"a run of {total:.0f} s",
    }
    shares = {
        f"evaluation of {photographs:,} photographs": ([share(each, Phase.EVALUATION) for each in runs], "<= 3"),
        "all but steps and evaluation": (
            [100 - share(each, Phase.TRAINING) - share(each, Phase.EVALUATION) for each in runs],
            "",
        ),
    }
    return [
        Row(compared=name, figure=statistics.median(found), spread=(min(found), max(found)), target=target, **said)
        for name, (found, target) in shares.items()
    ]


def share(spent: dict[Phase, float], phase: Phase) -> float:
    """Return the share of a phase in percent."""
    return 100 * spent[phase] / sum(spent.values())


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder of photographs with train and val; default: generated ones")
    parser.add_argument("--scales", default=",".join(EPOCHS), help="of thumbnail and laptop")
    parser.add_argument("--steps", type=int, help=f"steps of an epoch; default: as many as {CROPS:,} crops make")
    parser.add_argument("--repetitions", type=int, default=1, help="runs of each scale")
    options = parser.parse_args()
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs = options.data.resolve() if options.data else folder / "photographs"
        if not options.data:
            generate(photographs)
        for scale in options.scales.split(","):
            steps = options.steps or CROPS // {"thumbnail": 128, "laptop": 32}[scale]
            prepared = folder / scale
            command(
                "ablate.prepare",
                f"scale={scale}",
                "data=folder",
                f"data.root={photographs}",
                f"out={prepared}",
                folder=folder,
            )
            measured = [run(scale, prepared, steps) for _ in range(options.repetitions)]
            found += rows(scale, [spent for spent, _ in measured], measured[0][1], steps)
    data = (
        described(options.data)
        if options.data
        else f"{TRAINING:,} generated photographs, {EVALUATION:,} more evaluate"
    )
    write("run_time", found, data=data, repetitions=options.repetitions)


if __name__ == "__main__":
    main()
