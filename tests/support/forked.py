"""Commands forked off a process that has imported what they need, which is most of what a short one does.

Run as a script, this is that process: it reads from its standard input, one JSON object a line, commands, for which it
prints the numbers of their processes, and numbers of processes, for which it waits and prints what they ended with.
"""

import gc
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from multiprocessing import util
from pathlib import Path
from typing import Any, NoReturn

import psutil

IMPORTED = (
    "ablate.tracking.study_record",
    "ablate.tracking.run",
    "ablate.tracking.study",
    "ablate.colorization.task",
    "ablate.report.report",
    "ablate.report.load",
    "ablate.report.render",
    "ablate.study.plan_table",
    "matplotlib.backends.backend_agg",
)
COLLECTED = (5_000, 20, 100)
"""Thresholds of garbage collection: by Python's own, it is a tenth of what a test takes."""


class Forked:
    """Runs commands as `python -m` or `python -c` do, each in a new process, but for what is imported already."""

    def __init__(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
        self._process = subprocess.Popen(
            [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(
        self, arguments: Sequence[str], *, folder: Path, env: Mapping[str, str], output: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m ARGUMENTS`, or `python -c CODE ARGUMENTS` where the first argument is -c, in a folder.

        What it prints goes through files in another folder.
        """
        out, err = output / "stdout", output / "stderr"
        pid = self.start(arguments, folder=folder, env=env, streams=[os.devnull, str(out), str(err)])
        code = self.wait(pid, timeout)
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def start(
        self,
        arguments: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str],
        streams: Sequence[str],
        session: bool = False,
    ) -> int:
        """Start `python -m ARGUMENTS`, or `python ARGUMENTS` as above; return the number of its process.

        A terminal among its streams becomes its own where it has a session of its own.
        """
        command = {
            "arguments": list(arguments),
            "folder": str(folder),
            "env": dict(env),
            "streams": list(streams),
            "session": session,
        }
        return self._ask(command)

    def wait(self, pid: int, timeout: float) -> int:
        """Wait for the end of what was started, which is killed when that takes too long; return its exit code."""
        late = threading.Timer(timeout, os.kill, (pid, signal.SIGKILL))
        late.start()
        try:
            return self._ask({"wait": pid})
        finally:
            late.cancel()

    def _ask(self, command: Mapping[str, Any]) -> int:
        assert self._process.stdin is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """End the process that commands are forked off, which ends by itself once it has no more to read."""
        try:
            self._process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise


class ForkedProcess:
    """A command that has been started, in a session of its own, with its output in a file.

    Attributes:
        pid: The number of its process, which leads its group.
        returncode: What it ended with, once that is known.
    """

    def __init__(self, forked: Forked, arguments: Sequence[str], *, folder: Path, output: Path):
        self._forked, self._output = forked, output
        self.returncode: int | None = None
        env = {**os.environ, "PYTHONUNBUFFERED": "1"}
        output.touch()
        streams = [os.devnull, str(output), str(output)]
        self.pid = forked.start(arguments, folder=folder, env=env, streams=streams, session=True)

    def is_running(self) -> bool:
        """Return whether it has not ended yet."""
        return bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)

    def read_until(self, text: str, *, seconds: float = 240) -> None:
        """Wait until it has printed a text.

        Raises:
            AssertionError: It has not in time.
        """
        latest = time.monotonic() + seconds
        while text not in self._output.read_text():
            assert time.monotonic() < latest, f"{text!r} was never printed: {self._output.read_text()[-3000:]}"
            time.sleep(0.05)

    def kill_when(self, condition: Callable[[], bool], *, seconds: float = 240) -> None:
        """Kill it with its group, which cannot notice, as soon as something has happened.

        Raises:
            AssertionError: It ended before, or nothing happened in time.
        """
        latest = time.monotonic() + seconds
        try:
            while not condition():
                assert self.is_running(), self._output.read_text()[-3000:]
                assert time.monotonic() < latest, f"nothing happened: {self._output.read_text()[-3000:]}"
                time.sleep(0.02)
        finally:
            self.end()

    def finish(self, *, seconds: float = 180) -> str:
        """Wait until it has ended, which is killed when that takes too long; return what it has printed."""
        self.returncode = self._forked.wait(self.pid, seconds)
        return self._output.read_text()

    def end(self) -> None:
        """Kill it with its group, and reap it."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self.finish()


def next_command() -> str:
    """Fork a process for every command that is read; return there, prepared for it, the module that it runs, or -c."""
    before = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    from ablate.config.environment import fix_environment, set_onednn

    gc.set_threshold(*COLLECTED)
    fix_environment()
    set_onednn(True)
    from ablate.execution.in_subprocess import PRELOADED, PRELOADED_FOR_KERAS, variables_read_at_import

    for module in (*PRELOADED, *PRELOADED_FOR_KERAS, *IMPORTED):
        import_module(module)

    imported = variables_read_at_import()
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            print(os.waitstatus_to_exitcode(os.waitpid(command["wait"], 0)[1]), flush=True)
            continue
        child = os.fork()
        if child == 0:
            return _become(command, before, handlers, mask, imported)
        print(child, flush=True)
    raise SystemExit


def _become(
    command: Mapping[str, Any],
    before: Mapping[str, str],
    handlers: Mapping[int, Any],
    mask: set[signal.Signals],
    imported: Mapping[str, str],
) -> str:
    """Make this process what the command's own would be."""
    for number, handler in handlers.items():
        if signal.getsignal(number) != handler:
            signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for name in before.keys() - command["env"].keys():
        os.environ.pop(name, None)
    os.environ.update(command["env"])
    os.chdir(command["folder"])
    if command["session"]:
        os.setsid()
    for descriptor, path in enumerate(command["streams"]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.dup2(opened, descriptor)
        os.close(opened)
    added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path and path not in sys.path]
    sys.path[:1] = [command["folder"], *added]
    module, *arguments = command["arguments"]
    sys.argv = [module, *arguments]
    if "-m" in arguments:
        _fork_the_server_of_runs(imported)
    return module


def _fork_the_server_of_runs(imported: Mapping[str, str]) -> None:
    """Fork the process that a sweep forks its runs off, which would import the same once more.

    Args:
        imported: The variables that were read at import; with others the sweep starts a server of its own.
    """
    from ablate.execution.in_subprocess import variables_read_at_import

    here, there = socket.socketpair()
    pid, new_process = os.fork(), util.spawnv_passfds
    if pid == 0:
        here.close()
        _serve_runs(there)
    there.close()

    def forked(path: bytes, arguments: Sequence[str], descriptors: list[int]) -> int:
        if "forkserver" not in arguments[-1] or variables_read_at_import() != imported:
            return int(new_process(path, arguments, descriptors))
        socket.send_fds(here, [arguments[-1].encode()], descriptors)
        return pid

    util.spawnv_passfds = forked


def _serve_runs(asked: socket.socket) -> NoReturn:
    """Be a server of `multiprocessing.forkserver` once it is asked for, until its command ends."""
    from ablate.system.signals import INTERRUPTING

    signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTING)  # as `ablate.execution.preload` does
    try:
        code, descriptors, _, _ = socket.recv_fds(asked, 65536, 2)
        if code:
            asked.close()
            listener, alive = descriptors
            *_, others = code.decode().partition("main(")[2].split(", ", 2)
            exec(f"from multiprocessing.forkserver import main; main({listener}, {alive}, {others}")
    finally:
        os._exit(0)


if __name__ == "__main__":
    command = next_command()
    if command == "-c":
        exec(sys.argv.pop(1), {"__name__": "__main__"})
    else:
        runpy.run_module(command, run_name="__main__", alter_sys=True)
