"""Devices: what the page measures of a window and a screen, and the family of a browser."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

ANY = "any"
"""In the place of a gate: browsers that any of them has turned away."""
Pixels = Annotated[int, Field(ge=1, le=100_000)]


class MeasuredDevice(BaseModel):
    """What the page's script measures, and nothing else.

    Attributes:
        window_width: Of the page's window, in CSS pixels.
        window_height: Alike.
        screen_width: Of the screen, alike.
        screen_height: Alike.
        pixel_ratio: The screen's pixels to one of CSS, across; zoom counts.
        touch: Whether the main pointer is a finger.
        refresh_rate: Frames a second, by the median time between two of requestAnimationFrame.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    window_width: Pixels
    window_height: Pixels
    screen_width: Pixels
    screen_height: Pixels
    pixel_ratio: Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]
    touch: bool
    refresh_rate: Annotated[float, Field(gt=0, le=2000, allow_inf_nan=False)]


BROWSERS: Mapping[str, str] = {
    "Edg": "Edge", "OPR/": "Opera", "SamsungBrowser/": "Samsung Internet", "Firefox/": "Firefox", "FxiOS/": "Firefox",
    "Chrome/": "Chrome", "CriOS/": "Chrome", "Safari/": "Safari",
}  # fmt: skip
"""By what the User-Agent has, the family; the first one that it has counts, since most say to be others, too."""
OTHER = "other"


def read_device(sent: str) -> MeasuredDevice | None:
    """Return what a page has measured; None where that is no such thing.

    Args:
        sent: As JSON.
    """
    try:
        return MeasuredDevice.model_validate_json(sent)
    except ValidationError:
        return None


def browser_family(user_agent: str) -> str:
    """Return the family of a browser, without its version or system."""
    return next((family for part, family in BROWSERS.items() if part in user_agent), OTHER)
