"""Rendering of a crop's pictures: nothing but colour differs."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image

from ablate.colorization.data.sources.sample import sample_paths
from ablate.turing.build.exact_lab import Pixels, fit_srgb, to_lab, to_linear
from ablate.turing.build.lightness_statistics import lightness_statistics
from ablate.turing.build.rendering import CELL, DITHER, REACH_OF_L, Noise, cell_of, draw_noise, render
from ablate.turing.build.two_sample import CLASSIFIERS, chance, found_out
from tests.support.lab import Array, random_lab, reference_lab

Render = Callable[[Array, list[Array], list[Noise]], list[Pixels]]


def noises(seed: int, side: int, count: int) -> list[Noise]:
    random = np.random.default_rng(seed)
    return [draw_noise(random, side) for _ in range(count)]


def with_draws(noise: Noise, draws: Array) -> Noise:
    return Noise(noise.dither, draws)


def test_pictures_have_the_lightness_that_they_share_whatever_their_colours() -> None:
    side = 64
    L = np.clip(np.random.default_rng(3).normal(55, 25, (side, side)), 0, 100)
    colors = [random_lab(5, side, side, chroma=chroma)[..., 1:] for chroma in (0, 15, 60)]
    for picture in render(L, colors, noises(4, side, 3)):
        error = reference_lab(picture)[..., 0] - L
        assert np.quantile(np.abs(error), 0.999) < REACH_OF_L + CELL
        assert np.abs(error).max() < 0.4  # a step of eight bits
        assert abs(error.mean()) < 0.02


def test_what_is_drawn_and_not_the_colour_says_which_cell_of_lightness_a_pixel_is_in() -> None:
    for number, pixels in enumerate(crops()[:5]):
        lab, side = to_lab(pixels[:48, :48]), 48
        random = np.random.default_rng(number)
        fakes = [recolored(lab[..., 1:], random), np.zeros((side, side, 2))]
        own = noises(number, side, 3)
        alike = [with_draws(noise, own[0].draws) for noise in own]
        cells = [
            cell_of(reference_lab(picture)[..., 0]) for picture in render(lab[..., 0], [lab[..., 1:], *fakes], alike)
        ]
        for other in cells[1:]:
            assert (cells[0] == other).mean() > 0.999
        # With draws of their own they are elsewhere.
        real, *_ = render(lab[..., 0], [lab[..., 1:], *fakes], own)
        _, apart, _ = render(lab[..., 0], [lab[..., 1:], *fakes], own)
        assert (cell_of(reference_lab(real)[..., 0]) == cell_of(reference_lab(apart)[..., 0])).mean() < 0.3


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (0, 0, 255), (255, 255, 0), (255, 0, 0), (1, 0, 2)])
def test_ends_and_edges_of_srgb_are_no_exception(color: tuple[int, int, int]) -> None:
    pixels = np.full((32, 32, 3), color, np.uint8)
    lab = to_lab(pixels)
    own = noises(7, 32, 2)
    alike = [own[0], with_draws(own[1], own[0].draws)]
    real, grey = render(lab[..., 0], [lab[..., 1:], np.zeros((32, 32, 2))], alike)
    assert (cell_of(to_lab(real)[..., 0]) == cell_of(to_lab(grey)[..., 0])).mean() > 0.97
    assert np.abs(to_lab(real) - lab).mean() < 1.5


def test_real_colours_come_back() -> None:
    pixels = np.asarray(Image.open(dict(sample_paths("eval"))["chelsea"]).convert("RGB"))[50:178, 100:228]
    lab = to_lab(pixels)
    fake = recolored(lab[..., 1:], np.random.default_rng(1))
    real, _ = render(lab[..., 0], [lab[..., 1:], fake], noises(0, 128, 2))
    off = np.abs(real.astype(int) - pixels)
    # The dither, rounding, and the search for a cell that both have, which is widest in blue.
    assert (off.mean(axis=(0, 1)) < (3, 1.5, 4)).all()
    assert (off.max(axis=(0, 1)) <= (8, 4, 11)).all()
    difference = reference_lab(real) - lab
    assert np.abs(difference.mean(axis=(0, 1))).max() < 0.1
    # Over 8x8 pixels, nearly what the eye sees of colour, nothing is left.
    blocks = difference.reshape(16, 8, 16, 8, 3).mean(axis=(1, 3))
    assert np.abs(blocks).mean(axis=(0, 1)).max() < 0.4


def test_noise_is_drawn_from_its_stream_alone() -> None:
    one, same, other = (draw_noise(np.random.default_rng(seed), 16) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.dither, same.dither)
    np.testing.assert_array_equal(one.draws, same.draws)
    assert (one.dither != other.dither).all()
    assert (np.abs(one.dither) <= DITHER).all()
    assert (one.draws != other.draws).all()


def rounded(L: Array, colors: list[Array], own: list[Noise]) -> list[Pixels]:
    """Round as everybody does: each channel to the nearest byte."""
    return [
        to_bytes(to_linear(fit_srgb(np.concatenate([L[..., None], ab + noise.dither], axis=-1))))
        for ab, noise in zip(colors, own, strict=True)
    ]


def clipped(L: Array, colors: list[Array], own: list[Noise]) -> list[Pixels]:
    return [to_bytes(to_linear(np.concatenate([L[..., None], ab], axis=-1))) for ab in colors]


def each_by_itself(L: Array, colors: list[Array], own: list[Noise]) -> list[Pixels]:
    """Let each picture take cells that it reaches alone."""
    return [render(L, [ab], [noise])[0] for ab, noise in zip(colors, own, strict=True)]


def to_bytes(linear: Array) -> Pixels:
    inside = np.clip(linear, 0, 1)
    curved = np.where(inside > 0.0031308, 1.055 * np.maximum(inside, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * inside)
    return np.asarray(np.rint(255 * curved), np.uint8)


PAIRS, SIDE = 160, 80


@cache
def crops() -> list[Pixels]:
    """Return real crops at places and zooms of their own."""
    random = np.random.default_rng(10)
    found = list[Pixels]()
    while len(found) < PAIRS:
        image = photographs()[len(found) % len(photographs())]
        crop = random.uniform(SIDE, min(image.size))
        left, top = random.uniform(0, image.width - crop), random.uniform(0, image.height - crop)
        box = (left, top, left + crop, top + crop)
        found.append(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)))
    return found


@cache
def photographs() -> list[Image.Image]:
    found = list[Image.Image]()
    for path in (path for part in ("train", "eval") for _, path in sample_paths(part)):
        found.append(Image.open(path).convert("RGB"))
        found[-1].thumbnail((500, 500))
    return found


def recolored(ab: Array, random: np.random.Generator) -> Array:
    """Return what a mediocre network makes of colours: coarse, duller, and partly of another hue."""
    side = len(ab)
    coarse = [
        np.asarray(
            Image.fromarray(channel.astype(np.float32))
            .resize((side // 8, side // 8), Image.Resampling.BOX)
            .resize((side, side), Image.Resampling.BILINEAR)
        )
        for channel in np.moveaxis(ab, -1, 0)
    ]
    angle, strength = random.uniform(-0.8, 0.8), random.uniform(0.1, 1.1)
    turn = strength * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(np.stack(coarse, axis=-1) @ turn + random.normal(0, 4, 2))


@cache
def differences(picture: Render) -> Array:
    """Return by how much the statistics of L differ in each pair: (pairs, statistics)."""
    found = []
    for number, pixels in enumerate(crops()):
        lab, random = to_lab(pixels), np.random.default_rng([11, number])
        L, ab = lab[..., 0], lab[..., 1:]
        own = [draw_noise(random, SIDE) for _ in range(2)]
        pair = picture(L, [ab, recolored(ab, random)], own)
        real, fake = (list(lightness_statistics(reference_lab(one)[..., 0], 0.01).values()) for one in pair)
        found.append(np.subtract(fake, real))
    return np.array(found)


def told(picture: Render, classifier: str) -> float:
    """Return how often a classifier that has learnt from other photographs tells which picture is real."""
    of = [str(number % len(photographs())) for number in range(PAIRS)]
    return found_out(differences(picture), of, classifier=classifier)


@pytest.mark.slow
@pytest.mark.parametrize("classifier", CLASSIFIERS)
def test_no_classifier_tells_by_lightness_which_picture_is_real(classifier: str) -> None:
    assert abs(told(render, classifier) - 0.5) < chance(PAIRS)


@pytest.mark.slow
@pytest.mark.parametrize("careless", [clipped, rounded, each_by_itself])
def test_the_same_classifier_tells_where_pictures_are_made_carelessly(careless: Render) -> None:
    assert told(careless, "logistic regression") > 0.5 + chance(PAIRS)
