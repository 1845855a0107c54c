"""Memory of a training step, row h: the most that a process occupies which takes some steps and nothing else.

Each measurement is a process of its own: TensorFlow, the network, Adam's moments, activations; for the full step the
photographs as well, those that are kept decoded included.

    python benchmarks/memory.py [--data DIR] [--repetitions N]
"""

import argparse
import resource
import statistics
import subprocess
import sys
from pathlib import Path

from ablate.config.environment import fix_environment
from side_by_side import Row, write
from sizes import SIZES, described, photographs, valid_config

FULL, BARE = "full step", "network alone"
STEPS = 5


def occupy(way: str, place: int, folder: Path | None) -> None:
    """Take some steps of a way in this process, and print its peak in MiB."""
    fix_environment()
    run = valid_config(SIZES[place], folder)
    from ablate.training.hardware import configure

    configure(run.run.hardware, seed=0, deterministic=run.run.training.deterministic)
    from step import random_batch
    from ways import Fit, bare

    if way == FULL:
        run.task.load_data()
        Fit(run, STEPS)()
    else:
        bare(run, random_batch(SIZES[place])[0], STEPS)()
    unit = 1 if sys.platform == "darwin" else 2**10
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


def peak(way: str, place: int, folder: Path | None) -> float:
    """Return the peak of a way in a process of its own, in MiB."""
    command = [sys.executable, __file__, "--way", way, "--place", str(place), *(["--data", folder] if folder else [])]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=photographs(), help="folder of photographs")
    parser.add_argument("--repetitions", type=int, default=5, help="processes for each measurement")
    parser.add_argument("--way", choices=(FULL, BARE), help=argparse.SUPPRESS)
    parser.add_argument("--place", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        occupy(options.way, options.place, options.data)
        return
    rows = []
    for place, size in enumerate(SIZES):
        rounds = [{way: peak(way, place, options.data) for way in (FULL, BARE)} for _ in range(options.repetitions)]
        peaks = {way: [each[way] for each in rounds] for way in (FULL, BARE)}
        rows.append(
            Row(
                letter="h",
                compared="memory at the peak: full training step, beside the network alone",
                configuration=str(size),
                figure=statistics.median(peaks[FULL]),
                unit="MiB",
                spread=(min(peaks[FULL]), max(peaks[FULL])),
                sides={way: statistics.median(found) for way, found in peaks.items()},
                sides_unit="MiB",
            )
        )
    write("memory", rows, data=described(options.data), repetitions=options.repetitions)


if __name__ == "__main__":
    main()
