"""Checks of a task: the contract suite for its tests, and what `python -m ablate.check` and a sweep try before."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.testing.task_contract import TaskContract as TaskContract

__all__ = ["TaskContract"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'ablate.testing' has no attribute {name!r}")
    return getattr(import_module("ablate.testing.task_contract"), name)
