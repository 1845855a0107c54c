"""Fixtures of the colourisation task: configurations, pictures, and a float64 search for classes."""

import io
from copy import deepcopy

import numpy as np
import pytest
from PIL import Image

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.config import DataConfig
from ablate.colorization.data.dataset import load_data
from tests.support.levels import level

DATA = {
    "name": "sample",
    "root": None,
    "dataset": None,
    "image_size": 32,
    "max_zoom": 1.125,
    "repeats": 1,
    "eval_fraction": 0.1,
    "max_bad_fraction": 0.05,
    "memory_gib": 1.0,
}


@pytest.fixture(scope="session")
def data_config():
    def build(**changes):
        return DataConfig(**{**DATA, **changes})

    return build


@pytest.fixture(scope="session")
def sample(data_config):
    return load_data(data_config(), evaluation_side=32)


@pytest.fixture(scope="session")
def task_values():
    """Return all of the task's configuration, as plain values that a test may change."""

    def build():
        return {
            "data": dict(DATA),
            "backbone": {"width": 0.125, "batch_norm": "affine"},
            "regularizer": {"name": "none", "l2": 0.0},
            "depth": deepcopy(level("depth", "full")),
            "dropout": {"name": "none", "rate": 0.0},
            "output_res": dict(level("output_res", "full")),
            "loss": {"name": "rebalanced", "mix": 0.5, "pixel_reduction": "mean", "mask_grey": True},
            "color": {
                "grid_step": 10,
                "soft_bins": 5,
                "soft_sigma": 5.0,
                "prior_sigma": 5.0,
                "temperature": 0.38,
            },
            "evaluation": {"side": 32, "batch_size": 2, "samples": 2},
        }

    return build


@pytest.fixture(scope="session")
def noise():
    """Return random pixels, (height, width, 3) uint8: other pixels for every seed."""

    def build(seed=0, height=12, width=16):
        return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)

    return build


@pytest.fixture(scope="session")
def encode():
    """Return the bytes of a picture file."""

    def build(image, kind="PNG", **options):
        if not isinstance(image, Image.Image):
            image = Image.fromarray(image)
        stream = io.BytesIO()
        image.save(stream, format=kind, **options)
        return stream.getvalue()

    return build


@pytest.fixture(scope="session")
def write_pictures(noise, encode):
    """Write PNG files of noise below a folder, one for each name, other pixels in each."""

    def write(folder, names, *, first_seed=0):
        for seed, name in enumerate(names, start=first_seed):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encode(noise(seed)))
        return folder

    return write


@pytest.fixture(scope="session")
def nearest_classes():
    """Compare with every class in float64: (n, 2) -> indices and squared distances of the k nearest, (n, k)."""

    def search(ab, step=10, k=1):
        bins = ab_gamut(step).astype(np.float64)
        squared = ((np.asarray(ab, np.float64)[:, None, :] - bins[None, :, :]) ** 2).sum(axis=-1)
        indices = np.argsort(squared, axis=-1, kind="stable")[:, :k]
        return indices, np.take_along_axis(squared, indices, axis=-1)

    return search
