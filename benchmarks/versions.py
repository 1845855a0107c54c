"""This version against a former one, row l: one run of each short scale, and a study of twelve runs.

The commands are the same, each version's own defaults included: what a sweep's launcher, threads and precision are.
The versions take turns. Each prepares the photographs by itself, which does not count.

    python benchmarks/versions.py [--before COMMIT] [--repetitions N] [--only NAME ..]
"""

import argparse
import subprocess
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from run_time import EVALUATION, TRAINING, command, generate
from side_by_side import ROOT, Row, faster, interleaved, write

FIRST = "6e01645"
"""The last commit of version 0.1.0."""
NOW, BEFORE = "this version", "before"
WORK = {
    "a thumbnail run of 3 epochs of 100 steps": [
        *("scale=thumbnail", "training.epochs=3", "training.steps_per_epoch=100", "seed=0"),
    ],
    "a laptop run of 2 epochs of 200 steps": [
        *("scale=laptop", "training.epochs=2", "training.steps_per_epoch=200", "seed=0"),
    ],
    "a study of 12 thumbnail runs of 3 epochs of 100 steps": [
        *("scale=thumbnail", "training.epochs=3", "training.steps_per_epoch=100"),
        *("optimizer=adam,adadelta", "output_res=full,half", "seed=0,1,2"),
    ],
}
"""Overrides of a sweep; those of the scale come first."""


def prepared(code: Path, folder: Path, photographs: Path, scale: str) -> Path:
    """Return the photographs as a version prepares them for a scale."""
    out = folder / scale.rpartition("=")[2]
    if not out.is_dir():
        arguments = (scale, "data=folder", f"data.root={photographs}", f"out={out}")
        command("ablate.prepare", *arguments, folder=folder, code=code)
    return out


def sweep(code: Path, prepared_set: Path, overrides: list[str]) -> None:
    """Run a study in a new folder, so that nothing is there before."""
    with tempfile.TemporaryDirectory() as name:
        data = ("data=prepared", f"data.root={prepared_set}")
        command("ablate.run", "-m", "study.name=study", *data, *overrides, folder=Path(name), code=code)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--before", default=FIRST, help="a commit of the former version")
    parser.add_argument("--repetitions", type=int, default=1, help="rounds")
    parser.add_argument("--only", nargs="+", choices=WORK, default=list(WORK))
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "photographs")
        codes = {NOW: folder / "now", BEFORE: folder / "before"}
        for version, commit in ((NOW, "HEAD"), (BEFORE, options.before)):
            subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, codes[version]], check=True)
            subprocess.run(["git", "checkout", "--quiet", commit], cwd=codes[version], check=True)
        for work in options.only:
            overrides = WORK[work]
            ways: dict[str, Callable[[], object]] = {}
            for version, code in codes.items():
                out = folder / f"prepared-{code.name}"
                out.mkdir(exist_ok=True)
                data = prepared(code, out, folder / "photographs", overrides[0])
                ways[version] = partial(sweep, code, data, overrides)
            times = interleaved(ways, options.repetitions, warm_up=0)
            rows.append(
                faster(
                    times,
                    NOW,
                    BEFORE,
                    amount=3600,
                    letter="l",
                    compared=f"{work}: this version against {options.before}",
                    configuration=f"{EVALUATION:,} photographs evaluate",
                    sides_unit="an hour",
                )
            )
    data = f"{TRAINING:,} generated photographs, {EVALUATION:,} more evaluate"
    write("versions", rows, data=data, repetitions=options.repetitions, before=options.before)


if __name__ == "__main__":
    main()
