"""Python's values as arguments of commands."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from ablate.errors import ConfigError
from ablate.notebook.overrides import command_arguments
from tiny import Tiny


class Here:
    """A class that pretends to be of a notebook."""


@pytest.mark.parametrize(
    ("value", "levels"),
    [
        ("adam", ["adam"]),
        (["adam", "sgd"], ["adam", "sgd"]),
        ("1e3", ["1e3"]),
        ("a, b='c'", ["a, b='c'"]),
        (["null", None, True], ["null", None, True]),
        (range(3), [0, 1, 2]),
        ((0.1, 1e-5), [0.1, 1e-5]),
        (np.array([1, 2]), [1, 2]),
        (np.float32(0.5), [0.5]),
        ([[[10, 0.5]], []], [[[10, 0.5]], []]),
        ({"rate": 0.1}, [{"rate": 0.1}]),
        (Path("a/b c"), ["a/b c"]),
    ],
)
def test_hydra_reads_the_levels_that_were_given(value: Any, levels: list[Any]) -> None:
    (line,) = command_arguments([{"key": value}], {})
    override = OverridesParser.create().parse_override(line)
    found = list(override.sweep_iterator()) if override.is_sweep_override() else [override.value()]
    assert [getattr(level, "text", level) for level in found] == levels
    assert [type(getattr(level, "text", level)) for level in found] == [type(level) for level in levels]


def test_options_and_overrides_are_those_of_the_command_line() -> None:
    given: dict[str, Any] = {"experiment": "mine", "config_dir": Path("conf"), "config_name": "base"}
    arguments = command_arguments(["optimizer=adam,sgd", {"a.b": 1}], {"seed": [0, 1], "task": Tiny}, **given)
    assert arguments == [
        *("--config-dir", "conf", "--config-name", "base"),
        *("experiment=mine", "optimizer=adam,sgd", "a.b=1", "seed=0,1", "task._target_=tiny.Tiny"),
    ]


def test_what_is_no_override_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Here, "__module__", "__main__")
    for given, said in [
        (["-m"], "-m is an option of the command line"),
        ([{"seed": []}], "seed=[] stands for no value at all"),
        ([{"task": Here}], "Here is defined in the notebook, or in the script that runs"),
        ([{"rate": object()}], "Received: a object"),
    ]:
        with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
            command_arguments(given, {})
