import numpy as np
import pytest
from skimage.color import rgb2lab

from ablate.colorization.color.class_counts import ClassCounter


@pytest.mark.slow
@pytest.mark.parametrize("step", [10, 7, 50])
def test_every_pixel_counts_for_its_nearest_class(step, nearest_classes, noise):
    counter = ClassCounter(step)
    photographs = [noise(seed, height=40, width=30) for seed in range(3)]
    for pixels in [*photographs, photographs[0]]:
        counter.add(pixels)
    pixels = np.concatenate([pixels.reshape(-1, 3) for pixels in [*photographs, photographs[0]]])
    ab = rgb2lab(pixels / 255.0)[:, 1:]
    expected = np.bincount(nearest_classes(ab, step=step)[0][:, 0], minlength=len(counter.counts))
    # Single precision may put a colour on the other side of a border.
    assert np.abs(counter.counts - expected).sum() <= 4
    assert counter.counts.sum() == len(pixels)


def test_black_white_and_the_corners_of_the_cube_are_counted():
    corners = np.array([[[r, g, b] for r in (0, 255) for g in (0, 255)] for b in (0, 255)], np.uint8)
    counter = ClassCounter()
    counter.add(corners)
    assert counter.counts.sum() == 8
    assert counter.counts.max() == 2  # black and white
