"""`python -m ablate.turing`: the human evaluation."""

import importlib
import sys

from ablate.cli.errors import handle_errors
from ablate.config.schema import unknown_key
from ablate.errors import ConfigError

HELP = """\
People see a photograph and its recoloured version for a second, side by side, and choose the one they believe to be
fake. How often the recoloured one is taken for real is how convincing a model's colours are.

  python -m ablate.turing build study=NAME            make the pictures, from tracked models
  python -m ablate.turing serve results/turing/NAME   let people judge them, in a browser
  python -m ablate.turing invite count=50             links to hand out, each good for one participant
  python -m ablate.turing analyse                     how often each model fooled them, and how sure that is
  python -m ablate.turing analyse --plan difference=5    how many people it takes
  python -m ablate.turing export                      the data, for other analyses

That is the design of the paper; with design=within or design=preference each participant judges all models, beside the
real pictures or beside each other: docs/turing_designs.md.

Each has a --help of its own. The whole of it, from the first friend to five hundred participants: docs/turing.md."""

COMMANDS = ("build", "serve", "invite", "analyse", "export")


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/turing.md"):
        if not arguments or arguments[0] in ("-h", "--help"):
            print(HELP)
            return
        if arguments[0] not in COMMANDS:
            raise ConfigError(unknown_key(arguments[0], COMMANDS).replace("key", "command"))
        module = importlib.import_module(f"ablate.turing.{arguments[0]}.command")
        if {"-h", "--help"}.intersection(arguments[1:]):
            print(module.HELP)
            return
        module.main(arguments[1:])


if __name__ == "__main__":
    main()
