"""Output of commands that nobody reads."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.cli.errors import handle_errors
from ablate.cli.terminal import visible, visible_line
from ablate.errors import DataError

PRINTING = """
import logging, sys
from ablate.cli.errors import handle_errors
from ablate.cli.terminal import TerminalHandler
with handle_errors("docs/runs.md"):
    logging.basicConfig(level=logging.INFO, handlers=[TerminalHandler(sys.stdout)])
    for number in range(3000):
        logging.info("a line of the log, number %d, which is long enough to fill a pipe", number)
    open(sys.argv[1], "w").close()
    if sys.argv[2] == "print":
        print("done" * 50_000)
    elif sys.argv[2] == "exit":
        print("failed")
        sys.exit(1)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "both", "code"), [("print", False, 141), ("print", True, 141), ("exit", False, 141), ("nothing", False, 0)]
)
def test_output_that_nobody_reads_ends_a_command_quietly(end: str, both: bool, code: int, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    finished = subprocess.run(
        [sys.executable, "-c", PRINTING, str(tmp_path / "done"), end],
        stdout=writing,
        stderr=writing if both else subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert (tmp_path / "done").exists()  # what is logged stops no work
    assert finished.returncode == code  # as of what SIGPIPE has ended
    assert not finished.stderr


def test_a_broken_pipe_of_another_kind_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="1"), handle_errors("docs/runs.md"):
        raise BrokenPipeError(errno.EPIPE, "a worker is gone")
    assert "a worker is gone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("photo\tä 色 👩\u200d🔬 [0.1]\n", "photo\tä 色 👩\u200d🔬 [0.1]\n"),
        ("a\x1b[2Jb\x07\r\x9b", r"a\x1b[2Jb\x07\r\x9b"),
        ("\u202egnp.exe\u2066\u200f\u2028", r"\u202egnp.exe\u2066\u200f\u2028"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_would_command_a_terminal_is_shown_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible_line(text) == shown.replace("\n", r"\n")


def test_an_error_commands_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="1"), handle_errors("docs/runs.md"):
        raise DataError("the study \x1b]0;x\x07 is not there")
    assert capsys.readouterr().err.startswith("Error: the study \\x1b]0;x\\x07 is not there")
