"""The destination of a preparation: a folder, or a URL to which shards are uploaded one by one. No TensorFlow."""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from ablate.colorization.data.prepared.chunk import read_result
from ablate.colorization.data.prepared.manifest import MANIFEST, Manifest, parse_manifest
from ablate.colorization.data.storage import is_url, read_file, upload
from ablate.config.paths import absolute, results_dir
from ablate.errors import DataError
from ablate.system.atomic_write import atomic_write

log = logging.getLogger(__name__)

_MADE_FROM = "made_from"


class Destination:
    """A data set that is being prepared.

    Args:
        out: A folder or a URL.

    Attributes:
        local: The folder where files are written; that of the data set, unless it is at a URL.
        results: The folder of chunk results, needed only until the data set is complete.
    """

    def __init__(self, out: str):
        self.out = out.rstrip("/")
        name = hashlib.sha256(self.out.encode()).hexdigest()[:16]
        self.local = results_dir() / "prepared" / name if is_url(out) else absolute(out)
        self.results = self.local / ".chunks"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the folder.

        Raises:
            DataError: Another process holds it.
        """
        self.local.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.local / ".lock", timeout=0):
                yield
        except Timeout:
            raise DataError(f"another process prepares {self.out} just now") from None

    def manifest(self) -> Manifest | None:
        """Return the manifest of a complete data set that is there already."""
        location = f"{self.out if is_url(self.out) else self.local}/{MANIFEST}"
        try:
            return parse_manifest(read_file(location), location)
        except FileNotFoundError:
            return None

    def begin(self, made_from: str) -> None:
        """Keep the chunks of an interrupted command that prepared the same, and remove those of another.

        Raises:
            DataError: The folder holds other files.
        """
        file = self.results / _MADE_FROM
        if not file.exists():
            others = [path.name for path in self.local.iterdir() if not path.name.startswith(".")]
            if others:
                raise DataError(f"{self.out} holds other files ({others[0]}): choose a new folder, out=DIR")
        elif file.read_text(encoding="utf-8") != made_from:
            log.warning("%s was begun with other photographs or settings: it is prepared anew", self.out)
            self.remove_chunks()
        for temporary in [*self.local.glob(".*.tfrecord.*"), *self.results.glob(".*")]:
            temporary.unlink()  # of a process that was killed
        self.results.mkdir(exist_ok=True)
        file.write_text(made_from, encoding="utf-8")

    def remove_chunks(self) -> None:
        """Remove all chunks."""
        for path in [*self.results.glob("*.json"), *self.local.glob("*.tfrecord")]:
            path.unlink()

    def upload_chunk(self, number: int) -> None:
        """Upload the shards of a chunk, if the data set is at a URL and they are not there yet."""
        if is_url(self.out):
            for shard in read_result(self.results, number).shards.values():
                if (self.local / shard.file).exists():
                    self._upload(shard.file)

    def finish(self, manifest: Manifest) -> None:
        """Make the data set complete."""
        if is_url(self.out):
            for index in manifest.index.values():
                self._upload(index.file)
        with atomic_write(self.local / MANIFEST) as file:
            file.write(manifest.text())
        if is_url(self.out):
            self._upload(MANIFEST)
        self.clean()

    def clean(self) -> None:
        """Remove what a complete data set does not need."""
        shutil.rmtree(self.local if is_url(self.out) else self.results, ignore_errors=True)

    def _upload(self, name: str) -> None:
        upload(self.local / name, f"{self.out}/{name}")
