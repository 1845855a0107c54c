"""Where a prepared data set is written: a folder, or one that is sent on to a URL shard by shard."""

import hashlib
import logging
import shutil

from ablate.colorization.data.prepared.chunks import read_note
from ablate.colorization.data.prepared.manifest import MANIFEST, Manifest, parsed
from ablate.colorization.data.storage import is_url, send, whole
from ablate.config.paths import absolute, project_dir
from ablate.errors import DataError
from ablate.system.atomic_write import replacing

log = logging.getLogger(__name__)

_MADE_FROM = "made_from"


class Target:
    """A data set that is being made.

    Args:
        out: A folder or a URL.

    Attributes:
        local: The folder where files are made; that of the data set, unless it is at a URL.
        notes: The folder for what is needed only until the data set is complete.
    """

    def __init__(self, out: str):
        self.out = out.rstrip("/")
        name = hashlib.sha256(self.out.encode()).hexdigest()[:16]
        self.local = project_dir() / "prepared" / name if is_url(out) else absolute(out)
        self.notes = self.local / ".notes"

    def manifest(self) -> Manifest | None:
        """Return the manifest of a complete data set that is there already."""
        place = f"{self.out if is_url(self.out) else self.local}/{MANIFEST}"
        try:
            return parsed(whole(place), place)
        except FileNotFoundError:
            return None

    def begin(self, made_from: str) -> None:
        """Keep what an interrupted command has made of the same, and remove what it has made of something else.

        Raises:
            DataError: The folder holds other files.
        """
        file = self.notes / _MADE_FROM
        if not file.exists():
            others = [path.name for path in self.local.iterdir() if not path.name.startswith(".")]
            if others:
                raise DataError(f"{self.out} holds other files ({others[0]}): choose a new folder, out=DIR")
        elif file.read_text(encoding="utf-8") != made_from:
            log.warning("Something else was begun in %s: it is made anew", self.out)
            self.forget()
        for left in [*self.local.glob(".*.tfrecord.*"), *self.notes.glob(".*")]:
            left.unlink()  # by a process that was killed
        self.notes.mkdir(exist_ok=True)
        file.write_text(made_from, encoding="utf-8")

    def forget(self) -> None:
        """Remove all chunks."""
        for path in [*self.notes.glob("*.json"), *self.local.glob("*.tfrecord")]:
            path.unlink()

    def deliver(self, number: int) -> None:
        """Send the shards of a chunk on, if the data set is elsewhere and they are not there yet."""
        if is_url(self.out):
            for shard in read_note(self.notes, number).shards.values():
                if (self.local / shard.file).exists():
                    self._send(shard.file)

    def finish(self, manifest: Manifest) -> None:
        """Make the data set complete."""
        if is_url(self.out):
            for index in manifest.index.values():
                self._send(index.file)
        with replacing(self.local / MANIFEST) as file:
            file.write(manifest.text())
        if is_url(self.out):
            self._send(MANIFEST)
        self.clean()

    def clean(self) -> None:
        """Remove what a complete data set does not need."""
        shutil.rmtree(self.local if is_url(self.out) else self.notes, ignore_errors=True)

    def _send(self, name: str) -> None:
        send(self.local / name, f"{self.out}/{name}")
