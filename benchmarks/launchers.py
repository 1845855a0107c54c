"""One study through every launcher that runs here, on Ray with a machine killed in its middle: the same numbers.

Takes about five minutes on two cores; needs the extras joblib, submitit and ray.

    python benchmarks/launchers.py [launcher ..]
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.sweeps import assert_same_bits, finish, found, start

SWEEP = (
    *("output_res=full,quarter", "seed=0,1", "scale=smoke", "backbone.width=0.0625", "depth=shallow"),
    *("training.epochs=3", "training.steps_per_epoch=60", "dropout=light", "tracking.model=false"),
    *("hardware.threads=1", "checkpoint.minutes=0.05", "study.name=launched"),
)
RUNS = 4
LAUNCHERS = ("auto", "basic", "joblib", "submitit_local", "ray")


def on_two_machines_of_which_one_is_killed(folder: Path) -> subprocess.Popen[bytes]:
    """Run the study on a Ray cluster of two nodes, and kill one as soon as both train."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    process = start(folder, *SWEEP, "hydra/launcher=ray", f"hydra.launcher.ray.init.address='{cluster.address}'")
    try:
        while process.poll() is None:
            checkpoints = list((folder / "checkpoints").glob("*/checkpoint.npz"))
            if len(checkpoints) >= 2:
                cluster.remove_node(second, allow_graceful=False)
                break
            time.sleep(0.2)
        process.wait()
        return process
    finally:
        cluster.shutdown()


def main() -> None:
    """Measure and print."""
    chosen = sys.argv[1:] or LAUNCHERS
    with tempfile.TemporaryDirectory() as name:
        expected = None
        for launcher in chosen:
            folder, begun = Path(name) / launcher, time.monotonic()
            if launcher == "ray":
                process = on_two_machines_of_which_one_is_killed(folder)
            else:
                process = start(folder, *SWEEP, f"hydra/launcher={launcher}")
            finish(process, folder)
            results = found(folder, "launched", runs=RUNS)
            expected = results if expected is None else expected
            assert_same_bits(results, expected)
            print(
                f"{launcher}: {RUNS} runs in {time.monotonic() - begun:.0f} s, "
                f"{(results.attempts > 1).sum()} of them resumed, {results.results.shape[1]} metrics, "
                f"{len(results.curves)} curves and {RUNS} tables of examples as with {chosen[0]}",
                flush=True,
            )


if __name__ == "__main__":
    main()
