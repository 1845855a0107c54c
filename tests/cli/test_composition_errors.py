"""Configurations that Hydra cannot compose, in one line."""

import os
from pathlib import Path

import pytest
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from ablate.cli.command_line import CommandLine
from ablate.cli.composition_errors import explain_missing_level
from ablate.cli.errors import explain_error

BROKEN = {
    "open list": (b"a: 1\nb: [1\nc: 2\n", "line 3: ", "of line 2"),
    "no value": (b"a: }\n", "line 1: ", "'}'"),
    "key twice": (b"seed: 1\nseed: 2\n", "line 2: ", "duplicate key seed"),
    "tab": (b"a:\n\tb: 1\n", "line 2: ", ""),
    "binary": (b"a: 1\nb: \xff\xfe\n", "line 2: ", "no text in UTF-8"),
    "null byte": (b"a: 1\nb: \x00\n", "line 2: ", "no text"),
    "interpolation": (b"a: 1\nb: ${c\n", "line 2: ", "${c"),
}


def explained(*arguments: str) -> str:
    with pytest.raises((HydraException, OmegaConfBaseException, YAMLError, ValueError)) as error:
        CommandLine(arguments).compose()
    message = explain_error(error.value, arguments)
    assert len(message.splitlines()) == 1
    return message


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("place", ["mine.yaml", "dropout/mine.yaml"])
def test_a_broken_file_is_named_with_its_line(broken: str, place: str, tmp_path: Path) -> None:
    content, line, said = BROKEN[broken]
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_bytes(content)
    chosen = "dropout=mine" if "/" in place else "--config-name=mine"
    for folder in (["--config-dir", str(tmp_path)], [f"hydra.searchpath=[file://{tmp_path}]"]):
        if "/" in place or folder[0] == "--config-dir":
            message = explained(*folder, chosen)
            assert message.startswith(f"{os.path.realpath(tmp_path / place)} cannot be read: {line}")
            assert said in message


@pytest.mark.parametrize(
    ("argument", "keys"),
    [
        ("dropout=0.3", "dropout.rate=0.3"),
        ("dropout=1", "dropout.rate=1"),
        ("loss=0.5", "loss.mix=0.5"),
        ("regularizer=1e-3", "regularizer.l2=1e-3"),
        (
            "optimizer=0.01",
            "optimizer.learning_rate=0.01 or optimizer.beta_1=0.01 or optimizer.beta_2=0.01",
        ),
    ],
)
def test_a_value_given_to_a_group_says_its_key(argument: str, keys: str) -> None:
    group = argument.partition("=")[0]
    message = explained(argument)
    assert message.startswith(f"unknown level: {argument}. Allowed: {group}=")
    assert message.endswith(f". A value is set by its key: {keys}")


@pytest.mark.slow
@pytest.mark.parametrize("argument", ["depth=3", "dropout=null", "optimizer=true", "hydra/sweeper=3"])
def test_where_no_key_takes_such_a_value_the_levels_are_named(argument: str) -> None:
    assert explained(argument).startswith(f"unknown level: {argument}. Allowed: {argument.partition('=')[0]}=")
    assert "its key" not in explained(argument)


@pytest.mark.slow
def test_the_keys_and_levels_are_those_of_the_configuration_in_use(tmp_path: Path) -> None:
    (tmp_path / "width").mkdir()
    (tmp_path / "mine.yaml").write_text("defaults: [{width: wide}, _self_]\nmine: {apples: 1}\n")
    (tmp_path / "width" / "wide.yaml").write_text("factor: 2.0\n")
    (tmp_path / "width" / "32.yaml").write_text("factor: 0.5\n")
    used = ["--config-path", str(tmp_path), "--config-name", "mine"]
    assert explained(*used, "width=3").endswith("A value is set by its key: width.factor=3")
    assert explained(*used, "width=32").endswith("the level of that name is width=\"'32'\"")
    assert explained(*used, "mine.aples=2").endswith("Allowed: mine.apples. Did you mean mine.apples?")


def test_a_launcher_that_is_not_installed_says_what_to_install() -> None:
    said = explain_missing_level("hydra/launcher", "joblib", ["auto", "basic", "ray"])
    assert said == 'hydra/launcher=joblib needs a package: pip install "ablate[joblib]"'
    assert explain_missing_level("hydra/launcher", "jblib", ["auto"]).startswith("unknown level: hydra/launcher=jblib")
