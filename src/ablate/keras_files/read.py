"""A model in a `.keras` file: read, wherever it comes from, within bounds; TensorFlow must be set up."""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.errors import DataError
from ablate.keras_files.config import check_calls, checked_config
from ablate.keras_files.memory import network_memory, weights_memory
from ablate.keras_files.weights import check_weights_file

if TYPE_CHECKING:
    import keras

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_MEMBERS = {"metadata.json", _CONFIG, _WEIGHTS}
_ASSETS = "assets/"
"""Beginning of what layers keep beside their weights, as vocabularies."""
_MAX_CONFIG, _MAX_WEIGHTS, _MAX_BESIDE = 2**22, 2**30, 1000
"""Bytes when unpacked: a few kilobytes of zip can hold gigabytes. The published network's weights have 2**27."""
_MAX_EXAMPLE = 2**31
"""Bytes of all that is computed of one example, see `NetworkMemory`; the published network has 2**28."""
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
"""Of errors that are not the file's."""


@dataclass(frozen=True)
class Network:
    """A model of which all is known that it takes.

    Attributes:
        model: The model, to predict with.
        example_bytes: Of all that is computed of one example; 0 where its size is not the model's to say.
        beside: The content of the member that was asked for; None where the file has none.
    """

    model: keras.Model
    example_bytes: int
    beside: bytes | None


def load_model(file: Path) -> keras.Model:
    """Load a model of any task to predict with: layers are Keras' own, or registered with it by code that is imported.

    What it takes to predict is not bounded. TensorFlow must be set up, see `ablate.training.hardware`.

    Raises:
        DataError: It is no such file, is damaged, names what Keras' safe mode refuses, or has, or describes, weights
            that are larger than 1 GiB and than the file.
    """
    largest = max(_MAX_WEIGHTS, file.stat().st_size if file.is_file() else 0)
    with _unpacked(file, largest, assets=True) as (config, weights, _):
        import keras

        if isinstance(config, dict):  # losses are code of those who trained it
            config = {**config, "compile_config": None}
        check_calls(config)
        check_weights_file(weights)
        _check_weights(weights_memory(config), largest)
        return keras.saving.load_model(file, compile=False, safe_mode=True)


def load_network(file: Path, *, beside: str | None = None) -> Network:
    """Load a model that computes with numbers alone, to predict with, when all that it takes is known to be bounded.

    TensorFlow must be set up, see `ablate.training.hardware`.

    Args:
        file: As `model.save` writes it.
        beside: A further member that it may have, of at most a kilobyte.

    Raises:
        DataError: It is no such file, is damaged, names anything but Keras' own layers and operations, or describes
            a network that would take too much memory.
    """
    with _unpacked(file, _MAX_WEIGHTS, beside=beside) as (config, weights, content):
        import keras

        config = checked_config(config)
        check_weights_file(weights)
        needed = network_memory(config)
        _check_weights(needed.weights, _MAX_WEIGHTS)
        if needed.example > _MAX_EXAMPLE:
            raise DataError(
                f"its network takes {_gib(needed.example)} for one example, at most {_gib(_MAX_EXAMPLE)} are given"
            )
        model = keras.saving.deserialize_keras_object(config)
        model.load_weights(weights)
        return Network(model, needed.example, content)


@contextmanager
def _unpacked(
    file: Path, largest: int, *, beside: str | None = None, assets: bool = False
) -> Iterator[tuple[Any, Path, bytes | None]]:
    """Give what config.json says, the weights as a file, and what another member holds; say what is wrong in one line.

    Raises:
        DataError: The file cannot be used, or what is done with it fails.
    """
    if file.suffix != ".keras":
        raise DataError(f"{file}: a model must be a .keras file, as model.save(FILE.keras) of Keras 3 writes it")
    if not file.is_file():
        raise DataError(f"{file}: there is no such model file")
    # Aside, so that what is loaded is what was checked.
    with tempfile.TemporaryDirectory(prefix="ablate-") as folder:
        weights = Path(folder) / _WEIGHTS
        try:
            config, content = _unpack(file, weights, largest, beside, assets)
        except Exception as error:  # whatever Python stumbles over in a damaged zip
            if isinstance(error, DataError) or (isinstance(error, OSError) and error.errno in _DISK):
                raise
            raise DataError(f"{file} is no model of Keras 3: {_line(error)}") from None
        try:
            yield config, weights, content
        except DataError as error:
            raise DataError(f"{file} is refused: {error}") from None
        except Exception as error:  # whatever Keras stumbles over in a damaged file
            # The rest of Keras' message says how to load it nevertheless.
            raise DataError(f"{file} cannot be loaded: {_line(error).partition('. ')[0]}") from error


def _unpack(file: Path, weights: Path, largest: int, beside: str | None, assets: bool) -> tuple[Any, bytes | None]:
    """Return what config.json and the member beside it hold, and write the weights to a file.

    Raises:
        DataError: It has other parts than a model's, or more than memory should hold.
    """
    with zipfile.ZipFile(file) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        others = {name for name in sizes if assets and name.startswith(_ASSETS) and ".." not in name}
        if len(sizes) < len(archive.infolist()) or sizes.keys() - {beside, *others} != _MEMBERS:
            raise DataError(f"{file} is no model of Keras 3: it must hold {', '.join(sorted(_MEMBERS))}")
        if sizes[_CONFIG] > _MAX_CONFIG or sizes[_WEIGHTS] + sum(sizes[name] for name in others) > largest:
            raise DataError(f"{file} is refused: unpacked it has more than {_gib(largest)}")
        if beside in sizes and sizes[beside] > _MAX_BESIDE:
            raise DataError(f"{file} is refused: its {beside} has more than {_MAX_BESIDE} bytes")
        config = json.loads(archive.read(_CONFIG))
        content = archive.read(beside) if beside in sizes else None
        with archive.open(_WEIGHTS) as source, weights.open("wb") as out:
            shutil.copyfileobj(source, out, 2**20)
    return config, content


def _check_weights(size: int, largest: int) -> None:
    if size > largest:
        raise DataError(f"its network has weights of {_gib(size)}, at most {_gib(largest)} are read")


def _gib(size: int) -> str:
    return f"{size / 2**30:,.4g} GiB"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
