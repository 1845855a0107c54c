"""The prepared format beside those of libraries: Hugging Face `datasets`, Grain, `tf.data` with TFRecord.

The same pixels are written in each format, and read in an order that is shuffled anew every epoch by a seed:
photographs a second, memory at the peak, whether an epoch resumes in its middle with the same bytes and how long that
takes, and size on disk. Each format is written and read in processes of its own, one after the other. It measures what
is installed and says what is missing (`--site DIR` adds a folder of packages behind those of this environment).

    python benchmarks/prepared_formats.py [--data FOLDER_OR_ZIP] [--side PIXELS] [--repetitions N] [--site DIR]
"""

import argparse
import hashlib
import importlib.util
import itertools
import json
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ablate.colorization.config import DataConfig
from ablate.colorization.data.batches import example_order
from ablate.colorization.data.prepared.read import PreparedSet
from ablate.colorization.data.prepared.write import prepare
from ablate.colorization.data.preprocessing import Preprocessing, preprocessing_of
from ablate.config.environment import fix_environment
from side_by_side import ROOT

PHOTOGRAPHS = ROOT.parent / "shared" / "data" / "imagenet-sample"
BATCH, SEED = 32, 7
_SIZE = struct.Struct("<II")


class Ours:
    """The prepared format of `ablate`, read from disk record by record."""

    needs: Sequence[str] = ()
    replaces = "-"
    resumes = "any batch of any epoch by its number"
    memory = 0.0

    @staticmethod
    def write(prepared: Path, out: Path, preprocessing: Preprocessing) -> None:
        """Nothing to do: it is there."""

    def __init__(self, prepared: Path, out: Path, preprocessing: Preprocessing):
        self._records = PreparedSet(str(prepared), "prepared", preprocessing).records("train", memory=self.memory)

    def __len__(self) -> int:
        return len(self._records)

    def batches(self, epoch: int, start: int) -> Iterator[list[np.ndarray]]:
        """Yield the batches of an epoch from one on: pixels, (height, width, 3) each."""
        for indices in _order(len(self), epoch, start):
            yield self._records.read(indices)


class OursInMemory(Ours):
    """The same, kept in memory, as runs do where the records fit."""

    memory = np.inf


class HuggingFace(Ours):
    """Hugging Face `datasets`: Arrow files, memory-mapped, read by index in our order."""

    needs = ("datasets",)
    replaces = "tfrecord.py, Records"
    resumes = "any batch of any epoch by its number: the order is ours"

    @staticmethod
    def write(prepared: Path, out: Path, preprocessing: Preprocessing) -> None:
        """Write the pixels as bytes."""
        import datasets

        records = PreparedSet(str(prepared), "prepared", preprocessing).records("train", memory=0)
        kinds = datasets.Features(
            {"pixels": datasets.Value("binary"), "height": datasets.Value("int32"), "width": datasets.Value("int32")}
        )

        def examples() -> Iterator[dict[str, Any]]:
            for index in range(len(records)):
                features = records.features(index)
                yield {name: features[name] for name in ("pixels", "height", "width")}

        with tempfile.TemporaryDirectory() as cache:
            datasets.Dataset.from_generator(examples, features=kinds, cache_dir=cache).save_to_disk(str(out))

    def __init__(self, prepared: Path, out: Path, preprocessing: Preprocessing):
        import datasets

        self._data = datasets.load_from_disk(str(out))

    def __len__(self) -> int:
        return len(self._data)

    def batches(self, epoch: int, start: int) -> Iterator[list[np.ndarray]]:
        """Yield batches."""
        for indices in _order(len(self), epoch, start):
            found = self._data[indices]
            yield [
                np.frombuffer(pixels, np.uint8).reshape(height, width, 3)
                for pixels, height, width in zip(found["pixels"], found["height"], found["width"], strict=True)
            ]


