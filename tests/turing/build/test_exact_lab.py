"""Lab in which greys are exact, against scikit-image."""

import numpy as np
from skimage.color import lab2rgb

from ablate.turing.build.exact_lab import fit_srgb, in_srgb, to_lab, to_linear
from tests.support.lab import random_lab, reference_lab


def test_lab_is_that_of_skimage() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    # skimage rounds the white point, which is worth 0.005 in a and b.
    np.testing.assert_allclose(to_lab(pixels), reference_lab(pixels), atol=0.006)
    np.testing.assert_allclose(to_lab(pixels)[..., 0], reference_lab(pixels)[..., 0], atol=1e-6)
    linear = to_linear(to_lab(pixels))
    np.testing.assert_allclose(linear.min(), 0, atol=1e-3)
    colors = random_lab(1, 1000, chroma=20)
    inside = colors[in_srgb(colors)]
    assert len(inside) > 500
    curved = np.asarray(lab2rgb(inside[None]))[0]
    again = np.where(curved <= 0.04045, curved / 12.92, ((curved + 0.055) / 1.055) ** 2.4)
    np.testing.assert_allclose(to_linear(inside), again, atol=2e-4)


def test_greys_have_no_colour_and_are_all_in_srgb() -> None:
    greys = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    np.testing.assert_allclose(to_lab(greys)[:, 1:], 0, atol=1e-10)
    axis = np.zeros((1001, 3))
    axis[:, 0] = np.linspace(0, 100, 1001)
    assert in_srgb(axis).all()


def test_colours_outside_srgb_keep_lightness_and_hue_and_lose_no_more_chroma_than_they_must() -> None:
    lab = random_lab(2, 4000, chroma=140)
    inside = in_srgb(lab)
    assert 500 < inside.sum() < 3500
    fitted = fit_srgb(lab)
    assert in_srgb(fitted).all()
    np.testing.assert_array_equal(fitted[inside], lab[inside])
    np.testing.assert_array_equal(fitted[:, 0], lab[:, 0])
    cross = lab[:, 1] * fitted[:, 2] - lab[:, 2] * fitted[:, 1]
    np.testing.assert_allclose(cross, 0, atol=1e-6)
    assert ((lab[:, 1:] * fitted[:, 1:]).sum(axis=-1) >= 0).all()
    more = fitted[~inside].copy()
    more[:, 1:] *= 1.001
    more[:, 1:] += 1e-4 * np.sign(more[:, 1:])
    assert not in_srgb(more).any()
