"""Numbers of this tree and of an earlier commit, compared bit by bit.

    python benchmarks/same_numbers.py COMMIT [OVERRIDE...]

Trains every level of every factor at `scale=smoke` with both, on the sample photographs, and compares all metrics
that a result consists of, training curves included. A change that should leave numbers alone is tried with it.
"""

import math
import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
FACTORS = ("optimizer", "regularizer", "depth", "dropout", "output_res", "loss")
OVERRIDES = (
    *("scale=smoke", "training.steps_per_epoch=6", "tracking.model=false", "tracking.system_metrics=false"),
    "study.name=same_numbers",
)
MACHINE = ("cost/wall_seconds", "cost/examples_per_second", "cost/peak_", "cost/time/", "plan/", "system/")
"""Metrics that depend on the machine and its load."""

Values = dict[tuple[str, str, int], float]


def study_file(folder: Path) -> None:
    """Write the study of every level of every factor, around the defaults."""
    defaults = {}
    for entry in yaml.safe_load((ROOT / "conf" / "config.yaml").read_text())["defaults"]:
        if isinstance(entry, dict):
            defaults.update({group.removeprefix("override ").lstrip("/"): level for group, level in entry.items()})
    levels = {factor: sorted(path.stem for path in (ROOT / "conf" / factor).glob("*.yaml")) for factor in FACTORS}
    (folder / "experiments").mkdir()
    (folder / "experiments" / "every_level.yaml").write_text(
        yaml.safe_dump(
            {
                "question": "Are the numbers the same?",
                "baseline": {factor: defaults[factor] for factor in FACTORS},
                "factors": levels,
                "design": "one_at_a_time",
                "seeds": [0],
                "metric": {"name": "auc_rebalanced", "direction": "maximize"},
            }
        )
    )


def trained(tree: Path, folder: Path, overrides: list[str]) -> Values:
    """Train the study with the code of a tree; return its metrics by run, name and step."""
    folder.mkdir()
    study_file(folder)
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree / "src"),
        "MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}",
    }
    subprocess.run(
        [sys.executable, "-m", "ablate.run", "-m", "experiment=every_level", *OVERRIDES, *overrides],
        cwd=folder, env=environment, check=True, stdout=sys.stderr,
    )  # fmt: skip
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        rows = database.execute(
            "select runs.name, metrics.key, metrics.step, metrics.value, metrics.is_nan from metrics "
            "join runs using (run_uuid) where runs.status = 'FINISHED' order by metrics.timestamp"
        )
        return {
            (run, key, step): math.nan if is_nan else value
            for run, key, step, value, is_nan in rows
            if not key.startswith(MACHINE)
        }


def main() -> int:
    """Compare; the exit code is 1 where a number differs or is missing."""
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    commit, *overrides = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        earlier = folder / "tree"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(earlier), commit], check=True)
        try:
            before, after = (
                trained(tree, folder / where, overrides) for tree, where in ((earlier, "before"), (ROOT, "after"))
            )
        finally:
            subprocess.run([*git, "remove", "--force", str(earlier)], check=True)
    print(
        f"| run | metrics | curve points | differ from {commit} | largest relative difference |\n|---|---|---|---|---|"
    )
    failed = before.keys() != after.keys()
    for run in sorted({run for run, _, _ in before | after}):
        keys = [key for key in before | after if key[0] == run]
        differences = [
            key for key in keys
            if key not in before or key not in after
            or not (before[key] == after[key] or (math.isnan(before[key]) and math.isnan(after[key])))
        ]  # fmt: skip
        relative = max(
            (
                abs(after[key] - before[key]) / max(abs(before[key]), 1e-300)
                if key in before and key in after
                else math.inf
                for key in differences
            ),
            default=0.0,
        )
        failed |= bool(differences)
        metrics = len({name for _, name, _ in keys})
        print(f"| {run} | {metrics} | {len(keys)} | {len(differences)} | {relative:.2g} |")
    for key in sorted(before.keys() ^ after.keys())[:20]:
        print(f"only {'before' if key in before else 'after'}: {' '.join(map(str, key))}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
