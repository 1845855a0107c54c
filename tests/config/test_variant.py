from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from ablate.config.levels import is_level_choice
from ablate.config.variant import BASELINE, differences_of, level_text, same_level, variant_name

DEFAULTS = {"optimizer": "adam", "output_res": "full", "data": "sample", "scale": "laptop", "regularizer": "none"}


CONFIG = {
    "optimizer": {"learning_rate": 0.001, "beta_1": 0.9},
    "loss": {"mix": 0.5},
    "data": {"image_size": 64, "memory_gib": 2.0},
    "hardware": {"precision": "float32", "threads": None},
    "scale": {"learning_rates": {"adam": 0.001}},
    "dropout": {"rate": 0.0},
}


def name(*overrides: str, values: dict[str, Any] | None = None, **choices: str) -> str:
    changed = OmegaConf.create(CONFIG)
    for key, value in (values or {}).items():
        OmegaConf.update(changed, key, value)
    return variant_name(
        overrides,
        choices={**DEFAULTS, **choices},
        defaults=DEFAULTS,
        values=OmegaConf.to_container(changed),
        reference=CONFIG,
    )


def test_the_baseline_differs_in_nothing() -> None:
    assert name() == "baseline"
    assert name("optimizer=adam") == "baseline"


def test_levels_are_named_in_alphabetical_order() -> None:
    both = name("output_res=quarter", "optimizer=adadelta", output_res="quarter", optimizer="adadelta")
    assert both == "optimizer=adadelta,output_res=quarter"


def test_keys_are_named() -> None:
    both = name(
        "optimizer.learning_rate=1e-2", "++loss.mix=0.3", values={"optimizer.learning_rate": 0.01, "loss.mix": 0.3}
    )
    assert both == "loss.mix=0.3,optimizer.learning_rate=0.01"


def test_what_is_set_to_what_it_is_anyway_is_no_difference() -> None:
    assert name("optimizer.learning_rate=1e-3", "dropout.rate=0") == "baseline"


def test_what_is_taken_away_and_what_comes_together_is_named() -> None:
    without = OmegaConf.to_container(OmegaConf.create({**CONFIG, "optimizer": {"learning_rate": 0.1, "beta_1": 0.9}}))
    del without["optimizer"]["beta_1"]
    named = variant_name(
        ["~optimizer.beta_1", "+optimizer={learning_rate:0.1}"],
        choices={}, defaults={}, values=without, reference=CONFIG,
    )  # fmt: skip
    assert named == "optimizer.beta_1=absent,optimizer.learning_rate=0.1"


def test_what_all_variants_share_is_not() -> None:
    shared = ["seed=3", "study.name=x", "tracking.uri=null", "hardware.threads=2", "data=folder", "data.root=a"]
    assert name(*shared, "scale=smoke", data="folder", scale="smoke") == "baseline"


def test_what_follows_from_the_scale_is_no_difference() -> None:
    paper = {**DEFAULTS, "scale": "paper", "regularizer": "l2"}
    assert variant_name(["scale=paper"], choices=paper, defaults=paper, values=CONFIG, reference=CONFIG) == "baseline"


@pytest.mark.parametrize(
    ("key", "value"),
    [("data.image_size", 32), ("hardware.precision", "mixed_bfloat16"), ("scale.learning_rates.adam", 0.1)],
)
def test_keys_that_change_results_are_named_in_every_section(key: str, value: object) -> None:
    assert name(f"{key}={value}", values={key: value}) == f"{key}={value}"


@pytest.mark.parametrize(
    ("key", "value"),
    [("data.memory_gib", 1.0), ("hardware.threads", 2), ("hardware.devices", "cpu:2"), ("hardware.compile", "graph")],
)
def test_keys_that_change_none_are_not(key: str, value: object) -> None:
    assert name(f"{key}={value}", values={key: value}) == "baseline"


@pytest.mark.parametrize("prefix", ["", "++"])
def test_values_given_to_a_group_are_named_by_their_keys(prefix: str) -> None:
    rates = {
        name(f"{prefix}optimizer={{learning_rate: {rate}}}", values={"optimizer.learning_rate": rate})
        for rate in (0.01, 0.02)
    }
    assert rates == {"optimizer.learning_rate=0.01", "optimizer.learning_rate=0.02"}
    assert name("data={image_size: 32, memory_gib: 1}", values={"data.image_size": 32}) == "data.image_size=32"
    precision = {"hardware.precision": "mixed_float16"}
    assert name("hardware={precision: mixed_float16}", values=precision) == "hardware.precision=mixed_float16"


@pytest.mark.parametrize(
    ("line", "level"),
    [("dropout=light", True), ("+dropout@second=light", True), ("dropout={rate: 0.3}", False), ("~dropout", False)],
)
def test_an_override_chooses_a_level_or_sets_values(line: str, level: bool) -> None:
    override = OverridesParser.create().parse_override(line)
    assert is_level_choice(override, ["dropout"]) is level
    assert is_level_choice(override, ["dropout@second"]) is level
    assert not is_level_choice(override, ["optimizer"])


def test_levels_of_nested_and_moved_groups_are_named() -> None:
    chosen = {**DEFAULTS, "data/crops": "many", "dropout@second": "light"}
    named = variant_name([], choices=chosen, defaults=DEFAULTS, values=CONFIG, reference=CONFIG)
    assert named == "data/crops=many,dropout@second=light"
    assert variant_name([], choices={"tracking/x": "y"}, defaults={}, values={}, reference={}) == BASELINE


VALUES: list[Any] = [
    1, True, "1", "True", "1.0", None, "None", "null", "absent", "", " ", "a", " a", "a ", "a,b=2", "a,b", "a=b",
    "'a'", '"a"', "it's", "[1]", [1], ["1"], [True], [], {}, "{}", [[5, 0.1]], [{"a": 1}], {"a": "1"}, "a\nb", "a\\nb",
    "1e3", 1e3, "nan", "1_000", "0x10", "baseline", 0.1, "0.1",
]  # fmt: skip


def test_no_two_values_look_the_same() -> None:
    texts = [level_text(value) for value in VALUES]
    assert len(set(texts)) == len(texts)
    assert [level_text(value) for value in ("adam", "x-y.z", "two words", "<i>", "色", 0.001, 7)] == [
        "adam", "x-y.z", "two words", "<i>", "色", "0.001", "7",
    ]  # fmt: skip


def test_a_name_can_be_taken_apart() -> None:
    for value in VALUES:
        parts = [f"optimizer.x={level_text(value)}", "a/b@c=d", f"z=[{level_text(value)}, 2]"]
        assert differences_of(",".join(parts)) == parts
    assert differences_of(BASELINE) == []
    assert differences_of("it's a, b's name") == ["it's a, b's name"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [(1, 1.0, True), (1, True, False), (0, False, False), (1, "1", False), ([1, [2.0]], [1.0, [2]], True),
     ([1], [True], False), ({"a": 0}, {"a": False}, False), ({}, None, False), (None, "None", False)],
)  # fmt: skip
def test_what_is_the_same_level(one: Any, other: Any, same: bool) -> None:
    assert same_level(one, other) is same


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("optimizer.x", {}, None),
        ("optimizer.x", "1", 1),
        ("optimizer.x", True, 1),
        ("optimizer.x", "a,optimizer.y=2", "a"),
        ("loss.drops", [[5, 0.1]], [[5, 0.2]]),
        ("loss.drops", [1], ["1"]),
    ],
)
def test_other_values_have_other_names(key: str, one: Any, other: Any) -> None:
    assert name(f"+{key}=x", values={key: one}) != name(f"+{key}=x", values={key: other})
