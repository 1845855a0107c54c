"""The command that repeats the current Hydra job."""

import os
import shlex

from hydra.core.hydra_config import HydraConfig

from ablate.config.hydra_job import job_overrides
from ablate.config.paths import absolute, conf_dir, project_dir

_LEFT_OUT = ("tracking", "checkpoint", "rerun")
"""Sections of circumstances: stores, which may have passwords, and folders."""


def command_of_job() -> str:
    """Return the command that trains the current job's run once more, as a shell takes it."""
    overrides = [line for line in job_overrides() if line.lstrip("+~").split("=")[0].split(".")[0] not in _LEFT_OUT]
    return " ".join(map(_quoted, ["python", "-m", "ablate.run", *_options(), *overrides, "rerun=all"]))


def _quoted(word: str) -> str:
    """Quote a word for a shell: in double quotes where it has single ones, as Hydra's values do."""
    return f'"{word}"' if "'" in word and not set(word) & set('"$`\\!') else shlex.quote(word)


def _options() -> list[str]:
    """Return the options that choose the configuration, where it is not the default one."""
    runtime = HydraConfig.get().runtime
    folders = {source.provider: source.path for source in runtime.config_sources if source.schema == "file"}
    options = ["--config-name", str(HydraConfig.get().job.config_name)] if _named(runtime) else []
    main = folders.get("main")
    if main is not None and absolute(main).resolve() != conf_dir().resolve():
        options += ["--config-path", _short(main)]
    if "command-line" in folders:
        options += ["--config-dir", _short(folders["command-line"])]
    return options


def _named(runtime: object) -> bool:
    return HydraConfig.get().job.config_name not in (None, "config")


def _short(folder: str) -> str:
    """Write a folder relative to the project where it lies in it."""
    path, project = absolute(folder).resolve(), project_dir().resolve()
    return os.path.relpath(path, project) if path.is_relative_to(project) else str(path)
