"""The command `python -m ablate.run`, as a user meets it."""

import json
import os
import pty
import signal
import termios
import time
from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import pytest
from PIL import Image

from ablate.colorization.data.batches import to_example
from ablate.tracking.study_record import StudyRecord
from tests.support.commands import QUICK, TINY, Command
from tests.support.forked import Forked
from tests.support.repositories import committed

Run = Callable[..., None]
Study = Callable[[], StudyRecord]


@pytest.mark.slow
def test_a_run_leaves_all_that_a_report_needs(home: Path, run_here: Run, study: Study) -> None:
    commit = committed(home, "one\n")
    (home / "notes.txt").write_text("two\n")
    run_here(*QUICK, "optimizer=adamw", "seed=3", "training.log_points=2")

    record = study()
    (run_id,) = record.runs.index
    run = record.runs.loc[run_id]
    assert run["status"] == "FINISHED"
    assert (run["study"], run["seed"], len(run["identity"]), len(run["setting"])) == ("adhoc", 3, 32, 32)
    assert run["variant"].startswith("backbone.width=0.0625,depth=shallow,optimizer=adamw,training.epochs=1")
    assert {"host", "python", "devices", "threads", "precision", "deterministic"} <= set(run.index)
    assert run["commit"] == commit

    client = mlflow.MlflowClient()
    stored = client.get_run(run_id)
    assert stored.data.params["optimizer.learning_rate"] == "0.01"
    assert stored.data.params["loss.name"] == "rebalanced"
    assert stored.data.params["factor/optimizer"] == "adamw"
    assert stored.data.params["factor/dropout"] == "none"
    profiles = {
        (data.dataset.name, data.tags[0].value): json.loads(data.dataset.profile)
        for data in stored.inputs.dataset_inputs
    }
    assert profiles == {
        ("sample", "training"): {"train": 5, "bad": 0, "ignored": 0},
        ("sample evaluation", "evaluation"): {"eval": 3},
    }
    assert "AuC raw" in stored.data.tags["mlflow.note.content"]
    assert stored.data.tags["ablate.command"].startswith("python -m ablate.run ")
    artifacts = Path(mlflow.artifacts.download_artifacts(run_id=run_id))
    for file in ("config.yaml", "model_card.md", "provenance/environment.json", "evaluation/grid.png"):
        assert (artifacts / file).is_file()

    assert "+two" in (artifacts / "provenance/uncommitted.diff").read_text()

    metrics = record.metrics.loc[run_id]
    assert {"cost/parameters", "cost/flops_per_example", "cost/wall_seconds"} <= set(metrics.index)
    assert {"cost/examples_per_second", "cost/peak_memory_mib", "reference/grey/auc_raw"} <= set(metrics.index)
    assert list(record.curve(run_id, "train/loss")["step"]) == [1, 2]
    assert list(record.curve(run_id, "val/loss")["step"]) == [2]
    table = record.per_example(run_id)
    assert sorted(table["example"]) == ["chelsea", "china", "grace_hopper"]
    for name in record.metric_specs(run_id).index:
        assert metrics[f"eval/{name}"] == pytest.approx(table[name].mean())
    assert len(record.samples(run_id)) == 9


