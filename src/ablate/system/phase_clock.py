"""Phases of a run, and the clock that divides its time among them."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path


class Phase(StrEnum):
    """What a run does at a moment; the phases of a run add up to its wall time."""

    START = "start"
    """Imports, configuration, lease, hardware."""
    DATA = "data"
    """Finding and loading the data."""
    COMPILE = "compile"
    """Building the model; the first batch of training and of validation, beyond what the next one takes."""
    TRAINING = "training"
    """Steps, whatever feeds them, and the task's callbacks."""
    VALIDATION = "validation"
    """After epochs."""
    EVALUATION = "evaluation"
    """Of the trained model."""
    TRACKING = "tracking"
    """Whatever goes to the tracking store, checkpoints and the model."""


class PhaseClock:
    """A clock that divides the time of a run among phases: one of them is on at any moment, so they leave no gap.

    It belongs to the thread that makes it; what others do meanwhile changes no phase.

    Args:
        phase: The first phase.
        age: Seconds that it has been on already.
        now: Returns the time in seconds.
    """

    def __init__(
        self, phase: Phase = Phase.START, *, age: float = 0.0, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._now, self._phase, self._since = now, phase, now() - age
        self._spent = dict.fromkeys(Phase, 0.0)
        self._thread = threading.get_ident()

    def enter(self, phase: Phase) -> Phase:
        """Begin a phase; return the one that it ends."""
        now, before = self._now(), self._phase
        self._spent[before] += now - self._since
        self._phase, self._since = phase, now
        return before

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Be in a phase, and then in the one that was on before."""
        if threading.get_ident() != self._thread:
            yield
            return
        before = self.enter(phase)
        try:
            yield
        finally:
            self.enter(before)

    def move(self, source: Phase, target: Phase, seconds: float) -> None:
        """Count some of one phase's time as another's."""
        self._spent[source] -= seconds
        self._spent[target] += seconds

    def seconds(self) -> Mapping[Phase, float]:
        """Return the seconds of each phase so far."""
        self.enter(self._phase)
        return dict(self._spent)


def process_age() -> float:
    """Return the seconds since this process began."""
    stat = Path("/proc/self/stat")
    if stat.exists() and hasattr(time, "CLOCK_BOOTTIME"):
        # Ticks since the machine started: psutil has the start in whole seconds of the day.
        ticks = float(stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19])
        began, now = ticks / os.sysconf("SC_CLK_TCK"), time.clock_gettime(time.CLOCK_BOOTTIME)
    else:
        import psutil

        began, now = psutil.Process().create_time(), time.time()
    return max(now - began, 0.0)
