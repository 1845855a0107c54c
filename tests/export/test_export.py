"""Exports: each format gives the original's ab, for any kind of network, and says how to feed it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from ablate.colorization.color.gamut import ab_gamut
from ablate.colorization.config import ColorConfig
from ablate.colorization.model.backbone import build_backbone
from ablate.colorize.colorizer import Colorizer
from ablate.errors import ConfigError, DataError
from ablate.export.check import TOLERANCE, checked_lightness, compare, seconds_a_call
from ablate.export.export import export
from ablate.export.formats import FORMATS, Array, Format, Runner
from ablate.export.network import in_float32
from ablate.export.place import check_place
from tests.support.levels import variant_layers

SIDE = 32
KINDS = {
    "savedmodel": "tensorflow",
    "onnx": "onnxruntime",
    "litert": "ai_edge_litert",
}


def network(policy: str = "float32", *, outputs: int, step: int = 10, temperature: float = 0.38, **options: Any):
    """Return a small network with weights that make many colours."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = build_backbone(variant_layers(width=1 / 16, outputs=outputs, **options), side=SIDE)
    finally:
        keras.config.set_dtype_policy(before)
    random = np.random.default_rng(0)
    for weight in model.weights:
        if "seed" not in weight.path and not weight.path.endswith("variance"):
            weight.assign(weight + random.normal(0, 0.03, weight.shape))
    color = ColorConfig(grid_step=step, soft_bins=1, soft_sigma=5, prior_sigma=5, temperature=temperature)
    return Colorizer(model, color, "a network")


NETWORKS = {
    "bfloat16": lambda: network("mixed_bfloat16", outputs=313),
    "step 20": lambda: network(outputs=len(ab_gamut(20)), step=20, temperature=1.0, depth="shallow"),
    "regression": lambda: network(outputs=2, dropout=0.2, depth="shallow"),
}


def runner(colorizer: Colorizer) -> Runner:
    return lambda lightness: colorizer.predict_ab(lightness[..., 0])


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_export_gives_the_ab_of_the_original(kind: str, name: str, tmp_path: Path) -> None:
    pytest.importorskip(KINDS[kind])
    FORMATS[kind].check_packages(kind)
    colorizer = NETWORKS[name]()
    said = export(colorizer, kind, tmp_path / "out", "a test")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert re.search(r"differs from the original by at most \S+ ab units on 11 squares", said)
    assert re.search(rf"\n  original .* ms a square.*\n  {kind} .* ms a square", said)
    assert ("bfloat16 moves ab by" in said) == (name == "bfloat16")

    lightness = np.random.default_rng(1).uniform(0, 100, (5, SIDE, SIDE, 1)).astype(np.float32)
    expected = runner(in_float32(colorizer))(lightness)
    assert expected.std() > 1
    run = FORMATS[kind].runner(tmp_path / "out")
    for some in (slice(None), slice(3, 4), slice(2)):
        np.testing.assert_allclose(run(lightness[some]), expected[some], atol=TOLERANCE)

    facts = json.loads((tmp_path / "out" / "metadata.json").read_text())
    assert (facts["input"]["shape"], facts["output"]["shape"]) == ([None, 32, 32, 1], [None, 8, 8, 2])
    decodes = {"bfloat16": (10, 0.38, 313), "step 20": (20, 1.0, 78), "regression": (None, None, None)}[name]
    assert tuple(facts["decoding"].get(key) for key in ("grid_step", "temperature", "classes")) == decodes
    assert facts["checked"]["largest_difference"] <= TOLERANCE
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "| input | `lightness` | (batch, 32, 32, 1) | float32 | L, 0 (black) to 100 (white); not scaled |" in readme
    assert max(map(len, readme.splitlines())) < 120


