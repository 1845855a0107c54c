"""The command `python -m ablate.plan`, as a user meets it."""

import importlib.metadata
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.execution.lease import acquire_lease
from ablate.study.power_text import format_power
from ablate.tracking import names
from ablate.tracking.phase_shares import SAME
from ablate.tracking.study_record import StudyRecord
from tests.support.commands import QUICK, TINY, Command

Run = Callable[..., None]


def plan(forked_m: Command, *arguments: str) -> dict[str, object]:
    finished = forked_m("ablate.plan", *arguments, "--json")
    assert finished.returncode == 0, finished.stderr
    return dict(json.loads(finished.stdout))


@pytest.mark.slow
def test_what_a_task_prints_is_none_of_the_json(home: Path, forked_m: Command) -> None:
    (home / "conf").mkdir()
    (home / "conf" / "config.yaml").write_text("defaults: [base, _self_]\ntask: {_target_: loud.Loud}\n")
    (home / "loud.py").write_text(
        "from ablate import FunctionTask, Measure\n"
        "print('loud')\n"
        "class Loud(FunctionTask):\n"
        "    measures = {'error': Measure('Error', '', 'lower')}\n"
        "    def train(self, config, seed, run):\n"
        "        return {'error': 0.0}\n"
    )
    finished = forked_m("ablate.plan", "--config-dir", "conf", "--json")
    assert [run["status"] for run in json.loads(finished.stdout)["runs"]] == ["to do"]
    assert "loud" in finished.stderr


@pytest.mark.slow
def test_a_store_is_only_read(home: Path, empty_store: Path, forked_m: Command) -> None:
    (home / "mlflow.db").write_bytes(empty_store.read_bytes())
    before = {path: path.read_bytes() for path in home.iterdir() if path.is_file()}
    assert plan(forked_m, *TINY)["total"]["statuses"] == {"to do": 1}
    # No lock and no folder of artifacts either: the disk may be full, or somebody else's.
    assert {path: path.read_bytes() if path.is_file() else None for path in home.iterdir()} == before


@pytest.mark.slow
def test_it_says_where_every_run_stands_and_what_it_takes(
    home: Path, run_here: Run, forked_m: Command, study: Callable[[], StudyRecord]
) -> None:
    sweep = [*TINY, "seed=0,1,2"]
    before = plan(forked_m, *sweep)
    assert [run["status"] for run in before["runs"]] == ["to do"] * 3
    assert before["total"]["seconds"] is None
    run_here(*TINY, "seed=0")
    (identity,) = study().runs["identity"]
    after = plan(forked_m, *sweep)
    assert [run["status"] for run in after["runs"]] == ["done", "to do", "to do"]
    assert after["runs"][0]["identity"] == identity
    took = study().metrics["plan/seconds"].iloc[0]
    assert after["total"]["seconds"] == pytest.approx(3 * after["runs"][0]["seconds"], abs=1e-4)
    assert abs(after["runs"][1]["seconds"] - took) < 0.2 * took
    assert after["total"]["seconds_left"] == pytest.approx(2 * after["runs"][1]["seconds"], abs=1e-4)
    cost = study().metrics.iloc[0]
    spent = cost[[*names.PHASE_SECONDS.values()]]
    assert (spent > 0).all()
    assert (after["phases"]["runs"], after["phases"]["basis"]) == (1, SAME)
    assert after["phases"]["seconds"] == pytest.approx(spent.sum())
    assert list(after["phases"]["shares"].values()) == pytest.approx(list(spent / spent.sum()), abs=1e-6)
    assert after["runs"][1]["parameters"] == cost["cost/parameters"]
    assert after["energy"]["watts"] == pytest.approx(3.6e6 * cost["cost/energy_kwh"] / took, rel=1e-4)
    assert after["energy"]["method"] == study().runs["energy"].iloc[0]
    assert after["runs"][1]["gflops_per_example"] == round(cost["cost/flops_per_example"] / 1e9, 6)

    with acquire_lease(home / "checkpoints" / str(after["runs"][2]["identity"]), timeout_minutes=1) as lease:
        assert lease is not None
        lease.report_progress({"step": 1, "steps": 2, "epochs": 1, "seconds_left": 7.0})
        shown = forked_m("ablate.plan", *sweep, "study.name=other").stdout.splitlines()
    assert "cached" in shown[3]
    assert "running, epoch 1 of 1: by process" in shown[5]
    assert shown[7] == "3 runs: 1 cached, 1 to do, 1 running"
    assert shown[8].startswith("Time left: ")
    assert any(line.startswith("A run takes ") for line in shown[9:])


