"""Levels that look alike, of any factor."""

from typing import Any

VALUES: list[Any] = [
    1, True, "1", "True", "1.0", None, "None", "null", "absent", "", " ", "a", " a", "a ", "a,b=2", "a,b", "a=b",
    "'a'", '"a"', "it's", "[1]", [1], ["1"], [True], [], {}, "{}", [[5, 0.1]], [{"a": 1}], {"a": "1"}, "a\nb", "a\\nb",
    "1e3", 1e3, "nan", "1_000", "0x10", "baseline", 0.1, "0.1",
]  # fmt: skip
