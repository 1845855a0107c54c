"""The folders in which a command looks for a user's modules: the current one, and those of the project."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ablate.config.paths import current_project

_SAFE_PATH = sys.flags.safe_path
"""Whether Python does not search the current folder for modules (`-P`, `PYTHONSAFEPATH`)."""


@contextmanager
def project_importable() -> Iterator[None]:
    """Search the current folder and the project's for modules, in this process and in those that it starts.

    `python -m` searches the current folder already, a console script does not.

    Raises:
        ConfigError: The project's table is wrong.
    """
    project, before = current_project(), os.environ.get("PYTHONPATH")
    own = [] if project is None else [str(folder) for folder in project.import_folders]
    current = [] if _SAFE_PATH or "" in sys.path else [str(Path.cwd())]
    added = [folder for folder in dict.fromkeys([*current, *own]) if folder not in sys.path]
    sys.path[:0] = added
    if own:
        os.environ["PYTHONPATH"] = os.pathsep.join([*own, *([before] if before else [])])
    try:
        yield
    finally:
        for folder in added:
            sys.path.remove(folder)
        if before is not None:
            os.environ["PYTHONPATH"] = before
        elif own:
            del os.environ["PYTHONPATH"]
