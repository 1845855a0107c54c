"""The description of an export: `metadata.json`, `README.md`, and an example that runs."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import ablate
from ablate.colorization.color.gamut import ab_gamut
from ablate.colorize.colorizer import Colorizer
from ablate.export.check import Difference
from ablate.export.formats import FORMATS, OPSET

_IMPORTS = {
    "savedmodel": "import tensorflow as tf",
    "onnx": "import onnxruntime",
    "litert": "from ai_edge_litert.interpreter import Interpreter",
}
_LOADING = {
    "savedmodel": """\
function = tf.saved_model.load(str(HERE)).signatures["serving_default"]


def predict(lightness):
    return function(lightness=tf.constant(lightness))["ab"].numpy()
""",
    "onnx": """\
session = onnxruntime.InferenceSession(HERE / "model.onnx", providers=["CPUExecutionProvider"])


def predict(lightness):
    return session.run(["ab"], {"lightness": lightness})[0]
""",
    "litert": """\
interpreter = Interpreter(str(HERE / "model.tflite"))
function = interpreter.get_signature_runner("serving_default")


def predict(lightness):
    return function(lightness=lightness)["ab"]
""",
}
_EXAMPLE = '''\
"""Colour a photograph: python example.py PHOTO COLOURED.png"""

import sys
from pathlib import Path

import numpy as np
{imports}
from PIL import Image
from skimage.color import lab2rgb, rgb2lab
from skimage.transform import resize

HERE = Path(__file__).resolve().parent
SIDE = {side}

{loading}

photograph = Image.open(sys.argv[1]).convert("RGB")
square = np.asarray(photograph.resize((SIDE, SIDE), Image.Resampling.BOX))
lightness = rgb2lab(square)[None, ..., :1].astype(np.float32)  # (1, SIDE, SIDE, 1), L in 0..100
ab = predict(lightness)[0]  # ({output}, {output}, 2), ab
L = rgb2lab(np.asarray(photograph))[..., :1]
lab = np.concatenate([L, resize(ab, L.shape[:2], order=1)], axis=-1)
Image.fromarray(np.uint8(lab2rgb(lab) * 255 + 0.5)).save(sys.argv[2])
'''
_README = """\
# {name}, as {title}

A network that colours photographs, exported by ablate {version}. It takes lightness and gives colour, both of CIE Lab
(D65); decoding is inside.

| | name | shape | dtype | range |
| --- | --- | --- | --- | --- |
| input | `lightness` | (batch, {side}, {side}, 1) | float32 | L, 0 (black) to 100 (white); not scaled |
| output | `ab` | (batch, {output}, {output}, 2) | float32 | a, then b; {range} |

`batch` is any number of squares. Reduce a photograph to {side}x{side}, take its L; enlarge ab to the photograph's
size, and join it with the photograph's own L. `example.py` does that:

    pip install {packages} numpy pillow scikit-image
    python example.py PHOTO COLOURED.png

{decoding}
{precision}
Checked when it was written: on {squares} squares, all at a time and one alone, it gives the original's ab within
{largest:.1e} units (allowed: {allowed:.2g}; all at a time and one by one, the original differs from itself by
{itself:.1e}; the ab there have a standard deviation of {spread:.3g}). Written and checked with
{versions}. `metadata.json` says the same for programs.
"""
_TITLES = {"savedmodel": "a SavedModel of TensorFlow", "onnx": f"ONNX (opset {OPSET})", "litert": "LiteRT (.tflite)"}
_RUNTIMES = {"savedmodel": "tensorflow", "onnx": "onnxruntime", "litert": "ai-edge-litert"}


def facts(colorizer: Colorizer, kind: str, source: str, difference: Difference, precision: str) -> dict[str, Any]:
    """Return what `metadata.json` says.

    Args:
        colorizer: The network.
        kind: The format.
        source: Where the network comes from.
        difference: How far the export is from the original.
        precision: Why the original may compute otherwise; empty where it does not.
    """
    side, output, color = colorizer.image_size, colorizer.output_size, colorizer.color
    regression = colorizer.model.output_shape[-1] == 2
    decoding: dict[str, Any] = {"kind": "regression"}
    if not regression:
        classes = len(ab_gamut(color.grid_step))
        decoding = {
            "kind": "annealed mean",
            "temperature": color.temperature,
            "grid_step": color.grid_step,
            "classes": classes,
        }
    return {
        "name": colorizer.name,
        "source": source,
        "format": kind,
        "file": FORMATS[kind].file,
        "signature": None if kind == "onnx" else "serving_default",
        "input": {"name": "lightness", "shape": [None, side, side, 1], "dtype": "float32", "range": [0, 100]},
        "output": {
            "name": "ab",
            "shape": [None, output, output, 2],
            "dtype": "float32",
            "range": None if regression else [-110, 110],
        },
        "decoding": decoding,
        "precision": precision,
        "checked": {
            "squares": difference.squares,
            "largest_difference": difference.largest,
            "original_from_itself": difference.itself,
            "allowed": difference.allowed,
            "spread": difference.spread,
        },
        "versions": {"ablate": ablate.__version__, **FORMATS[kind].installed_versions()},
    }


def write_description(folder: Path, facts: dict[str, Any]) -> None:
    """Write `metadata.json`, `README.md` and `example.py` beside a model."""
    kind, side, output = facts["format"], facts["input"]["shape"][1], facts["output"]["shape"][1]
    decoding, checked = facts["decoding"], facts["checked"]
    says = (
        "The network predicts ab itself (Euclidean regression)."
        if decoding["kind"] == "regression"
        else f"ab is the annealed mean of {decoding['classes']} colour classes (grid step {decoding['grid_step']}) at "
        f"temperature {decoding['temperature']:g}."
    )
    readme = _README.format(
        name=facts["name"],
        title=_TITLES[kind],
        version=facts["versions"]["ablate"],
        side=side,
        output=output,
        range="about -110 to 110, not clipped" if decoding["kind"] == "regression" else "within -110 to 110",
        packages=_RUNTIMES[kind],
        decoding="\n".join(textwrap.wrap(f"From {facts['source']}. {says}", 118)),
        precision="".join(f"{line}\n" for line in textwrap.wrap(facts["precision"], 118)),
        squares=checked["squares"],
        largest=checked["largest_difference"],
        allowed=checked["allowed"],
        itself=checked["original_from_itself"],
        spread=checked["spread"],
        versions=", ".join(f"{name} {version}" for name, version in facts["versions"].items() if name != "ablate"),
    )
    (folder / "README.md").write_text(readme, encoding="utf-8")
    (folder / "metadata.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    example = _EXAMPLE.format(side=side, output=output, imports=_IMPORTS[kind], loading=_LOADING[kind])
    (folder / "example.py").write_text(example, encoding="utf-8")
