"""Hydra's options and overrides in the commands beside `run`."""

import sys
from pathlib import Path

import pytest
from hydra._internal.utils import create_config_search_path
from hydra.errors import HydraException

from ablate import layers, prepare, run
from ablate.cli.command_line import (
    CommandLine,
    check_run_options,
    parse_command_line,
    split_config_options,
    with_project,
)
from ablate.cli.errors import explain_error, handle_errors
from ablate.errors import ConfigError
from ablate.study.sweep import expand_sweep


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with levels of one's own, one of a shipped one's name, and two configurations."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own" / "optimizer").mkdir(parents=True)
    for name, rate in (("adam", 0.777), ("mine", 0.5)):
        text = f"name: {name}\n_target_: keras.optimizers.Adam\nlearning_rate: {rate}\n"
        (tmp_path / "own" / "optimizer" / f"{name}.yaml").write_text(text)
    (tmp_path / "own" / "mine.yaml").write_text("defaults: [config, _self_]\nseed: 42\n")
    (tmp_path / "own" / "alone.yaml").write_text("defaults: [_self_, optimizer: mine]\nwidth: 3\n")
    (tmp_path / "own" / "swept.yaml").write_text(
        "defaults: [config, _self_]\nhydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      seed: 7,8\n"
    )
    (tmp_path / "own" / "endless.yaml").write_text("defaults: [endless, _self_]\n")
    return tmp_path / "own"