@pytest.mark.slow
def test_the_tracked_model_is_the_trained_one(run_here: Run, study: Study) -> None:
    run_here(*QUICK, "tracking.model=true")
    run = mlflow.MlflowClient().get_run(study().runs.index[0])
    (output,) = run.outputs.model_outputs
    model = mlflow.tensorflow.load_model(f"models:/{output.model_id}")
    assert model.output_shape == (None, 8, 8, 313)
    assert type(model.loss).__name__ == "ColorCrossEntropy"
    # The loss that was trained with is the rebalanced one, and not another by that name.
    assert max(model.loss.class_weights) > 2 * min(model.loss.class_weights)
    grey = np.full((1, 32, 32, 3), 119, np.uint8)
    served = mlflow.pyfunc.load_model(f"models:/{output.model_id}").predict(grey, params={"output": "logits"})
    np.testing.assert_allclose(served, model.predict(to_example(grey)[0], verbose=0), rtol=1e-3, atol=1e-3)
    card = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/model_card.md")
    assert f'mlflow.pyfunc.load_model("runs:/{run.info.run_id}/model")' in card
    assert "It sees a photograph at 32x32 pixels" in card


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(run_here: Run, forked_m: Command, study: Study) -> None:
    arguments = [*TINY, "dropout=light"]
    run_here(*arguments, "seed=5")
    sweep = forked_m("ablate.run", "-m", *arguments, "seed=6,5", "rerun=all", "hydra/launcher=basic")
    assert sweep.returncode == 0, sweep.stderr

    record = study()
    other, same, alone = record.runs.sort_values("started").index[[1, 2, 0]]
    measured = record.results
    assert measured.loc[alone].equals(measured.loc[same])
    assert not measured.loc[alone].equals(measured.loc[other])
    assert record.runs.loc[alone, "identity"] == record.runs.loc[same, "identity"]
    assert record.runs.loc[alone, "identity"] != record.runs.loc[other, "identity"]
    one, two = (record.per_example(run_id) for run_id in (alone, same))
    assert one.equals(two)


