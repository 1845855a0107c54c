"""Pictures in requests: encoded, as base64 or arrays, alone, in lists, batches and columns. No TensorFlow."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ablate.colorize.photograph import Photograph, checked_sent, measure_sent, read_photograph, read_pixels
from ablate.colorize.save import encode_photograph
from ablate.errors import DataError

Pixels = npt.NDArray[np.uint8]
Answer = Callable[[Photograph], Any]
"""From a coloured photograph to the form in which it came."""
_WITH_OPACITY = (2, 4)
"""Channels of pictures with opacity: more likely than grey pictures that are as narrow."""
COLUMN = "picture"
"""What a column of pictures is called where there are several."""


@dataclass(frozen=True)
class Pictures:
    """The pictures of a request.

    Attributes:
        given: Each as it came: bytes, text of base64, or an array.
        joined: Makes of what is answered to each what is answered to all, in the form of the request.
    """

    given: Sequence[Any]
    joined: Callable[[list[Any]], Any]

    def photographs(self) -> Iterator[tuple[Photograph, Answer]]:
        """Yield each as a photograph, one at a time; and what gives it its form again.

        Raises:
            DataError: One is none that can be coloured; the message says which.
        """
        for place, one in enumerate(self.given):
            try:
                found = _read(one)
            except DataError as error:
                which = f"picture {place + 1} of {len(self.given)}: " if len(self.given) > 1 else ""
                raise DataError(f"{which}{error}") from None
            yield found


def pictures_of(data: Any) -> Pictures:
    """Take a request apart.

    Args:
        data: A picture: the bytes of a JPEG, PNG, WebP or TIFF file, the same as base64, or an array of whole numbers
            from 0 to 255, (height, width, 3) or (height, width). Or a list of them, of any sizes; or a batch in one
            array, (n, height, width, 3), (n, height, width, 1) or (n, height, width). Or a frame, a series or a
            mapping with a column of them.

    Raises:
        DataError: It is none of these.
    """
    if isinstance(data, pd.DataFrame):
        return _of_frame(data)
    if isinstance(data, pd.Series):
        return Pictures(list(data), lambda found: pd.Series(found, index=data.index, name=data.name, dtype=object))
    if isinstance(data, Mapping):
        name = _column(list(data))
        inside = pictures_of(data[name])
        return Pictures(inside.given, lambda found: {name: inside.joined(found)})
    if isinstance(data, bytes | bytearray | str):
        return Pictures([data], lambda found: found[0])
    if isinstance(data, np.ndarray) and data.dtype.kind in "OSU":
        return Pictures(list(data.ravel()), lambda found: np.array(found, object).reshape(data.shape))
    if isinstance(data, list | tuple) and any(isinstance(one, bytes | bytearray | str | np.ndarray) for one in data):
        return Pictures(data, lambda found: found)
    return _of_array(data)


def _of_frame(data: pd.DataFrame) -> Pictures:
    name = _column(list(data))
    return Pictures(list(data[name]), lambda found: pd.DataFrame({name: pd.Series(found, data.index, object)}))


def _column(names: Sequence[Any]) -> Any:
    if COLUMN in names or len(names) == 1:
        return COLUMN if COLUMN in names else names[0]
    raise DataError(
        f"there must be one column of pictures, or one called {COLUMN}. Received: {', '.join(map(str, names))}"
    )


def _of_array(data: Any) -> Pictures:
    """Take pixels: an array, or lists of numbers, of a single picture or of a batch."""
    try:
        array = np.asarray(data)
    except ValueError:  # rows of different lengths: pictures of different sizes
        return Pictures(list(data), lambda found: found)
    single = array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 3))
    if single:
        return Pictures([array], lambda found: found[0])
    if array.ndim == 3 and array.shape[-1] in _WITH_OPACITY:
        raise DataError(
            f"an array must have no opacity: leave its last channel out, or send a file. Received: shape {array.shape}"
        )
    if array.ndim not in (3, 4):
        raise DataError(
            "pictures must be encoded, base64 or arrays of shape (height, width, 3), (height, width) or a batch of "
            f"them. Received: shape {array.shape}"
        )
    return Pictures(list(array), lambda found: np.stack(found) if found else array)


def _read(one: Any) -> tuple[Photograph, Answer]:
    if isinstance(one, str):
        return _sent(_bytes_of(one)), lambda coloured: base64.b64encode(encode_photograph(coloured)).decode()
    if isinstance(one, bytes | bytearray):
        return _sent(bytes(one)), encode_photograph
    return read_pixels(_pixels(one)), lambda coloured: np.asarray(coloured.image)


def _sent(content: bytes) -> Photograph:
    measure_sent(content)
    return read_photograph(content)


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise DataError("a picture in a text must be base64, of a JPEG, PNG, WebP or TIFF file") from None


def _pixels(one: Any) -> Pixels:
    try:
        array = np.asarray(one)
    except ValueError:
        array = np.empty(0)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if not array.size or (array.ndim != 2 and not (array.ndim == 3 and array.shape[-1] == 3)):
        raise DataError(f"an array must be (height, width, 3) or (height, width). Received: shape {array.shape}")
    checked_sent(array.shape[0] * array.shape[1])
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 255:
        raise DataError(f"an array must have whole numbers from 0 to 255, as uint8 has. Received: {array.dtype}")
    return np.ascontiguousarray(array, np.uint8)
