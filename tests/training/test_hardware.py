import os
import subprocess
import sys

import keras
import pytest

from ablate.config.training import HardwareConfig
from ablate.training.hardware import configure


def hardware(**arguments: object) -> HardwareConfig:
    return HardwareConfig.model_validate(
        {"precision": "float32", "devices": None, "compile": "auto", "onednn": True, "threads": None, **arguments}
    )


@pytest.mark.slow
def test_what_came_of_it_is_described() -> None:
    facts = configure(hardware(precision="mixed_bfloat16"), seed=0, deterministic=True).facts
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert facts["precision"] == "mixed_bfloat16"
    assert facts["devices"]
    assert int(facts["threads"]) >= 1
    assert facts["deterministic"] == "true"
    configure(hardware(), seed=0, deterministic=True)
    assert keras.config.dtype_policy().name == "float32"


@pytest.mark.slow
def test_the_seed_is_everyone_s() -> None:
    configure(hardware(), seed=4, deterministic=True)
    one = keras.random.normal((3,))
    configure(hardware(), seed=4, deterministic=True)
    assert keras.ops.all(one == keras.random.normal((3,)))


@pytest.mark.slow
def test_onednn_and_threads_are_set_before_tensorflow_is_there() -> None:
    code = (
        "from ablate.config.training import HardwareConfig\nfrom ablate.training.hardware import configure\n"
        "own = HardwareConfig(precision='float32', devices=None, compile='auto', onednn=False, threads=1)\n"
        "facts = configure(own, seed=0, deterministic=False).facts\n"
        "print(facts['onednn'], facts['threads'], facts['deterministic'])"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"}
    finished = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert finished.stdout == "0 1 false\n"
    assert finished.stderr == ""
