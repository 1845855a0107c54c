"""A colorizer's colours are those of evaluation, from squares and from L alike."""

import numpy as np
import pytest

from ablate.colorization.color.lab import pixels_to_lab
from ablate.colorization.config import ColorConfig
from ablate.colorization.inference import predict_ab
from ablate.colorization.model.backbone import build_backbone
from ablate.colorize.colorizer import Colorizer
from tests.support.levels import variant_layers

COLOR = ColorConfig(grid_step=10, soft_bins=5, soft_sigma=5.0, prior_sigma=5.0, temperature=0.38)


@pytest.mark.slow
@pytest.mark.parametrize("outputs", [313, 2])
def test_colours_are_those_of_evaluation(outputs: int) -> None:
    model = build_backbone(variant_layers(width=0.0625, depth="shallow", outputs=outputs), side=32, seed=3)
    colorizer = Colorizer(model, COLOR, "tiny")
    assert (colorizer.image_size, colorizer.output_size) == (32, 8)
    squares = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    expected = predict_ab(model, list(squares), COLOR)
    np.testing.assert_allclose(colorizer.predict_ab(squares, batch_size=2), expected, atol=2e-3)
    np.testing.assert_allclose(colorizer.predict_ab(pixels_to_lab(squares)[..., 0]), expected, atol=2e-3)
    with pytest.raises(ValueError, match=r"must be \(n, 32, 32, 3\) or \(n, 32, 32\)\. Received: \(5, 8, 32, 3\)"):
        colorizer.predict_ab(squares[:, :8])
