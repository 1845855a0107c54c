"""The command `python -m ablate.doctor`: what hinders runs here or slows them down, and what to do."""

import sys

from ablate.doctor.finding import Group, Mark, counted, format_end, format_group, problem
from ablate.doctor.installation import examine_installation


def main() -> None:
    """Run the command, or say what is missing that all commands need."""
    try:
        from ablate.doctor.command import run
    except ImportError as error:
        group = examine_installation()
        if not counted([group], Mark.PROBLEM):
            wrong = problem(f"ablate cannot be imported: {error}", "pip install 'ablate', anew in a new environment")
            group = Group(group.title, [*group.findings, wrong])
        print(f"{format_group(group)}\n\n{format_end([group])}")
        sys.exit(1)
    run()


if __name__ == "__main__":
    main()
