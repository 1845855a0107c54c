"""Errors in the user's own code: their line, and a message in one line."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from ablate.config.user_code import one_line, user_place
from ablate.config.validation import validate_config
from ablate.errors import ConfigError
from ablate.study.planning import plan_runs


def raised(text: str) -> Exception:
    """Return the error of reading or changing a task's settings."""
    settings = OmegaConf.create({"width": {"units": 4}})
    OmegaConf.set_struct(settings, True)
    OmegaConf.set_readonly(settings, True)
    with pytest.raises(Exception) as error:  # noqa: PT011 - whatever OmegaConf raises
        exec(text, {"config": settings})
    return error.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config.width.unit", "the configuration has no width.unit; beside it are units"),
        ("config.training", "a task's configuration has no training, which is ablate's; beside it are width"),
        ("config.width.units = 3", "the configuration cannot be changed, as width.units here: a run is known by it"),
    ],
)
def test_settings_that_are_not_there(text: str, message: str) -> None:
    assert one_line(raised(text)) == message


def test_the_line_of_a_module_that_breaks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "breaks_on_import.py").write_text("import numpy\n\nnumpy.nothing\n")
    with pytest.raises(ConfigError, match=r"cannot be imported: breaks_on_import.py:3: module 'numpy' has no"):
        validate_config({"task": {"_target_": "breaks_on_import.Task"}})


def test_a_script_that_calls_has_no_place() -> None:
    with pytest.raises(TypeError) as error:
        plan_runs(None, 3, Path())  # type: ignore[arg-type]
    assert user_place(error.value) == ""
