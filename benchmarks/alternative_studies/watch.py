"""A command with all its processes: their memory together, and SIGKILL for all of them at once."""

import os
import subprocess
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

MARK = "STUDY_MARK"
SAMPLE_SECONDS = 1.0


class Watched:
    """A command that runs in a folder, and adds what it prints to log.txt there.

    Args:
        command: The command.
        folder: Its folder.
        variables: More environment variables.

    Attributes:
        peak_mib: Most memory that all its processes occupied at once, in MiB: of a page that n of them share, each
            has an n-th (proportional set size).
    """

    def __init__(self, command: Sequence[str], folder: Path, variables: Mapping[str, str]):
        self.peak_mib = 0.0
        self._mark = uuid.uuid4().hex
        self._begun, self._seconds = time.monotonic(), 0.0
        with (folder / "log.txt").open("a") as log:
            self._process = psutil.Popen(
                command,
                cwd=folder,
                env={**os.environ, **variables, MARK: self._mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._known: set[psutil.Process] = {self._process}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    @property
    def seconds(self) -> float:
        """Seconds from its begin to its end; so far, while it runs."""
        return self._seconds or time.monotonic() - self._begun

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the command ends, for some seconds at most, and return whether it did."""
        try:
            self._process.wait(seconds)
        except psutil.TimeoutExpired:
            return False
        self._ended.set()
        self._thread.join()
        self._seconds = self._seconds or time.monotonic() - self._begun
        return True

    @property
    def code(self) -> int | None:
        """Its exit code."""
        code: int | None = self._process.poll()
        return code

    def kill(self) -> int:
        """Kill all its processes, again until none is left, and return how many they were."""
        killed: set[psutil.Process] = set()
        while living := self._living():
            for process in living:
                with suppress(psutil.Error):
                    process.kill()
            killed |= living
            psutil.wait_procs(living, timeout=5)
        self.wait()
        return len(killed)

    def _sample(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._remember()
            self.peak_mib = max(self.peak_mib, sum(map(_proportional_bytes, self._known)) / 2**20)

    def _remember(self) -> None:
        for process in [self._process, *self._known]:
            with suppress(psutil.Error):
                self._known.update(process.children(recursive=True))
        self._known = {process for process in self._known if process.is_running()}

    def _living(self) -> set[psutil.Process]:
        """Return its processes, those that have left its tree too: they have its mark in their environment."""
        self._remember()
        marked = set()
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self._mark:
                    marked.add(process)
        return {each for each in self._known | marked if _lives(each)}


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _proportional_bytes(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_full_info().pss)
    return 0