class Grain(Ours):
    """Grain's `MapDataset` over an ArrayRecord file, its own seeded shuffle and two reading threads."""

    needs = ("grain", "array_record")
    replaces = "tfrecord.py, Records, example_order"
    resumes = "by the position, or the state of its iterator"

    @staticmethod
    def write(prepared: Path, out: Path, preprocessing: Preprocessing) -> None:
        """Write the sides and the pixels of each photograph as a record."""
        from array_record.python.array_record_module import ArrayRecordWriter

        records = PreparedSet(str(prepared), "prepared", preprocessing).records("train", memory=0)
        writer = ArrayRecordWriter(str(out), "group_size:1,uncompressed")
        for index in range(len(records)):
            features = records.features(index)
            writer.write(_SIZE.pack(features["height"], features["width"]) + features["pixels"])
        writer.close()

    def __init__(self, prepared: Path, out: Path, preprocessing: Preprocessing):
        import grain.python as grain
        from array_record.python.array_record_data_source import ArrayRecordDataSource

        self._source = ArrayRecordDataSource([str(out)])
        self._options = grain.ReadOptions(num_threads=2, prefetch_buffer_size=64)
        self._data = grain.MapDataset.source(self._source).seed(SEED).shuffle().repeat().map(self._decoded)

    @staticmethod
    def _decoded(content: bytes) -> np.ndarray:
        height, width = _SIZE.unpack_from(content)
        return np.frombuffer(content, np.uint8, offset=_SIZE.size).reshape(height, width, 3)

    def __len__(self) -> int:
        return len(self._source)

    def batches(self, epoch: int, start: int) -> Iterator[list[np.ndarray]]:
        """Yield batches."""
        first, stop = epoch * len(self) + start * BATCH, (epoch + 1) * len(self)
        examples = iter(self._data[first:stop].to_iter_dataset(self._options))
        yield from iter(lambda: list(itertools.islice(examples, BATCH)), [])


class TensorFlow(Ours):
    """`tf.data`: the same TFRecord files one after the other, a shuffle buffer as large as the data set."""

    needs = ("tensorflow",)
    replaces = "Records, example_order"
    resumes = "by skipping: all that went before is read again, in the same number of epochs"

    def __init__(self, prepared: Path, out: Path, preprocessing: Preprocessing):
        super().__init__(prepared, out, preprocessing)
        self._files = sorted(str(file) for file in prepared.glob("train-*.tfrecord"))

    def batches(self, epoch: int, start: int) -> Iterator[list[np.ndarray]]:
        """Yield batches; a buffer of `len(self)` is what a uniform order takes."""
        import tensorflow as tf

        kinds = {name: tf.io.FixedLenFeature([], tf.int64) for name in ("height", "width")}
        kinds["pixels"] = tf.io.FixedLenFeature([], tf.string)

        def decoded(record: tf.Tensor) -> tf.Tensor:
            found = tf.io.parse_single_example(record, kinds)
            shape = tf.stack([found["height"], found["width"], tf.constant(3, tf.int64)])
            return tf.reshape(tf.io.decode_raw(found["pixels"], tf.uint8), shape)

        data = tf.data.TFRecordDataset(self._files).shuffle(len(self), seed=SEED + epoch)
        data = data.skip(start * BATCH).map(decoded, num_parallel_calls=2, deterministic=True).prefetch(64)
        examples = data.as_numpy_iterator()
        yield from iter(lambda: list(itertools.islice(examples, BATCH)), [])


FORMATS = {
    "ablate, from disk": Ours,
    "ablate, in memory": OursInMemory,
    "Hugging Face datasets (Arrow)": HuggingFace,
    "Grain (ArrayRecord)": Grain,
    "tf.data (TFRecord)": TensorFlow,
}


def _order(count: int, epoch: int, start: int) -> Iterator[list[int]]:
    positions = np.arange(epoch * count + start * BATCH, (epoch + 1) * count)
    order = example_order(SEED, positions, count)[0].tolist()
    return (order[first : first + BATCH] for first in range(0, len(order), BATCH))


