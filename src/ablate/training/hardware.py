"""The hardware of a run: set up before the first tensor is made, and described for tracking."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.config.environment import DATA_FORMAT, EPSILON, FLOATX, fix_environment, set_onednn
from ablate.config.training import HardwareConfig
from ablate.system.native_log import native_log
from ablate.system.threads import job_threads
from ablate.training.devices import choose, driver_version

if TYPE_CHECKING:
    import tensorflow as tf

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hardware:
    """What a run computes with.

    Attributes:
        facts: What tracking says of it.
        xla: Whether XLA compiles the model.
        devices: TensorFlow's devices that share every batch, as in `GPU:0`; the one that it would take where empty.
    """

    facts: Mapping[str, str]
    xla: bool = False
    devices: tuple[str, ...] = ()

    def strategy(self) -> tf.distribute.Strategy:
        """Return how a model is trained: on one device as it is, on several mirrored on each of them."""
        import tensorflow as tf

        if len(self.devices) < 2:
            return tf.distribute.get_strategy()
        # It tells of every sum that it makes.
        logging.getLogger("tensorflow").setLevel(logging.WARNING)
        return tf.distribute.MirroredStrategy(self.devices)


def configure(hardware: HardwareConfig, *, seed: int, deterministic: bool) -> Hardware:
    """Set up TensorFlow and Keras for a run; imports both.

    Once in a process: TensorFlow reads some of it only once, and determinism cannot be taken back.

    Args:
        hardware: The section `hardware`.
        seed: Seed of Keras', NumPy's and Python's global generators.
        deterministic: Whether operations must give the same bits every time, at some cost in speed on a GPU.

    Returns:
        What came of it; its facts are devices, their driver, compilation, threads, precision, oneDNN, determinism.

    Raises:
        ConfigError: The machine has fewer GPUs than `hardware.devices`.
    """
    set_onednn(hardware.onednn)
    import_tensorflow()
    import keras
    import tensorflow as tf

    with native_log():
        gpus = tf.config.list_physical_devices("GPU")
    if not gpus and not isinstance(hardware.devices, str) and any(Path("/dev").glob("nvidia[0-9]*")):
        log.warning("This machine has a GPU that TensorFlow does not see: is the extra `ablate[gpu]` installed?")
    threading = tf.config.threading
    threads = hardware.threads or job_threads()
    # 0 stands for all cores.
    if (threading.get_intra_op_parallelism_threads() or os.cpu_count()) != threads:
        threading.set_intra_op_parallelism_threads(threads)
    devices = choose(hardware, gpus)
    # Whatever `keras.json` says.
    keras.config.set_floatx(FLOATX)
    keras.config.set_epsilon(EPSILON)
    keras.config.set_image_data_format(DATA_FORMAT)
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(hardware.precision)
    xla = _xla(hardware, gpu=bool(devices.gpus), deterministic=deterministic)
    driver = driver_version() if devices.gpus else None
    facts = {
        "devices": devices.description,
        **({"driver": driver} if driver else {}),
        "compile": "xla" if xla else "graph",
        "threads": str(threads),
        "precision": hardware.precision,
        "onednn": os.environ["TF_ENABLE_ONEDNN_OPTS"],
        "deterministic": str(deterministic).lower(),
    }
    return Hardware(facts, xla=xla, devices=devices.names)


def _xla(hardware: HardwareConfig, *, gpu: bool, deterministic: bool) -> bool:
    """Return whether XLA compiles the model: where it is the fastest that is allowed.

    On CPUs oneDNN's kernels are 1.5 to 4 times as fast as what XLA makes. Keras never compiles with XLA what must be
    deterministic, nor, by itself, what several devices share.
    """
    if hardware.compile == "auto":
        return gpu and hardware.replicas == 1 and not deterministic
    return hardware.compile == "xla"


def threads_of_operations() -> int:
    """Return how many threads an operation of TensorFlow's has in this process."""
    import tensorflow as tf

    return tf.config.threading.get_intra_op_parallelism_threads() or job_threads()


def import_tensorflow() -> None:
    """Import TensorFlow and Keras as every run has them, and without what their native code prints.

    Raises:
        ConfigError: What Keras reads would make its import fail, see `fix_environment`.
    """
    fix_environment()
    with native_log():
        import_module("keras")
        import_module("tensorflow")


def peak_device_memory_mib() -> float | None:
    """Return the most memory that TensorFlow has held on all GPUs together, or None where there is none."""
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        return None
    return sum(tf.config.experimental.get_memory_info(gpu.name)["peak"] for gpu in gpus) / 2**20
