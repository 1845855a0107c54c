"""Processes of tests: started in a session of their own, read with a time limit, and ended with all their children."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


def start_python_m(
    arguments: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start `python -m ARGUMENTS` in a folder; its output is one pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
    )


def read_until(process: subprocess.Popen[str], text: str, *, seconds: float = 240) -> None:
    """Read what a process prints until a line holds a text.

    Raises:
        AssertionError: It ended without, or was killed because that took too long.
    """
    late = threading.Timer(seconds, kill_group, [process])
    late.start()
    try:
        assert process.stdout is not None
        printed = []
        for line in process.stdout:
            printed.append(line)
            if text in line:
                return
        raise AssertionError(f"{text!r} was never printed: {''.join(printed)[-3000:]}")
    finally:
        late.cancel()


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process that leads its group, and whatever it has left behind there."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process with its group, and reap it."""
    kill_group(process)
    process.communicate(timeout=180)
