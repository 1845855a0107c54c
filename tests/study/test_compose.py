"""Hydra composes each variant once; every run has the values that Hydra composes for it alone."""

import copy
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from ablate.config.hydra_job import unresolved_values
from ablate.config.paths import conf_dir, experiment_folders
from ablate.config.validation import validate_config
from ablate.study.compose import compose_runs
from ablate.study.compose_variants import Load
from ablate.study.definition import load_study, study_runs

Runs = Sequence[Sequence[str]]
STUDIES = [path.stem for path in sorted(experiment_folders()[-1].glob("*.yaml"))]


def loader_of(folder: Path) -> Load:
    with initialize_config_dir(str(folder), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
    return lambda overrides: loader.load_configuration("config", overrides, run_mode=RunMode.MULTIRUN)


@pytest.fixture(scope="module")
def load() -> Load:
    """Hydra's composition, done once for each list of overrides."""
    composed, compose = dict[tuple[str, ...], DictConfig](), loader_of(conf_dir())

    def once(overrides: list[str]) -> DictConfig:
        key = tuple(overrides)
        if key not in composed:
            composed[key] = compose(overrides)
        return composed[key]

    return once


@pytest.fixture
def same(load: Load) -> Callable[[Runs], list[dict[str, Any]]]:
    """Compose runs, and compare each with what Hydra composes for it."""

    def compare(runs: Runs) -> list[dict[str, Any]]:
        composed = compose_runs(load, runs)
        assert len(composed) == len(runs)
        for overrides, values in zip(runs, composed, strict=True):
            assert exactly(values) == exactly(unresolved_values(load(list(overrides)))), overrides
        return composed

    return compare


def exactly(values: Any) -> str:
    """Write values such that 1, 1.0, true and "1" differ, and the order of keys does not count."""
    return json.dumps(values, sort_keys=True, indent=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", STUDIES)
def test_a_shipped_study_is_what_hydra_composes(name: str, load: Load) -> None:
    runs = [run.overrides for run in study_runs(load_study(name), ["scale=smoke"])]
    furthest = max(runs, key=lambda run: sum(one != other for one, other in zip(run, runs[0], strict=True)))
    sample = [runs[0], furthest, runs[-1]]
    for overrides, values in zip(sample, compose_runs(load, sample), strict=True):
        assert exactly(validate_config(values).values) == exactly(validate_config(load(list(overrides))).values)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "compositions"), [("optimizer_by_resolution", 4), ("screening", 4)])
def test_levels_are_composed_once_and_a_variant_to_compare(name: str, compositions: int, load: Load) -> None:
    composed: list[tuple[str, ...]] = []

    def counted(overrides: list[str]) -> DictConfig:
        composed.append(tuple(overrides))
        return load(overrides)

    study = load_study(name)
    runs = [run.overrides for run in study_runs(study, ["scale=smoke"])]
    compose_runs(counted, runs)
    assert len(composed) == compositions < len(study.expansion().variants)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("plain", "plain"),
        ("'optimizer.learning_rate=0.0003,depth=full'", "optimizer.learning_rate=0.0003,depth=full"),
        (r"'it\'s {odd} [1,2]: \\'", "it's {odd} [1,2]: \\"),
        ('"in double quotes"', "in double quotes"),
        ("'Fläche ½ ✓'", "Fläche ½ ✓"),
        ("' at its ends '", " at its ends "),
        ("'1e3'", "1e3"),
        ("'null'", "null"),
        ("'${seed}'", "${seed}"),
        ("", ""),
        ("null", None),
        ("1e3", 1000.0),
        ("true", True),
        ("[a,'b c']", ["a", "b c"]),
    ],
)
def test_a_variant_is_called_as_it_is_written(written: str, value: Any, load: Load) -> None:
    first, values = compose_runs(load, [["seed=1", "study.variant=first"], ["seed=2", f"study.variant={written}"]])
    assert exactly(values) == exactly({**first, "seed": 2, "study": {"name": "adhoc", "variant": value}})


