"""Output of commands that nobody reads."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ablate.cli.errors import handle_errors

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
