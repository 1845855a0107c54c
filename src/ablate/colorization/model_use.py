"""The use of a trained network: how it is served, and what it does not do. No TensorFlow."""

import base64

import numpy as np
from PIL import Image

from ablate.colorization.config import ColorConfig
from ablate.system.images import png
from ablate.task import ServedModel

LOADER = "ablate.colorize.served"
"""The module that serves a network, which imports this room."""
_SIDE = 64


def served_model(color: ColorConfig) -> ServedModel:
    """Return how a network is served.

    Args:
        color: How its outputs are decoded.
    """
    return ServedModel(
        loader=LOADER,
        settings={"color": color.model_dump(mode="json")},
        inputs={"picture": "binary"},
        outputs={"picture": "binary"},
        params={"output": "pictures", "temperature": color.temperature},
        example=[base64.b64encode(png(_example())).decode()],
    )


def _example() -> Image.Image:
    """Draw a grey picture, as nobody's photograph belongs to every model: a light disc on a ground that darkens."""
    y, x = np.mgrid[:_SIDE, :_SIDE]
    ground = 200 - 2 * y
    disc = (x - _SIDE // 2) ** 2 + (y - _SIDE // 3) ** 2 < (_SIDE // 5) ** 2
    return Image.fromarray(np.where(disc, 230, ground).astype(np.uint8))


def limitations(side: int) -> list[str]:
    """Return sentences for whoever uses a network.

    Args:
        side: Of its input.
    """
    return [
        "Its colours are plausible, not the true ones: a photograph does not say which colours its things had.",
        f"It sees a photograph at {side}x{side} pixels: what is small there gets the colours of what is around it. "
        "Lightness stays as it is.",
        "It was measured on photographs like those that it trained on. On other pictures, such as drawings, scans or "
        "night scenes, nothing was measured.",
        "A coloured photograph is no evidence of what something looked like: say that it is coloured where it is "
        "shown.",
    ]
