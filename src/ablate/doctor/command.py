"""The examination: all groups in order, printed as they are known."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

from ablate.cli.command_line import CommandLine, parse_command_line
from ablate.cli.errors import handle_errors
from ablate.cli.terminal import visible
from ablate.config.paths import results_dir
from ablate.doctor.disk import Place, examine_disk
from ablate.doctor.finding import Group, Mark, counted, format_end, format_group, plain, problem
from ablate.doctor.installation import examine_installation
from ablate.doctor.machine import examine_machine
from ablate.doctor.project import Project, examine_project
from ablate.doctor.store import examine_store
from ablate.doctor.tensorflow import examine_tensorflow, probing
from ablate.doctor.training import examine_training
from ablate.errors import AblateError
from ablate.task import planned_cost
from ablate.tracking.store import artifact_folder, checkpoint_folder, store_uri

HELP = """\
What hinders runs here or slows them down, and what to do: installation, machine, GPUs, project, store, disk.

  python -m ablate.doctor                             the project's defaults
  python -m ablate.doctor scale=paper data.root=DIR   with the overrides that run would get
  python -m ablate.doctor experiment=NAME             the runs of a study from experiments/NAME.yaml
  python -m ablate.doctor tracking.uri=http://..      another store
  python -m ablate.doctor --json                      for programs

A line for each thing that was looked at: ok; a note, which is right for some or makes runs slow; or a problem, which
hinders them. Below notes and problems stands what to do. With a problem, the exit code is 1.

TensorFlow is imported and a few steps of the largest network are trained in processes of their own, for some seconds.
It only reads: no store is made, upgraded or written to, and no file stays. docs/hardware.md explains the settings."""

_RUN_BYTES = 20_000_000
"""What a run writes beside its model: samples, tables and curves."""
_BYTES_PER_PARAMETER = 12
"""A model with its optimiser: a weight and two moments, in float32."""


def run() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/reference/commands.md#doctor"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        for_programs = "--json" in arguments
        given = [argument for argument in arguments if argument != "--json"]
        command = parse_command_line(given, ["--json", "--help"])
        groups, stdout = list[Group](), sys.stdout
        # What a project's own modules print is none of the JSON.
        with redirect_stdout(sys.stderr):
            for group in examine(command):
                groups.append(group)
                if not for_programs:
                    print(f"{visible(format_group(group))}\n", file=stdout, flush=True)
        print(json.dumps(plain(groups), indent=2) if for_programs else format_end(groups))
        sys.exit(1 if counted(groups, Mark.PROBLEM) else 0)


def examine(command: CommandLine) -> Iterator[Group]:
    """Examine everything that can be examined; what goes wrong with one group does not keep the others away.

    Args:
        command: The options and overrides of a run or a sweep.

    Yields:
        The groups, each when it is known.
    """
    with probing() as tensorflow:
        yield _guarded("Installation", examine_installation)
        yield _guarded("Machine", examine_machine)
        seen = tensorflow()
    project = examine_project(command, importable=not seen.killed)
    yield _guarded("TensorFlow", lambda: examine_tensorflow(seen, only_cpu=project.only_cpu))
    yield project.group
    yield _guarded("Store", lambda: examine_store(project.uri))
    yield _guarded("Disk", lambda: examine_disk(_places(project)))
    if project.planned and not seen.error:
        yield _guarded("Training", lambda: examine_training(project, seen.gpus))


def _guarded(title: str, examination: Callable[[], Group]) -> Group:
    try:
        return examination()
    except Exception as error:  # whatever a broken machine raises
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Group(title, [problem(f"cannot be examined: {reason}", "mend that first")])


def _places(project: Project) -> Sequence[Place]:
    """Return the folders that the runs write to, with what they need there."""
    planned = project.planned
    parameters = max((planned_cost(run.config.task).get("parameters", 0.0) for run in planned), default=0.0)
    model = int(_BYTES_PER_PARAMETER * parameters)
    models = model if not planned or planned[0].config.run.tracking.model else 0
    # A checkpoint is written beside the one that it replaces.
    kept = Place("checkpoints", results_dir(), 2 * model + _RUN_BYTES)
    places = [kept, Place("temporary files", Path(tempfile.gettempdir()), model + _RUN_BYTES)]
    try:
        uri = store_uri(project.uri, results_dir())
    except AblateError:
        return places  # the store's group says so
    places[0] = replace(kept, folder=checkpoint_folder(uri, results_dir(), project.checkpoints))
    artifacts = artifact_folder(uri, results_dir())
    if artifacts is not None:
        places.insert(0, Place("store", artifacts.parent, max(1, len(planned)) * (models + _RUN_BYTES)))
    return places
