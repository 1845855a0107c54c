"""Models, checkpoints, prepared sets, study files and configurations that would run code."""

import hashlib
import io
import json
import pickle
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import yaml

from scenarios.frame import Fault, Place, scenario

GROUP = "models and configuration"
STUDY = """question: Does it run?
baseline: {depth: shallow}
factors: {depth: [shallow]}
design: one_at_a_time
seeds: [0]
metric: {name: auc_rebalanced, direction: maximize}
"""


class Touch:
    """What makes the canary when it is unpickled."""

    def __init__(self, canary: Path):
        self.canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.canary,)


def run_id(place: Place) -> str:
    """Return the id of the run of the study `before`."""
    with closing(sqlite3.connect(place.folder / "mlflow.db")) as store:
        ((found,),) = store.execute(
            "SELECT run_uuid FROM runs JOIN experiments USING (experiment_id) JOIN tags USING (run_uuid) "
            "WHERE experiments.name = 'before' AND key = 'ablate.identity'"
        ).fetchall()
    return str(found)


def model_folder(place: Place) -> Path:
    """Return the folder of its model in a copy of all artifacts, which takes the place of the originals meanwhile."""
    (found,) = (place.folder / "mlartifacts" / "before").rglob("model.keras")
    return found.parents[1]


def build_refuses(place: Place, says: str, folder: Path) -> str:
    """Let the human test refuse the model of the run, and put the right one back."""
    own = ("runs=" + run_id(place), "out=bundle", "side=32", "practice=1", "test=1", "checks=1")
    try:
        place.run("ablate.turing", "build", *own, code=1, says=says)
    finally:
        shutil.rmtree(folder)
        folder.with_name("right").rename(folder)
    return "no bundle is made"


def aside(place: Place) -> Path:
    """Keep the right model beside its folder, and return that."""
    folder = model_folder(place)
    shutil.copytree(folder, folder.with_name("right"))
    return folder


@scenario(GROUP, "a .keras model with a Lambda layer that holds code")
def lambda_layer(place: Place) -> str:
    """Loaded in Keras' safe mode only."""
    folder = aside(place)
    make = (
        "import keras, sys; from pathlib import Path; path = sys.argv[2];"
        "x = keras.Input((32, 32, 1));"
        "code = lambda t, path=path: (__import__('pathlib').Path(path).touch(), t)[1];"
        "y = keras.layers.Lambda(code, output_shape=(32, 32, 1))(x);"
        "keras.Model(x, y).save(sys.argv[1]); Path(path).unlink(missing_ok=True)"
    )
    subprocess.run(
        [sys.executable, "-c", make, folder / "data" / "model.keras", place.canary], capture_output=True, check=True
    )
    return build_refuses(place, "Lambda", folder)


@scenario(GROUP, "a .keras model whose configuration names os.system")
def named_function(place: Place) -> str:
    """Keras constructs its own classes only."""
    folder = aside(place)
    path = folder / "data" / "model.keras"
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    config.update(
        module="os", class_name="system", registered_name="system", config={"command": f"touch {place.canary}"}
    )
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return build_refuses(place, "cannot be loaded", folder)


@scenario(GROUP, "a pickle in place of the .keras file")
def pickled_model(place: Place) -> str:
    """Refused."""
    folder = aside(place)
    (folder / "data" / "model.keras").write_bytes(pickle.dumps(Touch(place.canary)))
    return build_refuses(place, "cannot be loaded", folder)


@scenario(GROUP, "pickled objects and a module with code beside a good model, as MLflow's own loader would run them")
def beside_the_model(place: Place) -> str:
    """Only the model's file is read."""
    folder = aside(place)
    for name in ("custom_objects.cloudpickle", "global_custom_objects.cloudpickle"):
        (folder / "data" / name).write_bytes(pickle.dumps(Touch(place.canary)))
    (folder / "code").mkdir()
    (folder / "code" / "evil.py").write_text(f"from pathlib import Path\nPath({str(place.canary)!r}).touch()\n")
    description = yaml.safe_load((folder / "MLmodel").read_text())
    description["flavors"]["tensorflow"].update(code="code", keras_module="evil")
    (folder / "MLmodel").write_text(yaml.safe_dump(description))
    own = ("runs=" + run_id(place), "out=bundle", "side=32", "practice=1", "test=1", "checks=1")
    try:
        place.run("ablate.turing", "build", *own)
    finally:
        shutil.rmtree(folder)
        folder.with_name("right").rename(folder)
    return "the model colours, and nothing else is loaded"


@scenario(GROUP, "a checkpoint that holds a pickled object")
def pickled_checkpoint(place: Place) -> str:
    """Training starts again."""
    own = ("data=sample", "study.name=mine", "seed=5")
    place.train(*own)
    with closing(sqlite3.connect(place.folder / "mlflow.db")) as store:
        ((run, name),) = store.execute(
            "SELECT run_uuid, value FROM tags JOIN runs USING (run_uuid) JOIN experiments USING (experiment_id) "
            "WHERE experiments.name = 'mine' AND key = 'ablate.identity'"
        ).fetchall()
        store.execute("UPDATE runs SET status = 'KILLED' WHERE run_uuid = ?", (run,))
        store.execute("INSERT INTO tags (run_uuid, key, value) VALUES (?, 'ablate.resumable', 'true')", (run,))
        store.commit()
    file = io.BytesIO()
    np.savez(file, allow_pickle=True, facts=np.array([Touch(place.canary)], dtype=object))
    place.write(f"checkpoints/{name}/checkpoint.npz", file.getvalue())
    place.train(*own, says="cannot be read, training starts again")
    return "training starts from its first step"


