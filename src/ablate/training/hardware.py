"""What a run computes with: set up before the first tensor is made, and described for tracking."""

import logging
import os
import platform
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ablate.config import HardwareConfig, set_onednn
from ablate.cpus import job_threads

log = logging.getLogger(__name__)


def configure(hardware: HardwareConfig, *, seed: int, deterministic: bool) -> Mapping[str, str]:
    """Set up TensorFlow and Keras for a run; imports both.

    Once in a process: TensorFlow reads some of it only once, and determinism cannot be taken back.

    Args:
        hardware: The section `hardware`.
        seed: Seed of Keras', NumPy's and Python's global generators.
        deterministic: Whether operations must give the same bits every time, at some cost in speed on a GPU.

    Returns:
        What came of it: devices, threads, precision, oneDNN, determinism.
    """
    set_onednn(hardware.onednn)
    import_tensorflow()
    import keras
    import tensorflow as tf

    with _native_log():
        gpus = tf.config.list_physical_devices("GPU")
    if not gpus and any(Path("/dev").glob("nvidia[0-9]*")):
        log.warning("This machine has a GPU that TensorFlow does not see: is the extra `ablate[gpu]` installed?")
    threading = tf.config.threading
    threads = hardware.threads or job_threads()
    # 0 stands for all cores.
    if (threading.get_intra_op_parallelism_threads() or os.cpu_count()) != threads:
        threading.set_intra_op_parallelism_threads(threads)
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
        "threads": str(threads),
        "precision": hardware.precision,
        "onednn": os.environ["TF_ENABLE_ONEDNN_OPTS"],
        "deterministic": str(deterministic).lower(),
    }


def import_tensorflow() -> None:
    """Import TensorFlow and Keras without what their native code prints."""
    with _native_log():
        import keras  # noqa: F401
        import tensorflow  # noqa: F401


def peak_device_memory_mib() -> float | None:
    """Return the most memory that TensorFlow has held on all GPUs together, or None where there is none."""
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        return None
    return sum(tf.config.experimental.get_memory_info(gpu.name)["peak"] for gpu in gpus) / 2**20


@contextmanager
def _native_log() -> Iterator[None]:
    """Send what TensorFlow's native code prints at its start to the debug log; to stderr only where it fails.

    Half a dozen lines, some called errors, say that a machine without a GPU has none; no setting silences them.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile("w+", errors="replace") as printed:
        os.dup2(printed.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(stderr, 2)
            printed.seek(0)
            sys.stderr.write(printed.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
        printed.seek(0)
        for line in printed:
            log.debug("%s", line.rstrip())


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
