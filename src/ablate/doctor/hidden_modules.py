"""Modules that a file of the same name hides, as a `random.py` of one's own does. Imports what none can hide."""

import os
import sys

_ENDINGS = (".py", ".so", ".pyd")
_INSTALLED = (".dist-info", ".egg-info")
_SHOWN = 3


def rename_advice() -> str:
    """Return what to do about files that hide modules of Python or of installed packages; empty where none does."""
    found = hidden_modules()
    lines = [f"rename {file}, which Python takes for its own or an installed {name}" for name, file in found[:_SHOWN]]
    return "; ".join(lines)


def hidden_modules() -> list[tuple[str, str]]:
    """Return the names of hidden modules, and the file or folder that Python finds in their place.

    Folders that Python searches before its library, the current one and those of `PYTHONPATH`, are looked at, apart
    from those into which packages were installed.
    """
    library = os.__file__.rpartition(os.sep)[0]
    own = sys.path.index(library) if library in sys.path else len(sys.path)
    known = {"ablate": False, **dict.fromkeys(sys.stdlib_module_names, True)}
    installed = [_modules(folder) for folder in sys.path[own:]]
    found = dict[str, str]()
    for folder in sys.path[:own]:
        for name, file in _modules(folder, installed=False).items():
            if known.get(name, any(name in others for others in installed)):
                found.setdefault(name, file)
    return sorted(found.items())


def _modules(folder: str, *, installed: bool = True) -> dict[str, str]:
    """Return the modules in a folder by name; none, where packages are installed there and that is not asked for."""
    try:
        with os.scandir(folder or os.curdir) as found:
            entries = {entry.name: entry.path for entry in found}
    except OSError:
        return {}
    if not installed and any(name.endswith(_INSTALLED) for name in entries):
        return {}
    return {
        name.partition(".")[0]: path
        for name, path in entries.items()
        if name.endswith(_ENDINGS) or os.access(f"{path}/__init__.py", os.F_OK)
    }