@pytest.mark.slow
def test_names_are_read_as_hydra_reads_them(same: Callable[[Runs], Any]) -> None:
    variants = [r"'it\'s {odd} [1,2]: \\'", "'${seed}'", "1e3", "[a,'b c']", "null"]
    same([[f"seed={seed}", f"study.variant={variant}"] for seed, variant in enumerate(variants)])


@pytest.mark.slow
def test_seeds_and_names_may_stand_in_some_runs_alone(same: Callable[[Runs], Any]) -> None:
    composed = same([["seed=3"], [], ["study.name=other", "seed=1_0"], ["depth=full"], ["depth=full", "seed=4"]])
    assert [values["seed"] for values in composed] == [3, 0, 10, 0, 4]
    assert [values["study"]["name"] for values in composed] == ["adhoc", "adhoc", "other", "adhoc", "adhoc"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "runs",
    [
        [["depth=full"], ["depth=full", "dropout=heavy"], ["dropout=heavy"], []],
        [["+optimizer.amsgrad=true"], ["+optimizer.amsgrad=false"], ["optimizer.beta_1=0.5"]],
        [["~evaluation", "depth=full"], ["~evaluation", "depth=shallow"], ["depth=shallow"]],
        [["depth=full", "dropout=heavy"], ["dropout=light", "depth=full"]],
    ],
    ids=["keys of one run", "added", "removed", "another order"],
)
def test_runs_may_set_different_keys(runs: Runs, same: Callable[[Runs], Any]) -> None:
    same(runs)


@pytest.mark.slow
@pytest.mark.parametrize(
    "runs",
    [
        [["optimizer=adam", "optimizer.learning_rate=0.1"], ["optimizer=adadelta", "optimizer.learning_rate=0.5"]],
        [["scale=smoke", "regularizer=none"], ["scale=paper", "regularizer=l2"], ["scale=paper", "regularizer=none"]],
        [["optimizer={name: a}", "training.epochs=1"], ["optimizer={name: b}", "training.epochs=2"]],
    ],
    ids=["level and value", "a level that chooses another", "mappings"],
)
def test_overrides_may_touch_the_same_keys(runs: Runs, same: Callable[[Runs], Any]) -> None:
    same(runs)


@pytest.mark.slow
def test_values_keep_their_type(same: Callable[[Runs], Any]) -> None:
    levels = ["null", "true", "1", "1.0", "'1'", "false", "0", "[]", "[1,[2,a]]", "{a: 1}", "${seed}"]
    composed = same([[f"training.steps_per_epoch={level}"] for level in levels])
    expected = [None, True, 1, 1.0, "1", False, 0, [], [1, [2, "a"]], {"a": 1}, "${seed}"]
    assert exactly([values["training"]["steps_per_epoch"] for values in composed]) == exactly(expected)


@pytest.mark.slow
def test_runs_do_not_change_each_other(load: Load) -> None:
    runs = [["optimizer=adam", "depth=full"], ["optimizer=sgd", "depth=full"], ["optimizer=sgd", "depth=shallow"]]
    before = [copy.deepcopy(compose_runs(load, runs[: place + 1])[place]) for place in range(len(runs))]
    assert compose_runs(load, runs) == before
    assert compose_runs(load, runs[::-1]) == before[::-1]


@pytest.mark.parametrize("wrong", ["depth=deep", "nowhere=1", "seed=[1", "training.epochs=[1"])
def test_what_hydra_refuses_is_refused(wrong: str, load: Load) -> None:
    with pytest.raises(HydraException):
        compose_runs(load, [["optimizer=adam"], ["optimizer=adam", wrong]])


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.epochs=1", "training={epochs: 2}", "training.epochs=3"],
        ["study.variant=a", "study={variant: b}"],
        ["seed=1", "++seed=2"],
    ],
)
def test_the_last_override_of_a_key_counts(overrides: list[str], same: Callable[[Runs], Any]) -> None:
    same([overrides])
