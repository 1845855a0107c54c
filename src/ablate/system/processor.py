"""The processor's name, and whether it or the GPUs multiply bfloat16."""

import os
import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
_UNITS = {"avx512_bf16": "AVX512-BF16", "amx_bf16": "AMX"}


def processor_name(cpuinfo: Path = CPUINFO) -> str:
    """Return the processor's name, as in `AMD EPYC 7763`."""
    return _entry("model name", cpuinfo) or platform.processor() or platform.machine()


def bfloat16_units(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """Return what the processor multiplies bfloat16 with, of AVX512-BF16 and AMX."""
    flags = _entry("flags", cpuinfo).split()
    return tuple(name for flag, name in _UNITS.items() if flag in flags)


def gpus_multiply_bfloat16() -> bool | None:
    """Tell whether the first GPU that TensorFlow would take multiplies bfloat16 fast; None where NVML sees none."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    first = 0 if visible is None else _number(visible)
    if first is None:
        return None
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        try:
            if first >= pynvml.nvmlDeviceGetCount():
                return None
            major, _ = pynvml.nvmlDeviceGetCudaComputeCapability(pynvml.nvmlDeviceGetHandleByIndex(first))
            return int(major) >= 8
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None


def _number(visible: str) -> int | None:
    """Return the first of the visible devices, 0 where it has a name, None where there is none."""
    first = visible.partition(",")[0].strip()
    if first in ("", "-1"):
        return None
    return int(first) if first.isdecimal() else 0


def _entry(name: str, cpuinfo: Path) -> str:
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.partition(":")[0].strip() == name:
                return line.split(":", 1)[1].strip()
    return ""
