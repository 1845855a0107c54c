"""What a run computes with: set up before the first tensor is made, and described for tracking."""

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from ablate.config import HardwareConfig
from ablate.errors import ConfigError


def configure(hardware: HardwareConfig, *, seed: int, deterministic: bool) -> Mapping[str, str]:
    """Set up TensorFlow and Keras for a run; imports both.

    What TensorFlow reads only once (oneDNN at its import, threads at its first operation) is fixed by the first
    run of a process.

    Args:
        hardware: The section `hardware`.
        seed: Seed of Keras', NumPy's and Python's global generators.
        deterministic: Whether operations must give the same bits every time, at some cost in speed on a GPU.

    Returns:
        What came of it: devices, threads, precision, oneDNN, determinism.

    Raises:
        ConfigError: The number of threads differs from an earlier run's in this process.
    """
    # oneDNN is off by default on CPUs without AVX512, where it makes a training step up to twice as fast.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", str(int(hardware.onednn)))
    import keras
    import tensorflow as tf

    threading = tf.config.threading
    if hardware.threads is not None and threading.get_intra_op_parallelism_threads() != hardware.threads:
        try:
            threading.set_intra_op_parallelism_threads(hardware.threads)
        except RuntimeError:
            raise ConfigError(
                f"hardware.threads={hardware.threads}: an earlier run of this process fixed another number; "
                "set it for the whole sweep"
            ) from None
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        if not tf.config.experimental.get_memory_growth(gpu):
            tf.config.experimental.set_memory_growth(gpu, True)
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(hardware.precision)
    names = [str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)) for gpu in gpus]
    return {
        "devices": ", ".join(names) or f"CPU: {_cpu_name()}",
        "threads": str(threading.get_intra_op_parallelism_threads() or os.cpu_count()),
        "precision": hardware.precision,
        "onednn": os.environ["TF_ENABLE_ONEDNN_OPTS"],
        "deterministic": str(deterministic).lower(),
    }


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
