import numpy as np
import pytest

from ablate.colorization.data.dataset import load_data
from ablate.colorization.data.squares import Squares


def counted(count=5, *, memory, alike=True):
    """Return squares of 4x4, and the list of those that were made."""
    made = []

    def make(place):
        made.append(place)
        pixels = np.full((4, 4, 3), place, np.uint8)
        return pixels, pixels if alike else np.full((8, 8, 3), place, np.uint8)

    return Squares(range(count), make, memory=memory), made


def test_squares_are_made_when_they_are_read_and_kept():
    squares, made = counted(memory=np.inf)
    assert len(squares) == 5
    assert made == []
    for _ in range(2):
        pixels, truth = squares.read(slice(1, 3))
        assert pixels[:, 0, 0, 0].tolist() == [1, 2]
        assert truth is pixels
    assert made == [1, 2]


def test_no_more_are_kept_than_fit_and_the_others_are_made_each_time():
    squares, made = counted(memory=2 * 48)
    for _ in range(2):
        assert squares.read(slice(None))[0][:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4, 2, 3, 4]
    assert squares.kept_bytes == 2 * 48


def test_two_sides_are_both_kept():
    squares, _ = counted(memory=np.inf, alike=False)
    pixels, truth = squares.read(slice(3, 9))
    assert (pixels.shape, truth.shape) == ((2, 4, 4, 3), (2, 8, 8, 3))
    assert truth[:, 0, 0, 0].tolist() == [3, 4]
    assert squares.kept_bytes == 2 * (48 + 192)


@pytest.mark.parametrize("side", [32, 24])
def test_photographs_that_do_not_stay_in_memory_are_the_same(data_config, side):
    kept, read = (load_data(data_config(memory_gib=memory), evaluation_side=side).squares for memory in (1.0, 0.0))
    assert kept.kept_bytes > 0
    for one, other in zip(kept.read(slice(None)), read.read(slice(None)), strict=True):
        np.testing.assert_array_equal(one, other)
    assert read.kept_bytes == 0
