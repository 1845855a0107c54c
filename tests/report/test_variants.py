import pytest

from ablate.report.variants import in_order, short_names, shown_names


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


def test_a_comma_in_quotes_ends_no_difference() -> None:
    assert short_names(["a='x,b=2',c=1", "a=y,c=1"])[0] == {"a='x,b=2',c=1": "a='x,b=2'", "a=y,c=1": "a=y"}


def test_long_names_are_shown_shortened_and_apart() -> None:
    drops = [f"a={[[step, 0.5] for step in range(60 + more)]}" for more in range(3)]
    shown, common = shown_names(["baseline", *drops, "b=1"])
    assert (shown["baseline"], shown["b=1"], common) == ("baseline", "b=1", "")
    assert len(set(shown.values())) == 5
    assert max(map(len, shown.values())) < 60
