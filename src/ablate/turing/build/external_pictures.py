"""External pictures: those of any other system, in a folder. No TensorFlow."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from PIL import Image

from ablate.colorization.data.decode import decode
from ablate.colorization.data.file_names import SUFFIXES
from ablate.colorization.data.files import read_bytes
from ablate.colorization.data.sources.folder import find_photographs
from ablate.config.paths import absolute
from ablate.errors import DataError
from ablate.turing.build.crops import Unusable


class ExternalPictures:
    """A folder of pictures, each of a photograph of the same name, whatever the endings.

    A picture belongs to a photograph if their paths are the same but for the ending, else if their file names are and
    no other picture or photograph has that.

    Args:
        name: What the system is called.
        root: The folder.
        photographs: Names of all photographs.

    Raises:
        DataError: There is no such folder, no picture in it, or none of any of the photographs.
    """

    def __init__(self, name: str, root: str, photographs: Iterable[str]):
        self.name, self.root = name, root
        folder = absolute(root)
        if not folder.is_dir():
            raise DataError(f"external.{name}={root} is no folder")
        pictures, _ = find_photographs(folder)
        if not pictures:
            raise DataError(f"external.{name}={root} holds no pictures ({', '.join(SUFFIXES)})")
        self._by_path: dict[str, list[Path]] = defaultdict(list)
        self._by_stem: dict[str, list[Path]] = defaultdict(list)
        for picture, path in pictures:
            self._by_path[_stem(picture)].append(path)
            self._by_stem[_last(picture)].append(path)
        known = list(photographs)
        self._stems = Counter(_last(photograph) for photograph in known)
        if not any(self._found(photograph) for photograph in known):
            raise DataError(
                f"external.{name}={root} has no picture of any photograph: {pictures[0][0]} would be one of "
                f"{_stem(pictures[0][0])}, and photographs are called {', '.join(sorted(known)[:3])}"
            )

    def load(self, photograph: str) -> Image.Image:
        """Return the picture of a photograph.

        Raises:
            Unusable: There is none, or more than one, or it cannot be read.
        """
        found = self._found(photograph)
        if not found:
            raise Unusable(f"no picture from {self.name}")
        if len(found) > 1:
            named = ", ".join(sorted(path.name for path in found)[:3])
            raise Unusable(f"more than one picture from {self.name}", f": {named}")
        try:
            return decode(read_bytes(found[0]))
        except OSError as error:
            raise Unusable(f"the picture from {self.name} cannot be read", f": {error.strerror or error}") from None
        except DataError as error:
            raise Unusable(f"the picture from {self.name} cannot be read", f": {error}") from None

    def _found(self, photograph: str) -> Sequence[Path]:
        same_path = self._by_path.get(_stem(photograph), [])
        if same_path or self._stems[_last(photograph)] > 1:
            return same_path
        return self._by_stem.get(_last(photograph), [])


def _stem(name: str) -> str:
    """Return a path without its ending, in one spelling; the photographs of some data sets have none."""
    path = PurePosixPath(unicodedata.normalize("NFC", name))
    return str(path.with_suffix("")) if path.suffix.lower() in SUFFIXES else str(path)


def _last(name: str) -> str:
    return PurePosixPath(_stem(name)).name
