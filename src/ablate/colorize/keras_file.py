"""A network in a `.keras` file: written whole; read, wherever it comes from, without running any code it names."""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import PositiveFloat, ValidationError

from ablate.colorize.keras_config import checked_config
from ablate.colorize.network_memory import network_memory
from ablate.colorize.weights_file import check_weights_file
from ablate.config.schema import Schema
from ablate.errors import DataError
from ablate.system.atomic_write import atomic_write

if TYPE_CHECKING:
    import keras

_WEIGHTS = "model.weights.h5"
_MEMBERS = {"metadata.json", "config.json", _WEIGHTS}
_DECODING = "decoding.json"
"""What Keras has no place for, where it is not the paper's."""
_MAX_CONFIG, _MAX_WEIGHTS, _MAX_DECODING = 2**22, 2**30, 1000
"""Bytes when unpacked: a few kilobytes of zip can hold gigabytes. The published network's weights have 2**27."""
_MAX_EXAMPLE = 2**31
"""Bytes of all that is computed of one square, see `NetworkMemory`; the published network's have 2**28."""
_MAX_BATCH = 2**32
"""The same of all squares that are coloured at a time."""
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS)
"""Of errors that are not the file's."""


@dataclass(frozen=True)
class SavedNetwork:
    """What a `.keras` file holds.

    Attributes:
        model: The network, to predict with.
        temperature: That it is decoded at; None where the file says none.
        batch_size: The most squares at a time that take a bounded amount of memory.
    """

    model: keras.Model
    temperature: float | None
    batch_size: int


def read_keras_file(file: Path) -> SavedNetwork:
    """Load a network to predict with.

    Args:
        file: As `model.save` or `write_keras_file` writes it.

    Raises:
        DataError: It is no such file, is damaged, names anything but Keras' own layers and operations, or describes
            a network that would take too much memory.
    """
    if file.suffix != ".keras":
        raise DataError(f"{file}: a model must be a .keras file, as model.save(FILE.keras) of Keras 3 writes it")
    if not file.is_file():
        raise DataError(f"{file}: there is no such model file")
    # Aside, so that what is loaded is what was checked.
    with tempfile.TemporaryDirectory(prefix="ablate-") as folder:
        weights = Path(folder) / _WEIGHTS
        try:
            config, decoding = _unpack(file, weights)
        except Exception as error:  # whatever Python stumbles over in a damaged zip
            if isinstance(error, DataError) or (isinstance(error, OSError) and error.errno in _DISK):
                raise
            raise DataError(f"{file} is no model of Keras 3: {_line(error)}") from None
        temperature = None if decoding is None else _temperature(file, decoding)
        try:
            config = checked_config(config)
            check_weights_file(weights)
            return _load(config, weights, temperature)
        except DataError as error:
            raise DataError(f"{file} is refused: {error}") from None
        except Exception as error:  # whatever Keras stumbles over in a damaged file
            raise DataError(f"{file} cannot be loaded: {_line(error).partition('. ')[0]}") from error


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


def _unpack(file: Path, weights: Path) -> tuple[Any, bytes | None]:
    """Return what config.json and decoding.json hold, and write the weights to a file.

    Raises:
        DataError: It has other parts than a model's, or more than memory should hold.
    """
    with zipfile.ZipFile(file) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        if sizes.keys() - {_DECODING} != _MEMBERS:
            raise DataError(f"{file} is no model of Keras 3: it must hold {', '.join(sorted(_MEMBERS))}")
        if sizes["config.json"] > _MAX_CONFIG or sizes[_WEIGHTS] > _MAX_WEIGHTS:
            raise DataError(f"{file} is refused: unpacked it has more than {_MAX_WEIGHTS // 2**30} GiB")
        if sizes.get(_DECODING, 0) > _MAX_DECODING:
            raise DataError(f"{file} is refused: its {_DECODING} has more than {_MAX_DECODING} bytes")
        config = json.loads(archive.read("config.json"))
        decoding = archive.read(_DECODING) if _DECODING in sizes else None
        with archive.open(_WEIGHTS) as content, weights.open("wb") as out:
            shutil.copyfileobj(content, out, 2**20)
    return config, decoding


def _temperature(file: Path, decoding: bytes) -> float:
    try:
        return _Decoding.model_validate_json(decoding).temperature
    except ValidationError:
        raise DataError(
            f'{file}: its {_DECODING} must say a positive temperature, as in {{"temperature": 1.0}}'
        ) from None


def _load(config: Any, weights: Path, temperature: float | None) -> SavedNetwork:
    """Make a network of a configuration that was checked, when it is known to be small enough."""
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    import keras

    needed = network_memory(config)
    if needed.weights > _MAX_WEIGHTS:
        raise DataError(f"its network has weights of {_gib(needed.weights)}, at most {_gib(_MAX_WEIGHTS)} are read")
    if needed.example > _MAX_EXAMPLE:
        raise DataError(
            f"its network takes {_gib(needed.example)} for one square, at most {_gib(_MAX_EXAMPLE)} are given"
        )
    model = keras.saving.deserialize_keras_object(config)
    model.load_weights(weights)
    return SavedNetwork(model, temperature, max(1, _MAX_BATCH // max(1, needed.example)))


def _gib(size: int) -> str:
    return f"{size / 2**30:,.4g} GiB"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
