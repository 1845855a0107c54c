"""The program that imports TensorFlow and prints what it sees as JSON: its own process, which that may kill.

python -m ablate.doctor.tensorflow_probe
"""

import json
from typing import Any


def main() -> None:
    """Print versions and GPUs, or the error that the import ended with."""
    try:
        found = _seen()
    except Exception as error:  # whatever a broken installation raises
        found = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
    print(json.dumps(found))


def _seen() -> dict[str, Any]:
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    import keras
    import tensorflow as tf

    from ablate.system.native_log import native_log

    with native_log():
        gpus = tf.config.list_physical_devices("GPU")
        names = [str(tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)) for gpu in gpus]
    return {
        "tensorflow": str(tf.__version__),
        "keras": str(keras.__version__),
        "gpus": names,
        "cuda": tf.sysconfig.get_build_info().get("cuda_version"),
    }


if __name__ == "__main__":
    main()
