"""The console script `ablate`, also `python -m ablate`: its commands are the modules that `python -m` runs."""

import sys
from importlib import import_module

from ablate import __version__
from ablate.cli.terminal import quiet_on_closed_pipe

COMMANDS = {
    "new": ("ablate.new.__main__", "write a small project that runs: network, data, configuration, study, test"),
    "check": ("ablate.check", "try a task in seconds, before any sweep"),
    "plan": ("ablate.plan", "what a study would run, what is done, what it costs, how long it takes"),
    "run": ("ablate.run", "train, evaluate and track one run or, with -m, a sweep or a study"),
    "status": ("ablate.status.__main__", "how far all studies are, what trains where, what lost its process"),
    "report": ("ablate.report.__main__", "compare the runs of a study: which part matters, and how surely"),
    "compare": ("ablate.compare.__main__", "judge a change: one variant before and after it, with all tries counted"),
    "promote": ("ablate.promote", "register the best variant of a study in MLflow's model registry"),
    "archive": ("ablate.archive.__main__", "write a study to one file, and read such files into a store"),
    "clean": ("ablate.clean.__main__", "list, and remove, what deleted runs and killed processes have left"),
    "layers": ("ablate.layers", "print the layers of a variant's network, their shapes and costs"),
    "prepare": ("ablate.prepare", "write a task's data in the form that trains fastest"),
    "import_weights": ("ablate.import_weights.__main__", "make a Keras model of the authors' published weights"),
    "export": ("ablate.export.__main__", "write a trained network as SavedModel, ONNX or LiteRT: L in, ab out"),
    "colorize": ("ablate.colorize.__main__", "colour photographs with a trained network, or in a browser"),
    "turing": ("ablate.turing.__main__", "let people judge pictures, in a browser"),
    "doctor": ("ablate.doctor.__main__", "examine machine, installation, store and disk: what hinders or slows runs"),
    "completion": ("ablate.cli.completion", "print what completes commands, levels and keys in bash, zsh or fish"),
}
"""Of each command the module and a line about it."""
_HELP = """\
Ablation studies that can be trusted: which part of a network matters, by how much, how surely, and at what cost.

{commands}

A study, from nothing to its report:

  ablate new digits && cd digits             a project: pyproject.toml, digits.py, conf/, experiments/
  ablate plan experiment=parts               its runs, their costs and times
  ablate run -m experiment=parts             trains what is not done yet; again after any interruption
  ablate report study=parts                  the table, intervals, verdicts and figures

`ablate COMMAND --help` says more. `python -m ablate.COMMAND` is the same. `ablate --version` names the version.
Pages that help and errors name, as docs/runs.md, are in the repository and in the source distribution."""


def main() -> None:
    """Run the command that the first argument names, with the others."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        lines = [f"  ablate {name:14} {line}" for name, (_, line) in COMMANDS.items()]
        with quiet_on_closed_pipe():
            print(_HELP.format(commands="\n".join(lines)))
        return
    if arguments[0] == "--version":
        print(f"ablate {__version__}")
        return
    command, *sys.argv[1:] = arguments
    if command not in COMMANDS:
        from ablate.config.schema import unknown_key  # `doctor` starts where what this needs is missing

        print(f"Error: {unknown_key(command, COMMANDS, what='command')}", file=sys.stderr)
        raise SystemExit(1)
    import_module(COMMANDS[command][0]).main()
