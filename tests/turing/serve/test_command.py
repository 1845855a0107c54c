"""The command that serves: its messages, its start and its end; and the database that it needs."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from ablate.errors import AblateError, ConfigError, DataError
from ablate.turing.bundle import Bundle
from ablate.turing.database import Database, experiment_names, read_answers
from ablate.turing.serve.command import main
from tests.support.bundles import make_bundle
from tests.support.servers import Process
from tests.support.visitors import Visitor


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "which bundle"),
        (["{bundle}", "prot=8080"], r"unknown key: prot\..*Did you mean port\?"),
        (["{bundle}", "port=x"], "port must be a whole number from 1. Received: port=x"),
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


def test_a_port_that_is_taken(bundle: Bundle, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AblateError, match="choose another port"):
            main([str(bundle.folder), f"port={port}", f"database=sqlite:///{tmp_path / 'own.db'}"])


def test_it_starts_without_tensorflow_and_ends_at_ctrl_c(bundle: Bundle, tmp_path: Path) -> None:
    process = Process(str(bundle.folder), f"database=sqlite:///{tmp_path / 'turing.db'}")
    process.start()
    assert f"http://127.0.0.1:{process.port}/e/drawn/" in process.output
    assert "that of ABLATE_TURING_TOKEN" in process.output
    maps = Path(f"/proc/{process.pid}/maps")
    if maps.exists():
        assert "tensorflow" not in maps.read_text()
    visitor = Visitor(f"http://127.0.0.1:{process.port}/e/drawn/")
    visitor.take_part(lambda number: "left")
    visitor.close()
    code, output = process.end(signal.SIGINT)
    assert code in (0, 130)
    assert "Traceback" not in output


def test_an_experiment_goes_on_where_it_was(bundle: Bundle, database: Database, tmp_path: Path) -> None:
    first = database.register(bundle, 1.0)
    assert database.register(bundle, 2.0) == first
    assert experiment_names(database) == ["drawn"]
    with pytest.raises(DataError, match="drawn was begun with another bundle"):
        database.register(make_bundle(tmp_path / "again"), 3.0)
    other = database.register(make_bundle(tmp_path / "other", "other"), 4.0)
    assert other != first
    assert experiment_names(database) == ["other", "drawn"]
    assert read_answers(database, "drawn").participants.empty
    with pytest.raises(DataError, match=r"no experiment third\. Its experiments: other, drawn"):
        read_answers(database, "third")


def test_the_secret_stays(database: Database, tmp_path: Path) -> None:
    secret = database.secret()
    assert len(secret) == 32
    again = Database(f"sqlite:///{tmp_path / 'turing.db'}")
    assert again.secret() == secret
    again.engine.dispose()


def test_a_missing_database_is_not_made_to_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"there is no database .*nothing\.db"):
        Database(f"sqlite:///{tmp_path / 'nothing.db'}", create=False)
    assert not (tmp_path / "nothing.db").exists()


def test_passwords_are_not_shown() -> None:
    database = Database("postgresql://me:secret@127.0.0.1:1/nothing", create=False)
    assert "secret" not in database.name
    with pytest.raises(DataError, match="cannot be used") as error:
        Database("postgresql://me:secret@127.0.0.1:1/nothing")
    assert "secret" not in str(error.value)


def test_help_teaches(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from ablate.turing.__main__ import main as turing

    for arguments, said in (([], "build study=NAME"), (["--help"], "analyse --plan"), (["serve", "-h"], "proxies=")):
        monkeypatch.setattr(sys, "argv", ["ablate.turing", *arguments])
        turing()
        assert said in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["ablate.turing", "surve"])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ConfigError, match=r"unknown command: surve.*Did you mean serve\?"):
        turing()
