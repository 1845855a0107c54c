"""Ablation studies that can be trusted.

Start from `ArrayTask`, `DatasetTask` or `FunctionTask`. Names are imported when they are used, so that importing
`ablate` is fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.tasks.array_task import ArrayTask as ArrayTask
    from ablate.tasks.dataset_task import DatasetTask as DatasetTask
    from ablate.tasks.fingerprint import fingerprint as fingerprint
    from ablate.tasks.function_task import FunctionTask as FunctionTask
    from ablate.tasks.measures import Measure as Measure
    from ablate.tasks.measures import SetMeasure as SetMeasure

__version__ = "0.1.0"

_EXPORTS = {
    "ArrayTask": "ablate.tasks.array_task",
    "DatasetTask": "ablate.tasks.dataset_task",
    "FunctionTask": "ablate.tasks.function_task",
    "Measure": "ablate.tasks.measures",
    "SetMeasure": "ablate.tasks.measures",
    "fingerprint": "ablate.tasks.fingerprint",
}
"""The public names, and the modules that define them."""

__all__ = [*_EXPORTS, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'ablate' has no attribute {name!r}")
    return getattr(import_module(_EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
