"""The pipeline alone: row e, prepared photographs as batches of L and ab against the training that takes them.

The records are cut, resized, flipped and converted on all cores, with nobody who trains beside.

    python benchmarks/pipeline.py [--data DIR] [--repetitions N]
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

from ablate.config.environment import fix_environment
from ablate.config.validation import validate_config
from side_by_side import Row, faster, interleaved, write
from sizes import SIZES, Size, described, photographs, valid_config

PIPELINE, TRAINING = "pipeline", "training"
BATCHES = 100


def drained(batches: Callable[[], object]) -> Callable[[], None]:
    """Return what takes all batches and leaves them."""

    def run() -> None:
        for L, _ in batches():
            L.shape  # noqa: B018

    return run


def measured(size: Size, folder: Path | None, out: Path, steps: int, repetitions: int) -> Row:
    """Measure at a size, with photographs that are prepared first."""
    run = valid_config(size, folder)
    run.task.prepare(str(out), workers=2, shard_mib=64)
    values = dict(run.values)
    data = {**values["task"]["data"], "name": "prepared", "root": str(out)}
    run = validate_config({**values, "task": {**values["task"], "data": data}})
    run.task.load_data()
    from ways import Fit

    def batches() -> object:
        return run.task.training_batches(seed=0, batch_size=size.batch, first_step=0, steps=BATCHES)

    times = interleaved({PIPELINE: drained(batches), TRAINING: Fit(run, steps)}, repetitions)
    return faster(
        times,
        PIPELINE,
        TRAINING,
        amount={PIPELINE: BATCHES * size.batch, TRAINING: steps * size.batch},
        sides_unit="photographs/s",
        letter="e",
        compared="prepared photographs as batches, against training on them",
        configuration=str(size),
        target=">= 5",
    )


def main() -> None:
    """Measure and write."""
    fix_environment()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=photographs(), help="folder of photographs")
    parser.add_argument("--repetitions", type=int, default=7, help="rounds that count")
    options = parser.parse_args()
    from ablate.training.hardware import configure

    run = valid_config(SIZES[0], options.data)
    configure(run.run.hardware, seed=0, deterministic=run.run.training.deterministic)
    with tempfile.TemporaryDirectory() as folder:
        rows = [
            measured(size, options.data, Path(folder) / str(place), 5, options.repetitions)
            for place, size in enumerate(SIZES)
        ]
    write("pipeline", rows, data=described(options.data), repetitions=options.repetitions)


if __name__ == "__main__":
    main()
