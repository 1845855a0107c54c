"""Servers of bundles: in a thread of the test, and as a process of their own."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn

from ablate.turing.bundle import Bundle
from ablate.turing.database import Database
from ablate.turing.serve.command import server as made_server
from ablate.turing.serve.preview import open_previews
from ablate.turing.serve.recruiting import ANYBODY, Recruiting
from ablate.turing.serve.security import RateLimits, Signer
from ablate.turing.serve.sessions import Sessions, open_sessions
from ablate.turing.serve.texts import load_texts
from ablate.turing.serve.web import Site
from tests.support.visitors import Visitor

TOKEN = "a token of the experimenter"
FREE = {"sessions": 10_000, "requests": 100_000, "tokens": 5}


@dataclass(frozen=True)
class Served:
    """A server in a thread of the test."""

    address: str
    site: Site
    visitors: list[Visitor] = field(default_factory=list)

    def visitor(self, experiment: str | None = "drawn") -> Visitor:
        """Return a browser at an experiment's first page, or at the server's."""
        visitor = Visitor(f"{self.address}/e/{experiment}/" if experiment else self.address)
        self.visitors.append(visitor)
        return visitor

    def sessions(self, experiment: str = "drawn") -> Sessions:
        """Return an experiment."""
        return self.site.experiments[experiment]


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    database: Database,
    *bundles: Bundle,
    limits: dict[str, int] | None = None,
    texts: Path | None = None,
    recruiting: Recruiting = ANYBODY,
) -> Iterator[Served]:
    """Serve bundles in a thread."""
    signer = Signer(database.secret())
    previews = tempfile.TemporaryDirectory()
    site = Site(
        database,
        {each.manifest.name: open_sessions(database, each, recruiting) for each in bundles},
        load_texts(texts),
        signer,
        TOKEN,
        RateLimits(**{**FREE, **(limits or {})}),
        open_previews(bundles, recruiting, signer, Path(previews.name)),
    )
    port = free_port()
    with previews, running(made_server(site, host="127.0.0.1", port=port, proxies="127.0.0.1")):
        served = Served(f"http://127.0.0.1:{port}", site)
        try:
            yield served
        finally:
            for visitor in served.visitors:
                visitor.close()


@contextmanager
def running(server: uvicorn.Server) -> Iterator[None]:
    """Run a server in a thread."""
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(10)


class Process:
    """`python -m ablate.turing serve` as a process of its own, which can be killed and started again."""

    def __init__(self, *arguments: str, port: int | None = None):
        self.port = port or free_port()
        self._arguments = [*arguments, f"port={self.port}"]
        self.output = ""

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ablate.turing", "serve", *self._arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "ABLATE_TURING_TOKEN": TOKEN},
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output += line
            if "Ctrl-C" in line:
                break
        ends = time.monotonic() + 120
        while time.monotonic() < ends:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self._process.poll() is None, self.output
                time.sleep(0.02)
        raise AssertionError("the server does not answer")

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    def end(self, number: int) -> tuple[int, str]:
        """Send a signal, and return the exit code and what was said last."""
        self._process.send_signal(number)
        output, _ = self._process.communicate(timeout=120)
        return self._process.returncode, output

    def kill(self) -> None:
        """Kill it as the system does when memory runs out."""
        self.end(signal.SIGKILL)


def links(page: str) -> list[str]:
    """Return what a page links to or loads."""
    return re.findall(r'(?:href|src|action)="([^"]+)"', page)
