"""The console script `ablate`: it finds the commands, and says which there are."""

import subprocess
import sys

import pytest

from ablate import __version__
from ablate.cli.main import COMMANDS, main


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["ablate", *arguments])
    main()


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_has_a_line_for_each_command(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, *arguments)
    lines = [line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  ablate ")]
    assert [words[1] for words in lines][: len(COMMANDS)] == list(COMMANDS)


def test_the_version_is_that_of_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call(monkeypatch, "--version")
    assert capsys.readouterr().out == f"ablate {__version__}\n"


def test_an_unknown_command_is_named_with_the_closest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="1"):
        call(monkeypatch, "rnu")
    assert capsys.readouterr().err.startswith("Error: unknown command: rnu. Allowed: ")
    with pytest.raises(SystemExit, match="1"):
        call(monkeypatch, "plann", "experiment=x")
    assert capsys.readouterr().err.endswith("Did you mean plan?\n")


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_is_dispatched_and_has_help(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if command == "run":  # its help is Hydra's, which ends the process
        return
    call(monkeypatch, command, "--help")
    assert "ablate" in capsys.readouterr().out
    assert sys.argv == ["ablate", "--help"]


@pytest.mark.slow
def test_it_is_python_m_ablate_and_runs_hydra_s_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ablate", "run", "depth=shallow", "--cfg", "job", "-p", "depth"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "name: shallow" in done.stdout
    help_ = subprocess.run(
        [sys.executable, "-m", "ablate", "run", "--help"], capture_output=True, text=True, check=True
    )
    assert help_.stdout.startswith("Train and evaluate one run")


def test_asking_what_there_is_imports_no_framework() -> None:
    code = "import sys; from ablate.cli.main import main; main(); sys.exit('hydra' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
