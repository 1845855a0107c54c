"""A server of MLflow for a test."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import free_port


@contextmanager
def mlflow_server(folder: Path, store: Path) -> Iterator[str]:
    """Start MLflow's server with artifacts in a folder and a copy of a store, `server.db`; yield its address."""
    port = free_port()
    shutil.copy(store, folder / "server.db")
    command = ["-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "kept")]
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command, *stores],
            stdout=log,
            stderr=log,
            cwd=folder,
            # Its jobs, which judge answers of language models, are eight processes more.
            env={**os.environ, "PATH": scripts, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it would wait for what is still connected
        process.wait()
        _wait_for_end(port)


def _wait_for_end(port: int) -> None:
    """Wait until the last of the server's processes is gone: its port is open as long as one of them is."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", port), 5).close()
        except OSError:
            return
        time.sleep(0.05)


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 180
    while True:
        assert process.poll() is None
        assert time.monotonic() < ends
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
