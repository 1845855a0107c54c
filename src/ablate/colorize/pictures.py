"""Pictures in requests: encoded, as base64 or arrays, alone, in lists, batches and columns. No TensorFlow."""

import base64
import binascii
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from ablate.colorization.data.decode import FORMATS, MIN_SIDE, decode
from ablate.errors import DataError

Pixels = npt.NDArray[np.uint8]
COLUMN = "picture"
"""What a column of pictures is called where there are several."""
MAX_PIXELS = 50_000_000
"""Of a picture in a request: one with more is refused before it is decoded."""

_COMPRESSION = 2
"""Of PNG: a third of the time of Pillow's 6, and a file that is a sixth larger."""


@dataclass(frozen=True)
class Pictures:
    """The pictures of a request.

    Attributes:
        given: Each as it came: bytes, text of base64, or an array.
        joined: Makes of what is answered to each what is answered to all, in the form of the request.
    """

    given: Sequence[Any]
    joined: Callable[[list[Any]], Any]

    def decoded(self) -> Iterator[tuple[Pixels, Callable[[Pixels], Any]]]:
        """Yield the pixels of each, (height, width, 3), one at a time; and what gives a picture its form.

        Raises:
            DataError: One is none that can be coloured; the message says which.
        """
        for place, one in enumerate(self.given):
            try:
                pixels = _pixels(one)
            except DataError as error:
                which = f"picture {place + 1} of {len(self.given)}: " if len(self.given) > 1 else ""
                raise DataError(f"{which}{error}") from None
            yield pixels, partial(_like, one)


def pictures_of(data: Any) -> Pictures:
    """Take a request apart.

    Args:
        data: A picture: the bytes of a JPEG, PNG or WebP file, the same as base64, or an array of whole numbers from
            0 to 255, (height, width, 3) or (height, width). Or a list of them, of any sizes; or a batch in one array,
            (n, height, width, 3), (n, height, width, 1) or (n, height, width). Or a frame, a series or a mapping with
            a column of them.

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
    if array.ndim not in (3, 4):
        raise DataError(
            "pictures must be encoded, base64 or arrays of shape (height, width, 3), (height, width) or a batch of "
            f"them. Received: shape {array.shape}"
        )
    return Pictures(list(array), lambda found: np.stack(found) if found else array)


def _pixels(one: Any) -> Pixels:
    if isinstance(one, str):
        one = _bytes_of(one)
    if isinstance(one, bytes | bytearray):
        return _decoded(bytes(one))
    try:
        array = np.asarray(one)
    except ValueError:
        array = np.empty(0)
    if array.ndim == 3 and array.shape[-1] == 1:
        array = array[..., 0]
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[-1] == 3):
        raise DataError(f"an array must be (height, width, 3) or (height, width). Received: shape {array.shape}")
    _check_size(array.shape[1], array.shape[0])
    if array.dtype.kind not in "iu" or array.min() < 0 or array.max() > 255:
        raise DataError(f"an array must have whole numbers from 0 to 255, as uint8 has. Received: {array.dtype}")
    pixels = array.astype(np.uint8)
    return pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise DataError("a picture in a text must be base64, of a JPEG, PNG or WebP file") from None


def _decoded(content: bytes) -> Pixels:
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            size = opened.size
    except Exception:  # `decode` says what it is
        size = (MIN_SIDE, MIN_SIDE)
    _check_size(*size)
    return np.asarray(decode(content))


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise DataError(f"{width}x{height} pixels; at most {MAX_PIXELS:,} are taken")
    if min(width, height) < MIN_SIDE:
        raise DataError(f"{width}x{height} pixels; at least {MIN_SIDE}x{MIN_SIDE} are needed")


def _like(one: Any, pixels: Pixels) -> Any:
    """Return a picture as another one was given."""
    if not isinstance(one, str | bytes | bytearray):
        return pixels
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG", compress_level=_COMPRESSION)
    return base64.b64encode(file.getvalue()).decode() if isinstance(one, str) else file.getvalue()
