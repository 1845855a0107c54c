"""How the launcher of a sweep trains its runs: how many at a time, and with how many threads each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import joblib
from omegaconf import DictConfig

from ablate.errors import ConfigError
from ablate.estimate.packing import ALONE, Packing, ray_shares
from ablate.study.planning import PlannedRun
from ablate.study.side_by_side import AUTO_LAUNCHER, AutoOptions, auto_options
from ablate.system.gpus import visible_gpus
from ablate.system.threads import job_threads

SWEEPER = "hydra_plugins.ablate_sweeper.sweeper.AblateSweeper"
_MEASURED_LATER = "as many runs at a time as are measured to be fastest when the sweep starts"


@dataclass(frozen=True)
class Launch:
    """How runs are launched.

    Attributes:
        packing: How many at a time; None where that is not known before they start.
        text: In words, to be read after "Launched".
    """

    packing: Packing | None
    text: str


def launch_of(
    config: DictConfig, planned: Sequence[PlannedRun], auto: Callable[[AutoOptions], Packing | None]
) -> Launch:
    """Return how the launcher of a sweep trains its runs.

    Args:
        config: The configuration of the sweep.
        planned: Its runs.
        auto: Works the packing out for `hydra/launcher=auto`, see `side_by_side.pack`.

    Raises:
        ConfigError: The launcher's options are wrong.
    """
    most = min(len(planned), config.hydra.sweeper.get("max_batch_size") or len(planned))
    found = _launch(config, most, planned[0].config.run.hardware.threads, auto)
    if found.packing is None or found.packing.runs_at_a_time <= most:
        return found
    fewer = replace(found.packing, runs_at_a_time=most, gpus=found.packing.gpus[:most])
    return Launch(fewer, fewer.explained)


def _launch(
    config: DictConfig, most: int, threads: int | None, auto: Callable[[AutoOptions], Packing | None]
) -> Launch:
    launcher, sweeper = config.hydra.launcher, config.hydra.sweeper
    target = str(launcher.get("_target_"))
    options = auto_options(config) if sweeper.get("_target_") == SWEEPER else None
    if options is not None:
        packing = auto(options)
        return Launch(packing, _MEASURED_LATER if packing is None else packing.explained)
    known = {
        AUTO_LAUNCHER: partial(_one_by_one, threads),  # as Hydra's own sweeper launches
        "hydra._internal.core_plugins.basic_launcher.BasicLauncher": partial(_one_by_one, threads),
        "hydra_plugins.ablate_launchers.submitit.LocalLauncher": partial(_one_by_one, threads),
        "hydra_plugins.ablate_launchers.joblib.JoblibLauncher": partial(_joblib, launcher, threads),
        "hydra_plugins.ablate_launchers.ray.RayLauncher": partial(_ray, launcher, threads),
        "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher": partial(_slurm, launcher, most),
    }
    if target in known:
        return known[target]()
    return Launch(None, f"by {target}, which says how many runs train at a time")


def _one_by_one(threads: int | None) -> Launch:
    packing = Packing(1, threads, ALONE)
    return Launch(packing, packing.explained)


def _joblib(launcher: Mapping[str, Any], threads: int | None) -> Launch:
    if launcher["n_jobs"] == 0:
        raise ConfigError("hydra.launcher.n_jobs must be a number of runs, or -1 for one on each core. Received: 0")
    at_a_time = joblib.effective_n_jobs(launcher["n_jobs"])
    # What joblib leaves each of its processes, see `job_threads`.
    share = min(job_threads(), max(1, joblib.cpu_count() // at_a_time))
    return _side_by_side(at_a_time, threads or share, "joblib")


def _ray(launcher: Mapping[str, Any], threads: int | None) -> Launch:
    init, remote = launcher["ray"]["init"], launcher["ray"]["remote"]
    address = init.get("address") or os.environ.get("RAY_ADDRESS")
    if address:
        return Launch(None, f"by Ray at {address}, as many runs at a time as its machines have room for")
    machine = {"CPU": init.get("num_cpus") or joblib.cpu_count(), "GPU": init.get("num_gpus") or len(visible_gpus())}
    given = {name: value for name, value in remote.items() if value is not None}
    shares = {**ray_shares([machine], given), **given}
    room = [
        int(machine[kind] / shares[name]) for kind, name in (("CPU", "num_cpus"), ("GPU", "num_gpus")) if shares[name]
    ]
    share = min(job_threads(), max(1, int(shares["num_cpus"])))
    return _side_by_side(max(1, min(room, default=1)), threads or share, "ray")


def _slurm(launcher: Mapping[str, Any], most: int) -> Launch:
    parallel = launcher.get("array_parallelism") or most
    limit = f", {parallel} at most" if parallel < most else ""
    return Launch(None, f"as jobs of SLURM, as many runs at a time as it has room for{limit}")


def _side_by_side(at_a_time: int, threads: int, launcher: str) -> Launch:
    packing = Packing(at_a_time, threads, f"hydra/launcher={launcher}")
    return Launch(packing, packing.explained)
