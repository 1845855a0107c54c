"""The GPUs that a process may use, and whether they multiply bfloat16. Imports no TensorFlow."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any


def visible_gpus(devices: Path = Path("/dev")) -> list[str]:
    """Return the GPUs that a process may use, as `CUDA_VISIBLE_DEVICES` calls them."""
    found = [str(number) for number in range(len(list(devices.glob("nvidia[0-9]*"))))]
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None or not found:
        return found
    gpus = [gpu.strip() for gpu in named.split(",")]
    return gpus[: gpus.index("-1")] if "-1" in gpus else list(filter(None, gpus))


def nvidia_cards(devices: Path = Path("/sys/bus/pci/devices")) -> int:
    """Return the number of NVIDIA's GPUs on the PCI bus, whether they have a driver or not."""
    found = 0
    for device in devices.glob("*"):
        with suppress(OSError):
            vendor, kind = ((device / name).read_text().strip() for name in ("vendor", "class"))
            found += vendor == "0x10de" and kind.startswith("0x03")
    return found


def gpus_multiply_bfloat16() -> bool | None:
    """Tell whether the first of `visible_gpus` multiplies bfloat16 fast; None without one, or where NVML sees none."""
    gpus = visible_gpus()
    if not gpus:
        return None
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        try:
            major, _ = pynvml.nvmlDeviceGetCudaComputeCapability(nvml_handle(gpus[0]))
            return int(major) >= 8
        finally:
            pynvml.nvmlShutdown()
    except pynvml.NVMLError:
        return None


def nvml_handle(gpu: str) -> Any:
    """Return what NVML calls one of `visible_gpus`; NVML has been begun.

    Raises:
        pynvml.NVMLError: It does not see it.
    """
    import pynvml

    if gpu.isdecimal():
        return pynvml.nvmlDeviceGetHandleByIndex(int(gpu))
    return pynvml.nvmlDeviceGetHandleByUUID(gpu)
