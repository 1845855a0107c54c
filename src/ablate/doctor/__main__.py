"""The command `python -m ablate.doctor`: what hinders runs here or slows them down, and what to do."""

import sys

from ablate.doctor.hidden_modules import rename_advice

_INSTALL = "pip install 'ablate', anew in a new environment"


def main() -> None:
    """Run the command, or say what is missing that all commands need."""
    try:
        from ablate.doctor.command import run
    except Exception as error:  # whatever a broken installation raises
        kind = "" if isinstance(error, ImportError) else f"{type(error).__name__}: "
        print(_unimportable(f"ablate cannot be imported: {kind}{error}"))
        sys.exit(1)
    run()


def _unimportable(reason: str) -> str:
    """Return the report on an installation with which nothing else can be examined."""
    advice = rename_advice()
    try:
        from ablate.doctor.finding import Group, Mark, counted, format_end, format_group, problem
        from ablate.doctor.installation import examine_installation

        group = examine_installation()
        if advice or not counted([group], Mark.PROBLEM):
            group = Group(group.title, [*group.findings, problem(reason, advice or _INSTALL)])
        return f"{format_group(group)}\n\n{format_end([group])}"
    except Exception:  # what these need cannot be imported either
        return f"Installation\n  problem  {reason}\n           -> {advice or _INSTALL}\n\n1 problem, no notes"


if __name__ == "__main__":
    main()
