"""Ablation studies that can be trusted.

Start from `ArrayTask`, `DatasetTask` or `FunctionTask`; in a notebook, from `plan`, `run` and `study`. Names are
imported when they are used, so that importing `ablate` is fast.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.notebook.commands import plan as plan
    from ablate.notebook.commands import run as run
    from ablate.notebook.plan import Plan as Plan
    from ablate.notebook.study import Study as Study
    from ablate.notebook.study import study as study
    from ablate.tasks.array_task import ArrayTask as ArrayTask
    from ablate.tasks.dataset_task import DatasetTask as DatasetTask
    from ablate.tasks.fingerprint import fingerprint as fingerprint
    from ablate.tasks.function_task import FunctionTask as FunctionTask
    from ablate.tasks.measures import Measure as Measure
    from ablate.tasks.measures import SetMeasure as SetMeasure

__version__ = "0.2.0"

_EXPORTS = {
    "ArrayTask": "ablate.tasks.array_task",
    "DatasetTask": "ablate.tasks.dataset_task",
    "FunctionTask": "ablate.tasks.function_task",
    "Measure": "ablate.tasks.measures",
    "Plan": "ablate.notebook.plan",
    "SetMeasure": "ablate.tasks.measures",
    "Study": "ablate.notebook.study",
    "fingerprint": "ablate.tasks.fingerprint",
}
"""The public names, and the modules that define them."""
_FUNCTIONS = {"plan": "ablate.notebook.commands", "run": "ablate.notebook.commands", "study": "ablate.notebook.study"}
"""The functions that have the name of a module, which is called in their place."""

__all__ = [*_EXPORTS, *_FUNCTIONS, "__version__"]


def __getattr__(name: str) -> Any:
    if name in _FUNCTIONS:
        return import_module(f"ablate.{name}")
    if name not in _EXPORTS:
        raise AttributeError(f"module 'ablate' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _CallableModule(ModuleType):
    """A module that is called like the function of its name: `ablate.run(..)`, beside `python -m ablate.run`."""

    @property
    def _function(self) -> Any:
        name = self.__name__.removeprefix("ablate.")
        return getattr(import_module(_FUNCTIONS[name]), name)

    @property
    def __signature__(self) -> Any:
        return import_module("inspect").signature(self._function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)


class _Package(ModuleType):
    """This module, in which Python's import sets each imported module as an attribute."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _FUNCTIONS and isinstance(value, ModuleType):
            value.__class__ = _CallableModule
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
