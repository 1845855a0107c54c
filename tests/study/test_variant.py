from typing import Any

import pytest
from omegaconf import OmegaConf

from ablate.study.variant import variant_name

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
