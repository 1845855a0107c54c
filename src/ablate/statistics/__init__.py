"""Statistics of a comparison: intervals, effects and corrections. Pure functions on arrays and frames."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ablate.statistics.seeds import seeds_needed as seeds_needed
    from ablate.statistics.simultaneous import linear_contrasts as linear_contrasts
    from ablate.statistics.simultaneous import many_to_one as many_to_one

_MODULES = {"linear_contrasts": "simultaneous", "many_to_one": "simultaneous", "seeds_needed": "seeds"}
__all__ = ["linear_contrasts", "many_to_one", "seeds_needed"]


def __getattr__(name: str) -> Any:
    # Imported when they are used: SciPy takes a while.
    if name not in _MODULES:
        raise AttributeError(f"module 'ablate.statistics' has no attribute {name!r}")
    return getattr(import_module(f"ablate.statistics.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
