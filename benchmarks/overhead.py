"""Overhead of `ablate`: what a run of a sweep costs beside its training, a plan of 200 runs, and `import ablate`.

Two small projects train one second a run: a function that sleeps, and a network of Keras. A sweep of few and one of
more runs are timed, in a new store each; their difference, divided by the runs that one has more, is what a run takes,
and what is left the start. Training is what runs record of it (`cost/wall_seconds`). CPU seconds are those of all
processes of a sweep; on a machine that does other things at the same time, they are the figure to look at.

    python benchmarks/overhead.py [--runs 20] [--repetitions 1] [sweep.function sweep.keras plan import]
"""

import argparse
import ctypes
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FEW = 2
"""Runs of the short sweep."""
_PR_SET_CHILD_SUBREAPER = 36
BASE = "defaults: [base, {size: small}, _self_]\ntask: {_target_: mine.Mine}\ntraining: {epochs: 2}\n"
FUNCTION = """
import time
import pandas as pd
from ablate import FunctionTask, Measure

class Mine(FunctionTask):
    measures = {"accuracy": Measure("Accuracy", "%", "higher")}

    def train(self, config, seed, run):
        time.sleep(1)
        run.log_metrics({"loss": 0.5}, 1)
        return pd.DataFrame({"accuracy": [100.0, 0.0] * 50})
"""
KERAS = """
import time
import numpy as np
from ablate import ArrayTask, Measure

class Mine(ArrayTask):
    loss = "sparse_categorical_crossentropy"
    measures = {"accuracy": Measure("Accuracy", "%", "higher", lambda y, p: 100.0 * (p.argmax(1) == y))}

    def data(self):
        x, y = np.random.default_rng(0).normal(size=(1200, 8)).astype("float32"), np.arange(1200) % 3
        return (x[:1000], y[:1000]), (x[1000:], y[1000:])

    def model(self):
        import keras

        return keras.Sequential([keras.Input((8,)), keras.layers.Dense(self.config.size.units, "relu"),
                                 keras.layers.Dense(3, "softmax")])

    def callbacks(self):
        import keras

        return [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: time.sleep(0.5))]
"""
SOURCES = {"function": FUNCTION, "keras": KERAS}


class Usage:
    """Wall and CPU seconds of a command and of all processes that it leaves behind."""

    def __init__(self, *arguments: str, folder: Path):
        # What a command leaves behind, as the server that runs are forked from, becomes a child of this process.
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
        done = subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        self.wall = time.monotonic() - begun
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)} ended with code {done.returncode}:\n{done.stdout}{done.stderr}")
        while _left():
            os.wait()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _left() -> bool:
    return bool(Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii"))


def project(kind: str) -> Path:
    """Write a project of one's own into a new folder."""
    folder = Path(tempfile.mkdtemp(prefix=f"overhead-{kind}-"))
    (folder / "conf" / "size").mkdir(parents=True)
    (folder / "conf" / "config.yaml").write_text(BASE)
    for name, units in (("small", 16), ("large", 32)):
        (folder / "conf" / "size" / f"{name}.yaml").write_text(f"name: {name}\nunits: {units}\n")
    (folder / "mine.py").write_text(SOURCES[kind])
    return folder


def sweep(kind: str, runs: int) -> tuple[Usage, float]:
    """Sweep in a new project; return what it took, and the seconds of a run's training."""
    folder = project(kind)
    seeds = ",".join(str(seed) for seed in range(runs // 2))
    store = f"tracking.uri=sqlite:///{folder}/mlflow.db"
    arguments = ("--config-dir", "conf", "-m", "size=small,large", f"seed={seeds}", store)
    usage = Usage("-m", "ablate.run", *arguments, folder=folder)
    with sqlite3.connect(folder / "mlflow.db") as connection:
        trained = connection.execute("SELECT value FROM metrics WHERE key = 'cost/wall_seconds'").fetchall()
    assert len(trained) == runs, trained
    return usage, statistics.mean(value for (value,) in trained)


def measure_sweep(kind: str, runs: int) -> None:
    """Print what a run costs beside its training, and what a sweep takes to start."""
    short, _ = sweep(kind, FEW)
    long, training = sweep(kind, runs + FEW)
    wall, cpu = (long.wall - short.wall) / runs, (long.cpu - short.cpu) / runs
    print(
        f"sweep.{kind}: a run takes {wall:.2f} s, {wall - training:.2f} s of it beside training; {cpu:.2f} s of CPU. "
        f"The start takes {short.wall - FEW * wall:.2f} s, {short.cpu - FEW * cpu:.2f} s of CPU",
        flush=True,
    )


def measure_plan() -> None:
    """Print what a plan of many runs takes."""
    levels = "optimizer=adam,adadelta depth=full,reduced,shallow dropout=none,light,heavy output_res=full,half"
    seeds = ",".join(str(seed) for seed in range(6))
    for arguments in ([*levels.split(), f"seed={seeds}"], ["optimizer=adam"]):
        usage = Usage("-m", "ablate.plan", *arguments, folder=Path(tempfile.mkdtemp(prefix="overhead-plan-")))
        print(f"plan {' '.join(arguments)}: {usage.wall:.2f} s, {usage.cpu:.2f} s of CPU", flush=True)


def measure_import() -> None:
    """Print what imports take."""
    for code in ("pass", "import ablate", "from ablate import ArrayTask, FunctionTask, Measure"):
        usage = Usage("-c", code, folder=Path(tempfile.gettempdir()))
        print(f"{code}: {usage.wall:.3f} s, {usage.cpu:.3f} s of CPU", flush=True)


MEASURES = {
    "sweep.function": lambda runs: measure_sweep("function", runs),
    "sweep.keras": lambda runs: measure_sweep("keras", runs),
    "plan": lambda runs: measure_plan(),
    "import": lambda runs: measure_import(),
}


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", metavar="WHAT", help="by default all")
    parser.add_argument("--runs", type=int, default=20, help="runs that the long sweep has more than the short one")
    parser.add_argument("--repetitions", type=int, default=1)
    given = parser.parse_args()
    unknown = set(given.what) - MEASURES.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}. Allowed: {', '.join(MEASURES)}")
    for _ in range(given.repetitions):
        for name in given.what or MEASURES:
            MEASURES[name](given.runs)


if __name__ == "__main__":
    main()
