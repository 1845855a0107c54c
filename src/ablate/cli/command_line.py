"""Hydra's command line for the other commands than `run`: options, overrides and composition."""

from __future__ import annotations

from argparse import ArgumentError, Namespace
from collections.abc import Sequence
from pathlib import Path

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path, get_args_parser
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.utils import JobRuntime, setup_globals, validate_config_path
from hydra.errors import SearchPathException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from ablate.cli.arguments import quote_names
from ablate.config.paths import absolute, conf_dir, current_project
from ablate.config.project import starts_from_base
from ablate.errors import ConfigError

CONFIG_NAME, VERSION_BASE = "config", "1.3"
_CONFIG_OPTIONS = ("--config-name", "--config-dir", "--config-path")
OPTIONS = ("--multirun", *_CONFIG_OPTIONS)
_RUN_OPTIONS = ("cfg", "package", "resolve", "info", "shell_completion", "hydra_help", "experimental_rerun")


class CommandLine:
    """A command's options and overrides, composed as by `run`.

    Args:
        arguments: Hydra's options and overrides.

    Attributes:
        overrides: The overrides.
        options: The options given that choose the configuration, to be given again.
        multirun: Whether the command means a sweep.
        config_name: The configuration that it starts from.
        loader: Hydra's loader.

    Raises:
        SearchPathException: There is no folder `--config-dir`.
    """

    def __init__(self, arguments: Sequence[str]):
        parsed = _parse(arguments)
        self.overrides = quote_names(parsed.overrides)
        self.multirun: bool = parsed.multirun
        self.options = _config_options(parsed)
        completed = _parse(with_project(arguments))
        self.config_name: str = completed.config_name or CONFIG_NAME
        version.setbase(VERSION_BASE)
        setup_globals()
        JobRuntime.instance().set("name", "run")
        self.loader = _loader(completed)

    def compose(self, overrides: Sequence[str] | None = None) -> DictConfig:
        """Compose the configuration of one run, with the command's overrides or others."""
        lines = self.overrides if overrides is None else overrides
        return self.loader.load_configuration(self.config_name, [*lines], run_mode=RunMode.RUN)

    def compose_sweep(self) -> DictConfig:
        """Compose the configuration of a sweep, as Hydra's sweepers get it."""
        lines = [*self.overrides, "hydra.mode=MULTIRUN"]
        return self.loader.load_configuration(self.config_name, lines, run_mode=RunMode.MULTIRUN)


def parse_command_line(arguments: Sequence[str], others: Sequence[str] = ("--help",)) -> CommandLine:
    """Parse the arguments of a command with Hydra's `OPTIONS` and others of its own.

    Raises:
        ConfigError: An option is unknown, or one of `run` alone.
    """
    _check_options(arguments, [*others, *OPTIONS])
    return CommandLine(arguments)


def split_config_options(arguments: Sequence[str], others: Sequence[str] = ()) -> tuple[list[str], list[str]]:
    """Separate the options that choose the configuration from the other arguments of a command.

    Args:
        arguments: All arguments, without the command's own options.
        others: Those, which an error names as well.

    Raises:
        ConfigError: There is another option.
    """
    _check_options(arguments, [*others, "--help", *_CONFIG_OPTIONS], (*_RUN_OPTIONS, "multirun"))
    parsed = _parse(arguments)
    return _config_options(parsed), list(parsed.overrides)


def configured_uri(uri: str | None, options: Sequence[str]) -> str | None:
    """Return the address of a store that a command is given, else `tracking.uri` of the project's configuration.

    Args:
        uri: What the command is given.
        options: The options that choose the configuration; without them and a project, none is read.
    """
    return uri if uri is not None else configured_values(["tracking.uri"], options)[0]


def configured_values(keys: Sequence[str], options: Sequence[str]) -> list[str | None]:
    """Return values of the project's configuration as text; None where a key has none, or there is no project.

    Args:
        keys: The keys, as in `tracking.uri`.
        options: The options that choose the configuration; without them and a project, none is read.
    """
    if not with_project(options):
        return [None] * len(keys)
    config = CommandLine(options).compose()
    found = [OmegaConf.select(config, key) for key in keys]
    return [None if value is None else str(value) for value in found]


def _config_options(parsed: Namespace) -> list[str]:
    given = ((option, getattr(parsed, option.removeprefix("--").replace("-", "_"))) for option in _CONFIG_OPTIONS)
    return [part for option, value in given if value is not None for part in (option, value)]


def check_run_options(arguments: Sequence[str]) -> None:
    """Check the options of `run`, which has all of Hydra's.

    Raises:
        ConfigError: One is unknown, or has a wrong value.
    """
    own = [f"--{name.replace('_', '-')}" for name in _RUN_OPTIONS]
    _check_options(arguments, ["--help", *OPTIONS, *own], ())


def _check_options(arguments: Sequence[str], names: Sequence[str], refused: Sequence[str] = _RUN_OPTIONS) -> None:
    parsed, unknown = _parse_known(arguments)
    allowed = ", ".join(names)
    if unknown:
        raise ConfigError(f"unknown option: {unknown[0]}. Allowed: {allowed}")
    for option in refused:
        if getattr(parsed, option):
            name = option.replace("_", "-")
            raise ConfigError(f"--{name} is an option of `python -m ablate.run` alone. Allowed: {allowed}")


def _loader(parsed: Namespace) -> ConfigLoaderImpl:
    primary = str(conf_dir()) if parsed.config_path is None else _absolute(parsed.config_path)
    validate_config_path(primary)
    search_path = create_config_search_path(primary)
    if parsed.config_dir is not None:
        folder = Path(parsed.config_dir).absolute()
        if not folder.is_dir():
            raise SearchPathException(f"Additional config directory '{folder}' not found")
        search_path.prepend("command-line", f"file://{folder}", anchor=SearchPathQuery(provider="schema"))
    return ConfigLoaderImpl(search_path)


def with_project(arguments: Sequence[str]) -> list[str]:
    """Add the options that the project's `[tool.ablate]` stands for, unless they are given.

    `--config-path` becomes relative to the current folder; Hydra takes it relative to the file of the program. Where
    its configuration starts from the shipped `base`, which Hydra would not find, it becomes `--config-dir`.

    Args:
        arguments: Hydra's options and overrides.

    Raises:
        ConfigError: The project's table is wrong.
    """
    parsed, added = _parse(arguments), list[str]()
    if parsed.config_path is not None:
        folder = _absolute(parsed.config_path)
        from_base = parsed.config_dir is None and Path(folder) != conf_dir() and starts_from_base(Path(folder))
        added += ["--config-path", str(conf_dir()), "--config-dir", folder] if from_base else ["--config-path", folder]
    project = current_project()
    if project is not None and parsed.config_path is None and parsed.config_dir is None:
        if project.config_dir not in (None, conf_dir()):
            added += ["--config-dir", str(project.config_dir)]
        if parsed.config_name is None and project.config_name != CONFIG_NAME:
            added += ["--config-name", project.config_name]
    return [*arguments, *added]


def _parse(arguments: Sequence[str]) -> Namespace:
    return _parse_known(arguments)[0]


def _parse_known(arguments: Sequence[str]) -> tuple[Namespace, list[str]]:
    parser = get_args_parser()
    parser.exit_on_error = False
    try:
        return parser.parse_known_intermixed_args(list(arguments))
    except ArgumentError as error:
        raise ConfigError(str(error)) from None


def _absolute(config_path: str) -> str:
    return config_path if "://" in config_path else str(absolute(config_path))
