"""Upsampling of colours: strips of what TensorFlow makes, and closer to the truth along the edges of L."""

import numpy as np
import pytest
from PIL import Image

from ablate.colorization.color.lab import pixels_to_lab
from ablate.colorization.data.sources.sample import sample_paths
from ablate.colorization.data.split import SPLITS
from ablate.colorize.join import offsets
from ablate.colorize.upsampling import Upsampled, color_grids


def upsampled(ab: np.ndarray, L: np.ndarray, method: str, width: int, height: int) -> np.ndarray:
    return Upsampled(color_grids(ab, L, method), width, height).strip(0, height)


@pytest.mark.parametrize(("width", "height"), [(40, 24), (16, 16), (7, 5), (1, 1), (33, 100)])
def test_bilinear_is_that_of_tensorflow(drawn_ab: np.ndarray, width: int, height: int) -> None:
    import tensorflow as tf

    expected = tf.image.resize(drawn_ab[None], (height, width), method="bilinear")[0].numpy()
    found = upsampled(drawn_ab, np.zeros((64, 64), np.float32), "bilinear", width, height)
    np.testing.assert_allclose(found, offsets(np.moveaxis(expected, -1, 0)), atol=1e-6)


@pytest.mark.parametrize("method", ["bilinear", "edge_aware"])
def test_strips_are_parts_of_the_whole(drawn_ab: np.ndarray, method: str) -> None:
    L = np.random.default_rng(1).uniform(0, 100, (64, 64)).astype(np.float32)
    whole = Upsampled(color_grids(drawn_ab, L, method), 30, 50)
    strips = [whole.strip(top, min(top + 7, 50)) for top in range(0, 50, 7)]
    np.testing.assert_array_equal(np.concatenate(strips, axis=1), whole.strip(0, 50))


def test_where_lightness_is_even_both_are_alike(drawn_ab: np.ndarray) -> None:
    L = np.full((16, 16), 50, np.float32)
    plain, aware = (upsampled(drawn_ab, L, method, 16, 16) for method in ("bilinear", "edge_aware"))
    np.testing.assert_allclose(aware[2:], 0, atol=1e-5)
    np.testing.assert_allclose(aware[:2], plain, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(("side", "at_most"), [(16, 0.93), (64, 0.92)])
def test_edges_of_lightness_bring_colours_closer_to_the_truth(side: int, at_most: float) -> None:
    errors = {"bilinear": 0.0, "edge_aware": 0.0}
    for split in SPLITS:
        for _, path in sample_paths(split):
            image = Image.open(path).convert("RGB")
            image.thumbnail((384, 384))
            lab = pixels_to_lab(np.asarray(image))
            channels = [Image.fromarray(np.ascontiguousarray(lab[..., channel])) for channel in range(3)]
            small = [np.asarray(each.resize((side, side), Image.Resampling.BOX)) for each in channels[1:]]
            L = np.asarray(channels[0].resize((4 * side, 4 * side), Image.Resampling.BOX))
            for method in errors:
                found = upsampled(np.stack(small, axis=-1), L, method, *image.size)
                if method == "edge_aware":
                    found = found[:2] + found[2:] * (lab[..., 0] + 16) / 116
                ab = np.stack([found[0] * 500, found[1] * -200], axis=-1)
                errors[method] += float(np.mean((ab - lab[..., 1:]) ** 2))
    assert errors["edge_aware"] ** 0.5 < at_most * errors["bilinear"] ** 0.5
