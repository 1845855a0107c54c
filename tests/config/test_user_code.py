"""Errors in the user's own code: their line, and a message in one line."""

from functools import cached_property
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from ablate.config.user_code import one_line, properties_unmasked, unmasked, user_place
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


class Masked:
    """A class whose properties fail, with a `__getattr__` that hides why."""

    def __getattr__(self, name: str) -> object:
        raise AttributeError(f"no attribute {name!r}", name=name, obj=self)

    @cached_property
    def sources(self) -> object:
        """Fails as a misspelt key does."""
        raise AttributeError("the configuration has no width.unit")

    @property
    def count(self) -> object:
        """Fails as what it asks for does."""
        return self.sources

    @property
    def itself(self) -> object:
        """Says of itself that it is not there."""
        raise AttributeError("not this one", name="itself", obj=self)


def test_what_a_property_raises_is_seen_where_python_says_that_there_is_none() -> None:
    with pytest.raises(AttributeError, match=r"^the configuration has no width\.unit$"), properties_unmasked():
        _ = Masked().count
    for name in ("other", "sources"):
        with pytest.raises(AttributeError, match=f"^no attribute '{name}'$") as masked:
            getattr(Masked(), name)
    assert str(unmasked(masked.value)) == "the configuration has no width.unit"
    with pytest.raises(AttributeError, match=r"^no attribute 'other'$"), properties_unmasked():
        _ = Masked().other
    with pytest.raises(AttributeError, match=r"^not this one$"), properties_unmasked():
        _ = Masked().itself
