"""The photographs that a model has not trained on, found without decoding those that it has. No TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from ablate.colorization.config import DataConfig
from ablate.colorization.data.file_names import SUFFIXES
from ablate.colorization.data.listing import Listing, list_files
from ablate.colorization.data.photographs import decode, digest_of, folder_paths, read_bytes
from ablate.colorization.data.prepared.read import Features, PreparedSet, Records, pixels_of, truth_of
from ablate.colorization.data.prepared.recipe import Recipe
from ablate.config.paths import absolute
from ablate.errors import DataError
from ablate.system.threads import map_ahead


@dataclass(frozen=True)
class Unseen:
    """A photograph that did not train.

    Attributes:
        name: Its name in the data set.
        digest: SHA-256 of its file.
        load: Decodes it, upright and in sRGB; raises `DataError` or `OSError` where that fails.
    """

    name: str
    digest: str
    load: Callable[[], Image.Image]


@dataclass(frozen=True)
class EvaluationPhotographs:
    """The evaluation photographs of a data set.

    Attributes:
        photographs: In the order of their contents.
        fingerprint: Of the whole data set.
        trained: Digests of the photographs that train.
        stored_side: Side of the squares that a prepared data set keeps of them; None where they are whole.
    """

    photographs: tuple[Unseen, ...]
    fingerprint: str
    trained: frozenset[str]
    stored_side: int | None = None


def evaluation_photographs(config: DataConfig, recipe: Recipe) -> EvaluationPhotographs:
    """Find the evaluation photographs of a data set.

    Args:
        config: The section `data`.
        recipe: The settings that prepared data should have.

    Raises:
        DataError: There is no such data set.
    """
    if config.name == "prepared":
        assert config.root is not None
        return _prepared(PreparedSet(config.root, recipe))
    return _listed(list_files(config))


def folder_photographs(root: str) -> list[Unseen]:
    """Find all photographs below a folder, in the order of their contents; of equal contents, the first name.

    Raises:
        DataError: There are none, or they cannot be read.
    """
    folder = absolute(root)
    if not folder.is_dir():
        raise DataError(f"{root} is no folder")
    found, _ = folder_paths(folder)
    if not found:
        raise DataError(f"{root} holds no photographs ({', '.join(SUFFIXES)})")
    by_digest: dict[str, Unseen] = {}
    for (name, path), digest in zip(found, map_ahead(_digest, [path for _, path in found]), strict=True):
        by_digest.setdefault(digest, Unseen(name, digest, _decoding(path)))
    return [by_digest[digest] for digest in sorted(by_digest)]


def _listed(listing: Listing) -> EvaluationPhotographs:
    evaluating = [file for file in listing.files if file.part == "eval"]
    return EvaluationPhotographs(
        photographs=tuple(Unseen(file.name, file.digest, _decoding(file.path)) for file in evaluating),
        fingerprint=listing.fingerprint,
        trained=frozenset(file.digest for file in listing.files if file.part == "train"),
    )


def _prepared(prepared: PreparedSet) -> EvaluationPhotographs:
    manifest = prepared.manifest
    trained = prepared.rows("train")["digest"]
    records = prepared.part("eval", memory=0)
    places = tqdm(range(len(records)), desc="Listing photographs", unit=" photographs", disable=None, leave=False)
    return EvaluationPhotographs(
        photographs=tuple(_recorded(records, place) for place in places),
        fingerprint=manifest.fingerprint,
        trained=frozenset(digest.tobytes().hex() for digest in trained),
        stored_side=max(manifest.recipe.image_size, manifest.recipe.evaluation_side),
    )


def _recorded(records: Records, place: int) -> Unseen:
    features = records.features(place)
    return Unseen(features["name"].decode(), features["digest"].hex(), lambda: _largest(records.features(place)))


def _largest(features: Features) -> Image.Image:
    """Return the larger one of the squares that a record holds."""
    return Image.fromarray(max(pixels_of(features), truth_of(features), key=len))


def _decoding(path: Path) -> Callable[[], Image.Image]:
    return lambda: decode(read_bytes(path))


def _digest(path: Path) -> str:
    try:
        return digest_of(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
