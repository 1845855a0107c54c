"""Leases: a run is trained by one process at a time, among all machines that see the checkpoint folder.

The folder of a run is named by its identity. It holds the lease, the progress and the checkpoint. Imports neither
TensorFlow nor MLflow.
"""

import json
import logging
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock

from ablate.errors import LeaseLost, TrackingError
from ablate.system.atomic_write import atomic_write, remove_folder

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 10.0
LOCK = "leases.lock"
"""The file in the checkpoint folder that is locked while a lease changes its owner."""
_YEAR_2200 = 7.3e9
_LEASE, _PROGRESS, _CHECKPOINT, _LOOP = "lease.json", "progress.json", "checkpoint.npz", "loop"


@dataclass(frozen=True)
class LeaseOwner:
    """The process that trains a run, its host, the progress that it last reported, and since when (Unix time)."""

    host: str
    pid: int
    progress: Mapping[str, Any]
    since: float | None = None

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Lease:
    """The right to train a run, held while its process lives; made by `acquire_lease`."""

    def __init__(self, folder: Path, token: str):
        self.folder = folder
        self._token = token
        self._reported = 0.0

    @property
    def checkpoint(self) -> Path:
        """The file of the run's checkpoint."""
        return self.folder / _CHECKPOINT

    @property
    def loop_folder(self) -> Path:
        """The folder of a training loop of one's own, see `ablate.training.own_loop`."""
        return self.folder / _LOOP

    def report_progress(self, progress: Mapping[str, Any], *, seconds: float = 1.0) -> None:
        """Write the run's progress, at most once in some seconds; a full disk is no reason to stop."""
        if time.monotonic() - self._reported < seconds:
            return
        self._reported = time.monotonic()
        with suppress(OSError, LeaseLost):
            self.ensure_held()
            _write(self.folder / _PROGRESS, progress)

    def ensure_held(self) -> None:
        """Make sure that this process still owns the lease.

        Raises:
            LeaseLost: Another process has taken it, because this one sent no heartbeat for too long.
        """
        written = _read(self.folder / _LEASE)
        # A file that cannot be read for a moment is nobody else's lease.
        if written.get("token", self._token) != self._token:
            raise LeaseLost(f"the run was taken over by process {written.get('pid')} on {written.get('host')}")

    def discard_checkpoint(self) -> None:
        """Remove the checkpoint and the progress, if this process still owns the lease."""
        with _lock(self.folder), suppress(LeaseLost):
            self.ensure_held()
            for name in (_CHECKPOINT, _PROGRESS):
                (self.folder / name).unlink(missing_ok=True)
            shutil.rmtree(self.loop_folder, ignore_errors=True)


@contextmanager
def acquire_lease(folder: Path, *, timeout_minutes: float) -> Iterator[Lease | None]:
    """Acquire the lease of a run for this process, and send heartbeats until the end.

    Args:
        folder: The run's folder, named by its identity.
        timeout_minutes: Time without a heartbeat after which a lease owner on another machine counts as dead. On this
            machine the process itself is looked up.

    Yields:
        The lease, or None where a live process has it.

    Raises:
        TrackingError: The folder cannot be written.
    """
    token = uuid.uuid4().hex
    try:
        lease = _acquire(folder, token, timeout_minutes)
    except OSError as error:
        raise TrackingError(
            f"the checkpoint folder {folder.parent} cannot be written: {error.strerror or error}. "
            "Set checkpoint.dir to a place that can"
        ) from error
    if lease is None:
        yield None
        return
    ended = threading.Event()
    threading.Thread(target=_send_heartbeats, args=(lease, ended), daemon=True).start()
    try:
        yield lease
    finally:
        ended.set()
        with _lock(folder), suppress(OSError):
            if _read(folder / _LEASE).get("token") == token:
                (folder / _LEASE).unlink()
                if not lease.checkpoint.exists() and not lease.loop_folder.exists():
                    shutil.rmtree(folder)


def _acquire(folder: Path, token: str, timeout_minutes: float) -> Lease | None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder):
        if lease_owner(folder, timeout_minutes=timeout_minutes) is not None:
            return None
        folder.mkdir(exist_ok=True)
        # Files that an earlier process left half written go too.
        for left in (folder / _PROGRESS, *folder.glob(".*")):
            left.unlink(missing_ok=True)
        _write(folder / _LEASE, {"token": token, "since": time.time(), **_this_process()})
        return Lease(folder, token)


