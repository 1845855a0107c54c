"""The project: its configuration, task and data, and the runs that a command's overrides stand for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from ablate.cli.command_line import CommandLine
from ablate.cli.errors import explain_error
from ablate.config.paths import absolute, project_dir
from ablate.doctor.finding import Finding, Group, note, ok, problem
from ablate.study.planning import PlannedRun
from ablate.study.side_by_side import AutoOptions, auto_options
from ablate.study.sweep import plan_sweep
from ablate.testing.findings import collected_warnings


@dataclass(frozen=True)
class Project:
    """What the options and overrides of a command stand for.

    Attributes:
        group: What was found.
        planned: The runs; none where they cannot be planned.
        launcher: The class that launches a sweep.
        auto: Its options where it is that of `hydra/launcher=auto`.
        uri: `tracking.uri`, where known.
        checkpoints: `checkpoint.dir`, where known.
        only_cpu: Whether `hardware.devices` names no GPU.
    """

    group: Group
    planned: Sequence[PlannedRun] = ()
    launcher: str = ""
    auto: AutoOptions | None = None
    uri: str | None = None
    checkpoints: Path | None = None
    only_cpu: bool = False


def examine_project(command: CommandLine, *, importable: bool) -> Project:
    """Compose the configuration, construct the task and find its data.

    Args:
        command: The options and overrides.
        importable: Whether this process outlives the import of TensorFlow, which a task's module may do.
    """
    findings, planned, launcher, auto = list[Finding](), list[PlannedRun](), "", None
    with collected_warnings() as warned:
        try:
            config = command.compose_sweep()
            launcher, auto = str(config.hydra.launcher.get("_target_", "")), auto_options(config)
            if importable:
                planned = plan_sweep(command.loader, config)[1]
                findings.append(ok(_text(planned)))
            else:
                findings.append(note("the task is not examined: its module may import TensorFlow"))
        except Exception as error:  # whatever the code of a user raises
            advice = "mend that; `python -m ablate.check` tries the task"
            findings += [problem(line, advice) for line in explain_error(error, sys.argv[1:]).splitlines()]
    uri, checkpoints, devices = _settings(command, planned)
    return Project(
        Group("Project", [*findings, *(note(str(each)) for each in warned)]),
        planned=planned,
        launcher=launcher,
        auto=auto,
        uri=uri,
        checkpoints=absolute(checkpoints) if checkpoints else None,
        only_cpu=str(devices).startswith("cpu"),
    )


def _text(planned: Sequence[PlannedRun]) -> str:
    """Return what the runs are."""
    task = type(planned[0].config.task).__name__
    runs = f"{len(planned)} runs" if len(planned) > 1 else "a run"
    return f"{project_dir()}: {runs} of {task}, {planned[0].data.examples_per_epoch:,} examples an epoch"


def _settings(command: CommandLine, planned: Sequence[PlannedRun]) -> Iterator[str | None]:
    """Yield where runs are recorded, where their checkpoints are kept, and their devices; None where unknown."""
    config = OmegaConf.create(dict(planned[0].config.values)) if planned else _composed(command)
    for key in ("tracking.uri", "checkpoint.dir", "hardware.devices"):
        value = None
        with suppress(OmegaConfBaseException):
            value = OmegaConf.select(config, key)
        yield None if value is None else str(value)


def _composed(command: CommandLine) -> DictConfig:
    """Compose what can be composed: without what varies, and without the overrides where these are wrong."""
    for overrides in (list(_settled(command.overrides)), []):
        with suppress(HydraException, OmegaConfBaseException, OSError, ValueError):
            return command.compose(overrides)
    return OmegaConf.create({})


def _settled(overrides: Sequence[str]) -> Iterator[str]:
    parser = OverridesParser.create()
    for line in overrides:
        with suppress(HydraException):
            override = parser.parse_override(line)
            if not override.is_sweep_override() and override.key_or_group != "experiment":
                yield line
