"""The errors that a user can mend: shown as one clear line, without a stack trace."""

from typing import ClassVar


class AblateError(Exception):
    """Something outside the program is wrong; the message names it and says what to do.

    Attributes:
        page: The section of the documentation that explains errors of this kind, which a command names behind
            the message; empty for that of the command.
    """

    page: ClassVar[str] = ""


class ConfigError(AblateError):
    """A configuration value is unknown, impossible or contradicts another."""


class DataError(AblateError):
    """Examples are missing, unreadable or too few."""


class TaskError(AblateError):
    """A task does not keep to its protocol; the message says what it did and what it must do."""

    page = "docs/check.md#what-it-says"


class TrackingError(AblateError):
    """The tracking store cannot be reached, read or written."""

    page = "docs/runs.md#stores"


class EmptyStore(TrackingError):
    """The tracking store does not exist yet, or has no tables: the first run makes them."""


class Diverged(AblateError):
    """The training loss became NaN or infinite."""


class RunFailed(AblateError):
    """A run of a sweep failed for a reason of its own; its traceback is in the log."""


class SweepIncomplete(AblateError):
    """A sweep ended without a result of some of its runs; its summary names them with the reason."""

    page = "docs/resuming.md#try-a-failed-run-again"


class LeaseLost(AblateError):
    """Another process has taken the lease of a run, because this one sent no heartbeat for too long."""

    page = "docs/launchers.md#many-machines"


class AlreadyRunning(AblateError):
    """Another process owns the lease of this run, and trains it."""

    page = "docs/launchers.md#many-machines"


class NotComparable(AblateError):
    """Runs cannot stand in one table; the message says which and why."""


class Interrupted(KeyboardInterrupt):
    """A signal asked the process to end: a closed terminal, a scheduler.

    It is no `Exception`, so that a sweep ends too instead of starting its next run.
    """


def is_resumable(error: BaseException) -> bool:
    """Return whether an error comes from the machine or the store: the run resumes once that is mended."""
    # TensorFlow's own error where memory runs out; this module does not import it.
    return isinstance(error, TrackingError | OSError | MemoryError) or type(error).__name__ == "ResourceExhaustedError"
