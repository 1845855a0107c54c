"""Held-out photographs: those of a data set that evaluate, or those of any other folder. No TensorFlow."""

from pathlib import Path

from ablate.colorization.config import DataConfig
from ablate.colorization.data.dataset import open_data
from ablate.colorization.data.file_names import SUFFIXES
from ablate.colorization.data.files import digest_of
from ablate.colorization.data.local import decoding
from ablate.colorization.data.photographs import EvaluationSplit, HeldOutPhotograph
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.folder import find_photographs
from ablate.config.paths import absolute
from ablate.errors import DataError
from ablate.system.threads import parallel_map


def evaluation_split(config: DataConfig, preprocessing: Preprocessing) -> EvaluationSplit:
    """Find the evaluation photographs of a data set.

    Args:
        config: The section `data`.
        preprocessing: The settings that prepared data should have.

    Raises:
        DataError: There is no such data set.
    """
    return open_data(config, preprocessing).evaluation_split()


def folder_photographs(root: str) -> list[HeldOutPhotograph]:
    """Find all photographs below a folder, in the order of their contents; of equal contents, the first name.

    Raises:
        DataError: There are none, or they cannot be read.
    """
    folder = absolute(root)
    if not folder.is_dir():
        raise DataError(f"{root} is no folder")
    found, _ = find_photographs(folder)
    if not found:
        raise DataError(f"{root} holds no photographs ({', '.join(SUFFIXES)})")
    by_digest: dict[str, HeldOutPhotograph] = {}
    for (name, path), digest in zip(found, parallel_map(_digest, [path for _, path in found]), strict=True):
        by_digest.setdefault(digest, HeldOutPhotograph(name, digest, decoding(path)))
    return [by_digest[digest] for digest in sorted(by_digest)]


def _digest(path: Path) -> str:
    try:
        return digest_of(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
