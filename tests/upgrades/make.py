"""What this version writes, small and whole, as a file that later versions have to read: given once for each release.

python tests/upgrades/make.py tests/upgrades/assets/VERSION.zip
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

STUDY = """\
question: Does a later version read what this one wrote?
baseline: {optimizer: adam}
factors: {optimizer: [adam, adadelta]}
design: one_at_a_time
seeds: [0]
metric: {name: auc_rebalanced, direction: maximize}
"""
SMALL = [
    *("scale=smoke", "depth=shallow", "backbone.width=0.03125", "hardware.threads=1", "evaluation.samples=1"),
    *("training.epochs=1", "training.steps_per_epoch=2"),
]
DATA = ["data=prepared", "data.root=prepared", "data.max_zoom=3.0"]
COMMANDS = [
    ["prepare", "data=sample", "scale=smoke", "out=prepared"],
    ["run", "-m", "experiment=upgrade", *DATA, *SMALL],
    ["report", "study=upgrade", "track=false"],
    ["turing", "build", "study=upgrade", "side=32", "photographs=3", "practice=0", "test=2", "checks=1"],
]


def main() -> None:
    """Run the commands in a new project, and keep what they have written."""
    out = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "experiments").mkdir()
        (project / "experiments" / "upgrade.yaml").write_text(STUDY)
        for module, *arguments in COMMANDS:
            subprocess.run([sys.executable, "-m", f"ablate.{module}", *arguments], cwd=project, check=True)
        for left in ("multirun", "outputs", "evaluation_sets", "reports"):
            shutil.rmtree(project / "results" / left, ignore_errors=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.make_archive(str(out.with_suffix("")), "zip", project)


if __name__ == "__main__":
    main()