_LARGE = """
import resource
import sys
from pathlib import Path

import keras
from ablate.colorization.config import ColorConfig
from ablate.colorize.colorizer import Colorizer
from ablate.export.formats import FORMATS

layers = [keras.Input((8, 8, 1)), *(keras.layers.Conv2D(channels, 1) for channels in (4096, 4096, 2))]
color = ColorConfig(grid_step=10, soft_bins=5, soft_sigma=5, prior_sigma=5, temperature=0.38)
colorizer = Colorizer(keras.Sequential(layers), color, "large")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
FORMATS["onnx"].write(colorizer, Path(sys.argv[1]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / (4096 * 4096 * 4 / 1024))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems count the peak otherwise")
def test_converting_to_onnx_holds_a_bounded_number_of_copies_of_the_weights(tmp_path: Path) -> None:
    pytest.importorskip("tf2onnx")
    done = subprocess.run(
        [sys.executable, "-c", _LARGE, tmp_path], capture_output=True, text=True, check=True, timeout=300
    )
    # About 20, of which TensorFlow makes most; as many again were tf2onnx to keep one for each of its optimisations.
    assert float(done.stdout.splitlines()[-1]) < 30


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_the_example_colours_a_photograph_without_ablate(kind: str, tmp_path: Path) -> None:
    pytest.importorskip(KINDS[kind])
    colorizer = NETWORKS["step 20"]()
    export(colorizer, kind, tmp_path / "out", "a test")
    grey = np.linspace(40, 200, 60 * 50).reshape(60, 50).astype(np.uint8)
    Image.fromarray(grey).save(tmp_path / "photo.png")
    block = "import sys; sys.modules['ablate'] = None; import runpy; runpy.run_path(sys.argv[1], run_name='__main__')"
    arguments = [tmp_path / "out" / "example.py", tmp_path / "photo.png", tmp_path / "coloured.png"]
    code = block.replace("runpy.run_path", "sys.argv.pop(0); runpy.run_path").replace("sys.argv[1]", "sys.argv[0]")
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    from skimage.color import lab2rgb, rgb2lab
    from skimage.transform import resize

    square = np.asarray(Image.fromarray(grey).convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))
    ab = colorizer.predict_ab(rgb2lab(square)[None, ..., 0].astype(np.float32))[0]
    L = rgb2lab(np.stack([grey] * 3, axis=-1))[..., :1]
    expected = np.uint8(lab2rgb(np.concatenate([L, resize(ab, (60, 50), order=1)], axis=-1)) * 255 + 0.5)
    made = np.asarray(Image.open(tmp_path / "coloured.png"))
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert np.ptp(made.astype(int), axis=-1).max() > 5


def test_the_squares_that_are_compared_are_photographs_noise_black_and_white() -> None:
    lightness = checked_lightness(16)
    assert (lightness.shape, lightness.dtype) == ((11, 16, 16, 1), np.float32)
    assert (lightness[-2] == 0).all()
    assert (lightness[-1] == 100).all()
    assert lightness.min() >= 0
    assert lightness[:8].std(axis=(1, 2, 3)).min() > 5


def test_an_export_with_other_colours_is_refused() -> None:
    def original(lightness: Array) -> Array:
        return np.repeat(lightness[:, ::4, ::4], 2, axis=-1)

    lightness = checked_lightness(16)
    assert compare(original, lambda L: original(L) + np.float32(5e-4), lightness).largest == pytest.approx(
        5e-4, rel=0.1
    )
    with pytest.raises(DataError, match=r"differs from the original by 0\.01 ab units, more than 0\.001\. It was not"):
        compare(original, lambda L: original(L) + np.float32(0.01), lightness)
    unsteady = compare(lambda L: original(L) + np.float32(4e-3 * (len(L) == 1)), original, lightness)
    assert (unsteady.itself, unsteady.allowed) == pytest.approx((4e-3, 8e-3), rel=0.01)
    with pytest.raises(DataError, match=r"gives float32 of shape \(11, 2, 4, 4\) in place of"):
        compare(original, lambda L: original(L).transpose(0, 3, 1, 2), lightness)
    with pytest.raises(DataError, match="gives float64"):
        compare(original, lambda L: original(L).astype(np.float64), lightness)
    with pytest.raises(DataError, match="in place of float32"):
        compare(original, lambda L: original(L) * np.float32(np.nan), lightness)
    with pytest.raises(DataError, match="differs from the original by 100 "):  # one alone is not the first of many
        compare(original, lambda L: original(L) + np.float32(100 * (len(L) == 1)), lightness)


def test_runners_are_measured_in_turns() -> None:
    calls: list[str] = []

    def note(name: str) -> Runner:
        return lambda lightness: (calls.append(name), lightness)[1]

    best = seconds_a_call({"one": note("one"), "two": note("two")}, np.zeros((1, 4, 4, 1), np.float32))
    assert calls[:6] == ["one", "two"] * 3
    assert all(0 < seconds < 1 for seconds in best.values())


def test_a_network_in_float32_is_taken_as_it_is() -> None:
    colorizer = NETWORKS["regression"]()
    assert in_float32(colorizer) is colorizer
    mixed = NETWORKS["bfloat16"]()
    single = in_float32(mixed)
    assert {layer.compute_dtype for layer in single.model.layers} == {"float32"}
    for one, other in zip(mixed.model.weights, single.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_packages_that_are_missing_are_named_with_what_installs_them() -> None:
    packages = {"onnx": "json", "tf2onnx-not": "no_such_module", "other": "no_other_module"}
    format_ = Format("model.x", packages, (), lambda *_: None, lambda _: lambda lightness: lightness)
    with pytest.raises(ConfigError) as caught:
        format_.check_packages("onnx")
    assert str(caught.value) == (
        "format=onnx needs tf2onnx-not and other, which are not installed: pip install onnx tf2onnx-not other"
    )


def test_only_an_export_is_replaced(tmp_path: Path) -> None:
    check_place(tmp_path / "new", overwrite=False)
    (tmp_path / "mine").mkdir()
    for name in ("mine", ".", "file", "link"):
        (tmp_path / "file").write_text("mine")
        if not (tmp_path / "link").is_symlink():
            (tmp_path / "link").symlink_to(tmp_path / "nowhere")
        with pytest.raises(ConfigError, match="is no export: give another out=DIR"):
            check_place(tmp_path / name, overwrite=True)
    for name in ("metadata.json", "example.py"):
        (tmp_path / "mine" / name).touch()
    check_place(tmp_path / "mine", overwrite=True)
    with pytest.raises(ConfigError, match="overwrite=true replaces it"):
        check_place(tmp_path / "mine", overwrite=False)
