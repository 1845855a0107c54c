"""The central squares of the evaluation photographs: made when they are read, kept as far as memory is given."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from ablate.colorization.data.decode import Pixels

Square = tuple[Pixels, Pixels]
"""A photograph's central square at the side of the network's input, and at the side at which colours are compared."""


Source = TypeVar("Source")

MEMORY_SHARE = 1 / 4
"""Share of `data.memory_gib` that they may take: those that train are read at every step, they once an epoch."""


class Squares(Generic[Source]):
    """The central squares of photographs, in their order.

    Args:
        sources: Where each comes from; more may follow.
        make: Reads the squares of one.
        memory: Bytes of memory for them; of more, the first stay, and the others are read each time.
    """

    def __init__(self, sources: Sequence[Source], make: Callable[[Source], Square], *, memory: float):
        self._sources, self._make = sources, make
        self._kept: dict[int, Square] = {}
        self._left = memory

    def __len__(self) -> int:
        return len(self._sources)

    @property
    def kept_bytes(self) -> int:
        """Memory that is taken so far."""
        return sum(map(_bytes, self._kept.values()))

    def offer(self, place: int, square: Square) -> None:
        """Keep squares that have been made, if they fit."""
        size = _bytes(square)
        if place not in self._kept and size <= self._left:
            self._kept[place] = square
            self._left -= size

    def read(self, places: slice) -> Square:
        """Return the squares of some photographs: (n, image_size, image_size, 3) and (n, side, side, 3), uint8."""
        found = [self._at(place) for place in range(*places.indices(len(self)))]
        pixels, truth = zip(*found, strict=True)
        inputs = np.stack(pixels)
        same = all(one is other for one, other in found)
        return inputs, inputs if same else np.stack(truth)

    def _at(self, place: int) -> Square:
        square = self._kept.get(place)
        if square is None:
            square = self._make(self._sources[place])
            self.offer(place, square)
        return square


def _bytes(square: Square) -> int:
    pixels, truth = square
    return pixels.nbytes + (0 if truth is pixels else truth.nbytes)
