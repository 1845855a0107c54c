"""The hardware of commands that train nothing."""

from typing import Literal

from ablate.config.training import HardwareConfig
from ablate.training.hardware import configure


def configure_inference(*, devices: Literal["cpu"] | None = None, deterministic: bool = False) -> None:
    """Set up TensorFlow and Keras for trained networks, in float32; once in a process.

    Args:
        devices: None for a GPU where there is one.
        deterministic: See `configure`.
    """
    hardware = HardwareConfig(precision="float32", devices=devices, compile="graph", onednn=True, threads=None)
    configure(hardware, seed=0, deterministic=deterministic)
