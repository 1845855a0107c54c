"""How the launchers train the runs of a sweep."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import joblib
import pytest
from hydra import compose, initialize_config_dir

from ablate.config.paths import conf_dir
from ablate.errors import ConfigError
from ablate.estimate.packing import ALONE, MEASURED, Packing
from ablate.study import launchers
from ablate.study.launchers import Launch, launch_of
from ablate.study.planning import PlannedRun

FOUND = Packing(3, 1, MEASURED)
ALL_CORES = Packing(1, None, ALONE)


def launched(*overrides: str, threads: int | None = None, auto: Packing | None = FOUND, runs: int = 6) -> Launch:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("config", list(overrides), return_hydra_config=True)
    run = SimpleNamespace(config=SimpleNamespace(run=SimpleNamespace(hardware=SimpleNamespace(threads=threads))))
    return launch_of(config, [cast(PlannedRun, run)] * runs, lambda options: auto)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with eight cores."""
    monkeypatch.setattr(joblib, "cpu_count", lambda: 8)
    monkeypatch.setattr(launchers, "visible_gpus", list)
    for name in ("OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "options", "expected"),
    [
        ("auto", [], FOUND),
        ("auto", ["hydra/sweeper=basic"], ALL_CORES),
        ("auto", ["hydra.sweeper.max_batch_size=2"], Packing(2, 1, MEASURED)),
        ("basic", [], ALL_CORES),
        ("submitit_local", [], ALL_CORES),
        ("joblib", ["hydra.launcher.n_jobs=4"], Packing(4, 2, "hydra/launcher=joblib")),
        ("joblib", ["hydra.launcher.n_jobs=1"], Packing(1, 8, "hydra/launcher=joblib")),
        ("joblib", ["hydra.launcher.n_jobs=100"], Packing(6, 1, "hydra/launcher=joblib")),
        ("ray", [], Packing(6, 1, "hydra/launcher=ray")),
        ("ray", ["hydra.launcher.ray.remote.num_cpus=3"], Packing(2, 3, "hydra/launcher=ray")),
        ("ray", ["+hydra.launcher.ray.init.num_gpus=2"], Packing(2, 4, "hydra/launcher=ray")),
        ("ray", ["+hydra.launcher.ray.init.num_cpus=4"], Packing(4, 1, "hydra/launcher=ray")),
    ],
)
def test_what_a_launcher_does_here_is_known(launcher: str, options: Sequence[str], expected: Packing) -> None:
    assert launched(f"hydra/launcher={launcher}", *options) == Launch(expected, expected.explained)


@pytest.mark.slow
def test_the_user_s_threads_stay() -> None:
    for launcher in ("joblib", "ray", "basic"):
        found = launched(f"hydra/launcher={launcher}", threads=5).packing
        assert found is not None
        assert found.threads == 5


@pytest.mark.slow
def test_what_others_decide_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    def text(*overrides: str, **others: Any) -> str:
        found = launched(*overrides, **others)
        assert found.packing is None
        return found.text

    slurm = "as jobs of SLURM, as many runs at a time as it has room for"
    assert text("hydra/launcher=submitit_slurm") == slurm
    assert text("hydra/launcher=submitit_slurm", "hydra.launcher.array_parallelism=3") == f"{slurm}, 3 at most"
    cluster = "by Ray at HOST:6379, as many runs at a time as its machines have room for"
    assert text("hydra/launcher=ray", "hydra.launcher.ray.init.address=HOST:6379") == cluster
    monkeypatch.setenv("RAY_ADDRESS", "HOST:6379")
    assert text("hydra/launcher=ray") == cluster
    assert text("hydra.launcher._target_=my.Launcher") == "by my.Launcher, which says how many runs train at a time"
    assert "measured to be fastest" in text(auto=None)


@pytest.mark.slow
def test_no_runs_at_a_time_are_one_line() -> None:
    with pytest.raises(ConfigError, match=r"hydra\.launcher\.n_jobs must be a number of runs, or -1"):
        launched("hydra/launcher=joblib", "hydra.launcher.n_jobs=0")
