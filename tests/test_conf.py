"""Every file under conf/ composes, and every level of every group really runs."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from ablate import prepare
from ablate.config.paths import conf_dir
from ablate.config.validation import validate_config
from ablate.tracking.study_record import StudyRecord
from tests.support.commands import QUICK, TINY

FILES = sorted(path.relative_to(conf_dir()).with_suffix("") for path in conf_dir().rglob("*.yaml"))
GROUPS: dict[str, list[str]] = {}
for file in FILES:
    if len(file.parts) == 2:
        GROUPS.setdefault(file.parts[0], []).append(file.parts[1])

# The network of each scale as it is, but for two steps on one photograph each.
FEW = ["training.batch_size=1", "training.epochs=1", "training.steps_per_epoch=2", "tracking.model=false"]
SIZES = [override for override in QUICK if override.partition("=")[0] not in GROUPS]
NEEDS = {"data": {"folder": ["data.root=photographs"], "prepared": ["data.root=set"], "tfds": ["data.dataset=any"]}}
NOT_RUN = {"data=tfds"}
"""What is prepared first."""
VARIED = {
    group: [level for level in levels if f"{group}={level}" not in NOT_RUN]
    for group, levels in GROUPS.items()
    if group != "scale"
}
TOGETHER = [
    [f"{group}={levels[place % len(levels)]}" for group, levels in VARIED.items()]
    for place in range(max(map(len, VARIED.values())))
]
"""Runs with another level of every group in each, until every level had its turn."""
RUNS = [
    *([f"scale={level}", *FEW] for level in GROUPS["scale"]),
    *(["scale=smoke", *levels, *SIZES, "data.repeats=1"] for levels in TOGETHER),
]


def with_needs(overrides: list[str]) -> list[str]:
    """Add what levels must be given."""
    split = [override.partition("=") for override in overrides]
    return [*overrides, *(need for group, _, level in split for need in NEEDS.get(group, {}).get(level, []))]


def levels_of(overrides: list[str]) -> str:
    return " ".join(override for override in overrides if override.partition("=")[0] in GROUPS)


def test_the_design_s_groups_and_levels_are_there() -> None:
    expected = {
        "optimizer": {"adam", "adamw", "adadelta", "sgd"},
        "regularizer": {"none", "l2"},
        "schedule": {"constant", "linear", "cosine", "steps"},
        "depth": {"full", "reduced", "shallow"},
        "output_res": {"full", "half", "quarter"},
        "loss": {"rebalanced", "unweighted", "regression"},
        "data": {"sample", "folder", "prepared", "tfds"},
        "scale": {"smoke", "thumbnail", "overnight", "laptop", "paper"},
        "task": {"colorization"},
        "tracking": {"mlflow"},
    }
    assert {group: set(levels) for group, levels in GROUPS.items() if group != "dropout"} == expected
    assert "none" in GROUPS["dropout"]
    assert len(GROUPS["dropout"]) >= 3


@pytest.mark.parametrize("file", FILES, ids=str)
def test_every_file_opens_with_a_comment(file: Path) -> None:
    text = (conf_dir() / file).with_suffix(".yaml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("# @package")]
    assert lines[0].startswith("# ")


@pytest.mark.parametrize(("group", "level"), [(group, level) for group in GROUPS for level in GROUPS[group]])
def test_every_level_composes_and_is_valid(group: str, level: str) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = validate_config(compose("config", with_needs([f"{group}={level}"])))
    assert config.values["study"]["name"] == "adhoc"


def test_every_level_is_run() -> None:
    overrides = {override for run in RUNS for override in levels_of(run).split()}
    assert {f"{group}={level}" for group, levels in GROUPS.items() for level in levels} - overrides == NOT_RUN


@pytest.mark.slow
@pytest.mark.parametrize("overrides", RUNS, ids=levels_of)
def test_every_level_runs_two_steps(
    overrides: list[str],
    run_here: Callable[..., None],
    study: Callable[[], StudyRecord],
    photographs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "data=prepared" in overrides:
        monkeypatch.setattr(
            sys, "argv", ["", "data=folder", "data.root=photographs", "scale=smoke", "workers=1", "out=set"]
        )
        prepare.main()
    run_here(*with_needs(overrides))

    record = study()
    assert list(record.runs["status"]) == ["FINISHED"]
    assert record.results.notna().all(axis=None)


@pytest.mark.slow
def test_levels_of_one_s_own_are_found_and_named(
    home: Path, run_here: Callable[..., None], study: Callable[[], StudyRecord]
) -> None:
    (home / "own" / "optimizer").mkdir(parents=True)
    (home / "own" / "optimizer" / "mine.yaml").write_text(
        "name: mine\n_target_: keras.optimizers.RMSprop\nlearning_rate: 0.001\nrho: 0.8\n"
    )
    (home / "own" / "preset").mkdir()
    (home / "own" / "preset" / "soft.yaml").write_text("# @package _global_\ncolor:\n  temperature: 1.0\n")
    run_here(f"hydra.searchpath=[file://{home}/own]", *TINY, "optimizer=mine", "+preset=soft")
    variant = study().runs["variant"].iloc[0]
    assert "optimizer=mine" in variant
    assert "preset=soft" in variant
