"""Files that should be photographs: read or hashed, up to a size. No TensorFlow."""

import errno
import hashlib
import io
import os
from pathlib import Path

MAX_BYTES = 2**29
"""A larger file is refused before it is read."""


def read_bytes(path: Path) -> bytes:
    """Return the contents of a file that should be a photograph.

    Raises:
        OSError: It cannot be read, or is too large to be one.
    """
    with _open(path) as file:
        return file.read()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file that should be a photograph. Raises as `read_bytes`."""
    with _open(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def too_large(size: int) -> OSError:
    """Return the error for a file of so many bytes."""
    return OSError(errno.EFBIG, f"{size:,} bytes; at most {MAX_BYTES:,} are read")


def _open(path: Path) -> io.BufferedReader:
    file = path.open("rb")
    size = os.fstat(file.fileno()).st_size
    if size > MAX_BYTES:
        file.close()
        raise too_large(size)
    return file