def prepared(place: Place) -> Path:
    """Prepare a set, and return its folder."""
    place.photographs()
    place.prepare()
    return place.folder / "set"


def rewritten(folder: Path, change: str, to: object) -> None:
    """Change a key of a manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest[change] = to
    (folder / "manifest.json").write_text(json.dumps(manifest))


def refuses_set(place: Place, says: str) -> str:
    """Let a run refuse the set."""
    place.train("data=prepared", "data.root=set", code=1, says=says)
    return "nothing is trained"


@scenario(GROUP, "a prepared set whose manifest names /dev/zero, by a path that leads out of the set")
def leads_out(place: Place) -> str:
    """Files of a set are in its folder."""
    folder = prepared(place)
    shards = json.loads((folder / "manifest.json").read_text())["shards"]
    rewritten(folder, "shards", [{**shards[0], "file": "../../../../../../dev/zero"}, *shards[1:]])
    return refuses_set(place, "is no manifest of a prepared data set: shards.0.file")


@scenario(GROUP, "a manifest that is no object, or deeply nested")
def no_manifest(place: Place) -> str:
    """One line."""
    folder = prepared(place)
    (folder / "manifest.json").write_text("[" * 100_000)
    refuses_set(place, "is no manifest of a prepared data set")
    (folder / "manifest.json").write_text('{"format": 1, "index": [], "shards": 5}')
    return refuses_set(place, "is no manifest of a prepared data set")


@scenario(GROUP, "an index of records that is a pickle, under its right checksum")
def pickled_index(place: Place) -> str:
    """Never unpickled."""
    folder, file = prepared(place), io.BytesIO()
    np.save(file, np.array([Touch(place.canary)], dtype=object), allow_pickle=True)
    index = json.loads((folder / "manifest.json").read_text())["index"]
    (folder / index["train"]["file"]).write_bytes(file.getvalue())
    index["train"]["sha256"] = hashlib.sha256(file.getvalue()).hexdigest()
    rewritten(folder, "index", index)
    return refuses_set(place, "is not what was prepared")


def study(place: Place, text: str, name: str = "hostile") -> None:
    """Write a study file."""
    place.write(f"experiments/{name}.yaml", text)


@scenario(GROUP, "a study file with `!!python/object/apply`")
def python_object(place: Place) -> str:
    """YAML is read without objects."""
    call = f"!!python/object/apply:os.system ['touch {place.canary}']"
    study(place, STUDY.replace("Does it run?", call))
    place.run("ablate.plan", "experiment=hostile", code=1, says="hostile.yaml cannot be read")
    place.train("-m", "experiment=hostile", code=1, says="hostile.yaml cannot be read")
    return "nothing is trained"


TARGETS = {
    "os.system": "is no task: it is a builtin_function_or_method",
    "builtins.eval": "is no task: it is a builtin_function_or_method",
    "shutil.rmtree": "is no task: it is a",
    "subprocess.Popen": "is no task: it has no ",
    "os.path": "is no task: it is a module",
    "nowhere.Task": "cannot be imported",
}


@scenario(GROUP, "`task._target_` is os.system, builtins.eval, a function, another class, a module, nothing")
def no_task(place: Place) -> str:
    """Nothing is called."""
    for target, says in TARGETS.items():
        more = ("+task.command=touch canary", "+task.args=touch canary", "+task.shell=true")
        place.run("ablate.plan", f"task._target_={target}", *more, code=1, says=says)
    return "nothing is called"


@scenario(GROUP, "a study whose factor is `task._target_` with the level os.system")
def target_as_factor(place: Place) -> str:
    """As on the command line."""
    study(
        place,
        STUDY.replace("{depth: shallow}", "{task._target_: os.system, +task.command: touch canary}").replace(
            "{depth: [shallow]}", "{task._target_: [os.system], +task.command: [touch canary]}"
        ),
    )
    place.train("-m", "experiment=hostile", code=1, says="task._target_=os.system is no task")
    return "nothing is trained"


@scenario(GROUP, "a study whose factors are of Hydra's logging, which names classes to construct")
def logging_as_factor(place: Place) -> str:
    """Refused by their names."""
    key = "+hydra.job_logging.handlers.x"
    factors = f"{{{key}.class: [subprocess.Popen], {key}.args: [touch canary], {key}.shell: [true]}}"
    baseline = f"{{{key}.class: subprocess.Popen, {key}.args: touch canary, {key}.shell: true}}"
    study(place, STUDY.replace("{depth: shallow}", baseline).replace("{depth: [shallow]}", factors))
    place.train("-m", "experiment=hostile", code=1, says="is no key or group of the configuration of a run")
    return "nothing is trained"


@scenario(GROUP, "`optimizer._target_` is os.system, and an argument of an optimiser names it")
def no_optimizer(place: Place) -> str:
    """Only subclasses of Keras' optimisers are constructed."""
    more = ("+optimizer.command=touch canary",)
    place.train("data=sample", "optimizer._target_=os.system", *more, code=1, says="os.system cannot be constructed")
    nested = "+optimizer.momentum={_target_:os.system,command:'touch canary'}"
    target = "optimizer._target_=keras.optimizers.RMSprop"
    place.train("data=sample", target, nested, code=1, says="RMSprop cannot be constructed")
    return "nothing is trained"


@scenario(GROUP, "a value that asks for a resolver that executes")
def resolver(place: Place) -> str:
    """There is none."""
    for kind in ("eval", "python", "exec", "shell"):
        value = f"study.name='${{{kind}:\"touch canary\"}}'"
        ended = place.train(value, code=1, says=f"{kind}")
        if len(ended.output.strip().splitlines()) > 2:
            raise Fault(ended.output)
    return "nothing is trained"
