"""The command that repeats a Hydra job."""

import shlex

import pytest

from ablate.cli.command_line import CommandLine
from ablate.config.hydra_job import current_hydra_job
from ablate.config.job_command import command_of_job


def command(*overrides: str) -> str:
    line = CommandLine(["--config-name", "config", *overrides])
    with current_hydra_job(line.compose()):
        return command_of_job()


@pytest.mark.slow
def test_a_command_keeps_what_determines_a_result_and_leaves_out_stores() -> None:
    said = command("optimizer=adadelta", "seed=3", "tracking.uri=postgresql://me:secret@db/x", "rerun=failed")
    assert said == "python -m ablate.run optimizer=adadelta seed=3 rerun=all"


@pytest.mark.slow
@pytest.mark.parametrize("value", ["'optimizer=adadelta'", '"a b"', "'$HOME'", "'\"'"])
def test_a_shell_reads_what_was_given(value: str) -> None:
    assert shlex.split(command(f"study.variant={value}"))[3] == f"study.variant={value}"
