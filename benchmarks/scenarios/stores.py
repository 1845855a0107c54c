"""Disks that are full, and stores that cannot be read, written or understood."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scenarios.frame import QUICK, Fault, Impossible, Place, scenario

GROUP = "disk and store"
SAMPLE = "data=sample"


def other_store(place: Place, name: str) -> str:
    """Copy the store beside itself, and return the address of the copy."""
    shutil.copy(place.folder / "mlflow.db", place.folder / name)
    return f"sqlite:///{place.folder / name}"


def frozen(place: Place) -> None:
    """Let nothing be written to the store and its folder."""
    (place.folder / "mlflow.db").chmod(0o444)
    place.folder.chmod(0o555)


def change(path: Path, *statements: str) -> None:
    """Change a database."""
    with contextlib.closing(sqlite3.connect(path)) as store:
        for statement in statements:
            store.execute(statement)
        store.commit()


def refused(place: Place, name: str, says: str) -> None:
    """Let `run` and `report` refuse a store, which stays as it is."""
    uri = f"sqlite:///{place.folder / name}"
    with place.unchanged(name):
        place.train(SAMPLE, f"tracking.uri={uri}", code=1, says=says)
        place.run("ablate.report", "study=before", code=1, says=says, env={"MLFLOW_TRACKING_URI": uri})


@scenario(GROUP, "a store on a full disk")
def full_disk(place: Place) -> str:
    """Found before anything trains."""
    with place.tmpfs("small", 3) as disk:
        shutil.copy(place.folder / "mlflow.db", disk)
        (disk / "filler").write_bytes(bytes(2**21))
        with contextlib.suppress(OSError), (disk / "rest").open("wb") as rest:
            while True:
                rest.write(bytes(4096))
                rest.flush()
        uri = f"sqlite:///{disk / 'mlflow.db'}"
        place.train(SAMPLE, f"tracking.uri={uri}", code=1, says="cannot be written: No space left on device")
    return "nothing is trained"


@scenario(GROUP, "a disk that fills up while photographs are prepared")
def fills_up(place: Place) -> str:
    """The same command resumes elsewhere or later."""
    place.photographs(count=600)
    with place.tmpfs("small", 1) as disk:
        own = ("data=folder", "data.root=photographs", f"out={disk / 'set'}", "data.image_size=32", "workers=1")
        place.run("ablate.prepare", *own, code=1, says="No space left on device")
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        place.run("ablate.prepare", *own)
    return "with more room, the same command resumes and ends well"


@scenario(GROUP, "a report's folder on a full disk")
def full_report(place: Place) -> str:
    """One line."""
    with place.tmpfs("small", 1) as disk:
        (disk / "filler").write_bytes(bytes(960 * 2**10))
        says = "the report cannot be written to"
        place.run("ablate.report", "study=before", f"out={disk / 'report'}", code=1, says=says)
    return "no half of a file is left"


@scenario(GROUP, "a read-only store, to run")
def read_only_run(place: Place) -> str:
    """Permissions hold."""
    frozen(place)
    place.train(
        SAMPLE, "hydra.run.dir=/tmp", "hydra.output_subdir=null", code=1, says="cannot be written", obeying=True
    )
    return "nothing is trained"


@scenario(GROUP, "a read-only store, to report")
def read_only_report(place: Place) -> str:
    """Permissions hold; the report goes elsewhere."""
    out = place.folder / "out"
    out.mkdir()
    frozen(place)
    says = "the report is written, but cannot be tracked"
    place.run("ablate.report", "study=before", f"out={out}", code=1, says=says, obeying=True)
    place.run("ablate.report", "study=before", f"out={out}", "track=false", obeying=True)
    return "the report is written"


@scenario(GROUP, "a store of an older MLflow schema")
def older(place: Place) -> str:
    """Made by undoing MLflow's last migrations."""
    uri = other_store(place, "old.db")
    downgrade = (
        "from mlflow.store.db.utils import _get_alembic_config; from alembic import command; import sys;"
        "command.downgrade(_get_alembic_config(sys.argv[1]), '-1')"
    )
    undone = subprocess.run([sys.executable, "-c", downgrade, uri], capture_output=True, check=False)
    if undone.returncode:
        # Some migrations cannot be undone; the version is all that is compared.
        change(place.folder / "old.db", "UPDATE alembic_version SET version_num = '0584bdc529eb'")
    refused(place, "old.db", "was made by an older MLflow")
    return "the store is as it was: nothing is upgraded unasked"


