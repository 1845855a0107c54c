"""Commands in tests: their type, and the arguments of the smallest runs."""

import subprocess
from collections.abc import Callable

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]

QUICK = [
    "scale=smoke",
    "backbone.width=0.0625",
    "depth=shallow",
    "training.epochs=1",
    "training.steps_per_epoch=2",
    "tracking.model=false",
]
"""The least that is a whole run of the shipped task; most of its time goes into tracing the network."""
TINY = [*QUICK, "task._target_=tiny.Tiny"]
"""The least where the network does not matter: half the time of `QUICK`."""


def called_here(
    main: Callable[[], None], name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return a function that calls a command in this process: what it prints, or the line that it ends with."""

    def call(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", [name, *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        printed = capsys.readouterr()
        return printed.err if code else printed.out

    return call
