"""Variants: their names, and back from a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.config.level import level_text
from ablate.config.short_names import MAX_SHOWN, MAX_STORED
from ablate.config.variant import BASELINE, Variant
from tests.support.similar_levels import VALUES

DROPS = str([[100 * step, 0.9**step] for step in range(1, 61)])


def test_the_baseline_has_no_differences() -> None:
    assert Variant().name == BASELINE
    assert Variant.parse(BASELINE) == Variant()
    assert Variant.from_levels({"x": 1.0, "y": "a"}, {"x": 1, "y": "a"}) == Variant()


def test_differences_are_in_alphabetical_order_of_their_keys() -> None:
    levels = {"optimizer.x": 2, "optimizer": "sgd", "a": True}
    variant = Variant.from_levels(levels, {"optimizer.x": 1, "optimizer": "adam", "a": 1})
    assert variant.name == "a=True,optimizer=sgd,optimizer.x=2"


def test_a_name_is_parsed_back() -> None:
    for value in VALUES:
        parts = (f"optimizer.x={level_text(value)}", "a/b@c=d", f"z=[{level_text(value)}, 2]")
        assert Variant.parse(",".join(parts)).differences == parts
        assert Variant.parse(Variant.from_texts({"x": level_text(value), "y": "1"}).name).differences[1] == "y=1"
    assert Variant.parse("it's a, b's name").differences == ("it's a, b's name",)


@given(st.text(min_size=1, max_size=50))
@pytest.mark.parametrize("name", [",a=1", ",,a=1", "a=1,", "'a,b=2", "a b=c,d"])
def test_a_name_that_a_user_gave_stays(name: str, text: str) -> None:
    assert Variant.parse(name).name == name
    assert Variant.parse(text).name == text


def test_long_names_are_shortened_for_people_and_for_the_store() -> None:
    variant = Variant.from_texts({"schedule.drops": DROPS})
    assert variant.name == f"schedule.drops={DROPS}"
    assert len(variant.short_name) < MAX_SHOWN
    assert variant.run_name(3) == f"{variant.short_name} seed=3"
    assert Variant.parse("depth=reduced").run_name(3) == "depth=reduced seed=3"
    assert len(Variant.from_texts({"x": "y" * 20_000}).name) == MAX_STORED