@scenario(GROUP, "a store of a newer MLflow schema")
def newer(place: Place) -> str:
    """A version that this MLflow does not know."""
    other_store(place, "new.db")
    change(place.folder / "new.db", "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    refused(place, "new.db", "was made by a newer MLflow")
    return "the store is as it was"


@scenario(GROUP, "a store that is no database")
def no_database(place: Place) -> str:
    """Text in its place."""
    place.write("text.db", "hello " * 999)
    refused(place, "text.db", "file is not a database")
    return "the file is as it was"


@scenario(GROUP, "a store that is cut off")
def cut_off(place: Place) -> str:
    """Half of it."""
    whole = (place.folder / "mlflow.db").read_bytes()
    place.write("half.db", whole[: len(whole) // 2])
    refused(place, "half.db", "database disk image is malformed")
    return "the file is as it was"


@scenario(GROUP, "a database of another program as the store")
def foreign(place: Place) -> str:
    """MLflow's tables are not made among its own."""
    change(place.folder / "mail.db", "CREATE TABLE letters (text)")
    refused(place, "mail.db", "is no tracking store but another program's database")
    return "the database is as it was"


@scenario(GROUP, "an empty file as the store, to report")
def empty(place: Place) -> str:
    """Nothing is made where only reading was asked for."""
    place.write("empty.db", "")
    env = {"MLFLOW_TRACKING_URI": f"sqlite:///{place.folder / 'empty.db'}"}
    with place.unchanged("empty.db"):
        place.run("ablate.report", code=1, says="there are no runs yet", env=env)
    return "the file is as it was"


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a database in another process, so that nobody else writes to it."""
    hold = (
        "import sqlite3, sys; store = sqlite3.connect(sys.argv[1]); store.execute('BEGIN EXCLUSIVE');"
        "print('held', flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        yield
    finally:
        holder.communicate("\n")


@scenario(GROUP, "a store that another process holds locked, to run")
def locked_run(place: Place) -> str:
    """It waits a minute, and says so."""
    with locked(place.folder / "mlflow.db"):
        place.train(SAMPLE, code=1, says="cannot be written: database is locked")
    return "nothing is trained"


@scenario(GROUP, "a store that another process holds locked, to report")
def locked_report(place: Place) -> None:
    """One line."""
    with locked(place.folder / "mlflow.db"):
        place.run("ablate.report", "study=before", code=1, says="database is locked")


@scenario(GROUP, "a checkpoint folder on a read-only file system")
def read_only_checkpoints(place: Place) -> str:
    """Refused before anything trains."""
    with place.tmpfs("frozen", 1) as disk:
        done = subprocess.run(["mount", "-o", "remount,ro", str(disk)], capture_output=True, check=False)
        if done.returncode:
            raise Impossible("file systems may not be mounted here")
        place.train(SAMPLE, f"checkpoint.dir={disk}", code=1, says="cannot be written: Read-only file system")
    return "nothing is trained"


@scenario(GROUP, "a disk for checkpoints that is full")
def full_checkpoints(place: Place) -> str:
    """Training is worth more than what it could resume from."""
    with place.tmpfs("small", 1) as disk:
        own = (SAMPLE, "study.name=mine", f"checkpoint.dir={disk}", "training.epochs=2", "backbone.width=0.25")
        place.train(*own, says="cannot be written, training continues: ")
    return "the run has finished"


@scenario(GROUP, "a project folder that was moved, with its store")
def moved(place: Place) -> str:
    """MLflow keeps whole addresses of artifacts."""
    there = place.folder / "moved"
    there.mkdir()
    for name in ("mlflow.db", "mlartifacts"):
        copy = shutil.copytree if (place.folder / name).is_dir() else shutil.copy
        copy(place.folder / name, there / name)
    aside = (place.folder / "mlartifacts").rename(place.folder / "aside")
    env = {"MLFLOW_TRACKING_URI": f"sqlite:///{there / 'mlflow.db'}"}
    try:
        place.run("ablate.report", "study=before", "out=report", "track=false", env=env, says="Report: ")
        place.train("data=sample", "study.name=before", "seed=10", env=env)
        if (place.folder / "mlartifacts").exists() or len(list((there / "mlartifacts" / "before").iterdir())) < 2:
            raise Fault("the new run's artifacts are not beside the store")
    finally:
        aside.rename(place.folder / "mlartifacts")
    return "the report is written; a new run's artifacts lie beside the store"


@scenario(GROUP, "the artifacts of a finished run are gone")
def without_artifacts(place: Place) -> str:
    """What cannot be read is no result: the run is done again."""
    place.train("data=sample", "study.name=mine", "seed=3")
    shutil.rmtree(place.folder / "mlartifacts" / "mine")
    place.run("ablate.plan", *QUICK, "data=sample", "study.name=mine", "seed=3", says="cannot be read")
    place.train("data=sample", "study.name=mine", "seed=3", says="Evaluated: ")
    return "`plan` says that it is missing, `run` trains it again"


@scenario(GROUP, "tags of a run removed and edited in MLflow, and a foreign run in the study")
def edited_tags(place: Place) -> str:
    """They are skipped by name."""
    place.train("data=sample", "study.name=mine", "seed=3")
    place.run("ablate.run", "-m", *QUICK, "data=sample", "study.name=mine", "seed=4,5")
    mine = "SELECT run_uuid FROM runs JOIN experiments USING (experiment_id) WHERE experiments.name = 'mine'"
    seeded = f"SELECT run_uuid FROM tags WHERE run_uuid IN ({mine}) AND key = 'ablate.seed' AND value = "
    change(
        place.folder / "mlflow.db",
        f"DELETE FROM tags WHERE key = 'ablate.variant' AND run_uuid IN ({seeded} '4')",
        f"UPDATE tags SET value = 'abc' WHERE key = 'ablate.seed' AND run_uuid IN ({seeded} '5')",
    )
    place.run("ablate.report", "study=mine", "out=report", says="is left out")
    place.run("ablate.plan", *QUICK, "data=sample", "study.name=mine", "seed=3,4,5")
    return "the report is about the other runs"
