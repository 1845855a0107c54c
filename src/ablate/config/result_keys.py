"""Keys of the configuration that change a run's result, and those that do not."""

from collections.abc import Collection

NOT_VARIED = (
    "seed",
    "study",
    "experiment",
    "tracking",
    "checkpoint",
    "check",
    "rerun",
    "hardware",
    "scale",
    "data",
    "task",
)
"""Groups and keys that all variants of a study share, or that change no result."""
_NO_RESULT_SECTIONS = ("study", "tracking", "checkpoint", "check", "rerun", "hydra")
_NO_RESULT_KEYS = (
    "seed", "experiment", "training.log_points",
    "hardware.onednn", "hardware.threads", "hardware.devices", "hardware.compile",
)  # fmt: skip


def is_varied_group(group: str) -> bool:
    """Tell whether the levels of a config group make variants."""
    return group not in NOT_VARIED and _section(group) not in _NO_RESULT_SECTIONS


def changes_result(key: str, no_result_keys: Collection[str] = ()) -> bool:
    """Tell whether a key of the configuration changes what a run measures.

    Args:
        key: The key.
        no_result_keys: Those of the task that do not, see `ablate.task.Task`.
    """
    return _section(key) not in _NO_RESULT_SECTIONS and key not in (*_NO_RESULT_KEYS, *no_result_keys)


def _section(key: str) -> str:
    return key.replace("/", ".").split(".")[0]
