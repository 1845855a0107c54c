import math
from functools import partial

import pytest

from ablate.report.numbers import large, markdown_escaped, number, signed, without_password


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
        (without_password, "postgresql://me:secret@host:5432/db", "postgresql://host:5432/db"),
        (without_password, "sqlite:////a/b.db", "sqlite:////a/b.db"),
    ],
)
def test_numbers_and_addresses_read_well(write: object, value: object, text: str) -> None:
    assert callable(write)
    assert write(value) == text


@pytest.mark.parametrize("text", ["a|b", "a_b", "*a*", "<b>"])
def test_what_markdown_would_read_is_escaped(text: str) -> None:
    assert markdown_escaped(text) != text


def test_what_markdown_would_not_read_stays() -> None:
    assert markdown_escaped("plain words") == "plain words"
