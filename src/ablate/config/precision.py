"""The precision of `hardware.precision=auto`: bfloat16 where the hardware multiplies it fast, else float32."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from hydra.core.utils import env_override

from ablate.system.gpus import gpus_multiply_bfloat16
from ablate.system.processor import bfloat16_units

log = logging.getLogger(__name__)

PRECISION_OF_SWEEP = "ABLATE_PRECISION"
"""The environment variable that a sweep tells its runs by: on another machine `auto` is still what was planned."""
AUTO, FLOAT32, BFLOAT16 = "auto", "float32", "mixed_bfloat16"


def with_chosen_precision(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a resolved configuration whose `hardware.precision` is no longer `auto`."""
    hardware = values.get("hardware")
    if not isinstance(hardware, Mapping) or hardware.get("precision") != AUTO:
        return dict(values)
    return {**values, "hardware": {**hardware, "precision": chosen_precision(hardware)}}


def chosen_precision(hardware: Mapping[str, Any]) -> str:
    """Return what `auto` stands for on the devices that a section `hardware` names.

    A GPU multiplies bfloat16 from compute capability 8 on, a CPU with AVX512-BF16 or AMX if oneDNN's kernels are used.
    """
    told = os.environ.get(PRECISION_OF_SWEEP)
    if told:
        return told
    only_cpu = str(hardware.get("devices")).startswith("cpu")
    return _of_machine(only_cpu=only_cpu, onednn=bool(hardware.get("onednn")))


@contextmanager
def same_precision(config: Mapping[str, Any]) -> Iterator[None]:
    """Let the runs of a sweep, which inherit the environment, take for `auto` what it stands for here.

    Args:
        config: The sweep's, composed.
    """
    hardware = config.get("hardware") or {}
    told = {PRECISION_OF_SWEEP: chosen_precision(hardware)} if hardware.get("precision") == AUTO else {}
    with env_override(told):
        yield


@cache
def _of_machine(*, only_cpu: bool, onednn: bool) -> str:
    on_gpus = None if only_cpu else gpus_multiply_bfloat16()
    units = bfloat16_units() if onednn else ()
    if on_gpus is not None:
        fast, why = on_gpus, "the GPU multiplies it fast" if on_gpus else "the GPU does not multiply bfloat16 fast"
    else:
        fast, why = bool(units), f"the CPU has {', '.join(units)}" if units else "the CPU does not multiply bfloat16"
    chosen = BFLOAT16 if fast else FLOAT32
    log.info("hardware.precision=auto is %s: %s", chosen, why)
    return chosen
