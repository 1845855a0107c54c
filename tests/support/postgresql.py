"""A PostgreSQL server of a test. A module that imports the fixture offers it."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers import free_port

SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture
def postgres() -> Iterator[str]:
    """A PostgreSQL server of the test's own."""
    if not SERVERS:
        pytest.skip("no PostgreSQL is installed")
    folder, port = Path(tempfile.mkdtemp(prefix="turing-", dir="/tmp")), free_port()
    # It refuses to be run by root.
    who = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if who:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    data, tools = folder / "data", SERVERS[-1]
    user = "postgres"
    try:
        made = [*who, tools / "initdb", "-D", data, "-A", "trust", "-U", user, "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1"
        start = [*who, tools / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        yield f"postgresql://{user}@127.0.0.1:{port}/postgres"
        stop = [*who, tools / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, capture_output=True, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
