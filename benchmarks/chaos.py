"""A study that is killed with SIGKILL at random moments and invoked again, against one that is left alone.

It must end with every run finished once and the same numbers to the last bit. Takes about ten minutes on two cores.

    python benchmarks/chaos.py [kills] [seed]
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from ablate.tracking.read import read_study
from ablate.tracking.store import open_store

STUDY = """question: Does it survive?
baseline: {output_res: full, dropout: light}
factors: {output_res: [full, half, quarter], dropout: [light, heavy]}
design: full_factorial
seeds: [0, 1]
metric: {name: auc_rebalanced, direction: maximize}
"""
RUNS = 12
CURVES = ("train/loss", "train/learning_rate", "val/loss")


def invoke(folder: Path, kill_after: float | None = None) -> int:
    """Invoke the study, and kill it after some seconds: all of its processes, or only the command.

    Returns:
        The command's exit code.
    """
    command = ["ablate.run", "-m", "experiment=chaos", "scale=smoke", "data=sample", "checkpoint.minutes=0.05"]
    with (folder / "log.txt").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env={**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(kill_after)
        except subprocess.TimeoutExpired:
            if random.random() < 0.75:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            return process.wait()


def results(folder: Path) -> tuple[pd.DataFrame, dict[tuple[str, int, str], pd.DataFrame]]:
    """Return what a study found: its metrics by variant and seed, but for costs; and its curves."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    open_store(uri)
    record = read_study("chaos", uri)
    assert (record.runs["status"] == "FINISHED").all(), record.runs["status"]
    assert len(record.runs) == record.runs["identity"].nunique() == RUNS, len(record.runs)
    names = [name for name in map(str, record.metrics) if not name.startswith(("cost/", "plan/"))]
    keys = record.runs[["variant", "seed"]]
    metrics = record.metrics[names].join(keys).set_index(["variant", "seed"]).sort_index()
    curves = {
        (str(run["variant"]), int(run["seed"]), curve): record.curve(str(run_id), curve)
        for run_id, run in record.runs.iterrows()
        for curve in CURVES
    }
    return metrics, curves


def main() -> None:
    """Measure and print."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / kind for kind in ("undisturbed", "killed")]
        for folder in folders:
            (folder / "experiments").mkdir(parents=True)
            (folder / "experiments" / "chaos.yaml").write_text(STUDY)
        calm, killed = folders
        begun = time.monotonic()
        assert invoke(calm) == 0, (calm / "log.txt").read_text()[-3000:]
        alone = time.monotonic() - begun
        begun, landed = time.monotonic(), 0
        while landed < kills:
            code = invoke(killed, kill_after=random.uniform(2, 1.5 * alone / RUNS + 8))
            landed += code == -signal.SIGKILL
            if code == 0:
                break
        code = invoke(killed)
        assert code == 0, (killed / "log.txt").read_text()[-3000:]
        disturbed = time.monotonic() - begun
        (expected, expected_curves), (found, found_curves) = results(calm), results(killed)
        pd.testing.assert_frame_equal(found, expected, check_exact=True, check_like=True)
        for key, curve in expected_curves.items():
            pd.testing.assert_frame_equal(found_curves[key], curve, check_exact=True)
        left = [path.name for path in (killed / "checkpoints").iterdir()]
        assert left == ["claims.lock"], left
    print(
        f"{RUNS} runs, killed {landed} times: each finished once, {expected.shape[1]} metrics and "
        f"{len(expected_curves)} curves the same to the last bit; {alone:.0f} s undisturbed, {disturbed:.0f} s killed"
    )


if __name__ == "__main__":
    main()
