"""A tracked colorizer as MLflow serves it: pictures in, coloured ones out. No TensorFlow until it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ablate.colorization.config import ColorConfig
from ablate.colorize.colorizer import Colorizer
from ablate.colorize.pictures import Pictures, Pixels, pictures_of
from ablate.config.schema import unknown_level, validate
from ablate.errors import ConfigError

if TYPE_CHECKING:
    import keras

Floats = npt.NDArray[np.float32]
OUTPUTS = ("pictures", "logits")
_KEPT = 4
"""Temperatures whose traced networks are kept."""
_STRIP = 2**18
"""Pixels that are painted at a time, about."""


def load_served(file: Path, settings: Mapping[str, Any]) -> Callable[[Any, Mapping[str, Any]], Any]:
    """Load a tracked network for `ablate.tracking.served_model`.

    Args:
        file: As Keras saved it.
        settings: `color`, how its outputs are decoded.

    Returns:
        A function of the data, see `pictures_of`, and of parameters: `output`, one of `OUTPUTS`, and `temperature`.
        Pictures come back in the form in which they came, in colour and of the same size, upright: PNG where they were
        encoded. Logits are what the network gives, (n, output_size, output_size, channels).

    Raises:
        ConfigError: The settings are not those of a network that colours.
    """
    color = validate(ColorConfig, settings["color"], prefix="color")
    colorizer = Colorizer(_load(file), color, file.stem)
    # Keras traces what it predicts with at the first call.
    colorizer.predict_ab(np.zeros((1, colorizer.image_size, colorizer.image_size), np.float32))

    @lru_cache(maxsize=_KEPT)
    def tempered(temperature: float) -> Colorizer:
        asked = validate(ColorConfig, {**color.model_dump(), "temperature": temperature})
        return colorizer if asked == color else replace(colorizer, color=asked)

    def predict(data: Any, params: Mapping[str, Any]) -> Any:
        if params["output"] not in OUTPUTS:
            raise ConfigError(unknown_level("output", str(params["output"]), OUTPUTS))
        asked = tempered(params["temperature"])
        pictures = pictures_of(data)
        if params["output"] == "logits":
            return _logits(asked, pictures)
        return pictures.joined([as_given(_painted(asked, pixels)) for pixels, as_given in pictures.decoded()])

    return predict


def _load(file: Path) -> keras.Model:
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    import keras

    return keras.saving.load_model(file, compile=False, safe_mode=True)


def _logits(colorizer: Colorizer, pictures: Pictures) -> Floats:
    from ablate.colorization.data.batches import to_example

    found = [
        colorizer.model.predict_on_batch(to_example(_square(colorizer, pixels))[0]) for pixels, _ in pictures.decoded()
    ]
    return np.concatenate(found) if found else np.empty((0, *colorizer.model.output_shape[1:]), np.float32)


def _square(colorizer: Colorizer, pixels: Pixels) -> Pixels:
    """Return a picture as the network sees it, (1, image_size, image_size, 3)."""
    size = (colorizer.image_size, colorizer.image_size)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))[None]


def _painted(colorizer: Colorizer, pixels: Pixels) -> Pixels:
    """Return a picture with its own L and the network's colours, (height, width, 3)."""
    from ablate.colorization.color.lab import clip_lab, pixels_to_lab

    height, width, _ = pixels.shape
    planes = np.moveaxis(colorizer.predict_ab(_square(colorizer, pixels))[0], -1, 0)
    ab = [np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.BILINEAR)) for plane in planes]
    painted = np.empty_like(pixels)
    # Some rows at a time: Lab of all of a large picture would take gigabytes.
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        L = pixels_to_lab(pixels[strip])[..., 0]
        painted[strip] = np.rint(255 * clip_lab(np.stack([L, *(plane[strip] for plane in ab)], axis=-1))[0])
    return painted
