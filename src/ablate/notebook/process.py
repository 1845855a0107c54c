"""A command as a process of its own: its output, its progress, its error, and the interrupt of this process.

A command of its own process is the same one as in a terminal: the kernel's modules, settings, signal handlers and
Keras stay as they are, and an edited task is imported anew every time.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from queue import SimpleQueue
from typing import IO

from ablate import errors
from ablate.errors import AblateError

OUTPUT, LOG, EVENT = "output", "log", "event"
"""Kinds of lines: of standard output, of standard error, and JSON for this process."""
_GRACE_SECONDS = 0.5


def run_command(module: str, arguments: Sequence[str], hear: Callable[[str, str], None]) -> None:
    """Run `python -m MODULE ARGUMENTS` to its end.

    An interrupt of this process, as by a notebook's stop button, interrupts the command, which ends in order; a second
    one kills it.

    Args:
        module: The command's, as in `ablate.run`.
        arguments: Its arguments.
        hear: Is called with the kind and the text of each line.

    Raises:
        AblateError: What the command ended with, of the class that it has there.
        KeyboardInterrupt: This process was interrupted; the command has ended.
    """
    command = _Command(module, arguments)
    try:
        try:
            command.follow(hear)
        except KeyboardInterrupt:
            # A terminal, and Jupyter, interrupt the whole group of processes, and a command takes its first signal
            # alone. This one is for where only this process was interrupted.
            time.sleep(_GRACE_SECONDS)
            command.process.terminate()
            command.follow(hear)
            raise
    finally:
        command.close()
    command.raise_error()


class _Command:
    """A command that runs.

    Args:
        module: The command's.
        arguments: Its arguments.
    """

    def __init__(self, module: str, arguments: Sequence[str]):
        self.module = module
        receiver, sender = os.pipe()
        # Figures of a kernel are drawn in its cells, of which the command has none.
        environment = {**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1", "MPLBACKEND": "agg"}
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ablate.notebook", str(sender), module, *arguments],
                env=environment, pass_fds=[sender], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )  # fmt: skip
        finally:
            os.close(sender)
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        streams = {OUTPUT: self.process.stdout, LOG: self.process.stderr, EVENT: os.fdopen(receiver, "rb")}
        self._open = set(streams)
        self._said = SimpleQueue[tuple[str, str | None]]()
        self._error: Mapping[str, str] = {}
        self._held = list[str]()
        for kind, stream in streams.items():
            threading.Thread(target=self._read, args=(kind, stream), daemon=True).start()

    def _read(self, kind: str, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self._said.put((kind, line.decode("utf-8", "replace").rstrip("\r\n")))
        self._said.put((kind, None))

    def follow(self, hear: Callable[[str, str], None]) -> None:
        """Pass on what it says until it ends."""
        while self._open:
            kind, line = self._said.get()
            if line is None:
                self._open.discard(kind)
            elif kind == EVENT and "error" in (event := json.loads(line)):
                self._error = event
            elif kind == LOG and (self._held or line.startswith("Error: ")):
                self._held.append(line)  # the error that is raised says the same
            else:
                if kind == EVENT:
                    self._let_go(hear)
                hear(kind, line)
        if not self.process.wait():
            self._let_go(hear)

    def _let_go(self, hear: Callable[[str, str], None]) -> None:
        """Pass on lines that looked like the error that ends the command, which continues."""
        for line in self._held:
            hear(LOG, line)
        self._held.clear()

    def close(self) -> None:
        """Kill it where it has not ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()

    def raise_error(self) -> None:
        """Raise what it ended with, if that is an error."""
        code = self.process.returncode
        if code == 130:
            raise KeyboardInterrupt
        if self._error:
            raise getattr(errors, self._error["error"], AblateError)(self._error["message"])
        if code:
            end = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            raise AblateError("\n".join([f"`python -m {self.module}` {end}", *self._held]))
