"""A server of MLflow for a test."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.servers import free_port


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """Start MLflow's server with a store of its own, and yield its address."""
    port = free_port()
    command = ["-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    stores = ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "kept")]
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *command, *stores],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "PATH": scripts},
            start_new_session=True,
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/health", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(30)


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
