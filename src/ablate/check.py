"""`python -m ablate.check`: try a task, and every level of every factor, in seconds and before any study."""

import sys

from ablate.cli.command_line import parse_command_line
from ablate.cli.errors import handle_errors

HELP = """\
Try a task before its study: does every level build, train, evaluate, save and report, and is it reproducible?

  python -m ablate.check                              every level of the project's config groups
  python -m ablate.check dropout=none,strong          some of them, as `run -m` would take them
  python -m ablate.check experiment=NAME              every level of a study's factors, from experiments/NAME.yaml
  python -m ablate.check --config-dir conf scale=tiny with the options and overrides of run

Each level is trained for two steps, evaluated on at most 2,000 examples, and tracked in a store that is thrown away,
of which a report is made. Nothing is written elsewhere, and no result counts as done afterwards. The baseline's data,
batches, initial values, random draws and repetition are checked as well.

Each line names what a task does wrong, where in its code, and what to do. Warnings are right for some tasks; with a
problem, the exit code is 1. A task that trains itself is trained whole: make that short by overrides, or by
`trial_settings` of its class, as in trial_settings = {"training.epochs": 1}.

docs/check.md lists the messages. `from ablate.testing import TaskContract` has the same checks as tests."""


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/check.md"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        command = parse_command_line(arguments)
        from ablate.testing.check import check_project

        sys.exit(0 if check_project(command) else 1)


if __name__ == "__main__":
    main()
