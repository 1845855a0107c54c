"""One study through every launcher that runs here, on Ray with a machine killed in its middle: the same numbers.

Takes about five minutes on two cores; needs the extras joblib, submitit and ray.

    python benchmarks/launchers.py [launcher ..]
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from ablate.tracking.read import read_study
from ablate.tracking.store import open_store

SWEEP = (
    *("output_res=full,quarter", "seed=0,1", "scale=smoke", "backbone.width=0.0625", "depth=shallow"),
    *("training.epochs=3", "training.steps_per_epoch=60", "dropout=light", "tracking.model=false"),
    *("hardware.threads=1", "checkpoint.minutes=0.05", "study.name=launched"),
)
LAUNCHERS = ("basic", "joblib", "submitit_local", "ray")


def start(folder: Path, *overrides: str) -> subprocess.Popen[bytes]:
    """Start the study in a folder of its own."""
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "ablate.run", "-m", *SWEEP, *overrides],
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}"},
        stdout=(folder / "log.txt").open("w"),
        stderr=subprocess.STDOUT,
    )


def on_two_machines_of_which_one_is_killed(folder: Path) -> int:
    """Run the study on a Ray cluster of two nodes, and kill one as soon as both train; return the exit code."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    process = start(folder, "hydra/launcher=ray", f"hydra.launcher.ray.init.address='{cluster.address}'")
    try:
        while process.poll() is None:
            checkpoints = list((folder / "checkpoints").glob("*/checkpoint.npz"))
            if len(checkpoints) >= 2:
                cluster.remove_node(second, allow_graceful=False)
                break
            time.sleep(0.2)
        return process.wait()
    finally:
        cluster.shutdown()


def metrics(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Return what the runs measured, by variant and seed, but for costs; and their sessions, where more than one."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    open_store(uri)
    record = read_study("launched", uri)
    assert list(record.runs["status"]) == ["FINISHED"] * 4, record.runs["status"]
    names = [name for name in map(str, record.metrics) if not name.startswith(("cost/", "plan/"))]
    table = record.metrics[names].join(record.runs[["variant", "seed"]]).set_index(["variant", "seed"])
    return table.sort_index(), record.runs.get("sessions", pd.Series(index=record.runs.index, dtype=object))


def main() -> None:
    """Measure and print."""
    chosen = sys.argv[1:] or LAUNCHERS
    with tempfile.TemporaryDirectory() as name:
        expected = None
        for launcher in chosen:
            folder, begun = Path(name) / launcher, time.monotonic()
            if launcher == "ray":
                code = on_two_machines_of_which_one_is_killed(folder)
            else:
                code = start(folder, f"hydra/launcher={launcher}").wait()
            assert code == 0, (folder / "log.txt").read_text()[-5000:]
            found, sessions = metrics(folder)
            expected = found if expected is None else expected
            pd.testing.assert_frame_equal(found, expected, check_exact=True, check_like=True)
            print(
                f"{launcher}: {len(found)} runs in {time.monotonic() - begun:.0f} s, "
                f"{sessions.notna().sum()} of them gone on with, {found.shape[1]} metrics as with {chosen[0]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
