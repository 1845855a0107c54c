"""Bundles that are drawn, and servers that serve them."""

import hashlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import uvicorn
from PIL import Image

from ablate.system.images import png
from ablate.turing.bundle import PICTURES, Algorithm, Bundle, Manifest, Stimulus, freeze
from ablate.turing.database import Database
from ablate.turing.protocol import Protocol
from ablate.turing.serve.command import server as made_server
from ablate.turing.serve.security import Limits, Signer
from ablate.turing.serve.sessions import Sessions
from ablate.turing.serve.texts import load_texts
from ablate.turing.serve.web import Site

# At the end: some benchmarks are called like packages of tests.
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from visitors import Visitor

TOKEN = "a token of the experimenter"
SHORT = Protocol(practice=2, test=4, checks=1, exposure_ms=200)
FREE = {"sessions": 10_000, "requests": 100_000, "tokens": 5}


def make_bundle(
    folder: Path,
    name: str = "drawn",
    *,
    protocol: Protocol = SHORT,
    algorithms: Sequence[str] = ("baseline", "loss=regression"),
    photographs: int = 9,
    crops: int = 1,
    side: int = 64,
) -> Bundle:
    """Write a bundle of coloured stripes."""
    (folder / PICTURES).mkdir(parents=True)
    random, files = np.random.default_rng(3), {}

    def write() -> str:
        stripes = np.repeat(random.integers(0, 256, (side, 1, 3), dtype=np.uint8), side, axis=1)
        content, file = png(Image.fromarray(stripes)), secrets.token_hex(16)
        (folder / PICTURES / f"{file}.png").write_bytes(content)
        files[file] = hashlib.sha256(content).hexdigest()
        return file

    stimuli = [
        Stimulus(photograph=f"photo{number}", real=write(), recolored=[write() for _ in algorithms], check=write())
        for number in range(photographs)
        for _ in range(crops)
    ]
    freeze(
        folder,
        Manifest(
            name=name,
            study=None,
            side=side,
            seed=11,
            protocol=protocol,
            algorithms=[Algorithm(name=each) for each in algorithms],
            stimuli=stimuli,
            left_out=[],
            files=files,
        ),
    )
    return Bundle(folder)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A small bundle."""
    return make_bundle(tmp_path / "drawn")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database."""
    made = Database(f"sqlite:///{tmp_path / 'turing.db'}")
    yield made
    made.engine.dispose()


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


@pytest.fixture
def serve(database: Database) -> Iterator[Callable[..., Served]]:
    """Serve bundles."""
    running = list[tuple[uvicorn.Server, threading.Thread, Served]]()

    def start(*bundles: Bundle, limits: dict[str, int] | None = None) -> Served:
        site = Site(
            database,
            {each.manifest.name: Sessions(database, database.register(each, time.time()), each) for each in bundles},
            load_texts(),
            Signer(database.secret()),
            TOKEN,
            Limits(**{**FREE, **(limits or {})}),
        )
        port = free_port()
        server = made_server(site, host="127.0.0.1", port=port, proxies="127.0.0.1")
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        served = Served(f"http://127.0.0.1:{port}", site)
        running.append((server, thread, served))
        return served

    yield start
    for server, thread, served in running:
        for visitor in served.visitors:
            visitor.close()
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def served(serve: Callable[..., Served], bundle: Bundle) -> Served:
    """The small bundle, served."""
    return serve(bundle)


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
        ends = time.monotonic() + 30
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
        output, _ = self._process.communicate(timeout=30)
        return self._process.returncode, output

    def kill(self) -> None:
        """Kill it as the system does when memory runs out."""
        self.end(signal.SIGKILL)


def links(page: str) -> list[str]:
    """Return what a page links to or loads."""
    return re.findall(r'(?:href|src|action)="([^"]+)"', page)
