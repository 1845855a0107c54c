"""Reading and writing of files by path or by URL: gs://bucket/.. and what else TensorFlow reads.

TensorFlow is imported for a URL, and only then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from ablate.config.paths import absolute
from ablate.errors import DataError


def is_url(location: str) -> bool:
    """Return whether a location is a URL, for TensorFlow's file systems."""
    return "://" in location


def absolute_location(location: str) -> str:
    """Return a path as an absolute one, or a URL without a `/` at its end."""
    return location.rstrip("/") if is_url(location) else str(absolute(location))


def read_file(location: str) -> bytes:
    """Return a file's contents.

    Raises:
        FileNotFoundError: There is none.
        DataError: The location cannot be reached.
    """
    if not is_url(location):
        return Path(location).read_bytes()
    with _tensorflow_for(location) as tf, tf.io.gfile.GFile(location, "rb") as file:
        content: bytes = file.read()
        return content


def read_range(location: str, offset: int, size: int) -> bytes:
    """Return a range of a file, from any thread; it is not kept open, as there may be thousands. Raises alike."""
    if not is_url(location):
        with Path(location).open("rb") as local:
            local.seek(offset)
            return local.read(size)
    with _tensorflow_for(location) as tf, tf.io.gfile.GFile(location, "rb") as file:
        file.seek(offset)
        content: bytes = file.read(size)
        return content


def file_size(location: str) -> int:
    """Return a file's size in bytes. Raises as `read_file`."""
    if not is_url(location):
        return Path(location).stat().st_size
    with _tensorflow_for(location) as tf:
        return int(tf.io.gfile.stat(location).length)


def list_files(root: str) -> list[str]:
    """Return the names of all files below a URL.

    Raises:
        DataError: It cannot be reached.
    """
    root, names = root.rstrip("/"), []
    with _tensorflow_for(root) as tf:
        for folder, _, files in tf.io.gfile.walk(root):
            names += [f"{folder.rstrip('/')}/{file}".removeprefix(f"{root}/") for file in files]
    return names


def upload(file: Path, url: str) -> None:
    """Move a local file to a URL.

    Raises:
        DataError: It cannot be reached.
    """
    with _tensorflow_for(url) as tf:
        tf.io.gfile.makedirs(url.rpartition("/")[0])
        tf.io.gfile.copy(str(file), url, overwrite=True)
    file.unlink()


@contextmanager
def _tensorflow_for(url: str) -> Iterator[Any]:
    """Yield TensorFlow, whose errors become ours."""
    tf = _tensorflow()
    scheme = url.partition("://")[0]
    known = [name for name in tf.io.gfile.get_registered_schemes() if name not in ("", "ram")]
    if scheme not in known:
        allowed = ", ".join(f"{name}://" for name in sorted(known))
        raise DataError(f"{url} is in no file system that TensorFlow has here: {allowed}, or a path without ://")
    try:
        yield tf
    except tf.errors.NotFoundError as error:
        raise FileNotFoundError(url) from error
    except tf.errors.OpError as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{url} cannot be reached: {reason}") from None


@lru_cache
def _tensorflow() -> Any:
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    import tensorflow as tf

    return tf
