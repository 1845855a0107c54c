"""Energy counters of NVIDIA's GPUs, which NVML reads."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import psutil

from ablate.system.gpus import nvml_handle, visible_gpus


class GpuCounter:
    """The energy that this process's GPUs took since it was last asked for.

    A GPU is counted while something computes on it: whole where that is this process, in equal parts where several do.

    Attributes:
        gpus: How many GPUs the process may use, counted or not.
    """

    def __init__(self) -> None:
        self.gpus = len(visible_gpus())
        self._nvml = _nvml() if self.gpus else None
        self._handles = self._find()
        self._before = self._read()

    def __bool__(self) -> bool:
        """Whether there are counters that can be read."""
        return self._before is not None

    def joules(self) -> float | None:
        """Return the joules since the last call; None where they are not known."""
        before, now = self._before, self._read()
        self._before = now
        if before is None or now is None:
            return None
        spent = {gpu: now[gpu] - before[gpu] for gpu in now}
        if min(spent.values()) < 0:  # the driver has been loaded anew
            return None
        return sum(joules * self._share(gpu) for gpu, joules in spent.items())

    def close(self) -> None:
        """Let go of NVML."""
        if self._nvml is not None:
            with suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()
        self._nvml = self._before = None

    def _find(self) -> Mapping[str, Any]:
        if self._nvml is None:
            return {}
        try:
            return {gpu: nvml_handle(gpu) for gpu in visible_gpus()}
        except self._nvml.NVMLError:
            return {}

    def _read(self) -> Mapping[str, float] | None:
        """Return the joules of each GPU since its driver was loaded; Volta's and later GPUs count them."""
        if self._nvml is None or not self._handles:
            return None
        try:
            return {
                gpu: self._nvml.nvmlDeviceGetTotalEnergyConsumption(handle) / 1000
                for gpu, handle in self._handles.items()
            }
        except self._nvml.NVMLError:
            return None

    def _share(self, gpu: str) -> float:
        assert self._nvml is not None
        try:
            found = self._nvml.nvmlDeviceGetComputeRunningProcesses(self._handles[gpu])
        except self._nvml.NVMLError:
            return 1.0
        return share_of_gpu({int(process.pid) for process in found}, _family())


def share_of_gpu(computing: Collection[int], own: Collection[int]) -> float:
    """Return the share of a GPU that is a run's.

    Args:
        computing: The processes that compute on it, as the machine numbers them.
        own: The run's processes, as they are numbered here, which in a container is otherwise.
    """
    if not computing:
        return 0.0
    mine = len(set(computing) & set(own))
    if mine or all(map(psutil.pid_exists, computing)):
        return mine / len(computing)
    return 1 / len(computing)


def _family() -> set[int]:
    with suppress(psutil.Error):
        return {os.getpid(), *(child.pid for child in psutil.Process().children(recursive=True))}
    return {os.getpid()}


def _nvml() -> Any:
    """Return NVML, begun; None where it is not installed or sees no driver."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
