"""Variants that are assembled of sections are those that Hydra composes."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.config.hydra_job import unresolved_values
from ablate.config.paths import conf_dir
from ablate.config.result_keys import is_varied_group
from ablate.study.compose_variants import Lines, compose_variants

LEVELS = {
    folder.name: sorted(path.stem for path in folder.glob("*.yaml"))
    for folder in sorted(conf_dir().iterdir())
    if folder.is_dir() and is_varied_group(folder.name)
}
CONFIG = "defaults: [_self_, {a: one}, {b: one}]\na: {}\nb: {}\nshared: {x: 0}\n"
PLAIN = {"a/one": "x: 1", "a/two": "y: 2", "b/one": "x: 1", "b/two": "y: ${a}"}


def compositions(folder: Path, variants: list[Lines]) -> int:
    """Compose variants, compare each with Hydra's, and return how many Hydra had to compose."""
    composed = []
    with initialize_config_dir(str(folder), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()

    def load(lines: list[str]) -> DictConfig:
        composed.append(lines)
        return loader.load_configuration("config", lines, run_mode=RunMode.MULTIRUN)

    found = compose_variants(load, variants)
    count = len(composed)
    for lines, values in zip(variants, found, strict=True):
        assert values == unresolved_values(load([*lines])), lines
    return count


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in {"config": CONFIG, **PLAIN, **files}.items():
        path = (folder / name).with_suffix(".yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")


def grid(**factors: list[object]) -> list[Lines]:
    return [
        tuple(f"{key}={level}" for key, level in zip(factors, levels, strict=True))
        for levels in product(*factors.values())
    ]


@pytest.mark.slow
def test_every_level_beside_the_first_of_every_other_group() -> None:
    most = max(map(len, LEVELS.values()))
    apart = [
        tuple(f"{group}={levels[place % len(levels)]}" for group, levels in LEVELS.items()) for place in range(most)
    ]
    mixed = [
        tuple(f"{group}={(levels[1] if other == group else levels[0])}" for group, levels in LEVELS.items())
        for other in LEVELS
    ]
    assert compositions(conf_dir(), [*apart, *mixed]) < len(apart) + len(mixed)


def test_plain_levels_and_values_are_composed_once(tmp_path: Path) -> None:
    write(tmp_path, {})
    assert compositions(tmp_path, grid(**{"a": ["one", "two"], "b": ["one", "two"], "shared.x": [1, 2, 3]})) == 4
    assert compositions(tmp_path, [(), ("+new=1",), ("a=two",), ("a=two", "+new=1")]) == 4
    assert compositions(tmp_path, [("a=one",), ("a=two",), ("~a",), ("a={x: 5}",), ("a=two", "+a.z=1")]) == 5


@pytest.mark.parametrize(
    "files",
    [
        {"b/two": "# @package _global_\nshared: {x: 2}\na: {x: 7}"},
        {"a/two": "# @package _global_\nshared: {x: 3}", "b/two": "# @package _global_\nshared: {x: 2}"},
        {"b/two": "# @package _global_\ndefaults: [{override /a: two}]\nb: {y: 1}"},
        {"b/two": "defaults: [one]\ny: 1"},
        {
            "config": CONFIG.replace("{b: one}]", "{b: one}, {c: '${a}_${b}'}]"),
            **{f"c/{one}_{other}": f"shared: {one}{other}" for one in ("one", "two") for other in ("one", "two")},
        },
    ],
    ids=["elsewhere", "both elsewhere", "chooses another level", "of another level", "depends on both"],
)
def test_other_levels_are_what_hydra_makes_of_them(files: Mapping[str, str], tmp_path: Path) -> None:
    write(tmp_path, files)
    compositions(tmp_path, grid(a=["one", "two"], b=["one", "two"]))
    compositions(tmp_path, grid(b=["two", "one"], a=["two", "one"]))


def test_a_section_that_a_later_level_adds_is_composed_for_the_others(tmp_path: Path) -> None:
    write(tmp_path, {})
    variants: list[Lines] = [("a=one", "b=one"), ("a=two", "b=two"), ("a=two", "b=one"), ("a=one", "b=one", "+c.x=1")]
    compositions(tmp_path, variants)
    compositions(tmp_path, [*variants, ("a=two", "b=two", "+c.x=1"), ("a=one", "b=two", "~a")])
