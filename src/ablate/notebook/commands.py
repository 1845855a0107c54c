"""`ablate.plan` and `ablate.run`: the commands of these names, from Python."""

from __future__ import annotations

import json
from os import PathLike
from typing import TYPE_CHECKING, Any

from ablate.notebook.bar import ProgressBar
from ablate.notebook.overrides import Override, command_arguments
from ablate.notebook.process import EVENT, OUTPUT, run_command
from ablate.study.progress import Progress

if TYPE_CHECKING:
    from ablate.notebook.plan import Plan
    from ablate.notebook.study import Study


def plan(
    *overrides: Override,
    experiment: str | None = None,
    config_dir: str | PathLike[str] | None = None,
    config_name: str | None = None,
    calibrate: bool = False,
    **values: Any,
) -> Plan:
    """Plan a sweep, as `python -m ablate.plan` does: nothing is trained.

    Args:
        *overrides: As on the command line, `"optimizer=adam,adadelta"`; or values by key, of which a list stands for
            several levels, `{"optimizer.learning_rate": [0.001, 0.01]}`.
        experiment: Name of a study, `experiments/NAME.yaml`.
        config_dir: Folder with a configuration of one's own.
        config_name: Its file, if not `config.yaml`.
        calibrate: Whether to time a few steps of each variant.
        **values: Further values by key, as in `seed=[0, 1, 2]` and `task=Digits`, a class that a file defines.

    Raises:
        ConfigError: A run's configuration is wrong.
        AblateError: Whatever else the command ends with.

    Example:
        >>> ablate.plan("optimizer=adam,adadelta", seed=[0, 1, 2])          # doctest: +SKIP
        >>> ablate.plan(experiment="digits").runs["status"].value_counts()  # doctest: +SKIP
    """
    from ablate.notebook.plan import Plan

    arguments = command_arguments(
        overrides, values, experiment=experiment, config_dir=config_dir, config_name=config_name
    )
    printed, log = list[str](), ProgressBar()

    def hear(kind: str, line: str) -> None:
        if kind == OUTPUT:
            printed.append(line)
        else:
            log.write(line)

    run_command("ablate.plan", [*arguments, f"calibrate={str(calibrate).lower()}", "--json"], hear)
    return Plan(json.loads("\n".join(printed)))


def run(
    *overrides: Override,
    experiment: str | None = None,
    config_dir: str | PathLike[str] | None = None,
    config_name: str | None = None,
    progress: bool = True,
    verbose: bool = False,
    **values: Any,
) -> Study:
    """Train what is not finished of a sweep, as `python -m ablate.run -m` does, and return its study.

    Finished runs are cached, interrupted ones resume, and every run is tracked. An interrupt, as by the notebook's
    stop button, ends the run in training with a checkpoint; the same call resumes it.

    Args:
        *overrides: See `plan`.
        experiment: See `plan`.
        config_dir: See `plan`.
        config_name: See `plan`.
        progress: Whether to show a progress bar.
        verbose: Whether to show the whole log; else what the runs say of themselves is in the log of each.
        **values: See `plan`.

    Raises:
        ConfigError: A run's configuration is wrong; none has started then.
        SweepIncomplete: Some runs have no result.
        AblateError: Whatever else the command ends with.
        KeyboardInterrupt: It was interrupted.

    Example:
        >>> ablate.run("optimizer=adam,adadelta", seed=[0, 1, 2]).compare()     # doctest: +SKIP
    """
    from ablate.notebook.study import Study

    arguments = command_arguments(
        overrides, values, experiment=experiment, config_dir=config_dir, config_name=config_name
    )
    told = list[Progress]()
    with ProgressBar(shown=progress, verbose=verbose) as bar:

        def hear(kind: str, line: str) -> None:
            if kind == EVENT:
                told[:] = [Progress(**json.loads(line))]
                bar.show(told[0])
            else:
                bar.write(line)

        run_command("ablate.run", ["-m", *arguments], hear)
    return Study(told[0].study, uri=told[0].uri)