@pytest.mark.slow
def test_the_surroundings_change_no_number(python_m: Command, forked_m: Command, study: Study, home: Path) -> None:
    arguments = [*TINY, "dropout=light", "training.epochs=2", "training.steps_per_epoch=1"]
    assert forked_m("ablate.run", *arguments).returncode == 0
    (home / "keras").mkdir()
    (home / "keras" / "keras.json").write_text(
        json.dumps({"floatx": "float16", "epsilon": 1e-2, "backend": "jax", "image_data_format": "channels_first"})
    )
    hostile = {
        "KERAS_HOME": str(home / "keras"),
        "KERAS_BACKEND": "torch",
        "KERAS_MAX_EPOCHS": "1",
        "TF_USE_LEGACY_KERAS": "1",
        "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit",
        "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    }
    result = python_m("ablate.run", *arguments, "rerun=all", "tracking.model=true", env=hostile)
    assert result.returncode == 0, result.stderr
    assert "Ignored settings of the environment" in result.stdout

    record = study()
    assert list(record.runs["status"]) == ["FINISHED"] * 2
    assert record.runs["identity"].nunique() == 1
    measured = record.results
    assert measured.iloc[0].equals(measured.iloc[1])
    assert mlflow.MlflowClient().get_run(record.runs.index[0]).outputs.model_outputs


FRAIL = [*TINY, "optimizer=sgd", "backbone.batch_norm=none", "loss=regression"]
"""Nothing keeps the activations of this network small."""


@pytest.mark.slow
def test_a_diverging_run_fails_and_the_others_go_on(forked_m: Command, study: Study) -> None:
    rates, in_order = "optimizer.learning_rate=1e30,0.01", "hydra/launcher=basic"
    steps = ("training.steps_per_epoch=4", "training.log_points=4")
    done = forked_m("ablate.run", "-m", *FRAIL, *steps, rates, in_order)
    assert (done.returncode, "Error: 1 of 2 runs have no result" in done.stderr) == (1, True)
    record = study()
    runs = record.runs.sort_values("started")
    assert list(runs["status"]) == ["FAILED", "FINISHED"]
    assert runs["reason"].iloc[0] == "diverged"
    assert np.isfinite(record.curve(runs.index[0], "train/loss")["value"]).all()
    assert len(record.curve(runs.index[0], "train/loss")) >= 1


@pytest.mark.slow
def test_a_run_that_its_last_step_ruins_has_diverged(forked_m: Command, study: Study) -> None:
    done = forked_m("ablate.run", "-m", *FRAIL, "optimizer.learning_rate=1e30", "training.steps_per_epoch=1")
    assert (done.returncode, "Error: 1 of 1 runs have no result" in done.stderr) == (1, True)
    run = study().runs.iloc[0]
    assert (run["status"], run["reason"]) == ("FAILED", "diverged")
    assert run["error"].startswith("the loss on the evaluation examples became")


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_trains_evaluates_and_is_kept(precision: str, run_here: Run, study: Study) -> None:
    run_here(*QUICK, f"hardware.precision={precision}", "tracking.model=true")
    record = study()
    run_id = record.runs.index[0]
    assert record.runs.loc[run_id, ["status", "precision"]].tolist() == ["FINISHED", precision]
    assert record.results.notna().all(axis=None)
    (output,) = mlflow.MlflowClient().get_run(run_id).outputs.model_outputs
    # Logits are float32: the colours would be off by several units in ab otherwise.
    assert mlflow.tensorflow.load_model(f"models:/{output.model_id}").outputs[0].dtype == "float32"


@pytest.mark.slow
def test_a_bug_is_recorded_with_its_traceback(run_here: Run, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("ablate.colorization.task.ColorizationTask.evaluate", broken)
    with pytest.raises(SystemExit, match="1"):
        run_here(*TINY)
    run = study().runs.iloc[0]
    assert (run["status"], run["reason"], run["error"]) == ("FAILED", "ZeroDivisionError", "by zero")
    assert "in broken" in mlflow.artifacts.load_text(f"runs:/{run.name}/traceback.txt")


@pytest.mark.slow
def test_a_bug_in_one_run_of_a_sweep_leaves_the_others_to_go_on(
    home: Path, forked_m: Command, study: Study, photographs: Path
) -> None:
    (home / "buggy.py").write_text(
        "from ablate.colorization.task import ColorizationTask\n"
        "class Buggy(ColorizationTask):\n"
        "    def evaluate(self, model):\n"
        "        return super().evaluate(model) if self.config.depth.name == 'shallow' else 1 / 0\n"
    )
    quick = [override for override in QUICK if not override.startswith("depth=")]
    arguments = [*quick, "task._target_=buggy.Buggy", "depth=reduced,shallow"]
    path = {"PYTHONPATH": os.pathsep.join(filter(None, [str(home), os.environ.get("PYTHONPATH")]))}
    finished = forked_m("ablate.run", "-m", *arguments, env=path)
    assert finished.returncode == 1
    error = finished.stderr.splitlines()[-1]
    assert error == (
        "Error: 1 of 2 runs have no result: the same command resumes the study; rerun=failed retries the 1 that "
        "failed. See docs/resuming.md#try-a-failed-run-again"
    )
    summary = [
        "Study adhoc: 2 runs: 1 done, 0 cached, 1 failed; ",
        "  failed      depth=reduced seed=0: ZeroDivisionError: division by zero",
    ]
    assert all(line in finished.stdout for line in summary)
    runs = study().runs.sort_values("started")
    assert list(runs["status"]) == ["FAILED", "FINISHED"]
    assert runs["error"].iloc[0] == "division by zero"
    # What failed by itself is not tried again unless that is asked for.
    again = forked_m("ablate.run", "-m", *arguments, env=path)
    assert again.returncode == 1
    assert "Launching" not in again.stdout
    assert all(line in again.stdout for line in summary)
    planned = forked_m("ablate.plan", *arguments, env=path).stdout
    assert "failed: ZeroDivisionError: division by zero" in planned


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["optimizer=adamm"], "unknown level: optimizer=adamm. Allowed: optimizer=adadelta, optimizer=adam,"),
        (["-m", "optimizer=adam,adamm"], "Did you mean optimizer=adam?"),
        (["optimzer=adam"], "unknown key: optimzer."),
        (["optimizer=adamw", "optimizer.weight_dcay=1"], "Did you mean optimizer.weight_decay?"),
        (["training.epochs=none"], "training.epochs=none: input should be a valid integer"),
        (["-m", "data.image_size=32,36"], "data.image_size=36: the input side must be a multiple of 8"),
        (["seed=[1"], "seed=[1"),
        (["optimizer.beta_1=5"], "optimizer.beta_1=5: input should be less than 1"),
        (["+optimizer.betta_1=0.5"], "Did you mean optimizer.beta_1?"),
        (["optimizer=null"], "unknown level: optimizer=null. Allowed: optimizer=adadelta"),
        (["hydra.run.dir=/dev/null/x"], "/dev/null/x"),
        (["task._target_=ablate.task.Metric"], "task._target_=ablate.task.Metric is no task"),
        (["tracking.uri=http://localhost:abc"], "the tracking server http://localhost:abc is no address"),
        (["data=folder", "data.root=empty"], "data.root=empty holds no photographs"),
        (["data=folder", "data.root=tiny"], "1x1 pixels; at least 8x8 are needed"),
        (["tracking.uri=sqlite:////dev/null/mlflow.db"], "the tracking store /dev/null/mlflow.db cannot be written"),
        (["tracking.uri=http://127.0.0.1:9"], "the tracking server http://127.0.0.1:9 does not answer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_ends_in_one_clear_line(
    arguments: list[str], message: str, forked_m: Command, home: Path, study: Study
) -> None:
    (home / "empty").mkdir()
    (home / "tiny").mkdir()
    Image.new("RGB", (1, 1)).save(home / "tiny" / "dot.png")
    finished = forked_m("ablate.run", *arguments)
    said = [line for line in (finished.stdout + finished.stderr).splitlines() if "[HYDRA]" not in line]
    assert finished.returncode == 1
    assert len(said) == 1
    assert message in said[0]
    client = mlflow.MlflowClient(f"sqlite:///{home / 'mlflow.db'}")
    assert [experiment.name for experiment in client.search_experiments()] == ["Default"]


@pytest.mark.slow
def test_hydra_full_error_shows_the_trace(forked_m: Command) -> None:
    finished = forked_m("ablate.run", "optimizer=adamm", env={"HYDRA_FULL_ERROR": "1"})
    assert finished.returncode == 1
    assert "Traceback" in finished.stderr


@pytest.mark.slow
def test_help_teaches(forked_m: Command) -> None:
    finished = forked_m("ablate.run", "--help")
    assert finished.returncode == 0
    assert "a sweep: every combination" in finished.stdout
    assert "optimizer: adadelta, adam, adamw, sgd" in finished.stdout


@pytest.mark.slow
@pytest.mark.parametrize("end", ["terminal closed", "SIGTERM"])
def test_a_killed_run_ends_in_order(end: str, home: Path, forked: Forked, study: Study) -> None:
    arguments = [*TINY, "training.steps_per_epoch=10000", "training.epochs=1", "training.log_points=10000"]
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    command = ["ablate.run", *arguments, "hydra.run.dir=out"]
    process = forked.start(command, folder=home, env=os.environ, streams=[os.ttyname(theirs)] * 3, session=True)
    seen, latest = b"", time.monotonic() + 90
    while b"loss=" not in seen and time.monotonic() < latest:
        seen += os.read(ours, 10_000)
    os.close(theirs)
    if b"loss=" not in seen:
        os.kill(process, signal.SIGKILL)
        pytest.fail(f"no step in 90 s, exit code {forked.wait(process, timeout=60)}: {seen!r}")
    if end == "SIGTERM":
        os.kill(process, signal.SIGTERM)
        assert forked.wait(process, timeout=60) == 130
        os.close(ours)
    else:
        os.close(ours)
        assert forked.wait(process, timeout=60) == 130

    name = "SIGTERM" if end == "SIGTERM" else "SIGHUP"
    text = (home / "out" / "run.log").read_text()
    assert f"ERROR   Interrupted by {name}: what was tracked is kept" in text.splitlines()[-1]
    assert "Traceback" not in text
    record = study()
    assert (record.runs["status"].iloc[0], record.runs["reason"].iloc[0]) == ("KILLED", "interrupted")
    assert len(record.curve(record.runs.index[0], "train/loss")) >= 1
