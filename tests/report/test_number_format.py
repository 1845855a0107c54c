import math
from functools import partial

import pytest

from ablate.report.number_format import large, magnitude, number, probability, signed, with_interval


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (number, 85.5612, "85.56"),
        (number, float("inf"), "∞"),
        (number, 1.8e308, "∞"),
        (large, 999_800, "1 M"),
        (large, float("nan"), "-"),
        (partial(signed, counted=True), -59_543_920, "-59.5 M"),
        (partial(signed, counted=True), 0.0, ""),
        (number, 0.86794, "0.8679"),
        (number, 0.000072, "0.0001"),
        (number, 1462.4, "1,462"),
        (number, 0.0, "0"),
        (number, math.nan, "-"),
        (signed, -5.9412, "-5.94"),
        (signed, 12345.0, "+12,345"),
        (large, 2032585, "2.03 M"),
        (large, 83.6e9, "83.6 G"),
        (large, 12, "12"),
    ],
)
def test_numbers_read_well(write: object, value: object, text: str) -> None:
    assert callable(write)
    assert write(value) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        ((1.2345, 0.9, 1.6), "+1.23 [+0.90, +1.60]"),
        ((-12.3, -20.0, -4.6), "-12.3 [-20.0, -4.6]"),
        ((-123.0, -400.0, 154.0), "-123 [-400, +154]"),
        ((0.00123, 0.0011, 0.0014), "+0.00123 [+0.00110, +0.00140]"),
        ((-0.01, -1.4, 1.4), "0.0 [-1.4, +1.4]"),
        ((2.0, math.nan, math.nan), "+2"),
        ((0.0, 0.0, 0.0), "+0"),
        ((math.nan, math.nan, math.nan), "-"),
    ],
)
def test_a_difference_has_the_digits_that_its_interval_bears(
    difference: tuple[float, float, float], text: str
) -> None:
    assert with_interval(*difference) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [
        ((-1.533, -3.054, -0.012), "-1.53 [-3.05, -0.01]"),
        ((1.5, -0.004, 3.004), "+1.500 [-0.004, +3.004]"),
        ((1.5, 1e-9, 3.0), "+1.500 [0.000, +3.000]"),
        ((1.5, 0.0, 3.0), "+1.5 [0.0, +3.0]"),
    ],
)
def test_an_end_next_to_0_shows_its_side(difference: tuple[float, float, float], text: str) -> None:
    assert with_interval(*difference) == text


@pytest.mark.parametrize(
    ("p", "text"), [(0.00099, "<0.001"), (0.0123, "0.012"), (0.2, "0.20"), (1.0, "1.00"), (math.nan, "-")]
)
def test_p_values_read_well(p: float, text: str) -> None:
    assert probability(p) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.04, "1.0"), (0.0123, "0.012"), (123.4, "123"), (0.0, "0"), (math.nan, "-")]
)
def test_magnitudes_have_two_digits(value: float, text: str) -> None:
    assert magnitude(value) == text
