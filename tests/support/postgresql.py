"""A PostgreSQL server, and a database of it for each test. A module that imports both fixtures offers them."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.support.servers import free_port

SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
USER = "postgres"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a PostgreSQL server, without a database: making a server takes seconds."""
    if not SERVERS:
        pytest.skip("no PostgreSQL is installed")
    folder, port = Path(tempfile.mkdtemp(prefix="turing-", dir="/tmp")), free_port()
    # It refuses to be run by root.
    who = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    if who:
        os.chown(folder, pwd.getpwnam(USER).pw_uid, -1)
    data, tools = folder / "data", SERVERS[-1]
    try:
        made = [*who, tools / "initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run(made, check=True, capture_output=True, cwd=folder)
        # No test kills it: it need not wait for the disk.
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off -c full_page_writes=off"
        start = [*who, tools / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start"]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
        yield f"postgresql://{USER}@127.0.0.1:{port}/"
        stop = [*who, tools / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(stop, check=True, capture_output=True, cwd=folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    name = f"test_{uuid4().hex}"
    _execute(postgres_server, f"CREATE DATABASE {name}")
    yield f"{postgres_server}{name}"
    _execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(server: str, statement: str) -> None:
    with psycopg.connect(f"{server}{USER}", autocommit=True) as connection:
        connection.execute(statement.encode())
