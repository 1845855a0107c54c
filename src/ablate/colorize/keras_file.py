"""A network that colours in a `.keras` file, with the temperature that it is decoded at."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import PositiveFloat, ValidationError

from ablate.config.schema import Schema
from ablate.errors import DataError
from ablate.keras_files.read import load_network
from ablate.system.atomic_write import atomic_write

if TYPE_CHECKING:
    import keras

_DECODING = "decoding.json"
"""What Keras has no place for, where it is not the paper's."""
_MAX_BATCH = 2**32
"""Bytes of all that is computed of the squares that are coloured at a time."""


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
    """Load a network to predict with, see `load_network`.

    Args:
        file: As `model.save` or `write_keras_file` writes it.

    Raises:
        DataError: It cannot be used.
    """
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    found = load_network(file, beside=_DECODING)
    temperature = None if found.beside is None else _temperature(file, found.beside)
    return SavedNetwork(found.model, temperature, max(1, _MAX_BATCH // max(1, found.example_bytes)))


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


def _temperature(file: Path, decoding: bytes) -> float:
    try:
        return _Decoding.model_validate_json(decoding).temperature
    except ValidationError:
        raise DataError(
            f'{file}: its {_DECODING} must say a positive temperature, as in {{"temperature": 1.0}}'
        ) from None
