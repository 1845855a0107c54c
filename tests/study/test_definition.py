"""Study files: what they may say, and what they become."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.config.paths import experiment_folders
from ablate.errors import ConfigError
from ablate.study.definition import load_study, study_runs

STUDY: dict[str, Any] = {
    "question": "Does it matter?",
    "baseline": {"optimizer": "adam", "optimizer.learning_rate": 1e-3},
    "factors": {"optimizer": ["adam", "sgd"], "optimizer.learning_rate": [3e-4, 1e-3]},
    "design": "one_at_a_time",
    "seeds": [0, 1],
    "metric": {"name": "auc_raw", "direction": "maximize"},
}


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Write a study file `mine` into the current folder's `experiments`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "experiments").mkdir()

    def write(**changes: Any) -> None:
        values = {key: value for key, value in {**STUDY, **changes}.items() if value is not None}
        (tmp_path / "experiments" / "mine.yaml").write_text(yaml.safe_dump(values))

    return write


def test_runs_come_seed_by_seed_with_all_levels_and_their_name(write: Any) -> None:
    write(variants={"both": {"optimizer": "sgd", "optimizer.learning_rate": 3e-4}})
    runs = study_runs(load_study("mine"), ["scale=smoke"])
    names = ["baseline", "optimizer=sgd", "optimizer.learning_rate=0.0003"]
    names.append("optimizer=sgd,optimizer.learning_rate=0.0003")
    assert [(run.variant.name, run.seed) for run in runs] == [(name, seed) for seed in (0, 1) for name in names]
    assert runs[2].overrides == (
        "scale=smoke",
        "optimizer=adam",
        "optimizer.learning_rate=0.0003",
        "seed=0",
        "study.name=mine",
        "study.variant='optimizer.learning_rate=0.0003'",
    )


def test_every_override_is_read_back_by_hydra_as_it_was(write: Any) -> None:
    levels = ["plain", "with space", "a=1,b=2", "it's", "back\\\\slash", 3e-4, 7, True, None, "[1,2]", ""]
    levels += [[], [[5, 0.1], [10, "a,b"]], ["it's", None, True], {"a": 1, "b-c": [{"d": "x y"}]}, {}, "7", "true"]
    write(factors={"x": levels}, baseline={"x": "plain"})
    runs = study_runs(load_study("mine"))[: len(levels)]
    parsed = [OverridesParser.create().parse_override(run.overrides[0]).value() for run in runs]
    assert parsed == levels


def test_numbers_are_read_as_hydra_reads_them(write: Any, tmp_path: Path) -> None:
    write()
    path = tmp_path / "experiments" / "mine.yaml"
    path.write_text(path.read_text().replace("0.0003", "3e-4"))
    assert load_study("mine").factors["optimizer.learning_rate"] == [0.0003, 0.001]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"baseline": {"optimizer": "adam"}}, "baseline has no level of the factor optimizer.learning_rate"),
        (
            {"baseline": {**STUDY["baseline"], "depth": "full"}},
            "baseline.depth is no factor; the factors are optimizer",
        ),
        ({"baseline": {**STUDY["baseline"], "optimizer": "adamw"}}, "optimizer=adamw is no level of the factor; all"),
        ({"variants": {"a": {"depth": "full"}}}, "variants.a: depth is no factor"),
        ({"variants": {"a": {"optimizer": "adamw"}}}, "variants.a: optimizer=adamw is no level of the factor;"),
        ({"variants": {"a": {"optimizer": "sgd"}}}, "duplicate variant: optimizer=sgd"),
        ({"variants": {"a": {}}}, "duplicate variant: baseline"),
        ({"seeds": [1, 1]}, "duplicate seed"),
        ({"seeds": []}, "seeds"),
        ({"seeds": [-1]}, "seeds.0=-1"),
        ({"design": "some"}, "design=some: input should be 'one_at_a_time'"),
        ({"desing": "list"}, "unknown key: desing. Allowed: baseline, baseline_seeds, budget_hours, design"),
        ({"question": None}, "missing key: question"),
        ({"metric": {"name": "auc_raw", "direction": "up"}}, "metric.direction=up: input should be 'maximize' or"),
        (
            {"factors": {"optimizer": ["adam", "adam"]}, "baseline": {"optimizer": "adam"}},
            "duplicate level",
        ),
        ({"design": "fractional_factorial", "resolution": 3}, "resolution must lie in 3..2"),
    ],
)
def test_a_mistake_is_named(write: Any, changes: dict[str, Any], message: str) -> None:
    write(**changes)
    with pytest.raises(ConfigError) as error:
        load_study("mine")
    assert message in str(error.value)
    assert str(error.value).startswith("mine.yaml: ")
    assert len(str(error.value).splitlines()) == 1


def test_an_unknown_study_names_those_there_are(write: Any) -> None:
    write()
    with pytest.raises(ConfigError, match=r"unknown level: experiment=mime.* Did you mean experiment=mine\?"):
        load_study("mime")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("experiments/mine.yaml", "Did you mean experiment=mine?"),
        ("short", "short.yml must end in .yaml"),
        ("experiments/short.yml", "short.yml must end in .yaml"),
    ],
)
def test_a_study_named_by_its_file_or_in_a_file_of_another_ending_says_so(name: str, said: str, write: Any) -> None:
    write()
    Path("experiments", "short.yml").write_text("question: Where?\n")
    with pytest.raises(ConfigError) as error:
        load_study(name)
    assert str(error.value).endswith(said)


@pytest.mark.parametrize("text", ["a: [", "- 1\n- 2\n", "a: ${nowhere}\n"])
def test_what_is_no_study_file_is_named(write: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "experiments" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml (cannot be read|must hold keys and values)"):
        load_study("mine")


@pytest.mark.parametrize("path", sorted(experiment_folders()[-1].glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_study_says_its_question_cost_and_command(path: Path) -> None:
    opening = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#"))
    assert opening.startswith("# ")
    assert opening.splitlines()[0].endswith("?")
    assert "\n# Costs " in opening
    assert f"python -m ablate.run -m experiment={path.stem}" in opening
    assert f" {len(study_runs(load_study(path.stem)))} runs" in opening


def test_lists_and_mappings_are_levels(write: Any) -> None:
    drops = [[], [[5, 0.1]], [[5, 0.1], [9, 0.5]]]
    write(factors={"schedule.drops": drops}, baseline={"schedule.drops": []}, seeds=[0])
    runs = study_runs(load_study("mine"))
    assert [run.variant.name for run in runs] == [
        "baseline",
        "schedule.drops=[[5, 0.1]]",
        "schedule.drops=[[5, 0.1], [9, 0.5]]",
    ]
    assert [run.overrides[0] for run in runs][1:] == [
        "schedule.drops=[[5,0.1]]",
        "schedule.drops=[[5,0.1],[9,0.5]]",
    ]


@pytest.mark.parametrize("design", ["one_at_a_time", "full_factorial", "fractional_factorial"])
@pytest.mark.parametrize(("one", "other"), [(1, "1"), (True, 1), (0, False), (None, "None"), ([1], "[1]"), ({}, [])])
def test_levels_that_look_alike_are_two(write: Any, design: str, one: Any, other: Any) -> None:
    levels = {name: [one, other] for name in "xyz"}
    write(factors=levels, baseline=dict.fromkeys("xyz", one), design=design, resolution=3, seeds=[0])
    names = [run.variant.name for run in study_runs(load_study("mine"))]
    assert names[0] == "baseline"
    assert len(set(names)) == len(names) == {"one_at_a_time": 4, "full_factorial": 8}.get(design, 4)


def test_one_level_in_two_spellings_is_one(write: Any) -> None:
    write(factors={"x": [0.0, 0.2]}, baseline={"x": 0}, seeds=[0])
    assert [run.variant.name for run in study_runs(load_study("mine"))] == ["baseline", "x=0.2"]
    write(factors={"x": [0.0, 0, 0.2]}, baseline={"x": 0}, seeds=[0])
    with pytest.raises(ConfigError, match="duplicate level"):
        load_study("mine")


@pytest.mark.parametrize("name", ["123", "1e3", "true", "2024", "null", "1_000", "0x10", "1.0"])
def test_a_study_may_be_called_like_a_number(name: str, write: Any, tmp_path: Path) -> None:
    write()
    (tmp_path / "experiments" / "mine.yaml").rename(tmp_path / "experiments" / f"{name}.yaml")
    study = load_study(name)
    assert study.name == name
    override = OverridesParser.create().parse_override(study_runs(study)[0].overrides[-2])
    assert (override.key_or_group, override.value()) == ("study.name", name)


@pytest.mark.parametrize(
    ("text", "line"),
    [("question: why\nfactors: [\n", 3), ("a: 1\na: 2\n", 2), ("a:\n\t- 1\n", 2), ("a: 1\nb: ${x\n", 2)],
)
def test_a_broken_study_file_is_named_with_its_line(write: Any, tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "experiments" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=rf"mine\.yaml cannot be read: line {line}: ") as error:
        load_study("mine")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "factor",
    [
        "hydra.job_logging.handlers.x.class",
        "+hydra.job_logging.root",
        "hydra/launcher",
        "++hydra.x",
        "a=1,b",
        "~seed",
        "",
    ],
)
def test_a_factor_is_a_key_of_a_run_and_nothing_that_hydra_constructs(write: Any, factor: str) -> None:
    write(factors={factor: ["subprocess.Popen"]}, baseline={factor: "subprocess.Popen"})
    with pytest.raises(ConfigError, match="is no key or group of the configuration of a run"):
        load_study("mine")


def test_a_study_file_constructs_nothing(write: Any, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    text = f"question: !!python/object/apply:os.system ['touch {canary}']\n"
    (tmp_path / "experiments" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml cannot be read"):
        load_study("mine")
    assert not canary.exists()
