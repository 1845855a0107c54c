"""A model's colours for photographs are those that evaluation compares."""

import numpy as np
import pytest

from ablate.colorization.color.lab import pixels_to_lab
from ablate.colorization.config import ColorConfig
from ablate.colorization.inference import enlarged, predict_ab
from ablate.colorization.model.backbone import build_backbone
from ablate.colorization.model.decoding import decode, upsample
from tests.support.levels import variant_layers

COLOR = ColorConfig(grid_step=10, soft_bins=5, soft_sigma=5.0, prior_sigma=5.0, temperature=0.38)


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [313, 2])
def test_colours_are_decoded_from_what_the_model_makes_of_lightness_alone(noise, outputs):
    model = build_backbone(variant_layers(width=0.0625, depth="shallow", outputs=outputs), side=32, seed=3)
    squares = [noise(seed, 32, 32) for seed in range(5)]
    found = predict_ab(model, squares, COLOR, batch_size=2)
    assert [ab.shape for ab in found] == [(8, 8, 2)] * 5
    L = (pixels_to_lab(np.stack(squares))[..., :1] - 50) / 100
    expected = decode(model.predict_on_batch(L), step=10, temperature=0.38)
    np.testing.assert_allclose(np.stack(found), expected, atol=2e-3)
    np.testing.assert_allclose(enlarged(found[1], 40), upsample(expected, 40)[1], atol=2e-3)


def test_enlarging_keeps_even_colours_and_is_bilinear():
    ab = np.array([[[0, 0], [10, -20]], [[0, 0], [10, -20]]], np.float32)
    large = enlarged(ab, 4)
    np.testing.assert_allclose(large[..., 0], np.tile([0, 2.5, 7.5, 10], (4, 1)))
    np.testing.assert_allclose(large[..., 1], -2 * large[..., 0])
