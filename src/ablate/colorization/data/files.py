"""Files that should be photographs: read or hashed, up to a size. No TensorFlow."""

import errno
import hashlib
import io
import os
import time
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


_digests: dict[tuple[str, int, int], str] = {}
"""SHA-256 by path, size and time of the last change: a process lists the same files several times."""


def cached_digest(path: Path) -> str | OSError:
    """Return the SHA-256 of a file, kept for the next time that this process asks, or why it cannot be read."""
    try:
        found = path.stat()
        key = (str(path), found.st_size, found.st_ctime_ns)
        if key in _digests:
            return _digests[key]
        digest = digest_of(path)
    except OSError as error:
        return error
    # A file that changes again right away may keep its time.
    if time.time() - found.st_ctime > 2:
        _digests[key] = digest
    return digest


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
