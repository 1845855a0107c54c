"""The command that serves: its messages, its start and its end."""

import re
import signal
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ablate.errors import AblateError, ConfigError, DataError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database
from ablate.turing.serve.command import main
from tests.support.servers import Process
from tests.support.visitors import Visitor


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which bundle"),
        (["{bundle}", "prot=8080"], r"unknown key: prot\..*Did you mean port\?"),
        (["{bundle}", "port=x"], "port must be a whole number from 1 to 65535. Received: port=x"),
        (["{bundle}", "port=70000"], "port must be a whole number from 1 to 65535. Received: port=70000"),
        (["{bundle}", "port="], "port needs a value"),
        (["{bundle}", "{bundle}"], "two bundles have the name drawn"),
        (["nowhere"], "nowhere is no bundle"),
        (["{bundle}", "database=oracle"], "database=oracle is no address"),
        (["{bundle}", "database=mysql://x/y"], "must begin with one of sqlite, postgresql"),
        (["{bundle}", "database=sqlite:////nowhere/turing.db"], "cannot be used"),
        (["{bundle}", "texts=nowhere.yaml"], "nowhere.yaml cannot be read"),
    ],
)
def test_a_mistake_is_named(bundle: Bundle, tmp_path: Path, arguments: list[str], said: str) -> None:
    given = [argument.format(bundle=bundle.folder) for argument in arguments]
    if not any(argument.startswith("database=") for argument in given):
        given.append(f"database=sqlite:///{tmp_path / 'own.db'}")
    with pytest.raises(AblateError, match=said):
        main(given)


def test_a_database_that_cannot_be_written_is_named(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.db"
    Database(f"sqlite:///{file}").engine.dispose()
    with pytest.raises(DataError, match=r"cannot be used: .* readonly database"):
        main([str(bundle.folder), f"database=sqlite:///file:{file}?mode=ro&uri=true"])
    monkeypatch.setattr("ablate.turing.database.connection._PATIENCE_MS", 50)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DataError, match=r"cannot be used: .* database is locked"):
            main([str(bundle.folder), f"database=sqlite:///{file}"])
    (tmp_path / "none.db").write_bytes(b"no database" * 100)
    with pytest.raises(DataError, match=r"cannot be used: .* not a database"):
        main([str(bundle.folder), f"database=sqlite:///{tmp_path / 'none.db'}"])


def test_a_port_that_is_taken(bundle: Bundle, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AblateError, match="choose another port"):
            main([str(bundle.folder), f"port={port}", f"database=sqlite:///{tmp_path / 'own.db'}"])


@pytest.mark.slow
def test_it_starts_without_tensorflow_and_ends_at_ctrl_c(bundle: Bundle, tmp_path: Path) -> None:
    process = Process(str(bundle.folder), f"database=sqlite:///{tmp_path / 'turing.db'}")
    process.start()
    assert f"http://127.0.0.1:{process.port}/e/drawn/" in process.output
    assert "that of ABLATE_TURING_TOKEN" in process.output
    tried = re.findall(r"To try it: +(http\S+)", process.output)
    assert len(tried) == 1
    maps = Path(f"/proc/{process.pid}/maps")
    if maps.exists():
        assert "tensorflow" not in maps.read_text()
    visitor = Visitor(f"http://127.0.0.1:{process.port}/e/drawn/")
    visitor.take_part(lambda number: "left")
    visitor.close()
    previewer = Visitor(tried[0])
    assert "Preview: nothing counts" in previewer.get("./").text
    previewer.close()
    code, output = process.end(signal.SIGINT)
    assert code in (0, 130)
    assert "Traceback" not in output


def test_help_teaches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from ablate.turing.__main__ import main as turing

    for arguments, said in (
        ([], "build study=NAME"),
        (["--help"], "analyse --plan"),
        (["serve", "-h"], "proxies="),
        (["export", "-h"], "Psych-DS"),
    ):
        monkeypatch.setattr(sys, "argv", ["ablate.turing", *arguments])
        turing()
        assert said in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["ablate.turing", "surve"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ConfigError, match=r"unknown command: surve.*Did you mean serve\?"):
        turing()
