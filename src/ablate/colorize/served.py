"""A tracked colorizer as MLflow serves it: pictures in, coloured ones out. No TensorFlow until it is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.colorization.config import ColorConfig
from ablate.colorize.colorizer import Colorizer
from ablate.colorize.pictures import Pictures, pictures_of
from ablate.config.schema import unknown_level, validate
from ablate.errors import ConfigError

Floats = npt.NDArray[np.float32]
OUTPUTS = ("pictures", "logits")
_KEPT = 4
"""Temperatures whose traced networks are kept."""


def load_served(file: Path, settings: Mapping[str, Any]) -> Callable[[Any, Mapping[str, Any]], Any]:
    """Load a tracked network for `ablate.tracking.served_model`.

    Args:
        file: As Keras saved it.
        settings: `color`, how its outputs are decoded.

    Returns:
        A function of the data, see `pictures_of`, and of parameters: `output`, one of `OUTPUTS`, and `temperature`.
        Pictures come back in the form in which they came, in colour: an encoded one as the file that
        `python -m ablate.colorize` makes of it. Logits are what the network gives, (n, output_size, output_size,
        channels).

    Raises:
        ConfigError: The settings are not those of a network that colours.
        DataError: The file cannot be used, or is no such network.
    """
    from ablate.colorize.coloring import color_photograph
    from ablate.colorize.load import colorizer_of_run

    color = validate(ColorConfig, settings["color"], prefix="color")
    colorizer = colorizer_of_run(file, color, file.stem)
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
        return pictures.joined(
            [answer(color_photograph(photograph, asked)) for photograph, answer in pictures.photographs()]
        )

    return predict


def _logits(colorizer: Colorizer, pictures: Pictures) -> Floats:
    squares = [photograph.square(colorizer.image_size) for photograph, _ in pictures.photographs()]
    if not squares:
        return np.empty((0, *colorizer.model.output_shape[1:]), np.float32)
    size = colorizer.batch_size
    seen = (np.stack(squares)[..., None] - np.float32(50)) / np.float32(100)
    return np.concatenate(
        [colorizer.model.predict_on_batch(seen[start : start + size]) for start in range(0, len(seen), size)]
    )
