"""Files of this version, small and whole, that later versions have to read: made once for each release.

python tests/upgrades/make.py tests/upgrades/assets/VERSION.zip
"""

import itertools
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import ablate

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
ARCHIVE = ["archive", "export", "study=upgrade", "models=true", "anonymous=true", "out=results/archives/upgrade.zip"]


def forget_places(results: Path, places: dict[str, str]) -> None:
    """Call folders of this machine by other names, wherever a store has them."""
    for path in results.rglob("MLmodel"):
        text = path.read_text()
        for place, name in places.items():
            text = text.replace(place, name)
        path.write_text(text)
    database = sqlite3.connect(results / "mlflow.db")
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
        for column, (place, name) in itertools.product(columns, places.items()):
            changed = f"UPDATE {table} SET {column} = replace({column}, ?, ?) WHERE instr({column}, ?)"
            database.execute(changed, (place, name, place))
    database.commit()
    database.execute("VACUUM")
    database.close()


def ablate_in(project: Path, command: list[str]) -> None:
    """Run a command in a project."""
    module, *arguments = command
    subprocess.run([sys.executable, "-m", f"ablate.{module}", *arguments], cwd=project, check=True)


def main() -> None:
    """Run the commands in a new project, and keep what they have written."""
    out = Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "experiments").mkdir()
        (project / "experiments" / "upgrade.yaml").write_text(STUDY)
        for command in COMMANDS:
            ablate_in(project, command)
        for left in ("multirun", "outputs", "evaluation_sets", "reports"):
            shutil.rmtree(project / "results" / left, ignore_errors=True)
        forget_places(project / "results", {str(project): "/project", str(Path(ablate.__file__).parent): "/ablate"})
        ablate_in(project, ARCHIVE)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.make_archive(str(out.with_suffix("")), "zip", project)


if __name__ == "__main__":
    main()
