"""Rendering of a pair: nothing but colour differs."""

import io
import zlib
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image
from skimage.color import lab2rgb
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score

from ablate.colorization.data.sources.sample import sample_paths
from ablate.turing.build.exact_lab import Pixels, fit_srgb, to_lab, to_linear
from ablate.turing.build.rendering import DITHER, Noise, draw_noise, render, round_to_bytes
from ablate.turing.build.stimuli import png
from tests.support.lab import Array, random_lab, reference_lab

Render = Callable[[Array, Array, Noise], Pixels]


def no_noise(side: int) -> Noise:
    return Noise(np.zeros((side, side, 3)), np.full((side, side), 0.5))


def test_all_pictures_of_one_lightness_have_it_within_rounding_whatever_their_colours() -> None:
    side = 64
    L = np.clip(np.random.default_rng(3).normal(55, 25, (side, side)), 0, 100)
    noise = draw_noise(np.random.default_rng(4), side)
    target = np.clip(L + noise.dither[..., 0], 0, 100)
    for chroma in (0, 15, 60, 140):
        ab = random_lab(5, side, side, chroma=chroma)[..., 1:]
        error = reference_lab(render(L, ab, noise))[..., 0] - target
        # A step of eight bits is 0.4.
        assert np.abs(error).max() < 0.4
        assert np.quantile(np.abs(error), 0.9) < 0.03
        assert abs(error.mean()) < 0.002


def test_real_colours_come_back() -> None:
    pixels = np.asarray(Image.open(dict(sample_paths("eval"))["chelsea"]).convert("RGB"))[50:178, 100:228]
    lab = to_lab(pixels)
    exact = render(lab[..., 0], lab[..., 1:], no_noise(128))
    np.testing.assert_array_equal(exact, pixels)
    noisy = render(lab[..., 0], lab[..., 1:], draw_noise(np.random.default_rng(0), 128))
    off = np.abs(noisy.astype(int) - pixels)
    # The dither, rounding, and the search for the right luminance, which is widest in blue.
    assert (off.mean(axis=(0, 1)) < (2, 1, 2.5)).all()
    assert (off.max(axis=(0, 1)) <= (6, 3, 8)).all()
    difference = reference_lab(noisy) - reference_lab(pixels)
    assert np.abs(difference[..., 0]).max() < DITHER[0] + 0.1
    assert np.abs(difference[..., 1:].mean(axis=(0, 1))).max() < 0.1


def test_rounding_stays_near_and_keeps_luminance_far_better_than_the_nearest_colour() -> None:
    lab = fit_srgb(random_lab(6, 3000, chroma=80))
    exact = 255 * np.clip(lab2rgb(lab[None])[0], 0, 1)
    chosen = round_to_bytes(to_linear(lab), np.random.default_rng(0).random(3000))
    assert (np.abs(chosen - exact) <= (3.6, 1.6, 4.6)).all()
    error = reference_lab(chosen[None])[0, :, 0] - lab[:, 0]
    nearest = reference_lab(np.rint(exact).astype(np.uint8)[None])[0, :, 0] - lab[:, 0]
    assert np.abs(error).mean() < np.abs(nearest).mean() / 4


@pytest.mark.parametrize("color", [(60.0, 5.0, -10.0), (35.1, -42.3, 41.0), (0.02, 0.0, 0.0), (99.98, 0.0, 0.0)])
def test_rounding_is_right_on_average_whatever_the_colour(color: tuple[float, float, float]) -> None:
    lab = fit_srgb(np.broadcast_to(color, (20_000, 3)).copy())
    linear = to_linear(lab)
    chosen = to_linear(to_lab(round_to_bytes(linear, np.random.default_rng(0).random(20_000))))
    light = (chosen - linear) @ (0.212671, 0.715160, 0.072169)
    assert abs(light.mean()) < 4 * light.std() / 20_000**0.5 + 1e-9


def test_noise_is_drawn_from_its_stream_alone_and_below_one_step() -> None:
    one, same, other = (draw_noise(np.random.default_rng(seed), 16) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.dither, same.dither)
    np.testing.assert_array_equal(one.draws, same.draws)
    assert (one.dither != other.dither).all()
    assert (np.abs(one.dither) <= DITHER).all()
    assert (one.draws != other.draws).all()


def rounded(L: Array, ab: Array, noise: Noise) -> Pixels:
    """Round as everybody does: each channel to the nearest byte."""
    lab = np.concatenate([L[..., None], ab], axis=-1) + noise.dither
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    return to_bytes(to_linear(fit_srgb(lab)))


def undithered(L: Array, ab: Array, noise: Noise) -> Pixels:
    return rounded(L, ab, Noise(np.zeros_like(noise.dither), noise.draws))


