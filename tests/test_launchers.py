"""Hydra's launchers, with the defaults that they have here; `benchmarks/launchers.py` runs a study through each."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

import hydra_plugins
from ablate.config.paths import conf_dir
from hydra_plugins.ablate_launchers.ray import RayLauncher, _shares


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


ONE_FOLDER = """\
import hydra_plugins
hydra_plugins.__path__ = [{folder!r}]
from hydra import compose, initialize_config_dir
from ablate.config.paths import conf_dir
with initialize_config_dir(str(conf_dir()), version_base="1.3"):
    for launcher in ("joblib", "submitit_local", "submitit_slurm"):
        config = compose("config", ["hydra/launcher=" + launcher], return_hydra_config=True).hydra.launcher
        print(launcher, config._target_.rsplit(".", 1)[0], config.get("timeout_min"))
"""


@pytest.mark.slow
def test_launchers_are_the_same_where_all_plug_ins_are_in_one_folder(tmp_path: Path) -> None:
    # As pip installs wheels. Hydra executes them by name there, the ones that these launchers wrap last.
    for place in hydra_plugins.__path__:
        for plugin in Path(place).iterdir():
            if plugin.is_dir() and not (tmp_path / plugin.name).exists():
                (tmp_path / plugin.name).symlink_to(plugin)
    script = ONE_FOLDER.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "joblib hydra_plugins.ablate_launchers.joblib None",
        "submitit_local hydra_plugins.ablate_launchers.submitit 10080",
        "submitit_slurm hydra_plugins.hydra_submitit_launcher.submitit_launcher 1440",
    ]
    assert done.stderr == ""


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


def test_who_cannot_reach_a_cluster_of_ray_is_told_of_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    launcher = RayLauncher({"init": {"address": "HOST:6379"}, "remote": {}})
    assert "export RAY_AUTH_MODE=token" in launcher._advice()
    assert RayLauncher({"init": {"address": None}, "remote": {}})._advice() == ""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    assert launcher._advice() == ""
