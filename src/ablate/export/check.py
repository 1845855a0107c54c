"""An export beside the original: the same ab, and how fast each is."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image
from skimage.color import rgb2lab

from ablate.colorization.data.sources.sample import sample_paths
from ablate.colorization.data.split import SPLITS
from ablate.errors import DataError
from ablate.export.formats import Array, Runner

TOLERANCE = 1e-3
"""In ab units: how far an export may be from the original anywhere."""
_ROUNDING = 2
"""How many times as far as the original is from itself, where that is more: both round."""
_SECONDS, _ROUNDS = 4.0, 15


@dataclass(frozen=True)
class Difference:
    """How far an export is from the original.

    Attributes:
        largest: The largest difference of a colour, in ab units.
        itself: That of the original from itself, squares all at a time and one by one: float32 rounds otherwise.
        allowed: How large it may be.
        squares: On how many squares.
        spread: The standard deviation of the original's ab there.
    """

    largest: float
    itself: float
    allowed: float
    squares: int
    spread: float


def checked_lightness(side: int) -> Array:
    """Return L, (n, side, side, 1) in 0..100, of the sample photographs, of noise, of black, and of white."""
    paths = [path for split in SPLITS for _, path in sample_paths(split)]
    squares = [
        np.asarray(Image.open(path).convert("RGB").resize((side, side), Image.Resampling.BOX)) for path in paths
    ]
    noise = np.random.default_rng(0).uniform(0, 100, (side, side))
    found = [
        *(rgb2lab(square)[..., 0] for square in squares),
        noise,
        np.zeros((side, side)),
        np.full((side, side), 100),
    ]
    return np.stack(found)[..., None].astype(np.float32)


def compare(original: Runner, exported: Runner, lightness: Array) -> Difference:
    """Compare an export with the original, all squares at a time and one alone.

    Raises:
        DataError: They differ by more than `TOLERANCE` and what rounding explains, or the export gives no ab.
    """
    expected = original(lightness)
    singly = np.concatenate([original(lightness[place : place + 1]) for place in range(len(lightness))])
    itself, largest = float(np.abs(singly - expected).max()), 0.0
    allowed = max(TOLERANCE, _ROUNDING * itself)
    for some in (slice(None), slice(0, 1)):
        made = exported(lightness[some])
        if made.shape != expected[some].shape or made.dtype != np.float32 or not np.isfinite(made).all():
            raise DataError(
                f"the export gives {made.dtype} of shape {made.shape} in place of float32 {expected[some].shape}"
            )
        largest = max(largest, float(np.abs(made - expected[some]).max()))
    if not largest <= allowed:
        raise DataError(
            f"the export differs from the original by {largest:.3g} ab units, more than {allowed:.3g}. It was not kept"
        )
    return Difference(largest, itself, allowed, len(lightness), float(expected.std()))


def seconds_a_call(runners: Mapping[str, Runner], lightness: Array) -> dict[str, float]:
    """Measure runners in turns, so that what else the machine does meets all; return the fastest call of each.

    Args:
        runners: By name; each is called at least twice, the first time unmeasured.
        lightness: What a call computes.
    """
    best = dict.fromkeys(runners, np.inf)
    end = time.monotonic() + _SECONDS
    for runner in runners.values():
        runner(lightness)
    for _ in range(_ROUNDS):
        for name, runner in runners.items():
            start = time.perf_counter()
            runner(lightness)
            best[name] = min(best[name], time.perf_counter() - start)
        if time.monotonic() > end:
            break
    return best


def speed_table(runners: Mapping[str, Runner], lightness: Array) -> list[str]:
    """Return a line for each runner: milliseconds a square, one at a time and eight at a time."""
    batches = (1, 8)
    found = [seconds_a_call(runners, np.resize(lightness, (size, *lightness.shape[1:]))) for size in batches]
    return [
        f"  {name:12}"
        + ", ".join(
            f"{1000 * seconds[name] / size:,.1f} ms a square{' of' if size > 1 else ','} {size} at a time"
            for size, seconds in zip(batches, found, strict=True)
        )
        for name in runners
    ] + [f"  (the fastest of up to {_ROUNDS} calls, in turns, on {os.cpu_count()} cores of this machine)"]