@pytest.mark.slow
def test_it_imports_no_tensorflow_and_makes_no_store(home: Path) -> None:
    (home / "mlflow.db").unlink()
    code = (
        "import sys; sys.argv = ['plan', 'experiment=screening']; from ablate.plan import main; main(); "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    )
    finished = subprocess.run([sys.executable, "-c", code], cwd=home, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith("Study screening: Which of five choices matter at all")
    assert "32 runs: 32 to do" in finished.stdout
    assert not (home / "mlflow.db").exists()


@pytest.mark.slow
def test_it_lists_the_code_that_results_depend_on(forked_m: Command) -> None:
    listed = forked_m("ablate.plan", *QUICK, "code=true").stdout
    assert "  ablate.colorization.model.loss\n" in listed
    assert f"{importlib.metadata.version('keras'):16}  keras\n" in listed
    assert "archives" not in listed
    assert plan(forked_m, *QUICK)["code"] is None


@pytest.mark.slow
def test_mistakes_end_in_one_clear_line(forked_m: Command) -> None:
    for arguments, message in (
        (["experiment=nothing"], "Error: unknown level: experiment=nothing. Allowed: "),
        (["optimizer=adamm"], "Error: unknown level: optimizer=adamm. Allowed: "),
        (["--jsn"], "Error: unknown option: --jsn. Allowed: --json, --help"),
    ):
        finished = forked_m("ablate.plan", *arguments)
        assert finished.returncode == 1
        assert finished.stderr.startswith(message)
        assert finished.stderr.count("\n") == 1


NOISY = """
import numpy as np
import pandas as pd
from ablate import FunctionTask, Measure

class Noisy(FunctionTask):
    measures = {"score": Measure("Score", "points", "higher")}

    def train(self, config, seed, run):
        random = np.random.default_rng([seed, config.noisy.gain])
        return pd.DataFrame({"score": config.noisy.gain + random.normal() + random.normal(0, 1, 20)})
"""
STUDY = """
question: Does gain help?
baseline: {noisy.gain: 0}
factors: {noisy.gain: [0, 1]}
design: one_at_a_time
seeds: SEEDS
metric: {name: score, direction: maximize}
"""


@pytest.mark.slow
def test_it_says_what_more_seeds_would_find(home: Path, forked_m: Command) -> None:
    for folder in ("conf", "experiments"):
        (home / folder).mkdir()
    (home / "conf" / "config.yaml").write_text(
        "defaults: [base, _self_]\ntask: {_target_: noisy.Noisy}\nnoisy: {gain: 0}\n"
        # Not the store that MLflow itself finds.
        "tracking: {uri: sqlite:///own.db}\n"
    )
    (home / "noisy.py").write_text(NOISY)
    (home / "experiments" / "small.yaml").write_text(STUDY.replace("SEEDS", "[0, 1, 2, 3]"))
    (home / "experiments" / "pilot.yaml").write_text(STUDY.replace("SEEDS", "[0, 1]"))
    power = ("ablate.plan", "--config-dir", "conf", "experiment=small", "power=true")
    finished = forked_m(*power)
    assert finished.returncode == 1
    assert finished.stderr.startswith("Error: power=true needs finished runs of this study's variants, two seeds")
    assert finished.stderr.count("\n") == 1
    assert forked_m("ablate.run", "-m", "--config-dir", "conf", "experiment=pilot").returncode == 0
    finished = forked_m(*power, "difference=1000", "--json")
    assert finished.returncode == 0, finished.stderr
    found = json.loads(finished.stdout)
    assert found["pilot"] == {"runs": 4, "variants": 2, "seeds": 2}
    assert [plan["seeds"] for plan in found["plans"]] == list(range(3, 13))
    assert [plan["runs"] for plan in found["plans"]] == list(range(6, 25, 2))
    assert all(0 < plan["hours_left"] < plan["hours"] for plan in found["plans"])
    differences = [plan["detectable"]["noisy.gain=1"] for plan in found["plans"]]
    assert differences[0] > differences[-1] > 0
    assert found["cheapest"]["seeds"] == 3
    assert "noisy.gain=1 " in format_power(found)


@pytest.mark.slow
def test_power_needs_a_study_and_a_number(forked_m: Command) -> None:
    for arguments, message in (
        (["power=true", *TINY], "Error: power=true needs experiment=NAME: "),
        (["power=true", "difference=0", *TINY], "Error: difference= needs power=true and a number above 0. Received"),
        (["difference=1", *TINY], "Error: difference= needs power=true"),
    ):
        finished = forked_m("ablate.plan", *arguments)
        assert finished.returncode == 1
        assert finished.stderr.startswith(message)
        assert finished.stderr.count("\n") == 1


@pytest.mark.slow
def test_help_teaches(forked_m: Command) -> None:
    text = forked_m("ablate.plan", "--help").stdout
    assert "calibrate=true" in text
    assert "power=true difference=" in text
