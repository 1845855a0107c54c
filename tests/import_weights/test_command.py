"""The command: a released file becomes a model that `colorize` takes, or one line says why not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorize.load import load_colorizer
from ablate.import_weights.__main__ import main
from tests.support.commands import called_here
from tests.support.levels import variant_layers
from tests.support.torch_files import released_tensors, write_zip

Command = Callable[..., str]


@pytest.fixture
def import_m(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Command:
    """Run `python -m ablate.import_weights ARGUMENTS` here; return what it prints, or the line that it ends with."""
    monkeypatch.chdir(tmp_path)
    return called_here(main, "ablate.import_weights", monkeypatch, capsys)


@pytest.mark.slow
def test_the_released_network_is_imported_and_decodes_as_the_released_code(import_m: Command, tmp_path: Path) -> None:
    arrays = released_tensors(variant_layers())
    write_zip(tmp_path / "net.pth", arrays)
    assert import_m("net.pth") == "net.keras (123 MiB): the network of scale=paper, 32,235,385 parameters\n"
    assert {path.name for path in tmp_path.iterdir()} == {"net.pth", "net.keras"}
    colorizer = load_colorizer(model=tmp_path / "net.keras")
    assert (colorizer.image_size, colorizer.output_size, colorizer.name) == (256, 64, "net")
    L = np.random.default_rng(0).uniform(0, 100, (1, 256, 256)).astype(np.float32)
    logits = np.asarray(colorizer.model.predict_on_batch((L[..., None] - 50) / 100)).astype(np.float64)
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    ab = shares / shares.sum(axis=-1, keepdims=True) @ ab_gamut(10)
    np.testing.assert_allclose(colorizer.predict_ab(L), ab, atol=1e-3)
    assert load_colorizer(model=tmp_path / "net.keras", temperature=0.38).color.temperature == 0.38
    assert "net.keras is there already: overwrite=true" in import_m("net.pth")


def test_mistakes_end_in_one_line(import_m: Command, tmp_path: Path) -> None:
    for arguments, line in {
        ("none.pth",): "there is no file none.pth",
        (): None,
        ("a.pth", "b.pth"): "one file must be given, as in FILE.pth. Received: a.pth, b.pth",
        ("a.pth", "out=x.h5"): "out must end in .keras. Received: out=x.h5",
        ("a.pth", "overwrite=yes"): "overwrite must be true or false. Received: overwrite=yes",
    }.items():
        if line is None:
            assert import_m().startswith("The published network with its published weights")
        else:
            assert import_m(*arguments) == f"Error: {line}. See docs/colorize.md#the-published-weights\n"
    assert not list(tmp_path.iterdir())


def test_another_network_leaves_nothing(import_m: Command, tmp_path: Path) -> None:
    write_zip(tmp_path / "net.pth", released_tensors(variant_layers(width=1 / 32)))
    message = import_m("net.pth")
    assert "model1.0.weight (layer conv1_1) must have shape (64, 1, 3, 3). Received: (2, 1, 3, 3)" in message
    write_zip(tmp_path / "net.pth", {"classifier.weight": np.zeros((10, 10), np.float32)})
    assert import_m("net.pth") == (
        "Error: net.pth cannot be imported: it lacks model1.0.weight (layer conv1_1): it is not the released network "
        "eccv16. It has classifier.weight. See docs/colorize.md#the-published-weights\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["net.pth"]