@pytest.mark.parametrize(
    ("arguments", "seed", "rate"),
    [
        ([], 0, 0.0003),
        (["--config-dir", "own"], 0, 0.777),
        (["-cd", "own", "-cn", "mine"], 42, 0.777),
        (["--config-dir=own", "--config-name=mine.yaml", "optimizer=mine"], 42, 0.5),
        (["hydra.searchpath=[own]"], 0, 0.777),
        (["hydra.searchpath=[file://own]", "optimizer=mine"], 0, 0.5),
        (["optimizer=sgd", "-cd", "own", "seed=1"], 1, None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_options_say_which_configuration(arguments: list[str], seed: int, rate: float | None, own: Path) -> None:
    config = CommandLine(arguments).compose()
    assert config.seed == seed
    if rate is not None and arguments:
        assert config.optimizer.learning_rate == rate


def test_a_primary_folder_is_relative_to_the_current_one(own: Path) -> None:
    assert CommandLine(["-cp", "own", "-cn", "alone"]).compose().width == 3
    given = ["-cp", "own", "-cn", "alone"]
    assert with_project(given) == [*given, "--config-path", str(own)]


@pytest.mark.slow
def test_first_a_user_s_folders_then_ours(own: Path) -> None:
    (own.parent / "other" / "optimizer").mkdir(parents=True)
    (own.parent / "other" / "optimizer" / "mine.yaml").write_text("learning_rate: 9\n")
    given = CommandLine(["hydra.searchpath=[other,own]", "optimizer=mine"])
    assert given.compose().optimizer.learning_rate == 9
    assert CommandLine(["hydra.searchpath=[own,other]", "optimizer=mine"]).compose().optimizer.learning_rate == 0.5


def test_other_programs_search_as_hydra_does(own: Path) -> None:
    search_path = create_config_search_path(str(own))
    search_path.append("hydra.searchpath in main", "elsewhere")
    providers = [element.provider for element in search_path.get_path()]
    assert providers[-2:] == ["schema", "hydra.searchpath in main"]


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["seed=1,2"], [["seed=1"], ["seed=2"]]),
        (["seed=choice(1,2)", "depth=full"], [["seed=1", "depth=full"], ["seed=2", "depth=full"]]),
        (["seed=range(1,3)"], [["seed=1"], ["seed=2"]]),
        (["-cd", "own", "optimizer=glob(m*)"], [["optimizer=mine"]]),
        (["hydra.searchpath=[own]", "optimizer=glob(m*)"], [["optimizer=mine"]]),
        (["-cd", "own", "-cn", "swept"], [["seed=7"], ["seed=8"]]),
        (["-cd", "own", "-cn", "swept", "seed=3"], [["seed=3"]]),
        (["study.variant='a b=c,d'"], [["study.variant='a b=c,d'"]]),
        (["++seed=3", "+study.note=x"], [["++seed=3", "+study.note=x"]]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value[0], str) else "",
)
def test_a_sweep_has_the_runs_that_hydra_gives_it(arguments: list[str], lines: list[list[str]], own: Path) -> None:
    _, runs = expand_sweep(CommandLine(arguments).compose_sweep())
    assert runs == lines


@pytest.mark.parametrize("override", ["optimizer=glob(zz*)", "seed=range(1,1)"])
def test_a_sweep_over_nothing_is_a_mistake(override: str, own: Path) -> None:
    with pytest.raises(ConfigError) as error:
        expand_sweep(CommandLine([override]).compose_sweep())
    assert str(error.value) == f"{override} stands for no value at all"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--cfg", "job"],
            "--cfg is an option of `python -m ablate.run` alone. Allowed: --help, --multirun, --config-",
        ),
        (["--info"], "--info is an option of `python -m ablate.run` alone"),
        (["-sc", "install=bash"], "--shell-completion is an option of `python -m ablate.run` alone"),
        (["--experimental-rerun", "a"], "--experimental-rerun is an option of `python -m ablate.run` alone"),
        (["--nonsense"], "unknown option: --nonsense. Allowed: --help, --multirun"),
        (["--cfg", "nonsense"], "argument --cfg/-c: invalid choice: 'nonsense'"),
        (["--config-dir"], "argument --config-dir/-cd: expected one argument"),
    ],
)
def test_options_that_make_no_sense_are_named(arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_command_line(arguments)
    assert str(error.value).startswith(message)


def test_run_has_all_options_of_hydra_and_no_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    check_run_options(["--cfg", "job", "-m", "seed=0", "--info"])
    monkeypatch.setattr(sys, "argv", ["ablate.run", "--nonsense"])
    with pytest.raises(SystemExit) as ended:
        run.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("Error: unknown option: --nonsense. Allowed: --help, --multirun")


def test_the_options_of_a_command_are_named_with_its_own() -> None:
    with pytest.raises(ConfigError, match=r"unknown option: --nonsense\. Allowed: --json, --help"):
        split_config_options(["--nonsense"], ["--json"])


@pytest.mark.slow
def test_errors_name_what_the_configuration_in_use_has(own: Path) -> None:
    arguments = ["-cd", "own", "-cn", "mine", "optimizer=mine", "optimizer.lr=1"]
    with pytest.raises(HydraException) as error:
        CommandLine(arguments).compose()
    assert explain_error(error.value, arguments).endswith(
        "optimizer._target_, optimizer.learning_rate, optimizer.name"
    )
    with pytest.raises(HydraException) as error:
        CommandLine(["-cp", "own", "-cn", "alone", "widht=1"]).compose()
    message = explain_error(error.value, ["-cp", "own", "-cn", "alone", "widht=1"])
    assert message == "unknown key: widht. Allowed: optimizer, width. Did you mean width?"


@pytest.mark.slow
def test_hydra_s_own_keys_have_neighbours_too() -> None:
    for key, end in (
        ("hydra.job.nme", "Did you mean hydra.job.name?"),
        ("hydra.job.env_set.A", "+hydra.job.env_set.A=1"),
    ):
        with pytest.raises(HydraException) as error:
            CommandLine([f"{key}=1"]).compose()
        assert explain_error(error.value, ["--cfg", "job", f"{key}=1"]).endswith(end)


def test_a_configuration_that_includes_itself_is_one_line(
    own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="1"), handle_errors("docs/runs.md"):
        CommandLine(["-cd", "own", "-cn", "endless"]).compose()
    assert capsys.readouterr().err.startswith("Error: a configuration includes itself")


@pytest.mark.slow
def test_layers_shows_each_network_of_a_sweep_once(
    own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["", "-m", "-cd", "own", "depth=full,shallow", "seed=0,1", "optimizer=mine"])
    layers.main()
    shown = capsys.readouterr().out
    assert shown.count("trainable parameters") == 2
    assert shown.startswith("depth=full\n")
    assert "\n\ndepth=shallow\n" in shown


@pytest.mark.slow
def test_prepare_makes_one_data_set_of_one_configuration(own: Path) -> None:
    assert prepare._compose(parse_command_line(["-m", "-cd", "own", "-cn", "mine"])).seed == 42
    with pytest.raises(ConfigError, match="out=DIR is one data set, and these are 2 configurations"):
        prepare._compose(parse_command_line(["-m", "data.image_size=32,64"]))
