"""Commands in tests: their type, and the arguments of the smallest runs."""

import subprocess
from collections.abc import Callable

Command = Callable[..., subprocess.CompletedProcess[str]]

QUICK = [
    "scale=smoke",
    "backbone.width=0.0625",
    "depth=shallow",
    "training.epochs=1",
    "training.steps_per_epoch=2",
    "tracking.model=false",
]
"""The least that is a whole run of the shipped task; most of its time goes into tracing the network."""
TINY = [*QUICK, "task._target_=tiny.Tiny"]
"""The least where the network does not matter: half the time of `QUICK`."""
