"""Surroundings of a command that it does not expect."""

import json
import sqlite3
from contextlib import closing

from scenarios.frame import QUICK, Fault, Place, scenario

_IGNORED = "Ignored settings of the environment"
GROUP = "surroundings"


@scenario(GROUP, "no home, no terminal, an encoding of ASCII")
def bare(place: Place) -> str:
    """As in a container or a scheduler's job."""
    env = {"HOME": "/nonexistent", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    place.train("data=sample", "study.name=mine", env=env, says="Evaluated: ")
    place.run("ablate.report", "study=mine", "out=report", env=env)
    return "the run has finished, the report is written"


@scenario(GROUP, "a project folder with spaces, quotes and percent signs in its name")
def odd_folder(place: Place) -> str:
    """The store's address and the artifacts' are in it."""
    folder = place.folder / "it's 100% a #folder?"
    folder.mkdir()
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    place.train("data=sample", "study.name=mine", f"tracking.uri='{uri.replace(chr(39), chr(92) + chr(39))}'")
    place.run("ablate.report", "study=mine", f"out={folder / 'report'}", env={"MLFLOW_TRACKING_URI": uri})
    return "the run and its report are in it"


def _one(place: Place, query: str) -> str:
    """Return the only value that a query of the store gives."""
    with closing(sqlite3.connect(place.folder / "mlflow.db")) as store:
        ((value,),) = store.execute(query).fetchall()
        return str(value)


@scenario(
    GROUP, "`MLFLOW_RUN_ID` is that of a finished run, `MLFLOW_EXPERIMENT_NAME` its study, for a run and a sweep"
)
def mlflow_names(place: Place) -> str:
    """The fluent functions of MLflow would write into that run."""
    run_id = _one(place, "SELECT run_uuid FROM tags WHERE key = 'ablate.identity'")
    env = {"MLFLOW_RUN_ID": run_id, "MLFLOW_EXPERIMENT_NAME": "before", "MLFLOW_EXPERIMENT_ID": "1"}
    place.train("data=sample", "study.name=mine", "seed=5", env=env, says="Evaluated: ")
    place.run("ablate.run", "-m", *QUICK, "data=sample", "study.name=mine", "seed=5,6", env=env)
    kept = "FROM runs JOIN experiments USING (experiment_id) WHERE experiments.name = 'mine'"
    if _one(place, f"SELECT count(*) {kept}") != "2":
        raise Fault("the study has not two runs")
    return "each run is one of its own, in its own study"


@scenario(GROUP, "`keras.json` says float16, channels_first, another epsilon and JAX")
def keras_file(place: Place) -> str:
    """Keras would compute otherwise, under the same identity."""
    settings = {"floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.1, "backend": "jax"}
    place.write("keras/keras.json", json.dumps(settings))
    env = {"KERAS_HOME": str(place.folder / "keras")}
    place.train("data=sample", "study.name=mine", "seed=9", "rerun=all", env=env, says=_IGNORED)
    return _same_numbers(place)


@scenario(GROUP, "`KERAS_BACKEND=torch`, `TF_USE_LEGACY_KERAS=1`, `KERAS_MAX_EPOCHS`, XLA's and oneDNN's modes")
def keras_variables(place: Place) -> str:
    """Some would end in a stack trace, some train otherwise, one loses the model."""
    env = {
        "KERAS_BACKEND": "torch",
        "TF_USE_LEGACY_KERAS": "1",
        "KERAS_MAX_EPOCHS": "1",
        "KERAS_MAX_STEPS_PER_EPOCH": "1",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    }
    place.train("data=sample", "study.name=mine", "seed=9", "rerun=all", env=env, says=_IGNORED)
    return _same_numbers(place)


def _same_numbers(place: Place) -> str:
    """Make sure that the run of the study `mine` measured what that of `before` did."""
    found = {study: _measured(place, study) for study in ("before", "mine")}
    if found["before"] != found["mine"] or not found["mine"]:
        raise Fault(f"other numbers: {found}")
    return "the run measured the same numbers as the one before"


def _measured(place: Place, study: str) -> dict[str, float]:
    with closing(sqlite3.connect(place.folder / "mlflow.db")) as store:
        return dict(
            store.execute(
                "SELECT key, value FROM latest_metrics JOIN runs USING (run_uuid) "
                "JOIN experiments USING (experiment_id) WHERE experiments.name = ? "
                "AND (key LIKE 'eval/%' OR key LIKE 'train/%' OR key LIKE 'val/%')",
                (study,),
            ).fetchall()
        )


@scenario(GROUP, "a `keras.json` with which Keras cannot be imported")
def keras_file_broken(place: Place) -> str:
    """Refused before anything trains."""
    place.write("keras/keras.json", '{"floatx": "float8"}')
    env = {"KERAS_HOME": str(place.folder / "keras")}
    place.train("data=sample", "study.name=mine", env=env, code=1, says="floatx must be one of")
    return "no run has begun"


@scenario(GROUP, "`MPLBACKEND` names what matplotlib does not know")
def matplotlib_backend(place: Place) -> str:
    """Figures go to files."""
    place.run("ablate.report", "study=before", "out=report", env={"MPLBACKEND": "nonsense"}, says="Report: ")
    return "the report is written"


@scenario(GROUP, "`hydra.job.chdir=true` and relative paths, `hydra/job_logging=disabled`")
def chdir(place: Place) -> str:
    """Relative to where the command was given."""
    place.photographs()
    given = ("data=folder", "data.root=photographs", "study.name=mine", "hydra/job_logging=disabled")
    place.run(
        "ablate.run", "-m", *QUICK, *given, "hydra.job.chdir=true", env={"MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}
    )
    if _one(place, "SELECT count(*) FROM experiments WHERE name = 'mine'") != "1":
        raise Fault("the run is in another store")
    return "the run is in the store that was named"


@scenario(GROUP, "`hydra.run.dir` and `hydra.sweep.subdir` made of `${hydra.job.override_dirname}`")
def override_dirname(place: Place) -> str:
    """As Hydra's documentation has it."""
    place.train("data=sample", "study.name=one", "hydra.run.dir=out/${hydra.job.override_dirname}")
    subdir = "hydra.sweep.subdir=${hydra.job.override_dirname}"
    place.run("ablate.run", "-m", *QUICK, "data=sample", "study.name=many", "seed=1", subdir)
    return "both have trained"


@scenario(GROUP, "a broken YAML file in one's own configuration")
def broken_yaml(place: Place) -> str:
    """One line with file and line number."""
    place.write("conf/optimizer/mine.yaml", "name: mine\n\tlearning_rate: 1\n")
    place.run("ablate.run", "--config-dir", "conf", *QUICK, "optimizer=mine", "data=sample", code=1, says="mine.yaml")
    return "no run has begun"
