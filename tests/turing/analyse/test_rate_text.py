"""A fooling rate as text."""

from math import nan

import pytest

from ablate.turing.analyse.rate_text import rate_text


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        ((32.3, 30.1, 34.5), "32.3 [30.1, 34.5]"),
        ((0.0, 0.0, 1.8), "0.00 [0.00, 1.80]"),
        ((50.0, nan, nan), "50.00 (one participant: no interval)"),
    ],
)
def test_what_has_no_interval_says_why(rate: tuple[float, float, float], expected: str) -> None:
    assert rate_text(*rate) == expected
