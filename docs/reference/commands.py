"""The page of commands: what each `--help` says, and the targets of `make`."""

import io
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path

import yaml

from ablate.cli.main import COMMANDS, main
from ablate.config.paths import conf_dir
from ablate.turing.__main__ import COMMANDS as TURING

PARTS = {"colorize": ("serve",), "turing": TURING}
"""The parts of commands that have a help of their own."""
HEAD = """\
# Commands

Every command is `ablate NAME` or, the same, `python -m ablate.NAME`; its options are `KEY=VALUE`. Those that take the
configuration take its keys and levels as `ablate run` does ([configuration](configuration.md)), and `--config-dir`,
`--config-path` and `--config-name`. A mistake is one line that says what is allowed, with exit code 1. The texts below
are what `--help` prints.
"""


def page() -> str:
    """Return the page."""
    lines = [HEAD, "| command | what it does |", "| --- | --- |"]
    lines += [f"| [`{name}`](#{name}) | {says} |" for name, (_, says) in COMMANDS.items()]
    for name in COMMANDS:
        lines += ["", f"## {name}", "", _block(_help_of_run() if name == "run" else help_of(name))]
        for part in PARTS.get(name, ()):
            lines += ["", f"### {name} {part}", "", _block(help_of(name, part))]
    return "\n".join([*lines, "", _targets(), ""])


def help_of(*words: str) -> str:
    """Return what a command prints when it is asked for help."""
    given, printed = sys.argv, io.StringIO()
    sys.argv = ["ablate", *words, "--help"]
    try:
        with redirect_stdout(printed):
            main()
    finally:
        sys.argv = given
    return printed.getvalue().strip("\n")


def _help_of_run() -> str:
    """Return the help of `run`, which Hydra prints, without the groups and keys of the current folder."""
    said = yaml.safe_load((conf_dir() / "hydra" / "help" / "ablate.yaml").read_text(encoding="utf-8"))
    left_out = "[the groups with their levels, and the keys with their values]"
    return f"{said['header'].strip()}\n\n{left_out}\n\n{said['footer']}"


def _block(text: str) -> str:
    return f"```text\n{text.rstrip()}\n```"


def _targets() -> str:
    """Return the section of what `make` does in a clone."""
    makefile = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
    found = re.findall(r"^([a-z-]+):.*  ## (.*)$", makefile, re.M)
    rows = [f"| `make {target}` | {says} |" for target, says in found]
    head = ["## make", "", "In a clone of the repository:", "", "| target | what it does |", "| --- | --- |"]
    return "\n".join([*head, *rows])
