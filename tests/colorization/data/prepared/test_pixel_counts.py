import subprocess
import sys

import numpy as np
import pytest

from ablate.colorization.color.class_counts import ClassCounter
from ablate.colorization.data.prepared.pixel_counts import PixelCounter


def photographs(count=4, side=64):
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (count, side // 8, side // 8, 3), dtype=np.uint8)
    smooth = coarse.repeat(8, axis=1).repeat(8, axis=2).astype(int) + random.integers(-9, 9, (count, side, side, 3))
    return np.clip(smooth, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("step", [4, 10, 27])
def test_counts_are_those_of_the_class_counter(step):
    quick, exact = PixelCounter(step), ClassCounter(step)
    for photograph in photographs():
        quick.add(photograph)
        exact.add(photograph)
    assert quick.counts.sum() < exact.counts.sum()
    quick.settle()
    np.testing.assert_array_equal(quick.counts, exact.counts)
    quick.settle()
    np.testing.assert_array_equal(quick.counts, exact.counts)


def test_colours_all_over_the_cube_have_the_class_of_the_class_counter():
    # Every colour once, 2^24, is the same and takes a quarter of a minute.
    codes = np.random.default_rng(1).integers(0, 1 << 24, 50_000, dtype=np.uint32)
    colors = codes.view(np.uint8).reshape(1, -1, 4)[..., :3]
    quick, exact = PixelCounter(), ClassCounter()
    for counter in (quick, exact):
        counter.add(colors)
    quick.settle()
    known = quick._class_of >= 0
    np.testing.assert_array_equal(quick._class_of[known], exact._class_of[known])
    np.testing.assert_array_equal(quick.counts, exact.counts)


def test_a_photograph_of_known_colours_is_counted_at_once():
    counter = PixelCounter()
    (photograph,) = photographs(1)
    counter.add(photograph)
    counter.settle()
    counter.add(photograph)
    assert counter.counts.sum() == 2 * 64 * 64


def test_a_count_that_begins_anew_has_nothing_of_one_that_was_broken_off():
    counter = PixelCounter()
    first, second, *_ = photographs()
    counter.add(first)
    counter.reset()
    counter.add(second)
    counter.settle()
    assert counter.counts.sum() == 64 * 64


@pytest.mark.slow
def test_a_worker_imports_no_tensorflow():
    code = "import sys, ablate.colorization.data.prepared.chunk; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