def clipped(L: Array, ab: Array, noise: Noise) -> Pixels:
    return to_bytes(to_linear(np.concatenate([L[..., None], ab], axis=-1)))


def to_bytes(linear: Array) -> Pixels:
    inside = np.clip(linear, 0, 1)
    curved = np.where(inside > 0.0031308, 1.055 * np.maximum(inside, 1e-9) ** (1 / 2.4) - 0.055, 12.92 * inside)
    return np.asarray(np.rint(255 * curved), np.uint8)


PAIRS, SIDE = 240, 48
HEADER = 49
"""Bytes of a file before its first pixel."""


@cache
def crops() -> list[Pixels]:
    """Return real crops at places and zooms of their own."""
    random = np.random.default_rng(10)
    photographs = list[Image.Image]()
    for path in (path for part in ("train", "eval") for _, path in sample_paths(part)):
        photographs.append(Image.open(path).convert("RGB"))
        photographs[-1].thumbnail((500, 500))
    found = list[Pixels]()
    while len(found) < PAIRS:
        image = photographs[len(found) % len(photographs)]
        crop = random.uniform(SIDE, min(image.size))
        left, top = random.uniform(0, image.width - crop), random.uniform(0, image.height - crop)
        box = (left, top, left + crop, top + crop)
        found.append(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)))
    return found


def recolored(ab: Array, random: np.random.Generator) -> Array:
    """Return what a mediocre network makes of colours: coarse, duller, and partly of another hue."""
    coarse = [
        np.asarray(
            Image.fromarray(channel.astype(np.float32))
            .resize((SIDE // 8, SIDE // 8), Image.Resampling.BOX)
            .resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        )
        for channel in np.moveaxis(ab, -1, 0)
    ]
    angle, strength = random.uniform(-0.8, 0.8), random.uniform(0.3, 1.3)
    turn = strength * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(np.stack(coarse, axis=-1) @ turn + random.normal(0, 4, 2))


def seen(content: bytes) -> Array:
    """Return all that is trivially seen of a file but its colours."""
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    L = reference_lab(pixels)[..., 0]
    edges = 4 * L[1:-1, 1:-1] - L[:-2, 1:-1] - L[2:, 1:-1] - L[1:-1, :-2] - L[1:-1, 2:]
    spectrum = np.abs(np.fft.rfft2(L - L.mean()))
    header = np.frombuffer(content[:HEADER], np.uint8)
    texture = [
        (edges**2).mean(),
        np.abs(edges).mean(),
        np.median(np.abs(edges)),
        np.abs(np.diff(L, axis=0)).mean(),
        spectrum[SIDE // 4 : -SIDE // 4, SIDE // 4 :].mean(),
        (np.abs(edges) < 0.05).mean(),
    ]
    values = [np.unique(np.rint(2.55 * L)).size, np.unique(L.round(1)).size]
    histogram = np.histogram(L, np.linspace(0, 100, 11))[0]
    levels = [L.mean(), L.std(), L.min(), L.max(), np.median(L)]
    compressed = len(zlib.compress(np.rint(2.55 * L).astype(np.uint8).tobytes()))
    return np.array([len(content), *header, *levels, *texture, *values, *histogram, compressed], np.float64)


def found_out(picture: Render) -> float:
    """Return how often a classifier that has learnt from other pairs tells which picture is real."""
    differences = []
    for number, pixels in enumerate(crops()):
        lab, random = to_lab(pixels), np.random.default_rng([11, number])
        L, ab = lab[..., 0], lab[..., 1:]
        fake = seen(png(picture(L, recolored(ab, random), draw_noise(random, SIDE))))
        differences.append(fake - seen(png(picture(L, ab, draw_noise(random, SIDE)))))
    sides = np.where(np.random.default_rng(12).random(PAIRS) < 0.5, -1, 1)
    given = np.array(differences)
    scale = given.std(axis=0)
    given = given[:, scale > 0] / scale[scale > 0] * sides[:, None]
    classifier = LogisticRegression(fit_intercept=False, C=0.3, max_iter=5000)
    folds = KFold(10, shuffle=True, random_state=13)
    return float(cross_val_score(classifier, given, sides, cv=folds).mean())


CHANCE = 3 * 0.5 / PAIRS**0.5
"""Three standard deviations of a share of so many coin tosses."""


@pytest.mark.slow
def test_a_trivial_classifier_does_not_tell_which_picture_is_real() -> None:
    assert abs(found_out(render) - 0.5) < CHANCE


@pytest.mark.slow
@pytest.mark.parametrize("careless", [clipped, undithered, rounded])
def test_the_same_classifier_tells_where_pictures_are_made_carelessly(careless: Render) -> None:
    assert found_out(careless) > 0.5 + CHANCE
