"""The command `python -m ablate.promote`: which model is registered, with what, and where it is refused."""

import os
import shutil
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.entities.model_registry import ModelVersion

from ablate.promote import median_seed
from ablate.tracking.keras_model import log_keras_model
from ablate.tracking.store import open_store
from ablate.tracking.study_record import read_study
from tests.support.commands import Command
from tests.support.mlflow_server import mlflow_server
from tests.support.stores import ODD, add_failed, add_run, record_hand_made

INPUTS = np.ones((2, 3), np.float32)


def add_models(study: str = "hand") -> None:
    """Give every run of a study a model that gives its seed."""
    import keras

    client = mlflow.MlflowClient()
    for run_id in read_study(study, mlflow.get_tracking_uri()).runs.index:
        run = client.get_run(str(run_id))
        constant = keras.initializers.Constant(float(run.data.tags["ablate.seed"]))
        layer = keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer=constant)
        log_keras_model(client, run, keras.Sequential([keras.Input((3,)), layer]), {})


@pytest.fixture(scope="module")
def with_models(filled_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with a finished study whose runs kept their models."""
    folder = tmp_path_factory.mktemp("models") / "store"
    shutil.copytree(filled_store.parent, folder)
    open_store(f"sqlite:///{folder}/mlflow.db")
    add_models()
    return folder


@pytest.fixture
def store(home: Path, with_models: Path) -> Path:
    """A working directory with a copy of that store."""
    shutil.copytree(with_models, home, dirs_exist_ok=True)
    open_store(os.environ["MLFLOW_TRACKING_URI"])
    return home


def versions(name: str = "hand") -> list[ModelVersion]:
    return list(mlflow.MlflowClient().search_model_versions(f"name='{name}'"))


def values(metric: str = "auc") -> pd.Series:
    record = read_study("hand", mlflow.get_tracking_uri())
    own = record.runs[record.runs["variant"] == ODD]
    return pd.Series({int(seed): record.metrics.loc[run, f"eval/{metric}"] for run, seed in own["seed"].items()})


@pytest.mark.slow
def test_the_best_variant_is_registered_with_what_justifies_it(store: Path, forked_m: Command) -> None:
    done = forked_m("ablate.promote", "study=hand")
    assert done.returncode == 0, done.stderr
    assert f'mlflow.set_tracking_uri("{mlflow.get_tracking_uri()}")' in done.stdout
    (version,) = versions()
    median = int(values().sort_values().index[1])
    tags = version.tags
    assert (tags["ablate.variant"], tags["ablate.seed"], tags["ablate.verdict"]) == (ODD, str(median), "better")
    assert (tags["ablate.metric"], tags["ablate.seeds"], tags["ablate.examples"]) == ("auc", "0 1 2", "12")
    low, high = map(float, tags["ablate.interval"].split())
    assert low < float(tags["ablate.difference"]) < high
    assert float(tags["ablate.value"]) == pytest.approx(values()[median], rel=1e-5)
    assert "better, +5" in version.description.replace("\\", "")
    assert f"seed {median} of 0, 1, 2, the one with the median" in version.description
    loaded = mlflow.pyfunc.load_model("models:/hand@champion")
    np.testing.assert_array_equal(loaded.predict(INPUTS), np.full((2, 1), median))

    again = forked_m("ablate.promote", "study=hand", "alias=staging")
    assert "registered already: hand, version 1, alias staging" in again.stdout
    assert len(versions()) == 1
    other = forked_m("ablate.promote", "study=hand", "variant=baseline")
    assert "version 2, alias champion, which version 1 had" in other.stdout
    assert mlflow.MlflowClient().get_model_version_by_alias("hand", "champion").tags["ablate.verdict"] == "baseline"


@pytest.mark.slow
def test_a_registered_model_moves_with_its_store(store: Path, forked_m: Command, tmp_path: Path) -> None:
    assert forked_m("ablate.promote", "study=hand", "name=the best").returncode == 0
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("mlflow.db", "mlartifacts"):
        shutil.move(store / name, moved / name)
    open_store(f"sqlite:///{moved}/mlflow.db")
    assert mlflow.pyfunc.load_model("models:/the best@champion").predict(INPUTS).shape == (2, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "study=NAME must be given"),
        (("study=none",), "has no study none"),
        (("study=hand", "metric=color"), "color has no better direction"),
        (("study=hand", "variant=other"), "unknown level: variant=other. Allowed: variant="),
        (("study=hand", "name=a/b"), "name must have letters"),
        (("study=hand", "alias=latest"), "alias must have letters"),
        (("study=hand", "parts=1"), "unknown key: parts"),
        (("study=hand",), "kept no model, and it is the one to register"),
        (("study=same",), "no variant of study same is better than the baseline by AuC (x: no difference found)"),
        (("study=begun",), "study begun is not finished: 1 of 5 runs have no result"),
    ],
)
def test_what_cannot_be_registered_is_refused(
    hand_made: Path, forked_m: Command, arguments: tuple[str, ...], said: str
) -> None:
    for study in {"same", "begun"}.intersection(argument.partition("=")[2] for argument in arguments):
        for seed in (0, 1):
            add_run(hand_made, "baseline", seed, study=study)
            add_run(hand_made, "x", seed, study=study, gain=5.0 * (study == "begun"))
        if study == "begun":
            add_failed(hand_made, "x", 2, study="begun")
    refused = forked_m("ablate.promote", *arguments)
    assert refused.returncode == 1
    assert said in refused.stderr, refused.stderr
    assert refused.stderr.count("Traceback") == 0
    assert not mlflow.MlflowClient().search_registered_models()


@pytest.mark.slow
def test_a_server_registers_as_a_file_does(
    home: Path, empty_store: Path, forked_m: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mlflow_server(home, empty_store) as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        open_store(address)
        add_run(home, "baseline", 4)
        add_run(home, ODD, 4, gain=5.0)
        record_hand_made(home, seeds=[4])
        add_models()
        for place in range(2):
            done = forked_m("ablate.promote", "study=hand", f"uri={address}")
            assert done.returncode == 0, done.stderr
            assert ("registered already" in done.stdout) == bool(place)
        (version,) = versions()
        assert (version.tags["ablate.seed"], version.tags["ablate.verdict"]) == ("4", "better")
        assert mlflow.pyfunc.load_model("models:/hand@champion").predict(INPUTS)[0, 0] == 4


@pytest.mark.parametrize(("higher", "seed"), [(True, 5), (None, 5), (False, 3)])
def test_the_median_of_an_even_number_is_the_worse_of_the_middle(higher: bool | None, seed: int) -> None:
    assert median_seed(pd.Series({9: 4.0, 5: 2.0, 3: 3.0, 1: 1.0}), higher) == seed
    assert median_seed(pd.Series({4: 1.0}), higher) == 4
