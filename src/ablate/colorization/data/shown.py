"""Photographs that are only shown: coloured for the report's pictures, measured by no metric."""

from ablate.colorization.data.listing import abridged
from ablate.colorization.data.local import decode_files
from ablate.colorization.data.photographs import BadPhotograph
from ablate.colorization.data.preprocessing import Preprocessing
from ablate.colorization.data.sources.folder import find_photographs
from ablate.colorization.data.sources.sample import sample_paths
from ablate.colorization.data.split import SPLITS
from ablate.colorization.data.squares import Square
from ablate.config.paths import absolute
from ablate.errors import DataError

SAMPLE = "sample"
"""Names the photographs of `data=sample`."""


def shown_photographs(source: str, preprocessing: Preprocessing, *, number: int) -> dict[str, Square]:
    """Return the first photographs of a source by name: each one's central square, as those that evaluate have it.

    Args:
        source: `SAMPLE`, or a folder.
        preprocessing: How photographs become pixels.
        number: The most photographs.

    Raises:
        DataError: There is no such folder, no photograph in it, or one of them cannot be used.
    """
    label = f"evaluation.samples_from={source}"
    if source == SAMPLE:
        paths = [(name, path) for split in SPLITS for name, path in sample_paths(split)]
    else:
        folder = absolute(source)
        if not folder.is_dir():
            raise DataError(f"{label} is no folder, and not `{SAMPLE}`")
        paths, _ = find_photographs(folder)
    found = list(decode_files(paths[:number], preprocessing.evaluation_pixels, progress="Reading photographs to show"))
    bad = [photograph for photograph in found if isinstance(photograph, BadPhotograph)]
    if bad:
        raise DataError(f"{label}: {abridged([str(photograph) for photograph in bad])} cannot be shown")
    if not found:
        raise DataError(f"{label}: there is no photograph in it")
    return {one[0].name: one[1] for one in found if not isinstance(one, BadPhotograph)}
