"""The variant of a Hydra job: its differences from the defaults."""

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from ablate.cli.command_line import CommandLine
from ablate.config.hydra_job import current_hydra_job
from ablate.config.job_variant import variant_of_job, variant_of_overrides
from ablate.config.validation import validate_config
from ablate.config.variant import Variant

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
    return variant_of_overrides(
        overrides,
        choices={**DEFAULTS, **choices},
        defaults=DEFAULTS,
        values=OmegaConf.to_container(changed),
        reference=CONFIG,
        no_result_keys=("data.root", "data.memory_gib"),
    ).name


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
    named = variant_of_overrides(
        ["~optimizer.beta_1", "+optimizer={learning_rate:0.1}"],
        choices={}, defaults={}, values=without, reference=CONFIG,
    )  # fmt: skip
    assert named.name == "optimizer.beta_1=absent,optimizer.learning_rate=0.1"


def test_what_all_variants_share_is_not() -> None:
    shared = ["seed=3", "study.name=x", "tracking.uri=null", "hardware.threads=2", "data=folder", "data.root=a"]
    assert name(*shared, "scale=smoke", data="folder", scale="smoke") == "baseline"


def test_what_follows_from_the_scale_is_no_difference() -> None:
    paper = {**DEFAULTS, "scale": "paper", "regularizer": "l2"}
    same = variant_of_overrides(["scale=paper"], choices=paper, defaults=paper, values=CONFIG, reference=CONFIG)
    assert same == Variant()


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


def test_levels_of_nested_and_moved_groups_are_named() -> None:
    chosen = {**DEFAULTS, "data/crops": "many", "dropout@second": "light"}
    named = variant_of_overrides([], choices=chosen, defaults=DEFAULTS, values=CONFIG, reference=CONFIG)
    assert named.name == "data/crops=many,dropout@second=light"
    assert variant_of_overrides([], choices={"tracking/x": "y"}, defaults={}, values={}, reference={}) == Variant()


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


def job_name(*arguments: str) -> str:
    config = CommandLine(arguments).compose()
    with current_hydra_job(config):
        return variant_of_job(validate_config(config)).name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["optimizer={learning_rate:0.01}"], "optimizer.learning_rate=0.01"),
        (["optimizer=sgd", "optimizer={learning_rate:0.02}"], "optimizer=sgd,optimizer.learning_rate=0.02"),
        (["+optimizer.amsgrad=true"], "optimizer.amsgrad=True"),
        (["~optimizer.beta_2"], "optimizer.beta_2=absent"),
        (["dropout=light", "dropout.rate=0.3"], "dropout=light,dropout.rate=0.3"),
        (["training={epochs:3}"], "training.epochs=3"),
        (["study.variant='mine'", "depth=shallow"], "mine"),
        (["study.variant=2024"], "2024"),
        (["data=sample", "scale=smoke", "seed=3", "hardware.threads=1"], "baseline"),
    ],
)
def test_a_variant_is_called_by_what_differs(arguments: list[str], name: str) -> None:
    assert job_name(*arguments) == name


@pytest.mark.slow
def test_several_levels_of_one_group_are_a_difference(tmp_path: Path) -> None:
    files = {
        "mine": "defaults: [config, {augment: [flip]}, _self_]\n",
        "augment/flip": "# @package _global_\ntraining: {epochs: 2}\n",
        "augment/crop": "# @package _global_\ntraining: {batch_size: 4}\n",
    }
    for file, text in files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / f"{file}.yaml").write_text(text)
    folder = ["--config-dir", str(tmp_path), "--config-name", "mine"]
    assert job_name(*folder) == "baseline"
    assert job_name(*folder, "augment=[flip,crop]") == "augment=['flip', 'crop']"
    assert job_name(*folder, "augment=[crop]") == "augment=['crop']"
