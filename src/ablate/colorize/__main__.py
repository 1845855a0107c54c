"""`python -m ablate.colorize`: photographs coloured by trained networks, as files or in a browser."""

import importlib
import sys

from ablate.cli.errors import handle_errors


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/colorize.md"):
        name, others = ("serve.command", arguments[1:]) if arguments[:1] == ["serve"] else ("command", arguments)
        module = importlib.import_module(f"ablate.colorize.{name}")
        if not arguments or {"-h", "--help"}.intersection(arguments):
            print(module.HELP)
            return
        module.main(others)


if __name__ == "__main__":
    main()
