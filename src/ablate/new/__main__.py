"""The command `python -m ablate.new`: write a small project that runs."""

import keyword
import re
import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from ablate.cli.errors import handle_errors
from ablate.errors import ConfigError

HELP = """\
Write a small project that runs: data, network, measures, configuration, one study, one test.

  ablate new NAME        into the folder NAME; the task is the class Name of the module NAME

It recognises handwritten digits, with two factors: put your data and your network in their place."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAKEN = ("array_task", "conf", "experiments", "measure", "results", "tests")
"""Names of what the project holds or imports."""
_SUFFIX = ".in"


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/your-own-model.md"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        if len(arguments) != 1:
            raise ConfigError("one name must be given, as in `ablate new digits`")
        folder = new_project(arguments[0], Path.cwd())
        written = sorted(path.relative_to(folder.parent) for path in folder.rglob("*") if path.is_file())
        print("\n".join(f"  {path}" for path in written))
        print(f"Next: cd {folder.name}; ablate plan experiment=parts; ablate run -m experiment=parts; ablate report")


def new_project(name: str, parent: Path) -> Path:
    """Write a project.

    Args:
        name: Of its folder and module.
        parent: The folder that it goes into.

    Returns:
        Its folder.

    Raises:
        ConfigError: The name is not free, or none for a module.
    """
    check_name(name)
    folder = parent / name
    if folder.exists():
        raise ConfigError(f"{folder} is there already: choose another name, or another folder to call it in")
    # A module of that name would be imported in place of the project's, or the other way round.
    if name in sys.stdlib_module_names or find_spec(name) is not None:
        raise ConfigError(
            f"{name} is a module already, in place of which the project would stand: choose another name"
        )
    _write(files("ablate.new") / "template", folder, {"@name@": name, "@Name@": class_name(name)})
    return folder


def check_name(name: str) -> None:
    """Make sure that a name can be that of a project.

    Raises:
        ConfigError: It cannot; the message says why.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"the name must be letters, digits and _, and start with a letter. Received: {name}")
    if keyword.iskeyword(name) or name in _TAKEN:
        reason = "a word of Python" if keyword.iskeyword(name) else "what something in the project is called"
        raise ConfigError(f"the name must be another one: {name} is {reason}")


def class_name(name: str) -> str:
    """Return the name of the task's class: `DigitNets` for `digit_nets`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _write(template: Traversable, folder: Path, words: dict[str, str]) -> None:
    folder.mkdir()
    for source in template.iterdir():
        if source.is_dir():
            _write(source, folder / source.name, words)
        elif source.name.endswith(_SUFFIX):
            target = folder / _filled(source.name.removesuffix(_SUFFIX), words)
            target.write_text(_filled(source.read_text(encoding="utf-8"), words), encoding="utf-8")


def _filled(text: str, words: dict[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


if __name__ == "__main__":
    main()
