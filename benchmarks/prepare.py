"""Preparing photographs: row d (against bare decoding and resizing on all cores) and row h (memory as they grow).

d   All of `ablate.prepare`, from a zip archive: reading, hashing, decoding with orientation and profile, resizing,
    counting colours, records with checksums, files on disk. Against Pillow's decode and resize of the same files, in
    as many processes, with nothing kept. Each call is a whole preparation; the processes that workers are forked from
    are there before, on both sides.
h   Peak memory of all processes of `python -m ablate.prepare` together, of 1,000, 10,000 and 50,000 small photographs.

    python benchmarks/prepare.py [--data DIR] [--repetitions N]
"""

import argparse
import io
import multiprocessing
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from ablate.colorization.data.file_names import SUFFIXES
from ablate.config.validation import validate_config
from ablate.system.threads import job_threads
from side_by_side import Row, faster, interleaved, write
from sizes import SIZES, described, photographs, valid_config

PREPARE, BARE = "prepare", "decode and resize"
SIDE = 64
COUNTS = (1_000, 10_000, 50_000)
CALLS = 3000
"""Photographs of a call at least: all of the folder, several times if need be."""


def archive(folder: Path, path: Path) -> int:
    """Pack the photographs of a folder, again and again until they are enough, and return how many they are."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    rounds = -(-CALLS // len(files))
    with zipfile.ZipFile(path, "w") as packed:
        for turn in range(rounds):
            for file in files:
                part = "val" if "val" in file.relative_to(folder).parts else "train"
                packed.write(file, f"photographs/{part}/{turn}/{file.name}")
    return rounds * len(files)


def decode_and_resize(path: Path, names: Sequence[str]) -> None:
    """Decode files of an archive and resize each to the side that `prepare` resizes it to."""
    with zipfile.ZipFile(path) as packed:
        for name in names:
            image = Image.open(io.BytesIO(packed.read(name))).convert("RGB")
            factor = min(max(min(image.size), SIDE), round(SIDE * 1.125)) / min(image.size)
            if factor != 1:
                width, height = (max(1, round(length * factor)) for length in image.size)
                image = image.resize((width, height), Image.Resampling.BICUBIC)
            np.asarray(image)


def bare(path: Path, pool: ProcessPoolExecutor) -> None:
    """Decode and resize all photographs of an archive."""
    with zipfile.ZipFile(path) as packed:
        names = packed.namelist()
    pieces = [names[start : start + 64] for start in range(0, len(names), 64)]
    list(pool.map(partial(decode_and_resize, path), pieces))


def prepared(path: Path, out: Path, workers: int) -> None:
    """Prepare an archive, into a new folder."""
    shutil.rmtree(out, ignore_errors=True)
    values = dict(valid_config(SIZES[0], None).values)
    values["data"] = {**values["data"], "name": "folder", "root": str(path), "max_zoom": 1.125}
    validate_config(values).task.prepare(str(out), workers=workers, shard_mib=64)


def speed(folder: Path, path: Path, repetitions: int, what: str) -> Row:
    """Measure row d with the photographs of a folder."""
    workers = job_threads()
    count = archive(folder, path)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("forkserver")) as pool:
        ways = {
            PREPARE: partial(prepared, path, path.with_suffix(".set"), workers),
            BARE: partial(bare, path, pool),
        }
        times = interleaved(ways, repetitions)
    return faster(
        times,
        PREPARE,
        BARE,
        amount=count,
        sides_unit="photographs/s",
        letter="d",
        compared="preparing against decoding and resizing alone, on all cores",
        configuration=f"{what} to {SIDE}x{SIDE}, {workers} processes",
        target=">= 0.85",
    )


def small_photographs(count: int, path: Path) -> None:
    """Write an archive of JPEG files of 64x64 pixels, all different."""
    generator = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(count):
            coarse = Image.fromarray(generator.integers(0, 256, (6, 6, 3), dtype=np.uint8))
            stream = io.BytesIO()
            coarse.resize((64, 64), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=80)
            packed.writestr(f"{'val' if number % 25 == 0 else 'train'}/{number}.jpg", stream.getvalue())


def peak(path: Path, out: Path) -> float:
    """Return the most memory that the command and its processes occupy together, in MiB."""
    command = [sys.executable, "-m", "ablate.prepare", "data=folder", f"data.root={path}", f"out={out}"]
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        most = max(most, sum(map(occupied, [process, *process.children(recursive=True)])))
        time.sleep(0.02)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with code {process.returncode}")
    return most / 2**20


def occupied(process: psutil.Process) -> int:
    """Return what a process occupies: shared pages count in each."""
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def memory(folder: Path) -> list[Row]:
    """Measure row h of prepare."""
    peaks = {}
    for count in COUNTS:
        path = folder / f"{count}.zip"
        small_photographs(count, path)
        peaks[count] = peak(path, folder / str(count))
    most = max(peaks.values())
    named = {"letter": "h", "configuration": "1,000, 10,000 and 50,000 photographs"}
    sides = {f"{count:,}": found for count, found in peaks.items()}
    return [
        Row(
            **named,
            compared="memory of preparing at the peak, all processes: the most of three sizes",
            figure=most,
            unit="MiB",
            target="<= 1024",
            sides=sides,
            sides_unit="MiB",
        ),
        Row(
            **named,
            compared="memory of preparing: the most over that of 1,000",
            figure=most / peaks[COUNTS[0]],
            unit="x",
            target="<= 1.1",
        ),
    ]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=photographs(), help="folder of photographs")
    parser.add_argument("--repetitions", type=int, default=5, help="rounds that count")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = []
        if options.data is not None:
            rows.append(
                speed(options.data, folder / "large.zip", options.repetitions, "photographs of a short side of 256")
            )
        small = folder / "small"
        small_photographs(CALLS, folder / "small.zip")
        with zipfile.ZipFile(folder / "small.zip") as packed:
            packed.extractall(small)
        rows.append(speed(small, folder / "tiny.zip", options.repetitions, "generated pictures of 64x64"))
        rows += memory(folder)
    write("prepare", rows, data=described(options.data), repetitions=options.repetitions)


if __name__ == "__main__":
    main()
