"""Sheets that compare: a photograph in grey, in the colours of each network, and in its own where it has any."""

from __future__ import annotations

from ablate.colorize.photograph import Photograph
from ablate.colorize.shown import grey_picture, picture
from ablate.system.images import picture_table, png

_CELL = 384
"""Side of a picture on a sheet, in pixels."""


class Sheet:
    """A sheet of one photograph, of which small pictures are held.

    Args:
        photograph: As it came.
    """

    def __init__(self, photograph: Photograph):
        self._pictures = {"grey": grey_picture(photograph, _CELL)}
        self._truth = picture(photograph, _CELL) if photograph.has_colors() else None

    def add(self, name: str, coloured: Photograph) -> None:
        """Add the colours of a network."""
        self._pictures[name] = picture(coloured, _CELL)

    def png(self) -> bytes:
        """Return the sheet as a PNG file."""
        pictures = {**self._pictures, **({} if self._truth is None else {"truth": self._truth})}
        return png(picture_table({title: {"": picture} for title, picture in pictures.items()}, cell=_CELL))
