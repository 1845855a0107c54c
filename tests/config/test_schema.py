"""Schemas and their error messages."""

import pytest
from pydantic import PositiveInt

from ablate.config.schema import Schema, unknown_key, unknown_level, validate
from ablate.errors import ConfigError


class Inner(Schema):
    epochs: PositiveInt


class Outer(Schema):
    training: Inner
    name: str


def test_valid_values_make_an_immutable_section() -> None:
    section = validate(Outer, {"training": {"epochs": 3}, "name": "a"})
    assert section.training.epochs == 3
    with pytest.raises(ValueError, match="frozen"):
        section.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        ({"training": {"epochs": 0}, "name": "a"}, ["s.training.epochs=0: input should be greater than 0"]),
        ({"training": {"epochs": 1}}, ["missing key: s.name"]),
        (
            {"training": {"epoch": 1}, "name": "a"},
            [
                "missing key: s.training.epochs",
                "unknown key: s.training.epoch. Allowed: s.training.epochs. Did you mean s.training.epochs?",
            ],
        ),
    ],
)
def test_each_mistake_is_a_line(values: dict[str, object], lines: list[str]) -> None:
    with pytest.raises(ConfigError) as error:
        validate(Outer, values, prefix="s")
    assert str(error.value).splitlines() == lines


def test_an_unknown_name_comes_with_the_allowed_ones() -> None:
    assert unknown_key("a.bc", ["bd", "x"]) == "unknown key: a.bc. Allowed: a.bd, a.x"
    assert unknown_key("a.epoch", ["epochs"]).endswith("Did you mean a.epochs?")
    assert unknown_level("depth", "z", ["full"]) == "unknown level: depth=z. Allowed: depth=full"
