"""Devices: what a page may say of one, and the family of a browser."""

import json
from typing import Any

import pytest

from ablate.turing.device import browser_family, read_device

SENT = {
    "window_width": 1200, "window_height": 800, "screen_width": 1920, "screen_height": 1080, "pixel_ratio": 1.5,
    "touch": False, "refresh_rate": 59.9,
}  # fmt: skip


def test_what_is_measured_is_read() -> None:
    found = read_device(json.dumps(SENT))
    assert found is not None
    assert found.model_dump() == SENT
    assert read_device(json.dumps(SENT | {"pixel_ratio": 1})) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"window_width": 0}, {"window_width": "1200"}, {"window_width": 10**9}, {"window_width": 1200.5},
        {"pixel_ratio": float("nan")}, {"pixel_ratio": 0}, {"refresh_rate": float("inf")}, {"refresh_rate": None},
        {"touch": 1}, {"fingerprint": "x"}, {"screen_height": None},
    ],
)  # fmt: skip
def test_anything_else_is_not(change: dict[str, Any]) -> None:
    assert read_device(json.dumps(SENT | change)) is None


@pytest.mark.parametrize("sent", ["", "x", "[]", "null", "{}", "1"])
def test_what_is_no_device_is_none(sent: str) -> None:
    assert read_device(sent) is None


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", "Chrome"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0", "Edge"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0", "Opera"),
        ("Mozilla/5.0 (Linux; Android 14) SamsungBrowser/26.0 Chrome/122.0 Mobile Safari/537.36", "Samsung Internet"),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15", "Safari"),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 FxiOS/140.0 Mobile Safari/605.1.15", "Firefox"),
        ("Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 CriOS/140.0 Mobile Safari/604.1", "Chrome"),
        ("curl/8.0", "other"),
        ("", "other"),
    ],
)
def test_the_family_of_a_browser(agent: str, family: str) -> None:
    assert browser_family(agent) == family
