"""Levels: no two look the same in a variant's name, and which are equal."""

from typing import Any

import pytest

from ablate.config.level import level_text, same_level
from tests.support.similar_levels import VALUES


def test_no_two_values_look_the_same() -> None:
    texts = [level_text(value) for value in VALUES]
    assert len(set(texts)) == len(texts)
    assert [level_text(value) for value in ("adam", "x-y.z", "two words", "<i>", "色", 0.001, 7)] == [
        "adam", "x-y.z", "two words", "<i>", "色", "0.001", "7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, 1.0, True), (1, True, False), (0, False, False), (1, "1", False), ([1, [2.0]], [1.0, [2]], True),
     ([1], [True], False), ({"a": 0}, {"a": False}, False), ({}, None, False), (None, "None", False)],
)  # fmt: skip
def test_what_is_the_same_level(one: Any, other: Any, same: bool) -> None:
    assert same_level(one, other) is same
