"""A network in a `.keras` file: written whole; read, wherever it comes from, without running any code it names."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import PositiveFloat, ValidationError

from ablate.config.schema import Schema
from ablate.errors import DataError
from ablate.system.atomic_write import atomic_write

if TYPE_CHECKING:
    import keras

_MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
_DECODING = "decoding.json"
"""What Keras has no place for, where it is not the paper's."""
_MAX_CONFIG, _MAX_WEIGHTS, _MAX_DECODING = 2**24, 2**31, 1000
"""Bytes when unpacked: a few kilobytes of zip can hold gigabytes."""
_CLASSES = {"DTypePolicy", "Functional", "Sequential"}
"""Of the module `keras` itself."""
_MODULES = ("keras.initializers", "keras.regularizers", "keras.constraints")
_OPERATIONS = ("keras.src.ops.numpy", "keras.src.ops.nn", "keras.src.ops.core", "keras.src.models.")
_LAYERS = tuple(
    f"keras.src.layers.{kind}"
    for kind in (
        *("activations", "convolutional", "merging", "normalization", "pooling", "regularization", "reshaping"),
        *("core.dense", "core.identity", "core.input_layer"),
    )
)
"""Keras' layers that compute with numbers; others read files, import modules or hold Python code, as Lambda does."""


def read_keras_file(file: Path) -> keras.Model:
    """Load a network to predict with.

    Args:
        file: As `model.save` writes it.

    Raises:
        DataError: It is no such file, is damaged, or names anything but Keras' own layers and operations.
    """
    if file.suffix != ".keras":
        raise DataError(f"{file}: a model must be a .keras file, as model.save(FILE.keras) of Keras 3 writes it")
    if not file.is_file():
        raise DataError(f"{file}: there is no such model file")
    _check(file)
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    import keras

    try:
        return keras.saving.load_model(file, compile=False, safe_mode=True)
    except Exception as error:  # whatever Keras stumbles over in a damaged file
        reason = " ".join(str(error).split()).partition(". ")[0] or type(error).__name__
        raise DataError(f"{file} cannot be loaded: {reason}") from error


class _Decoding(Schema):
    temperature: PositiveFloat


def write_keras_file(model: keras.Model, file: Path, *, temperature: float) -> None:
    """Write a network with the temperature that it is decoded at; what was there stays until it is there whole.

    Raises:
        OSError: It cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="ablate-") as folder:
        saved = Path(folder) / "model.keras"
        model.save(saved)
        with zipfile.ZipFile(saved, "a") as archive:
            archive.writestr(_DECODING, _Decoding(temperature=temperature).model_dump_json())
        with saved.open("rb") as content, atomic_write(file) as out:
            shutil.copyfileobj(content, out)


def read_temperature(file: Path) -> float | None:
    """Return the temperature that the network of a file that was checked is decoded at; None where it says none.

    Raises:
        DataError: It says something else.
    """
    with zipfile.ZipFile(file) as archive:
        if _DECODING not in archive.namelist():
            return None
        content = archive.read(_DECODING)
    try:
        return _Decoding.model_validate_json(content).temperature
    except ValidationError:
        raise DataError(
            f'{file}: its {_DECODING} must say a positive temperature, as in {{"temperature": 1.0}}'
        ) from None


def _check(file: Path) -> None:
    """Refuse what has other parts than a model's, or more than memory should hold, or names foreign code."""
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            if sizes.keys() - {_DECODING} != _MEMBERS:
                raise DataError(f"{file} is no model of Keras 3: it must hold {', '.join(sorted(_MEMBERS))}")
            if sizes["config.json"] > _MAX_CONFIG or sizes["model.weights.h5"] > _MAX_WEIGHTS:
                raise DataError(f"{file} is refused: unpacked it has more than {_MAX_WEIGHTS // 2**30} GiB")
            if sizes.get(_DECODING, 0) > _MAX_DECODING:
                raise DataError(f"{file} is refused: its {_DECODING} has more than {_MAX_DECODING} bytes")
            config = json.loads(archive.read("config.json"))
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, RecursionError, NotImplementedError) as error:
        raise DataError(f"{file} is no model of Keras 3: {' '.join(str(error).split())}") from None
    if not isinstance(config, dict):
        raise DataError(f"{file} is no model of Keras 3: its config.json holds no object")
    # How it was compiled is not read, as losses are code of those who trained it.
    for module, name in _named({**config, "compile_config": None}):
        if not _is_allowed(module, name):
            raise DataError(
                f"{file} is refused: it names {module or 'Python'}.{name}, which can run code or read files"
            )


def _named(config: Any) -> Iterator[tuple[str | None, str]]:
    """Return the module and the name of everything that a configuration makes objects of."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            if "class_name" in one or "module" in one or "registered_name" in one:
                yield one.get("module"), str(one.get("class_name"))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


def _is_allowed(module: str | None, name: str) -> bool:
    if module is None:
        return name in ("__keras_tensor__", "__tuple__")
    if module == "keras.layers":
        import keras

        return getattr(getattr(keras.layers, name, None), "__module__", "").startswith(_LAYERS)
    if module == "keras":
        return name in _CLASSES
    return name != "function" and (module in _MODULES or module.startswith(_OPERATIONS))
