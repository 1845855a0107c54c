"""Gates: what a device must have before anybody begins with it, and whether it is recorded. Off by default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ablate.cli.arguments import parse_bool, parse_float
from ablate.errors import ConfigError
from ablate.turing.device import MeasuredDevice

OPTIONS: Mapping[str, str] = {
    "device": "", "min_window": "", "min_pixel_ratio": "", "max_pixel_ratio": "", "touch": "true",
    "min_refresh_rate": "",
}  # fmt: skip
"""Of `serve`, with their defaults."""
_RECORD = "record"
_WINDOW = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
_SCATTER = 0.03
"""Share of a refresh rate by which what a page measures may be off."""


@dataclass(frozen=True)
class Gates:
    """What is asked of a device, and whether it is recorded.

    Attributes:
        record: Whether the device of who begins is kept.
        min_window: Least width and height of the window, in CSS pixels; None for any.
        min_pixel_ratio: Least number of the screen's pixels to one of CSS, across; None for any.
        max_pixel_ratio: The greatest, alike.
        touch: Whether devices are let in whose main pointer is a finger.
        min_refresh_rate: Least number of frames a second, Hz, of which 3 % may be missing; None for any.
    """

    record: bool = False
    min_window: tuple[int, int] | None = None
    min_pixel_ratio: float | None = None
    max_pixel_ratio: float | None = None
    touch: bool = True
    min_refresh_rate: float | None = None

    @property
    def names(self) -> list[str]:
        """Names of the gates that there are."""
        there = {
            "min_window": self.min_window is not None,
            "min_pixel_ratio": self.min_pixel_ratio is not None,
            "max_pixel_ratio": self.max_pixel_ratio is not None,
            "touch": not self.touch,
            "min_refresh_rate": self.min_refresh_rate is not None,
        }
        return [name for name, is_there in there.items() if is_there]

    @property
    def measures(self) -> bool:
        """Whether the page looks at the device at all."""
        return self.record or bool(self.names)

    @property
    def numbers(self) -> dict[str, object]:
        """What stands in the texts for {width} and the like; nothing where there is no such gate."""
        width, height = self.min_window or ("", "")
        numbers = {"ratio_from": self.min_pixel_ratio, "ratio_to": self.max_pixel_ratio, "rate": self.min_refresh_rate}
        shown = {name: "" if number is None else f"{number:g}" for name, number in numbers.items()}
        return {"width": width, "height": height, **shown}

    def failed(self, device: MeasuredDevice) -> list[str]:
        """Return the names of the gates that a device does not pass."""
        width, height = self.min_window or (0, 0)
        passed = {
            "min_window": device.window_width >= width and device.window_height >= height,
            "min_pixel_ratio": device.pixel_ratio >= (self.min_pixel_ratio or 0),
            "max_pixel_ratio": self.max_pixel_ratio is None or device.pixel_ratio <= self.max_pixel_ratio,
            "touch": not device.touch,
            "min_refresh_rate": device.refresh_rate >= (1 - _SCATTER) * (self.min_refresh_rate or 0),
        }
        return [name for name in self.names if not passed[name]]


NO_GATES = Gates()
"""Every device is let in, and nothing of it is looked at."""


def parse_gates(options: Mapping[str, str]) -> Gates:
    """Return the gates.

    Args:
        options: Those of `OPTIONS`; empty where nothing is set.

    Raises:
        ConfigError: One is impossible.
    """
    if options["device"] not in ("", _RECORD):
        raise ConfigError(f"device must be {_RECORD}, or left out. Received: device={options['device']}")
    least, most = (_positive(options, f"{end}_pixel_ratio", 20) for end in ("min", "max"))
    if least is not None and most is not None and least > most:
        raise ConfigError(f"min_pixel_ratio={least:g} is above max_pixel_ratio={most:g}: nobody could begin")
    return Gates(
        record=options["device"] == _RECORD,
        min_window=_window(options["min_window"]),
        min_pixel_ratio=least,
        max_pixel_ratio=most,
        touch=parse_bool(options, "touch", True),
        min_refresh_rate=_positive(options, "min_refresh_rate", 500),
    )


def _window(value: str) -> tuple[int, int] | None:
    if not value:
        return None
    found = _WINDOW.fullmatch(value)
    if found is None:
        raise ConfigError(
            f"min_window must be WIDTHxHEIGHT in CSS pixels, such as 1024x600. Received: min_window={value}"
        )
    return int(found[1]), int(found[2])


def _positive(options: Mapping[str, str], name: str, maximum: float) -> float | None:
    if not options[name]:
        return None
    number = parse_float(options, name, 0.0)
    if not 0 < number <= maximum:
        raise ConfigError(f"{name} must be above 0 and at most {maximum:g}. Received: {name}={options[name]}")
    return number
