"""Hydra's launchers, with the defaults that they have here; `benchmarks/launchers.py` runs a study through each."""

from collections.abc import Mapping
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from ablate.config.paths import conf_dir
from hydra_plugins.ablate_launchers.ray import _shares


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "expected"),
    [
        ("auto", {"runs_at_a_time": None, "runs_per_gpu": 1}),
        ("basic", {}),
        ("joblib", {"n_jobs": -1}),
        ("submitit_local", {"gpus_per_node": None, "timeout_min": 10080}),
        ("submitit_slurm", {"cpus_per_task": 8, "gpus_per_node": 1, "timeout_min": 1440}),
        (
            "ray",
            {"ray": {"init": {"address": None}, "remote": {"num_cpus": None, "num_gpus": None, "max_retries": 3}}},
        ),
    ],
)
def test_every_launcher_composes_without_a_warning(launcher: str, expected: Mapping[str, Any]) -> None:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("config", [f"hydra/launcher={launcher}"], return_hydra_config=True)
    assert {key: config.hydra.launcher[key] for key in expected} == expected


def node(cpus: float, gpus: float = 0, *, alive: bool = True) -> dict[str, Any]:
    return {"Alive": alive, "Resources": {"CPU": cpus} | ({"GPU": gpus} if gpus else {})}


@pytest.mark.parametrize(
    ("nodes", "given", "cpus", "gpus"),
    [
        ([node(8)], {}, 1, 0),
        ([node(16, 4)], {}, 4, 1),
        # The machine that the sweep is started on need not have GPUs.
        ([node(64), node(16, 4), node(8, 4)], {}, 2, 1),
        ([node(16, 4), node(2, 4, alive=False)], {}, 4, 1),
        ([node(2, 4)], {}, 1, 1),
        ([node(16, 4)], {"num_gpus": 0}, 1, 0),
        ([node(16, 4)], {"num_gpus": 0.5}, 2, 0.5),
    ],
)
def test_a_ray_task_has_a_gpu_and_its_part_of_the_cores(
    nodes: list[dict[str, Any]], given: dict[str, float], cpus: int, gpus: float
) -> None:
    assert _shares(nodes, given) == {"num_cpus": cpus, "num_gpus": gpus}
