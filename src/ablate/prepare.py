"""The command `python -m ablate.prepare`: a task's data, prepared in the form that trains fastest. No TensorFlow."""

from __future__ import annotations

import json
import logging
import sys

from hydra.errors import HydraException
from omegaconf import DictConfig

from ablate.cli.arguments import parse_int, split_arguments
from ablate.cli.command_line import CommandLine, parse_command_line
from ablate.cli.errors import handle_errors
from ablate.cli.terminal import TerminalFormatter, TerminalHandler
from ablate.config.interpolation import resolve_text
from ablate.config.validation import validate_config
from ablate.errors import ConfigError
from ablate.study.sweep import expand_sweep
from ablate.system.threads import job_threads
from ablate.task import Preparable

HELP = """\
Turn the data of a task into a prepared data set: checked and converted once, in large files that training reads at
full speed. For the colorization that ships, photographs are decoded and resized:

  python -m ablate.prepare data=folder data.root=DIR out=SET           a folder of photographs
  python -m ablate.prepare data=folder data.root=photos.zip out=SET    a zip or tar archive, as it is
  python -m ablate.prepare data=tfds data.dataset=NAME out=SET         a data set of TensorFlow Datasets
  python -m ablate.prepare data=sample data.image_size=32 out=SET      the photographs of the installed packages
  python -m ablate.run data=prepared data.root=SET                     train on it

Other arguments are those of `python -m ablate.run`: data.image_size (or scale), data.max_zoom, data.eval_fraction,
evaluation.side and color.grid_step decide what is written. out and data.root can be URLs, gs://BUCKET/FOLDER.
workers=N sets the number of processes (default: all cores), shard_mib=N about how large a file is (default: 64).

When it is interrupted, the same command resumes; when it is done, the same command does nothing."""

_OPTIONS = ("out", "workers", "shard_mib")
_SOURCE = ("data", "data.root", "data.dataset")


def main() -> None:
    """Run the command."""
    arguments = sys.argv[1:]
    with handle_errors("docs/data.md#prepared-data-sets"):
        if {"-h", "--help"}.intersection(arguments):
            print(HELP)
            return
        options, overrides = split_arguments(arguments, _OPTIONS)
        if "out" not in options:
            raise ConfigError("out=DIR must be given: the folder of the prepared data set")
        _log_to_terminal()
        composed = parse_command_line(overrides)
        config = _compose(composed)
        task = validate_config(config).task
        if not isinstance(task, Preparable):
            raise ConfigError(f"{type(task).__name__} has no data to prepare: it has no method prepare")
        options = {key: resolve_text(value, config) for key, value in options.items()}
        workers = parse_int(options, "workers", job_threads(), minimum=1)
        shard_mib = parse_int(options, "shard_mib", 64, minimum=1)
        print(task.prepare(options["out"], workers=workers, shard_mib=shard_mib))
        print("Train on it: ", "python -m ablate.run", *composed.options, *_to_train(composed, config, options["out"]))


def _to_train(composed: CommandLine, config: DictConfig, out: str) -> list[str]:
    """Return the overrides of a run on what was made: what decided on the records, a run must say too."""
    decided = [each for each in composed.overrides if each.partition("=")[0] not in _SOURCE]
    overrides = ["data=prepared", f"data.root={out}", *decided]
    try:
        prepared, source = composed.compose(overrides).data, config.data
    except HydraException:
        return overrides  # of a sweep, or a project without the level
    # A level of `data` may set more than where the data is.
    keys = [key for key in source if key in prepared and f"data.{key}" not in (*_SOURCE, "data.name")]
    own = [f"data.{key}={json.dumps(source[key])}" for key in keys if source[key] != prepared[key]]
    return [*overrides, *own]


def _log_to_terminal() -> None:
    handler = TerminalHandler(sys.stdout)
    handler.setFormatter(TerminalFormatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])


def _compose(given: CommandLine) -> DictConfig:
    if not given.multirun:
        return given.compose()
    config = given.compose_sweep()
    _, runs = expand_sweep(config)
    if len(runs) > 1:
        raise ConfigError(f"out=DIR is one data set, and these are {len(runs)} configurations: one command for each")
    return given.loader.load_sweep_config(config, runs[0])


if __name__ == "__main__":
    main()
