"""The devices of a run: GPUs, or the CPU as one or several."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ablate.config.training import HardwareConfig
from ablate.errors import ConfigError
from ablate.system.processor import processor_name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Devices:
    """The devices of a run.

    Attributes:
        description: Their names, as in `NVIDIA L4, NVIDIA L4` or `CPU: AMD EPYC 7763`.
        names: TensorFlow's, as in `GPU:0`.
        gpus: TensorFlow's GPUs among them.
    """

    description: str
    names: tuple[str, ...]
    gpus: Sequence[Any]


def choose(hardware: HardwareConfig, gpus: Sequence[Any]) -> Devices:
    """Choose a run's devices, and hide all other GPUs from TensorFlow, which would take memory on each.

    Before TensorFlow's runtime starts.

    Args:
        hardware: The section `hardware`.
        gpus: The machine's GPUs, as TensorFlow sees them.

    Raises:
        ConfigError: There are fewer GPUs than asked for.
    """
    import tensorflow as tf

    wanted = hardware.devices
    if isinstance(wanted, int) and wanted > len(gpus):
        raise ConfigError(
            f"hardware.devices={wanted}, but this machine has {len(gpus)} GPU{'s' * (len(gpus) != 1)} that TensorFlow "
            "can use; hardware.devices=cpu uses the processor"
        )
    chosen = [] if isinstance(wanted, str) else list(gpus[: wanted or 1])
    if list(tf.config.get_visible_devices("GPU")) != chosen:
        tf.config.set_visible_devices(chosen, "GPU")
    for gpu in chosen:
        # All of a GPU's memory otherwise, whatever the run needs.
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)
    if chosen:
        names = [str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)) for gpu in chosen]
        return Devices(", ".join(names), tuple(f"GPU:{number}" for number in range(len(chosen))), chosen)
    number = hardware.replicas
    if number > 1:
        (cpu,) = tf.config.list_physical_devices("CPU")
        if len(tf.config.get_logical_device_configuration(cpu) or [None]) != number:
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * number)
    parts = f" as {number} devices" if number > 1 else ""
    return Devices(f"CPU: {processor_name()}{parts}", tuple(f"CPU:{place}" for place in range(number)), ())


def driver_version(folder: Path = Path("/proc/driver/nvidia")) -> str | None:
    """Return the version of NVIDIA's driver, or None where it does not say."""
    try:
        import pynvml
    except ImportError:
        pass
    else:
        try:
            pynvml.nvmlInit()
            try:
                return str(pynvml.nvmlSystemGetDriverVersion())
            finally:
                pynvml.nvmlShutdown()
        except pynvml.NVMLError as error:
            log.debug("NVML does not say the driver's version: %s", error)
    try:
        said = re.search(r"Kernel Module.*?\s(\d+\.[\d.]+)\s", (folder / "version").read_text(encoding="utf-8"))
    except OSError:
        return None
    return said.group(1) if said else None
