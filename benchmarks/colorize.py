"""Colouring photographs: speed beside decoding and encoding alone, by stage, and memory by size.

speed    All of `python -m ablate.colorize` on a folder of photographs of 500x375, after the imports, against decoding
         and encoding the same files with Pillow: one after the other, and in as many threads. Wall time and processor
         time of a photograph, in turns, the least of the repetitions.
stages   The processor time of each stage of that, one after the other in memory, without threads and files.
memory   Seconds and peak memory of the process beyond what it has after the imports, of one photograph of 24
         megapixels and one of 100, each in a process of its own.

    python benchmarks/colorize.py speed|stages|memory [--model FILE.keras] [--count N] [--repetitions N]

Without --model, the network is a quarter of the width of the paper's at 64x64, untrained.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from ablate.colorize.coloring import join_colors
from ablate.colorize.colorizer import BATCH
from ablate.colorize.command import color_all, load
from ablate.colorize.engine import Engine
from ablate.colorize.files import find_photographs
from ablate.colorize.options import parse_options
from ablate.colorize.photograph import read_photograph
from ablate.colorize.save import QUALITY, save_photograph
from ablate.system.threads import job_threads

SIZES = {"24": (6000, 4000), "100": (12500, 8000)}
"""Megapixels, and width and height."""


def untrained(file: Path) -> Path:
    """Write the network of the quarter width at 64x64."""
    from hydra import compose, initialize_config_dir

    from ablate.colorization.task import ColorizationTask
    from ablate.config.paths import conf_dir

    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("config", ["backbone.width=0.25", "data.image_size=64"])
    sections = ("data", "backbone", "regularizer", "depth", "dropout", "output_res", "loss", "color", "evaluation")
    ColorizationTask(**{name: config[name] for name in sections}).build_model(seed=0).save(file)
    return file


def drawn(width: int, height: int, seed: int) -> Image.Image:
    """Return a picture with the frequencies of a photograph."""
    random = np.random.default_rng(seed)
    layers = [
        Image.fromarray(random.integers(0, 256, (max(height // cell, 2), max(width // cell, 2), 3), dtype=np.uint8))
        for cell in (128, 16, 4)
    ]
    first, *others = (layer.resize((width, height), Image.Resampling.BICUBIC) for layer in layers)
    for other, share in zip(others, (0.3, 0.15), strict=True):
        first = Image.blend(first, other, share)
    return first


def timed(work: Callable[[], object], count: int) -> tuple[float, float]:
    """Return milliseconds of wall time and of processor time, for each of `count` photographs."""
    wall, processor = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - wall) / count * 1000, (time.process_time() - processor) / count * 1000


def speed(folder: Path, model: Path, count: int, repetitions: int) -> None:
    """Print the milliseconds of a photograph, each way."""
    photographs = folder / "photographs"
    photographs.mkdir()
    for number in range(count):
        drawn(500, 375, number % 50).save(photographs / f"{number}.jpg", quality=95)
    (folder / "plain").mkdir()
    options = parse_options([f"model={model}", f"out={folder / 'out'}", "overwrite=true"])
    sources = find_photographs([str(photographs)], options.out)

    def plain(path: Path) -> None:
        with Image.open(path) as image:
            image.load()
            image.save(folder / "plain" / path.name, quality=options.quality)

    def threaded() -> None:
        with ThreadPoolExecutor(job_threads()) as pool:
            list(pool.map(plain, [source.path for source in sources]))

    with Engine(load(options, []), options.upsampling) as engine:
        ways: dict[str, Callable[[], object]] = {
            "decode, encode": lambda: [plain(source.path) for source in sources],
            "the same in threads": threaded,
            "colorize": lambda: color_all(sources, engine, options),
        }
        color_all(sources[:32], engine, options)
        found = {name: np.array([timed(way, count) for _ in range(1)]) for name, way in ways.items()}
        for _ in range(repetitions - 1):
            for name, way in ways.items():
                found[name] = np.vstack([found[name], timed(way, count)])
    for name, times in found.items():
        wall, processor = times.min(axis=0)
        print(f"{name:20} {wall:6.2f} ms wall, {processor:6.2f} ms of processors, a photograph")
    best = {name: times.min(axis=0) for name, times in found.items()}
    for name in ("decode, encode", "the same in threads"):
        print(f"speed beside {name}: {best[name][0] / best['colorize'][0]:.2f}")


def memory(folder: Path, model: Path) -> None:
    """Print seconds and memory of one photograph of each size, grey and coloured."""
    for name, (width, height) in SIZES.items():
        for mode in ("L", "RGB"):
            file = folder / f"{name}{mode}.jpg"
            drawn(width, height, 0).convert(mode).save(file, quality=90)
            command = [sys.executable, __file__, "one", "--model", str(model), "--data", str(file)]
            subprocess.run(command, check=True)


def one(file: Path, model: Path, out: Path) -> None:
    """Colour one photograph, and print what it took after the imports."""
    options = parse_options([f"model={model}", f"out={out}", "overwrite=true"])
    small = out / "small.jpg"
    drawn(500, 375, 0).save(small)
    with Engine(load(options, []), options.upsampling) as engine:
        color_all(find_photographs([str(small)], out / "warm"), engine, parse_options([f"out={out / 'warm'}"]))
        before = psutil.Process().memory_info().rss
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        wall, processor = timed(lambda: color_all(find_photographs([str(file)], out), engine, options), 1)
        status = Path("/proc/self/status").read_text()
        peak = int(status.partition("VmHWM:")[2].split()[0]) * 1024
    what = f"{wall / 1000:.1f} s wall, {processor / 1000:.1f} s of processors"
    print(f"{file.stem}: {what}, {(peak - before) / 2**20:,.0f} MiB beyond {before / 2**20:,.0f}", flush=True)


def stages(model: Path, count: int, repetitions: int) -> None:
    """Print the processor milliseconds of a photograph in each stage, one after the other."""
    (colorizer,) = load(parse_options([f"model={model}"]), [])
    files = [_jpeg(drawn(500, 375, number)) for number in range(count)]
    photographs = [read_photograph(file) for file in files]
    squares = [photograph.square(colorizer.image_size) for photograph in photographs]
    ab = colorizer.predict_ab(np.stack(squares))
    coloured = [join_colors(*each) for each in zip(photographs, squares, ab, strict=True)]
    batch = np.resize(np.stack(squares), (BATCH, *squares[0].shape))
    ways: dict[str, Callable[[], object]] = {
        "decode, encode": lambda: [_jpeg(Image.open(io.BytesIO(file))) for file in files],
        "read": lambda: [read_photograph(file) for file in files],
        "square": lambda: [photograph.square(colorizer.image_size) for photograph in photographs],
        "network": lambda: colorizer.predict_ab(batch, batch_size=BATCH),
        "join": lambda: [join_colors(*each) for each in zip(photographs, squares, ab, strict=True)],
        "save": lambda: [save_photograph(each, io.BytesIO()) for each in coloured],
    }
    counts = {name: BATCH if name == "network" else count for name in ways}
    found = {name: min(timed(way, counts[name])[1] for _ in range(repetitions)) for name, way in ways.items()}
    for name, milliseconds in found.items():
        print(f"{name:15} {milliseconds:5.2f} ms of a processor, a photograph")
    plain = found.pop("decode, encode")
    print(f"{'all but that':15} {sum(found.values()):5.2f}: {plain / sum(found.values()):.2f} of its speed")


def _jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def main() -> None:
    """Run what is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["speed", "stages", "memory", "one"])
    parser.add_argument("--model", type=Path)
    parser.add_argument("--data", type=Path, help="the photograph of `one`, which `memory` calls")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--repetitions", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = given.model or untrained(folder / "quarter.keras")
        if given.what == "speed":
            speed(folder, model, given.count, given.repetitions)
        elif given.what == "stages":
            stages(model, min(given.count, 50), given.repetitions)
        elif given.what == "memory":
            memory(folder, model)
        else:
            one(given.data, model, folder)


if __name__ == "__main__":
    main()
