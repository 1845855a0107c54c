"""Completion in shells: commands, config groups and their levels, keys, and the names of studies."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

from ablate.cli.errors import handle_errors
from ablate.errors import ConfigError

HELP = """\
Complete commands, levels, keys and studies in a shell, with those of the project of the current folder.

  eval "$(ablate completion bash)"       in ~/.bashrc
  eval "$(ablate completion zsh)"        in ~/.zshrc, behind compinit
  ablate completion fish | source        in ~/.config/fish/config.fish"""

_WORDS = "--words"
SCRIPTS = {
    "bash": """\
_ablate() {
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} word=
    COMPREPLY=($(ablate completion --words "$line" 2>/dev/null))
    # Readline replaces only what is behind the last = where that separates words.
    if [[ $COMP_WORDBREAKS == *=* ]]; then word=${line##* } word=${word%"${word##*=}"}; fi
    COMPREPLY=("${COMPREPLY[@]#"$word"}")
    if [[ $COMP_CWORD == 1 ]]; then compopt +o nospace; fi
}
complete -o nospace -o default -F _ablate ablate
""",
    "zsh": """\
_ablate() {
    local -a found
    found=("${(@f)$(ablate completion --words "$LBUFFER" 2>/dev/null)}")
    [[ -n $found ]] && compadd -Q -S '' -a found || _files
}
compdef _ablate ablate
""",
    "fish": """\
complete -c ablate -e
complete -c ablate -a '(ablate completion --words (commandline -cp | string collect) 2>/dev/null)'
""",
}
_COMPOSING = ("run", "plan", "layers", "prepare", "check", "doctor")
"""The commands that take Hydra's overrides."""
_PARTS = {"turing": ("build", "serve", "analyse"), "archive": ("export", "import"), "colorize": ("serve",)}
"""The parts of commands that have some."""


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    if len(arguments) == 2 and arguments[0] == _WORDS:
        print("\n".join(candidates(arguments[1])))
        return
    with handle_errors("docs/reference/commands.md#completion"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
        elif len(arguments) == 1 and arguments[0] in SCRIPTS:
            print(SCRIPTS[arguments[0]], end="")
        else:
            received = " ".join(arguments) or "none"
            raise ConfigError(f"the shell must be one of {', '.join(SCRIPTS)}. Received: {received}")


def candidates(line: str) -> list[str]:
    """Return the words that may stand in place of the last one of a command line, which ends at the cursor.

    Args:
        line: As in `ablate run optimizer=ad`; behind a space, a new word begins.
    """
    from ablate.cli.main import COMMANDS

    words = line.split()
    last = "" if line[-1:].isspace() or not words else words.pop()
    if len(words) <= 1:
        found: Iterable[str] = COMMANDS
    elif words[1] in _PARTS:
        # Where a file may stand as well, the shell offers files until a letter says otherwise.
        found = _PARTS[words[1]] if len(words) == 2 and (last or words[1] != "colorize") else ()
    elif words[1] in _COMPOSING:
        found = _arguments(words[2:], last)
    else:
        found = ()
    return [word for word in found if word.startswith(last)]


def _arguments(before: Sequence[str], last: str) -> list[str]:
    """Return the options and overrides that may follow others; none where those are wrong."""
    from hydra._internal.core_plugins.bash_completion import BashCompletion
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    from ablate.cli.command_line import OPTIONS, CommandLine
    from ablate.config.paths import experiment_folders

    if last.startswith("-"):
        return list(OPTIONS)
    if last.startswith("experiment="):
        files = (path for folder in experiment_folders() for path in folder.glob("*.yaml"))
        return sorted({f"experiment={path.stem}" for path in files})
    # Of optimizer=adam,ad, the level behind the comma.
    done, comma, begun = last.rpartition(",")
    group = last.partition("=")[0]
    asked = f"{group}={begun}" if comma else last
    with suppress(ConfigError, HydraException, OmegaConfBaseException, OSError, ValueError, SystemExit):
        command = CommandLine(before)
        line = " ".join([*command.overrides, asked])
        found = BashCompletion(command.loader)._query(config_name=command.config_name, line=line)
        return [f"{done},{word.partition('=')[2]}" for word in found] if comma else [str(word) for word in found]
    return []


if __name__ == "__main__":
    main()
