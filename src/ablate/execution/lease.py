"""Who trains which run: one folder for every identity, claimed by one process at a time, on any machine that sees it.

Imports neither TensorFlow nor MLflow.
"""

import json
import logging
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from ablate.errors import ClaimLost, TrackingError
from ablate.system.atomic_write import replacing

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
_CLAIM, _PROGRESS, _CHECKPOINT = "claim.json", "progress.json", "checkpoint.npz"


@dataclass(frozen=True)
class Holder:
    """Who trains a run: its process and host, and what it last said of its progress, see `Claim.say`."""

    host: str
    pid: int
    progress: Mapping[str, Any]

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Claim:
    """The right to train a run, held while its process lives; made by `claimed`."""

    def __init__(self, folder: Path, token: str):
        self.folder = folder
        self._token = token
        self._said = 0.0

    @property
    def checkpoint(self) -> Path:
        """The file of the run's checkpoint."""
        return self.folder / _CHECKPOINT

    def say(self, progress: Mapping[str, Any], *, seconds: float = 1.0) -> None:
        """Tell others how far the run is, at most every few seconds; a full disk is no reason to stop."""
        if time.monotonic() - self._said < seconds:
            return
        self._said = time.monotonic()
        with suppress(OSError, ClaimLost):
            self.check()
            _write(self.folder / _PROGRESS, progress)

    def check(self) -> None:
        """Make sure that the run is still ours.

        Raises:
            ClaimLost: Another process has taken it over, because nothing was heard of this one for too long.
        """
        said = _read(self.folder / _CLAIM)
        # What cannot be read for a moment is nobody else's.
        if said.get("token", self._token) != self._token:
            raise ClaimLost(f"the run was taken over by process {said.get('pid')} on {said.get('host')}")

    def clear(self) -> None:
        """Remove what the run has no more need of, if it is still ours."""
        with _lock(self.folder), suppress(ClaimLost):
            self.check()
            for name in (_CHECKPOINT, _PROGRESS):
                (self.folder / name).unlink(missing_ok=True)


@contextmanager
def claimed(folder: Path, *, takeover_minutes: float) -> Iterator[Claim | None]:
    """Claim a run for this process, and beat a heart until the end.

    Args:
        folder: The run's own, named by its identity.
        takeover_minutes: Of silence after which a process on another machine counts as dead. One on this machine is
            asked for.

    Yields:
        The claim, or None where a live process has it.

    Raises:
        TrackingError: The folder cannot be written.
    """
    token = uuid.uuid4().hex
    try:
        claim = _claim(folder, token, takeover_minutes)
    except OSError as error:
        raise TrackingError(
            f"the checkpoint folder {folder.parent} cannot be written: {error.strerror or error}. "
            "Set checkpoint.dir to a place that can"
        ) from error
    if claim is None:
        yield None
        return
    ended = threading.Event()
    threading.Thread(target=_beat, args=(claim, ended), daemon=True).start()
    try:
        yield claim
    finally:
        ended.set()
        with _lock(folder), suppress(OSError):
            if _read(folder / _CLAIM).get("token") == token:
                (folder / _CLAIM).unlink()
                if not claim.checkpoint.exists():
                    shutil.rmtree(folder)


def _claim(folder: Path, token: str, takeover_minutes: float) -> Claim | None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        if holder(folder, takeover_minutes=takeover_minutes) is not None:
            return None
        folder.mkdir(exist_ok=True)
        # What an earlier process left half written goes too.
        for left in (folder / _PROGRESS, *folder.glob(".*")):
            left.unlink(missing_ok=True)
        _write(folder / _CLAIM, {"token": token, **_own_place()})
        return Claim(folder, token)


def holder(folder: Path, *, takeover_minutes: float) -> Holder | None:
    """Return who trains a run, or None where nobody does."""
    path = folder / _CLAIM
    said = _read(path)
    try:
        silent = time.time() - path.stat().st_mtime
    except OSError:
        return None
    own = _own_place()
    if said.get("place") == own["place"]:
        alive = "pid" in said and _started(int(said["pid"])) == said.get("started", -1.0)
    else:
        alive = silent < 60 * takeover_minutes
    if not alive:
        return None
    return Holder(str(said.get("host")), int(said.get("pid", 0)), _read(folder / _PROGRESS))


def checkpoint_file(folder: Path) -> Path:
    """Return where a run's checkpoint is, whether there is one or not."""
    return folder / _CHECKPOINT


def _beat(claim: Claim, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        with suppress(OSError, ClaimLost):
            claim.check()
            os.utime(claim.folder / _CLAIM)


def _lock(folder: Path) -> FileLock:
    # One for all runs: it is held for moments, and the folder of a run can be removed under it.
    return FileLock(folder.parent / "claims.lock")


def _own_place() -> dict[str, Any]:
    """Describe this process so that others can tell whether it lives: processes are known by number in one place."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    place = [socket.gethostname()]
    with suppress(OSError):
        place += [boot.read_text(encoding="ascii").strip(), str(namespace.readlink())]
    return {
        "place": " ".join(place),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _started(os.getpid()),
    }


def _started(pid: int) -> float | None:
    """Return when a process started, in the same terms for as long as it lives, or None where it lives no more."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        stat = Path(f"/proc/{pid}/stat")
        # Ticks since the machine started: a time of day would move when the clock is set.
        return float(stat.read_text().rpartition(")")[2].split()[19]) if stat.exists() else process.create_time()
    except (psutil.NoSuchProcess, OSError):
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _write(path: Path, values: Mapping[str, Any]) -> None:
    with replacing(path, durable=False) as file:
        file.write(json.dumps(dict(values)).encode())
