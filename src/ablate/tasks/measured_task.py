"""The part that all tasks to start from have in common: settings and measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from ablate.errors import ConfigError, TaskError
from ablate.task import Metric
from ablate.tasks.measures import Measure, check_measures, metrics_of
from ablate.tasks.settings import settings_of, without


class MeasuredTask:
    """A task with settings and measures.

    `self.config` holds all sections of the configuration that are not the framework's, as attributes:
    `self.config.dropout.rate`.

    Attributes:
        example: What an example is called.
        measures: By name, what an evaluation measures; the first one with a direction answers by default.
        schema: A pydantic model of `config`, for clear errors; None takes all.
        no_result_keys: Keys of `config` that change no result, as in `data.root`.

    Raises:
        ConfigError: There are no measures, or the schema refuses a value.
    """

    example: str = "example"
    measures: Mapping[str, Measure] = {}
    schema: ClassVar[type[BaseModel] | None] = None
    no_result_keys: tuple[str, ...] = ()
    _needs_functions: ClassVar[bool] = True
    """Whether each measure must have a function."""

    def __init__(self, **config: Any):
        self._values = dict(config)
        self.config: Any = settings_of(self.schema, config)
        check_measures(type(self).__name__, self.measures, functions=self._needs_functions)

    if not TYPE_CHECKING:  # or all names would be attributes

        def __getattr__(self, name):
            """Say what to do where `__init__` of a subclass leaves out this one; see `object.__getattr__`."""
            owner = type(self).__name__
            if name in ("config", "_values"):
                raise ConfigError(f"{owner}.__init__(self, **config) must begin with super().__init__(**config)")
            raise AttributeError(f"{owner!r} object has no attribute {name!r}", name=name, obj=self)

    @property
    def metrics(self) -> list[Metric]:
        """The measures, as the framework's metrics."""
        return metrics_of(self.measures)

    def result_config(self) -> Mapping[str, Any]:
        """Return all of the configuration but `no_result_keys`."""
        return without(self._values, self.no_result_keys)

    def comparison_config(self) -> Mapping[str, Any]:
        """Return nothing: the same examples, which the data's fingerprint tells, are measured alike."""
        return {}


def checked_fingerprint(task: Any) -> str:
    """Return what a task's `fingerprint` returns.

    Raises:
        TaskError: It is no text.
    """
    found = task.fingerprint()
    if not isinstance(found, str) or not found:
        raise TaskError(
            f"{type(task).__name__}.fingerprint() must return text, as a version or ablate.fingerprint(..). "
            f"Received: {found!r:.60}"
        )
    return found
