"""The energy that a process takes: measured where the hardware has counters that can be read, else estimated."""

import os
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from ablate.system.gpu_energy import GpuCounter
from ablate.system.rapl import POWERCAP, RaplCounter

WATTS = 4.0
"""Of a hardware thread that is busy, where nothing measures it: what CodeCarbon assumes of a processor that it does
not know (`DEFAULT_POWER_PER_CORE`), and within what Cloud Carbon Footprint finds for servers at full load, from
SPECpower's measurements: 3.5 W (AWS), 3.8 W (Azure) and 4.3 W (Google)."""
RAPL, RAPL_PACKAGE = "processor and memory measured by RAPL", "processor measured by RAPL"
ESTIMATE = f"processor estimated, {WATTS:g} W while a hardware thread is busy"
NVML, NO_GPU = "GPU measured by NVML", "GPU not counted"
_METHODS = (RAPL, RAPL_PACKAGE, ESTIMATE, NVML, NO_GPU)
_INTERVAL = 30.0
"""Seconds between two readings of counters: the smallest begin again after some minutes, and what else computes on the
machine changes."""
_SHORTEST = 0.1
"""Seconds: counters and clocks move on by steps of up to ten milliseconds."""


@dataclass(frozen=True)
class Energy:
    """An amount of energy, and how it is known.

    Attributes:
        kwh: Kilowatt-hours.
        methods: Of `RAPL`, `ESTIMATE`, `NVML` and so on: how each part is known.
    """

    kwh: float = 0.0
    methods: frozenset[str] = frozenset()

    def __add__(self, other: "Energy") -> "Energy":
        return Energy(self.kwh + other.kwh, self.methods | other.methods)


def methods_text(methods: Iterable[str]) -> str:
    """Return how energy is known, as one line."""
    given = set(methods)
    return "; ".join([*(each for each in _METHODS if each in given), *sorted(given - {*_METHODS})])


def methods_of(text: str) -> frozenset[str]:
    """Return what `methods_text` made a line of."""
    return frozenset(filter(None, text.split("; ")))


def energy_kind(methods: Iterable[str]) -> str:
    """Return in a word or two how energy is known: measured, estimated, or partly estimated; without GPU.

    Example:
        >>> energy_kind([NVML, ESTIMATE])
        'partly estimated'
    """
    given = {*methods}
    estimated, measured = (any(word in each for each in given) for word in ("estimated", "measured"))
    kind = ("partly estimated" if measured else "estimated") if estimated else "measured"
    return f"{kind} without GPU" if NO_GPU in given else kind


class EnergyMeter:
    """A meter of the energy of this process and its children, from when it is made to when it is closed.

    Counters are of the whole machine: of what they count, this process is given its share of the CPU time that all
    processes took meanwhile. Runs side by side so share it, and what they are given adds up to it at most.

    Args:
        powercap: The folder of RAPL's counters.
        every: Seconds between two readings; counters alone need any.
    """

    def __init__(self, powercap: Path = POWERCAP, *, every: float = _INTERVAL) -> None:
        self._rapl, self._gpu = RaplCounter(powercap), GpuCounter()
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._since, self._own, self._all = time.monotonic(), own_cpu_seconds(), machine_cpu_seconds()
        self._spent = Energy(methods=self._expected())
        self._thread = threading.Thread(target=self._watch, args=(every,), daemon=True, name="energy meter")
        if self._rapl or self._gpu:
            self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def spent(self) -> Energy:
        """Return the energy so far. After it was closed, that until then."""
        with self._lock:
            if not self._closed.is_set():
                self._read()
            return self._spent

    def close(self) -> None:
        """End the meter."""
        with self._lock:
            if not self._closed.is_set():
                self._read()
                self._closed.set()
                self._gpu.close()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self, every: float) -> None:
        while not self._closed.wait(every):
            self.spent()

    def _expected(self) -> frozenset[str]:
        processor = (RAPL if self._rapl.has_memory else RAPL_PACKAGE) if self._rapl else ESTIMATE
        gpu = {NVML if self._gpu else NO_GPU} if self._gpu.gpus else set()
        return frozenset({processor, *gpu})

    def _read(self) -> None:
        """Add what was spent since the last reading."""
        now = time.monotonic()
        seconds = now - self._since
        if seconds < _SHORTEST:
            return
        own, everything = own_cpu_seconds(), machine_cpu_seconds()
        # Children that end without being waited for take their time with them.
        busy, total = max(own - self._own, 0.0), everything - self._all
        self._since, self._own, self._all = now, own, everything
        counted, on_gpu = self._rapl.joules(seconds), self._gpu.joules()
        if total <= 0 < busy:
            counted = None  # the system does not say of what this is a share
        share = min(busy / total, 1.0) if total > 0 else 0.0
        joules = (busy * WATTS if counted is None else counted * share) + (on_gpu or 0.0)
        methods = {ESTIMATE if counted is None else RAPL if self._rapl.has_memory else RAPL_PACKAGE}
        if self._gpu.gpus:
            methods.add(NO_GPU if on_gpu is None else NVML)
        self._spent += Energy(joules / 3.6e6, frozenset(methods))


def own_cpu_seconds() -> float:
    """Return the CPU time of this process and of its children, of those that have ended as well."""
    seconds = sum(os.times()[:4])
    with suppress(psutil.Error):
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                seconds += sum(child.cpu_times()[:4])
    return float(seconds)


def machine_cpu_seconds() -> float:
    """Return the CPU time of all processes since the machine began; 0 where the system does not say."""
    try:
        times = psutil.cpu_times()
    except (OSError, psutil.Error, ValueError, IndexError):
        return 0.0
    return float(sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq")))
