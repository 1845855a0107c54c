"""The semantic check of the paper (section 3.1, "VGG top-1"): does a classifier recognise coloured photographs?

Importing this imports no TensorFlow.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ablate.colorization.data.decode import Pixels
from ablate.config.paths import absolute
from ablate.errors import ConfigError, DataError
from ablate.keras_files.read import load_model
from ablate.task import Metric

if TYPE_CHECKING:
    import keras

Array = npt.NDArray[np.floating]

CLASSIFIER_ACCURACY = Metric(
    "classifier_accuracy",
    "Classifier accuracy",
    "%",
    True,
    "Share of photographs whose class a classifier of true photographs tells from the coloured one.",
)
_KEY = "evaluation.classifier"
_BATCH = 64


@dataclass(frozen=True)
class Classifier:
    """A trained classifier of photographs.

    Attributes:
        name: The file, or the name in `keras.applications`.
        version: A hash of its file and classes, or the name.
        classes: The names of its outputs, in order.
    """

    name: str
    version: str
    classes: tuple[str, ...]

    def labels(self, photographs: Iterable[str]) -> npt.NDArray[np.int64]:
        """Return the classes of photographs by their names, (n,).

        A photograph's class is its folder, its name, or what its name begins with, up to the first `_`.

        Raises:
            DataError: A name holds none of the classes.
        """
        places = {name: place for place, name in enumerate(self.classes)}
        found = {name: _label(name, places) for name in photographs}
        unknown = [name for name, place in found.items() if place is None]
        if unknown:
            raise DataError(
                f"{_KEY}={self.name}: {len(unknown)} of {len(found)} evaluation photographs have none of its classes "
                f"as their folder or at the beginning of their name, such as {unknown[0]}; one of the classes is "
                f"{self.classes[0]}"
            )
        return np.array(list(found.values()), np.int64)

    def load(self) -> keras.Model:
        """Load the network.

        Raises:
            ConfigError: It cannot be loaded, or has another number of outputs than classes.
        """
        import keras

        try:
            if _is_file(self.name):
                model = load_model(absolute(self.name))
            else:
                model = getattr(keras.applications, self.name)(weights="imagenet")
        except Exception as error:  # whatever Keras stumbles over in a file, or where weights cannot be had
            raise ConfigError(f"{_KEY}={self.name} cannot be loaded: {' '.join(str(error).split())[:200]}") from error
        if model.output_shape[-1] != len(self.classes):
            raise ConfigError(
                f"{_KEY}={self.name} has {model.output_shape[-1]} outputs, and {len(self.classes)} classes are named"
            )
        return model


class Judge:
    """A classifier at work on the evaluation photographs.

    Args:
        classifier: The classifier; its network is loaded when it is needed.
        photographs: The names of the photographs, in order.

    Raises:
        DataError: A name holds none of the classes.
    """

    def __init__(self, classifier: Classifier, photographs: Iterable[str]):
        self._classifier, self._labels = classifier, classifier.labels(photographs)

    @cached_property
    def _model(self) -> keras.Model:
        return self._classifier.load()

    @property
    def version(self) -> str:
        """The classifier's."""
        return self._classifier.version

    def correct(self, first: int, truth: Pixels, ab: Array | None = None) -> Array:
        """Return whether the class of each photograph is the likeliest, 0 or 100, (n,).

        Args:
            first: The place of the first photograph.
            truth: (n, side, side, 3).
            ab: (n, side, side, 2), the colours to judge; None for the true ones.
        """
        from ablate.colorization.color.lab import clip_lab, pixels_to_lab

        if ab is None:
            return self.correct_pictures(first, truth / np.float32(255))
        lightness = pixels_to_lab(truth)[..., :1]
        return self.correct_pictures(first, clip_lab(np.concatenate([lightness, ab], axis=-1))[0])

    def correct_pictures(self, first: int, pictures: Array) -> Array:
        """Return the same of pictures, (n, side, side, 3), sRGB in 0..1."""
        import keras

        side = self._model.input_shape[1] or pictures.shape[1]
        right = []
        for start in range(0, len(pictures), _BATCH):
            shown = 255 * np.asarray(pictures[start : start + _BATCH], np.float32)
            if side != shown.shape[1]:
                shown = keras.ops.image.resize(shown, (side, side), interpolation="bilinear", antialias=True)
            scores = self._model(_preprocessed(self._classifier.name, np.asarray(shown)), training=False)
            labels = self._labels[first + start : first + start + len(shown)]
            right.append(np.asarray(scores).argmax(axis=1) == labels)
        return 100.0 * np.concatenate(right)


def find_classifier(name: str) -> Classifier:
    """Return a classifier, whose network is not loaded yet.

    Args:
        name: A `.keras` file, whose network takes sRGB in 0..255 and has the names of its classes, a JSON list, in a
            file of the same name that ends in `.json`; or a name in `keras.applications`, whose weights Keras has
            on the machine.

    Raises:
        ConfigError: There is no such classifier.
    """
    if not _is_file(name):
        return Classifier(name, name, _imagenet_classes(name))
    file = absolute(name)
    classes = file.with_suffix(".json")
    for needed in (file, classes):
        if not needed.is_file():
            raise ConfigError(f"{_KEY}={name} needs the file {needed}")
    try:
        names = json.loads(classes.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{classes} is no JSON: {error}") from None
    if not (isinstance(names, list) and names and all(isinstance(each, str) for each in names)):
        raise ConfigError(f"{classes} must hold a list of the names of the classes, in the order of the outputs")
    return Classifier(name, _digest(file, classes), tuple(names))


def _is_file(name: str) -> bool:
    return name.endswith(".keras")


def _digest(*files: Path) -> str:
    return _cached_digest(tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files))


@lru_cache
def _cached_digest(files: tuple[tuple[str, int, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _, _ in files:
        digest.update(hashlib.sha256(Path(path).read_bytes()).digest())
    return digest.hexdigest()


def _imagenet_classes(name: str) -> tuple[str, ...]:
    """Return ImageNet's classes as Keras has them; its `decode_predictions` keeps the list on the machine."""
    file = Path("~/.keras/models/imagenet_class_index.json").expanduser()
    if not re.fullmatch(r"[A-Z]\w+", name):
        raise ConfigError(f"{_KEY} must be a .keras file, or a name in keras.applications. Received: {name}")
    try:
        index: Mapping[str, Sequence[Any]] = json.loads(file.read_text(encoding="utf-8"))
        return tuple(str(index[str(place)][0]) for place in range(len(index)))
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise ConfigError(
            f"{_KEY}={name} needs {file}, which Keras downloads with the first `decode_predictions`, and the weights "
            f"of {name}, which `keras.applications.{name}()` downloads"
        ) from error


def _label(name: str, places: Mapping[str, int]) -> int | None:
    path = PurePosixPath(name)
    for candidate in (path.parent.name, path.stem, path.stem.partition("_")[0]):
        if candidate in places:
            return places[candidate]
    return None


def _preprocessed(name: str, pictures: Array) -> Array:
    """Return pictures as a network of `keras.applications` was trained on them; a file's network does it by itself."""
    if _is_file(name):
        return pictures
    import keras

    for module in vars(keras.applications).values():
        if hasattr(module, name) and hasattr(module, "preprocess_input"):
            return np.asarray(module.preprocess_input(pictures.copy()))
    return pictures
