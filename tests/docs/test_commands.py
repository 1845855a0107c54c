"""Commands in pages and in helps: each one exists, and so do the options, keys, levels and files that it names."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ablate import promote
from ablate.archive import __main__ as archive
from ablate.cli.main import COMMANDS
from ablate.colorize.options import ColorizeOptions
from ablate.colorize.serve.command import ServeOptions
from ablate.compare import __main__ as compare
from ablate.export import __main__ as export
from ablate.import_weights import __main__ as import_weights
from ablate.report import __main__ as report
from ablate.turing.analyse import command as analyse
from ablate.turing.analyse import plan
from ablate.turing.export import command as turing_export
from ablate.turing.invite import command as invite
from ablate.turing.serve import command as serve
from tests.test_conf import GROUPS

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(page for folder in ("docs", "examples", "reports") for page in (ROOT / folder).rglob("*.md")),
]
COMPOSING = ("check", "doctor", "layers", "plan", "prepare", "run")
"""The commands that take keys and levels."""
FREE = ("archive", "colorize", "completion", "import_weights", "new", "turing")
"""The commands that take words of their own: files, a shell, a name."""
TAKEN = {
    "archive": {*archive._EXPORT, *archive._IMPORT},
    "colorize": set(ColorizeOptions.model_fields),
    "colorize serve": set(ServeOptions.model_fields),
    "compare": set(compare.ARGUMENTS),
    "export": set(export._OPTIONS),
    "import_weights": set(import_weights._OPTIONS),
    "promote": set(promote.ARGUMENTS),
    "report": set(report.ARGUMENTS),
    "turing analyse": {*analyse.ARGUMENTS, *plan.ARGUMENTS},
    "turing export": set(turing_export.ARGUMENTS),
    "turing invite": set(invite.ARGUMENTS),
    "turing serve": {*serve._DEFAULTS, *serve._NUMBERS},
}
"""Of commands and parts, the options that they take."""
OF_EXAMPLES = {"activation", "epochs", "library", "penalty", "dropout=strong", "optimizer=mine", "scale=tiny"}
"""Keys and levels of the small projects that pages show."""
LINE = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:python -m ablate\.|ablate )(\w.*)")
INLINE = re.compile(r"`(?:python -m ablate\.|ablate )([a-z][^`]*)`")


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of a page, without the program."""
    for line in re.sub(r" *\\\n\s*", " ", text).splitlines():
        if (found := LINE.fullmatch(line.strip())) and (line.startswith(" ") or "|" not in line):
            yield shlex.split(re.split(r"\s{2,}", found[1])[0], comments=True)
        for said in INLINE.findall(line):
            yield shlex.split(said)


def options(*words: str) -> set[str]:
    """Return the options that the help of a command or of a part of it names."""
    text = (REFERENCE / "commands.md").read_text(encoding="utf-8")
    (said,) = re.findall(rf"^##+ {' '.join(words)}$\n\n```text\n(.*?)^```$", text, re.M | re.S)
    return set(re.findall(r"(?<![\w.])([a-z]\w*)(?:\.\w+)?=", said))


def unknown(words: list[str], keys: set[str]) -> list[str]:
    """Return what is not there of a command."""
    name, *rest = words
    if name not in COMMANDS:
        return [name]
    parts = rest[:1] if name == "turing" or rest[:1] == ["serve"] else []
    known = options(name, *parts) if not parts or parts[0].islower() else set()
    given = [word.partition("=") for word in rest[len(parts) :] if "=" in word and not word.startswith("-")]
    if name in COMPOSING:
        return [word for key, _, value in given for word in _unknown_override(key.lstrip("+~"), value, known | keys)]
    free = [] if name in FREE else [word for word in rest if re.fullmatch(r"\w+", word)]
    return [*free, *(key for key, _, _ in given if key.partition(".")[0] not in known)]


def _unknown_override(key: str, value: str, known: set[str]) -> list[str]:
    if key in GROUPS:
        named = {f"{key}={level}" for level in value.split(",") if not level.isupper()}
        return sorted(named - {f"{key}={level}" for level in GROUPS[key]} - OF_EXAMPLES)
    fine = key in known | OF_EXAMPLES | {"experiment"} or key.startswith(("hydra.", "hydra/"))
    return [] if fine else [key]


@pytest.fixture(scope="module")
def keys() -> set[str]:
    text = (REFERENCE / "configuration.md").read_text(encoding="utf-8")
    return set(re.findall(r"`([\w.]+)`", text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_are_there_with_all_that_they_name(page: Path, keys: set[str]) -> None:
    text = page.read_text(encoding="utf-8")
    wrong = {" ".join(words): found for words in commands(text) if (found := unknown(words, keys))}
    assert wrong == {}


def test_what_is_not_there_is_found(keys: set[str]) -> None:
    text = """
    python -m ablate.run optimzer=adam optimizer=adam,rmsprop training.epochs=1 training.epoch=1
    ablate report stduy=NAME              # as in study=NAME
    $ ablate turing serve results/turing/NAME max_mib=3
`ablate reports`
"""
    found = [unknown(words, keys) for words in commands(text)]
    assert found == [["optimzer", "optimizer=rmsprop", "training.epoch"], ["stduy"], ["max_mib"], ["reports"]]


@pytest.mark.parametrize("command", TAKEN)
def test_a_help_names_every_option(command: str) -> None:
    assert TAKEN[command] - options(*command.split()) == set()


def test_targets_of_make_and_scripts_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        said = re.findall(r"(?:^ {4}|`)make ([a-z-]+)", text, re.M)
        scripts = re.findall(r"python ((?:benchmarks|docs|tests)/[\w/.]*\w)", text)
        assert set(said) <= targets, page
        assert [script for script in scripts if "NAME" not in script and not (ROOT / script).exists()] == [], page
