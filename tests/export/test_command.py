"""The command: a file becomes an export, or one line says why not."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.colorization.model.backbone import build_backbone
from ablate.export.__main__ import main
from tests.support.commands import called_here
from tests.support.levels import variant_layers

Command = Callable[..., str]


@pytest.fixture
def export_m(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run `python -m ablate.export ARGUMENTS` here; return what it prints, or the line that it ends with."""
    monkeypatch.chdir(tmp_path)
    return called_here(main, "ablate.export", monkeypatch, capsys)


@pytest.mark.slow
def test_a_file_of_keras_is_exported(export_m: Command, tmp_path: Path) -> None:
    build_backbone(variant_layers(width=1 / 32, depth="shallow"), side=32).save(tmp_path / "my net.keras")
    said = export_m("format=savedmodel", "model=my net.keras", "temperature=1.0")
    assert re.match(rf"{tmp_path}/results/exports/my_net-savedmodel \(0\.\d MiB\): README\.md says how to", said), said
    readme = (tmp_path / "results" / "exports" / "my_net-savedmodel" / "README.md").read_text()
    assert "From the file my net.keras." in readme
    assert "at temperature 1." in readme
    again = ("format=savedmodel", "model=my net.keras", "out=results/exports/my_net-savedmodel")
    assert "is there already: overwrite=true replaces it" in export_m(*again)
    assert export_m(*again, "overwrite=true").startswith("results/exports/my_net-savedmodel (0.")
    assert "temperature 0.38" in (tmp_path / "results" / "exports" / "my_net-savedmodel" / "README.md").read_text()
    assert [path.name for path in (tmp_path / "results" / "exports").iterdir()] == ["my_net-savedmodel"]


def test_mistakes_end_in_one_line(export_m: Command, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    for arguments, line in {
        ("format=onx",): "unknown level: format=onx. Allowed: format=litert, format=onnx, format=savedmodel. Did you",
        ("model=a.keras",): "unknown level: format=. Allowed: format=litert",
        ("format=savedmodel", "modle=a.keras"): "unknown key: modle. Allowed: format, model, out,",
        ("format=savedmodel", "model=a.keras", "run=1"): "one network is exported: give one of run=, model=",
        ("format=savedmodel", "model=a.keras"): "a.keras: there is no such model file",
        ("format=savedmodel", "model=a.keras", "out=full"): "full is there already, and is no export",
        ("format=savedmodel", "model=a.keras", "temperature=warm"): "temperature must be a number. Received",
    }.items():
        said = export_m(*arguments)
        assert said.startswith(f"Error: {line}"), said
        assert said.count("\n") == 1
    assert export_m("--help").startswith("A trained network for other programs")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
