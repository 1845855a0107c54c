"""Names that are too long for people, and for the store."""

import pytest

from ablate.config.short_names import MAX_SHOWN, MAX_STORED, shorten, shorten_for_store

DROPS = "schedule.drops=" + str([[100 * step, 0.9**step] for step in range(1, 61)])
OTHER = DROPS.replace("[6000,", "[6001,")
FACTORS = ",".join(f"factor{place}=level{place}" for place in range(20))


@pytest.mark.parametrize("name", ["baseline", "depth=reduced,dropout=light", "x" * MAX_SHOWN, ""])
def test_what_can_be_read_stays(name: str) -> None:
    assert shorten(name) == name


def test_of_a_long_difference_the_beginning_stays_and_the_others_whole() -> None:
    shown = shorten(f"depth=reduced,{DROPS},seed=3")
    assert shown.startswith("depth=reduced,schedule.drops=[[100, 0.9], [200, 0.8")
    assert shown.endswith(",seed=3")
    assert len(shown) < MAX_SHOWN


@pytest.mark.parametrize("name", [DROPS, "x" * 300, FACTORS, f"{DROPS} × {OTHER}", f"{DROPS} depth=full seed=1"])
def test_names_that_differ_are_shown_differently_and_fit(name: str) -> None:
    others = [name, f"{name}0", f"{name},a=1", name.replace("=", "=1")]
    shown = {shorten(other) for other in others}
    assert len(shown) == len(set(others))
    assert max(map(len, shown)) <= MAX_SHOWN
    assert {shorten(each) for each in shown} == shown


def test_the_store_holds_every_name() -> None:
    assert shorten_for_store(DROPS) == DROPS
    one, other = (shorten_for_store("x" * 20_000 + ending) for ending in "ab")
    assert one != other
    assert len(one) == len(other) == MAX_STORED
