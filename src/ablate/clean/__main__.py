"""The command `python -m ablate.clean`: what nobody refers to any more, listed and removed."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tabulate import tabulate

from ablate.cli.arguments import parse_arguments, parse_bool
from ablate.cli.command_line import configured_values, split_config_options
from ablate.cli.errors import handle_errors
from ablate.cli.file_size import file_size
from ablate.cli.terminal import visible
from ablate.config.paths import absolute, results_dir
from ablate.errors import DataError
from ablate.report.number_format import quantity

if TYPE_CHECKING:
    from ablate.clean.find import Item

HELP = """\
What nobody refers to any more, with its size and the reason; removed after a question.

  python -m ablate.clean                          list, and ask; without a terminal it only lists
  python -m ablate.clean yes=true                 without the question, for scripts
  python -m ablate.clean uri=sqlite:///FILE       of another store than the project's

- Artifacts and models of runs that were deleted in MLflow. Not those whose result another study shows as a cached one,
  and none of a run with a registered model. A run that is restored afterwards is trained again.
- Checkpoints of runs that have finished, or were deleted. Not those of a run that is trained or can be resumed.
- Temporary files that killed processes have left.

Only this project's checkpoints and artifacts are looked at; where a server keeps artifacts, it says what removes them
there. Reports, archives, prepared data and Hydra's folders with the logs of runs stay, and so does what another store
in the same folder refers to. It may be given while a sweep runs. Each thing leaves its place at once: after an
interruption, the same command removes the rest."""


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/runs.md#cleaning"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        options, given = split_config_options(arguments)
        values = parse_arguments(given, ("uri", "yes"))
        yes = parse_bool(values, "yes", False)
        configured, checkpoints = configured_values(["tracking.uri", "checkpoint.dir"], options)
        _clean(values.get("uri", configured), absolute(checkpoints) if checkpoints else None, yes=yes)


def _clean(uri: str | None, checkpoints: Path | None, *, yes: bool) -> None:
    from ablate.clean.find import find, remove
    from ablate.tracking.deleted_runs import deleted_runs
    from ablate.tracking.sqlite import sqlite_file
    from ablate.tracking.store import open_store, store_uri

    address = store_uri(uri, results_dir())
    open_store(address, to_read=True)
    items = find(address, results_dir(), checkpoints)
    print(visible(_listed(items)))
    served = [run.run_id for run in deleted_runs(address) if run.on_server] if sqlite_file(address) is None else []
    if served:
        print(
            f"The artifacts of {quantity(len(served), 'deleted run')} are on the store's server. Its keeper removes "
            f"them with: mlflow gc --run-ids {','.join(served)}"
        )
    if not items or not (yes or _agreed()):
        return
    # The question may have waited for long.
    now = items if yes else [item for item in find(address, results_dir(), checkpoints) if item in items]
    removed, failed = list["Item"](), list[str]()
    for item in now:
        try:
            removed += [item] if remove(item, address) else []
        except OSError as error:
            failed.append(f"{item.path}: {error.strerror or error}")
    kept = len(items) - len(removed) - len(failed)
    print(f"Removed {_sum(removed)}" + (f"; {kept} stay: they are needed again, or are gone" if kept else ""))
    if failed:
        more = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
        raise DataError(f"{failed[0]}{more}: cannot be removed. Mend that, and give the command again")


def _listed(items: Sequence["Item"]) -> str:
    if not items:
        return "Nothing to clean"
    rows = [
        {"": item.kind, "size": file_size(item.size), "reason": item.reason, "path": str(item.path)} for item in items
    ]
    table = tabulate(rows, headers="keys", colalign=["left", "right", "left", "left"], disable_numparse=True)
    return f"{table}\n\n{_sum(items)}"


def _sum(items: Sequence["Item"]) -> str:
    return f"{quantity(len(items), 'thing')}, {file_size(sum(item.size for item in items))}"


def _agreed() -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print("Nothing was removed: yes=true removes them")
        return False
    try:
        return input("Remove them? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


if __name__ == "__main__":
    main()