def lease_owner(folder: Path, *, timeout_minutes: float) -> LeaseOwner | None:
    """Return the process that trains a run, or None where none does."""
    owner, alive = _read_owner(folder, timeout_minutes)
    return owner if alive else None


def orphaned_owner(folder: Path, *, timeout_minutes: float) -> LeaseOwner | None:
    """Return the process whose lease of a run is orphaned; None where the lease is alive, or there is none."""
    owner, alive = _read_owner(folder, timeout_minutes)
    return None if alive else owner


def leased_folders(checkpoints: Path) -> list[Path]:
    """Return the folders of the runs that have a lease, orphaned ones included.

    Args:
        checkpoints: The checkpoint folder of a store.
    """
    return [folder for folder in run_folders(checkpoints) if (folder / _LEASE).is_file()]


def run_folders(checkpoints: Path) -> list[Path]:
    """Return the folders of runs in the checkpoint folder of a store; hidden ones are left over."""
    try:
        found = sorted(checkpoints.iterdir())
    except OSError:
        return []
    return [
        folder for folder in found if not folder.name.startswith(".") and folder.is_dir() and not folder.is_symlink()
    ]


def remove_run_folder(folder: Path, *, timeout_minutes: float, unneeded: Callable[[], bool]) -> bool:
    """Remove the folder of a run that nobody trains, whole.

    Args:
        folder: The folder.
        timeout_minutes: See `acquire_lease`.
        unneeded: Asked while nobody can take the lease: whether no run resumes from the checkpoint.

    Returns:
        Whether it was removed.
    """
    with _lock(folder):
        if lease_owner(folder, timeout_minutes=timeout_minutes) is not None or not unneeded():
            return False
        remove_folder(folder)
        return True


def _read_owner(folder: Path, timeout_minutes: float) -> tuple[LeaseOwner | None, bool]:
    """Return the process that has written a lease, and whether it lives; None where there is no lease."""
    path = folder / _LEASE
    written = _read(path)
    try:
        silent = time.time() - path.stat().st_mtime
    except OSError:
        return None, False
    # Any file may be damaged, and one must not keep a command from all other runs.
    pid = int(_number(written.get("pid"), most=2**31) or 0)
    if written.get("machine") == _this_process()["machine"]:
        alive = pid > 0 and _start_time(pid) == written.get("started", -1.0)
    else:
        alive = silent < 60 * timeout_minutes
    reported = {name: _number(value) for name, value in _read(folder / _PROGRESS).items()}
    progress = {name: number for name, number in reported.items() if number is not None}
    since = _number(written.get("since"), most=_YEAR_2200)
    return LeaseOwner(str(written.get("host")), pid, progress, since), alive


def checkpoint_file(folder: Path) -> Path:
    """Return the path of a run's checkpoint, whether there is one or not."""
    return folder / _CHECKPOINT


def _send_heartbeats(lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(HEARTBEAT_SECONDS):
        with suppress(OSError, LeaseLost):
            lease.ensure_held()
            os.utime(lease.folder / _LEASE)


def _lock(folder: Path) -> FileLock:
    # One for all runs: it is held for moments, and the folder of a run can be removed under it.
    return FileLock(folder.parent / LOCK)


def _this_process() -> dict[str, Any]:
    """Describe this process so that others can tell whether it lives: `machine` is where its number is valid."""
    boot, namespace = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    machine = [socket.gethostname()]
    with suppress(OSError):
        machine += [boot.read_text(encoding="ascii").strip(), str(namespace.readlink())]
    return {
        "machine": " ".join(machine),
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": _start_time(os.getpid()),
    }


def _start_time(pid: int) -> float | None:
    """Return when a process started, on a clock that nobody sets, or None where it has ended."""
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
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def _number(value: Any, *, most: float = 2**53) -> float | None:
    """Return a number that is not negative and no larger than some; None for anything else that a file may say."""
    return value if isinstance(value, int | float) and 0 <= value <= most else None


def _write(path: Path, values: Mapping[str, Any]) -> None:
    with atomic_write(path, durable=False) as file:
        file.write(json.dumps(dict(values)).encode())
