"""Edge-aware upsampling of colours beside bilinear, against the true colours of photographs at their full size.

Of each photograph the network sees the square that `python -m ablate.colorize` shows it. What is enlarged to the
photograph's size, both ways, are

true       its true colours, reduced to the side of the network's output: what upsampling alone loses;
network    the network's own.

Compared are ab before the join with L: RMSE of ab everywhere, and near edges, the tenth of a photograph's pixels where
L changes most (its gradient after a Gaussian of one pixel); and the mean CIEDE2000. Each line has the difference to
bilinear with its 95 % interval over photographs (paired bootstrap, BCa). Grey photographs are left out.

    python benchmarks/color_edges.py [--model packaged|FILE.keras] [--data DIR] [--count N]
"""

import argparse
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage, stats

from ablate.colorization.color.difference import ciede2000
from ablate.colorization.color.lab import clip_lab, pixels_to_lab
from ablate.colorize.colorizer import Colorizer
from ablate.colorize.command import load
from ablate.colorize.options import parse_options
from ablate.colorize.photograph import read_photograph
from ablate.colorize.upsampling import METHODS, Method, Upsampled, color_grids

Values = npt.NDArray[np.float32]
NEAR = 0.1
"""Share of the pixels that are near edges."""
GREY = 5
"""Largest ab of a photograph without colours."""
MEASURES = ("RMSE of ab", "RMSE near edges", "CIEDE2000")


def enlarged(ab: Values, seen: Values, lightness: Values, method: Method) -> Values:
    """Return colours at the size of a photograph: (height, width, 2), ab."""
    height, width = lightness.shape
    found = Upsampled(color_grids(ab, seen, method), width, height).strip(0, height)
    if len(found) == 4:
        found = found[:2] + found[2:] * (lightness + 16) / 116
    return np.stack([500 * found[0], -200 * found[1]], axis=-1)


def reduced(ab: Values, side: int) -> Values:
    """Return the means of colours in the pixels of a small square: (side, side, 2)."""
    planes = [Image.fromarray(np.ascontiguousarray(ab[..., channel])) for channel in range(2)]
    return np.stack([np.asarray(plane.resize((side, side), Image.Resampling.BOX)) for plane in planes], axis=-1)


def near_edges(lightness: Values) -> npt.NDArray[np.bool_]:
    """Return which pixels of L, (height, width), are near its edges."""
    gradient = ndimage.gaussian_gradient_magnitude(lightness, 1)
    near: npt.NDArray[np.bool_] = gradient >= np.quantile(gradient, 1 - NEAR)
    return near


def errors(file: Path, colorizer: Colorizer) -> Iterator[tuple[tuple[str, Method], tuple[float, ...]]]:
    """Yield the mean squares of ab, everywhere and near edges, and the mean CIEDE2000, of each colours and method."""
    photograph = read_photograph(file.read_bytes())
    lab = pixels_to_lab(np.asarray(photograph.image.convert("RGB")))
    if np.abs(lab[..., 1:]).max() <= GREY:
        return
    seen, near = photograph.square(colorizer.image_size), near_edges(lab[..., 0])
    small = {"true": reduced(lab[..., 1:], colorizer.output_size), "network": colorizer.predict_ab(seen[None])[0]}
    for whose, ab in small.items():
        for method in METHODS:
            found = enlarged(ab, seen, lab[..., 0], method)
            squares = np.mean((found - lab[..., 1:]) ** 2, axis=-1)
            coloured = np.concatenate([lab[..., :1], found], axis=-1).astype(np.float32)
            difference = float(np.mean(ciede2000(clip_lab(coloured)[1], lab)))
            yield (whose, method), (float(squares.mean()), float(squares[near].mean()), difference)


def summary(values: npt.NDArray[np.float64], measure: str, axis: int = -1) -> npt.NDArray[np.float64]:
    """Return one number of photographs: of mean squares, the root of their mean."""
    mean = np.mean(values, axis=axis)
    return np.sqrt(mean) if measure.startswith("RMSE") else mean


def main() -> None:
    """Measure, and print a line for each colours, method and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="packaged")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/imagenet-sample/val"))
    parser.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    if not given.data.is_dir():
        print(f"Skipped: there are no photographs in {given.data}")
        return
    (colorizer,) = load(parse_options([f"model={given.model}"]), [])
    found: dict[tuple[str, Method], list[tuple[float, ...]]] = {}
    for file in sorted(given.data.glob("*.jpg"))[: given.count]:
        for name, values in errors(file, colorizer):
            found.setdefault(name, []).append(values)
    for whose in ("true", "network"):
        plain, aware = (np.array(found[whose, method]).T for method in ("bilinear", "edge_aware"))
        for measure, before, after in zip(MEASURES, plain, aware, strict=True):
            one = partial(summary, measure=measure)
            interval = stats.bootstrap(
                (before, after),
                lambda a, b, axis=-1, one=one: one(b, axis=axis) - one(a, axis=axis),
                paired=True,
                n_resamples=9999,
                rng=np.random.default_rng(0),
            ).confidence_interval
            print(
                f"{whose:8} {measure:16} bilinear {one(before):6.3f}, edge-aware {one(after):6.3f}: "
                f"{one(after) - one(before):+.3f} [{interval.low:+.3f}, {interval.high:+.3f}], "
                f"better in {np.mean(after < before):.0%} of {len(after)} photographs",
                flush=True,
            )


if __name__ == "__main__":
    main()
