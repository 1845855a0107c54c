"""The sample: photographs that ship inside installed packages."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from ablate.colorization.data.sources.folder import LocalFiles
from ablate.colorization.data.sources.source import Entry, SourceListing, signature_of_files
from ablate.colorization.data.split import EVALUATION, SPLITS, TRAIN, SplitRule
from ablate.errors import DataError

SAMPLE = {
    TRAIN: (
        ("skimage", "data/astronaut.png"),
        ("skimage", "data/coffee.png"),
        ("skimage", "data/rocket.jpg"),
        ("skimage", "data/motorcycle_left.png"),
        ("sklearn", "datasets/images/flower.jpg"),
    ),
    EVALUATION: (
        ("skimage", "data/chelsea.png"),
        ("sklearn", "datasets/images/china.jpg"),
        ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ),
}
"""Photographs that ship inside packages which `ablate` needs anyway: (package, path in it)."""


@dataclass(frozen=True)
class Sample(LocalFiles):
    """The photographs inside installed packages."""

    def signature(self) -> str:
        """Return that of the files."""
        return signature_of_files(Path(entry.location[0]) for entry in self.list().entries)

    def list(self) -> SourceListing:
        """List them."""
        entries = [Entry(name, split, (str(path),)) for split in SPLITS for name, path in sample_paths(split)]
        return SourceListing(entries, (), rule=SplitRule("as the photographs ship with their packages"))


def sample_paths(split: str) -> list[tuple[str, Path]]:
    """Return (name, path) of the sample photographs of a split."""
    found = []
    for package, file in SAMPLE[split]:
        # Not imported, which takes a second.
        top, *inner = package.split(".")
        spec = importlib.util.find_spec(top)
        folders = (spec.submodule_search_locations if spec else None) or [top]
        path = Path(folders[0]).joinpath(*inner) / file
        if not path.is_file():
            raise DataError(f"{path} is missing: reinstall the package that ships it ({package}), or set data=folder")
        found.append((path.stem, path))
    return found
