import pytest

from ablate.report.variants import in_order, short_names


@pytest.mark.parametrize(
    ("variants", "short", "common"),
    [
        (["baseline", "a=1"], ["baseline", "a=1"], ""),
        (["e=3", "a=1,e=3", "a=[1,2],e=3"], ["baseline", "a=1", "a=[1,2]"], "e=3"),
        (["a=1,e=3"], ["a=1,e=3"], ""),
        (["a=1,b=2", "a=1,b=3"], ["b=2", "b=3"], "a=1"),
    ],
)
def test_what_all_variants_share_is_named_once(variants: list[str], short: list[str], common: str) -> None:
    assert short_names(variants) == (dict(zip(variants, short, strict=True)), common)


def test_the_baseline_comes_first_and_combinations_last() -> None:
    assert in_order(["b=1,c=1", "c=2", "baseline", "b=3", "c=2"]) == ["baseline", "b=3", "c=2", "b=1,c=1"]


def test_a_list_as_a_value_is_one_difference() -> None:
    assert in_order(["a=1,b=2", "z=[1,2,3]"]) == ["z=[1,2,3]", "a=1,b=2"]