def measure(name: str, prepared: Path, out: Path, preprocessing: Preprocessing, repetitions: int) -> dict[str, Any]:
    """Read a format: speed, memory and resume. In a process of its own."""
    before = _peak_mib()
    data = FORMATS[name](prepared, out, preprocessing)
    half = len(data) // BATCH // 2
    whole = [_digest(batch) for batch in data.batches(0, 0)]
    begun = time.perf_counter()
    rest = data.batches(0, half)
    resumed = [_digest(next(rest))]
    first = time.perf_counter() - begun
    resumed += map(_digest, rest)
    seconds = [_seconds(data, epoch) for epoch in range(1, repetitions + 1)]
    return {
        "photographs": len(data),
        "speed": len(data) / statistics.median(seconds),
        "peak": _peak_mib() - before,
        "same": resumed == whole[half:],
        "shuffled": whole != [_digest(batch) for batch in data.batches(1, 0)],
        "first": first,
        "size": sum(file.stat().st_size for file in _files(name, prepared, out)) / 2**20,
    }


def _files(name: str, prepared: Path, out: Path) -> list[Path]:
    own = FORMATS[name].write is not Ours.write
    if not own:
        return [*prepared.glob("train-*")]
    return [out] if out.is_file() else [file for file in out.rglob("*") if file.is_file()]


def _seconds(data: Ours, epoch: int) -> float:
    begun = time.perf_counter()
    for batch in data.batches(epoch, 0):
        for pixels in batch:
            pixels[0, 0, 0]
    return time.perf_counter() - begun


def _digest(batch: Sequence[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(np.ascontiguousarray(pixels).tobytes() for pixels in batch)).hexdigest()


def _peak_mib() -> float:
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def _table(results: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| format | photographs/s | memory, MiB | resumes with the same bytes | first batch after, ms | disk, MiB "
        "| ours that it would replace |",
        "| --- | ---: | ---: | --- | ---: | ---: | --- |",
    ]
    for name, found in results.items():
        cls = FORMATS[name]
        if "missing" in found:
            lines.append(f"| {name} | {found['missing']} | | | | | {cls.replaces} |")
            continue
        same = ("yes: " if found["same"] and found["shuffled"] else "NO: ") + cls.resumes
        lines.append(
            f"| {name} | {found['speed']:,.0f} | {found['peak']:,.0f} | {same} | {1000 * found['first']:,.1f} "
            f"| {found['size']:,.0f} | {cls.replaces} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Prepare, write each format, read it, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=PHOTOGRAPHS, help="folder or archive of photographs")
    parser.add_argument("--side", type=int, default=64, help="side that they are prepared for")
    parser.add_argument("--repetitions", type=int, default=3, help="epochs that count")
    parser.add_argument("--site", help="folder of further packages")
    parser.add_argument("--format", choices=FORMATS, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.site:
        sys.path.append(options.site)
    config = DataConfig(
        name="folder", root=str(options.data.resolve()), image_size=options.side, max_zoom=1.125, repeats=1,
        eval_fraction=0.1, max_bad_fraction=1.0, memory_gib=0.0,
    )  # fmt: skip
    preprocessing = preprocessing_of(config, evaluation_side=options.side, grid_step=10)
    if options.format:
        fix_environment()
        out = options.work / hashlib.sha256(options.format.encode()).hexdigest()[:8]
        prepared = options.work / "prepared"
        if options.write:
            FORMATS[options.format].write(prepared, out, preprocessing)
        else:
            print(json.dumps(measure(options.format, prepared, out, preprocessing, options.repetitions)))
        return
    with tempfile.TemporaryDirectory() as folder:
        prepare(config, preprocessing, f"{folder}/prepared", workers=2, shard_mib=64)
        results = {name: _in_processes(name, folder) for name in FORMATS}
    print(_table(results))


def _in_processes(name: str, folder: str) -> dict[str, Any]:
    missing = [module for module in FORMATS[name].needs if importlib.util.find_spec(module) is None]
    if missing:
        return {"missing": f"{', '.join(missing)} not installed"}
    command = [sys.executable, __file__, *sys.argv[1:], "--format", name, "--work", folder]
    subprocess.run([*command, "--write"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
