"""The formats: how each is written, and run again by its own runtime."""

from __future__ import annotations

import importlib.util
import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ablate.colorize.colorizer import Colorizer
from ablate.errors import ConfigError

Array = npt.NDArray[np.float32]
Runner = Callable[[Array], Array]
"""From L, (batch, side, side, 1), to ab, (batch, height, width, 2)."""
_CATCH = "TF2ONNX_CATCH_ERRORS"
OPSET = 18
"""Of ONNX: every runtime since 2023 knows it."""


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        file: The model's file in the folder of an export; that of a SavedModel is the folder.
        packages: What writing and checking take beside what ablate needs: the name to install and to import.
        versions: The packages whose versions the export names.
        write: Writes the network to a folder.
        runner: Loads what was written to a folder.
    """

    file: str
    packages: Mapping[str, str]
    versions: tuple[str, ...]
    write: Callable[[Colorizer, Path], None]
    runner: Callable[[Path], Runner]

    def check_packages(self, name: str) -> None:
        """Check that what the format takes is installed.

        Raises:
            ConfigError: It is not; the message has the command that installs it.
        """
        missing = [package for package, module in self.packages.items() if importlib.util.find_spec(module) is None]
        if missing:
            lacks = " and ".join([", ".join(missing[:-1]), missing[-1]] if missing[1:] else missing)
            raise ConfigError(
                f"format={name} needs {lacks}, which {'is' if len(missing) == 1 else 'are'} not installed: "
                f"pip install {' '.join(self.packages)}"
            )

    def installed_versions(self) -> dict[str, str]:
        """Return the versions of the packages that wrote and checked an export."""
        return {name: metadata.version(name) for name in ("tensorflow", *self.versions)}


def _write_saved_model(colorizer: Colorizer, folder: Path) -> None:
    import tensorflow as tf

    from ablate.export.network import exported_function

    # Keras' own export keeps every weight twice.
    module = tf.Module()
    module.weights = [variable.value for variable in colorizer.model.variables]
    tf.saved_model.save(module, str(folder), signatures={"serving_default": exported_function(colorizer)})


def _run_saved_model(folder: Path) -> Runner:
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    function = loaded.signatures["serving_default"]

    def run(lightness: Array, loaded: Any = loaded) -> Array:  # what is loaded lives as long as its function
        ab: Array = function(lightness=tf.constant(lightness))["ab"].numpy()
        return ab

    return run


def _write_onnx(colorizer: Colorizer, folder: Path) -> None:
    import onnx
    import tf2onnx

    from ablate.export.network import exported_function, signature

    logging.getLogger("tf2onnx").setLevel(logging.WARNING)
    with _without_copies():
        model, _ = tf2onnx.convert.from_function(
            exported_function(colorizer), input_signature=[signature(colorizer)], opset=OPSET
        )
    (given,), (made,) = model.graph.input, model.graph.output
    # The converter calls the batch by a number, and leaves the sides of ab open.
    given.type.tensor_type.shape.dim[0].dim_param = "batch"
    side = colorizer.output_size
    made.CopyFrom(onnx.helper.make_tensor_value_info(made.name, onnx.TensorProto.FLOAT, ("batch", side, side, 2)))
    onnx.checker.check_model(model)
    onnx.save(model, folder / "model.onnx")


@contextmanager
def _without_copies() -> Iterator[None]:
    """Have tf2onnx optimise its graph in place, and leave the weights where they are.

    Else it copies the graph, with all weights, for each of its optimisations, to continue from where one fails. And
    after each it writes all weights into the messages of their nodes anew, where protobuf frees nothing that was there
    before: some 7 GB for the published network.
    """
    from tf2onnx.graph import Node

    update, before = Node.update_proto, os.environ.get(_CATCH)

    def update_others(node: Any, *storage: Any) -> None:
        if not node.is_const():  # whose message nothing reads
            update(node, *storage)

    os.environ[_CATCH], Node.update_proto = "FALSE", update_others
    try:
        yield
    finally:
        Node.update_proto = update
        if before is None:
            del os.environ[_CATCH]
        else:
            os.environ[_CATCH] = before


def _run_onnx(folder: Path) -> Runner:
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])

    def run(lightness: Array) -> Array:
        (ab,) = session.run(["ab"], {"lightness": lightness})
        return np.asarray(ab)

    return run


def _write_litert(colorizer: Colorizer, folder: Path) -> None:
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix="ablate-") as name:
        saved = Path(name) / "saved"
        _write_saved_model(colorizer, saved)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved), signature_keys=["serving_default"])
        (folder / "model.tflite").write_bytes(converter.convert())


def _run_litert(folder: Path) -> Runner:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(folder / "model.tflite"), num_threads=os.cpu_count())
    function = interpreter.get_signature_runner("serving_default")

    def run(lightness: Array, interpreter: Any = interpreter) -> Array:
        return np.array(function(lightness=lightness)["ab"])

    return run


FORMATS = {
    "savedmodel": Format("saved_model.pb", {}, (), _write_saved_model, _run_saved_model),
    "onnx": Format(
        "model.onnx",
        {"onnx": "onnx", "tf2onnx": "tf2onnx", "onnxruntime": "onnxruntime"},
        ("onnx", "tf2onnx", "onnxruntime"),
        _write_onnx,
        _run_onnx,
    ),
    "litert": Format(
        "model.tflite", {"ai-edge-litert": "ai_edge_litert"}, ("ai-edge-litert",), _write_litert, _run_litert
    ),
}
