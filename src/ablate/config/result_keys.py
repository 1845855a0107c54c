"""Keys of the configuration that change a run's result, and those that do not."""

NOT_VARIED = ("seed", "study", "experiment", "tracking", "checkpoint", "rerun", "hardware", "scale", "data", "task")
"""Groups and keys that all variants of a study share, or that change no result."""
_NO_RESULT_SECTIONS = ("study", "tracking", "checkpoint", "rerun", "hydra")
_NO_RESULT_KEYS = (
    "seed", "experiment", "data.root", "data.memory_gib", "data.max_bad_fraction", "evaluation.samples",
    "evaluation.batch_size", "training.log_points", "hardware.onednn", "hardware.threads", "hardware.devices",
    "hardware.compile",
)  # fmt: skip


def is_varied_group(group: str) -> bool:
    """Tell whether the levels of a config group make variants."""
    return group not in NOT_VARIED and _section(group) not in _NO_RESULT_SECTIONS


def changes_result(key: str) -> bool:
    """Tell whether a key of the configuration changes what a run measures."""
    return _section(key) not in _NO_RESULT_SECTIONS and key not in _NO_RESULT_KEYS


def _section(key: str) -> str:
    return key.replace("/", ".").split(".")[0]
