"""Training loops of one's own: progress, curves, time, interruptions."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ablate import FunctionTask, Measure
from ablate.config.training import HardwareConfig
from ablate.errors import LeaseLost, TaskError
from ablate.system.signals import SIGNALS
from ablate.training.own_loop import Loop, configure_own_loop, train_own_loop
from blobs import Loop as Regression

CONFIG: dict[str, Any] = {"loop": {"steps": 20, "rate": 0.5}, "optimizer": {}, "schedule": {}, "training": {}}


class Watched:
    """A loop in a folder, and what it told."""

    def __init__(self, folder: Path, ensure_held: Any = lambda: None) -> None:
        self.curves: list[tuple[int, dict[str, float]]] = []
        self.progress: list[dict[str, Any]] = []
        self.flushed: list[int] = []
        self.loop = Loop(
            folder,
            log_metrics=lambda metrics, step: self.curves.append((step, dict(metrics))),
            flush=lambda: self.flushed.append(len(self.curves)),
            ensure_held=ensure_held,
            report_progress=lambda progress: self.progress.append(dict(progress)),
        )


@pytest.fixture(autouse=True)
def _signals() -> Any:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    SIGNALS.install()
    yield
    SIGNALS.interrupt = None
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_loop_tells_its_curves_and_its_progress(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    training = train_own_loop(Regression(**CONFIG), seed=1, loop=watched.loop)
    assert [step for step, _ in watched.curves] == list(range(1, 21))
    assert {name for _, metrics in watched.curves for name in metrics} == {"train/loss"}
    assert watched.progress[-1] == {"step": 20, "steps": 20, "epochs": 1, "seconds_left": 0.0}
    assert watched.progress[0]["seconds_left"] is None
    assert list(training.evaluation.metrics) == ["accuracy", "nll"]
    assert training.evaluation.per_example["example"].tolist()[:2] == ["point 0", "point 1"]
    assert training.seconds > 0
    assert training.peak_memory_mib > 10


def test_steps_may_be_numpy_s(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.loop.log_metrics({"loss": np.float32(0.5)}, np.int64(3))  # type: ignore[arg-type, dict-item]
    watched.loop.report_progress(np.int64(3), np.int64(4))  # type: ignore[arg-type]
    assert watched.curves == [(3, {"train/loss": 0.5})]
    assert json.loads(json.dumps(watched.progress))[0]["step"] == 3
    assert Watched(tmp_path).curves == watched.curves  # as an attempt before left it


def test_an_interrupted_loop_resumes_exactly(tmp_path: Path) -> None:
    whole = train_own_loop(Regression(**CONFIG), seed=1, loop=Watched(tmp_path / "whole").loop).evaluation
    for stop in (3, 11):
        watched = Watched(tmp_path / "parts")
        report = watched.loop._report_progress

        def interrupted(progress: Any, stop: int = stop, report: Any = report) -> None:
            report(progress)
            if progress["step"] == stop:
                os.kill(os.getpid(), signal.SIGTERM)

        watched.loop._report_progress = interrupted
        with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
            train_own_loop(Regression(**CONFIG), seed=1, loop=watched.loop)
        SIGNALS.install()
        assert json.loads((tmp_path / "parts" / "files" / "weights.json").read_text())[0] == stop
    rest = Watched(tmp_path / "parts")
    resumed = train_own_loop(Regression(**CONFIG), seed=1, loop=rest.loop)
    assert rest.curves[0][0] == 12
    pd.testing.assert_frame_equal(resumed.evaluation.per_example, whole.per_example, check_exact=True)


def test_a_result_after_the_signal_to_stop_does_not_count(tmp_path: Path) -> None:
    class Hasty(FunctionTask):
        measures = {"m": Measure("M")}

        def train(self, config: Any, seed: int, run: Any) -> Any:
            os.kill(os.getpid(), signal.SIGTERM) if not run.should_stop() else None
            assert run.should_stop()
            return {"m": 1.0}

    with pytest.raises(KeyboardInterrupt):
        train_own_loop(Hasty(), seed=0, loop=Watched(tmp_path).loop)


def test_a_loop_that_never_asks_is_interrupted_at_once(tmp_path: Path) -> None:
    class Deaf(FunctionTask):
        measures = {"m": Measure("M")}

        def train(self, config: Any, seed: int, run: Any) -> Any:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        train_own_loop(Deaf(), seed=0, loop=Watched(tmp_path).loop)
    assert time.monotonic() - began < 30


def test_points_of_a_killed_attempt_that_the_store_lacks_are_tracked_again(tmp_path: Path) -> None:
    killed = Watched(tmp_path)
    for step in (1, 2):
        killed.loop.log_metrics({"loss": step / 2, "odd": float("nan")}, step)
    assert killed.flushed == [0]
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('[{"train/loss": 1')  # cut off
    resumed = Watched(tmp_path)
    assert [(step, metrics["train/loss"]) for step, metrics in resumed.curves] == [(1, 0.5), (2, 1.0)]
    resumed.loop.log_metrics({"loss": 1.5}, 3)
    resumed.loop.close()
    assert resumed.flushed == [2, 3]
    assert not Watched(tmp_path).curves


def test_the_time_of_earlier_attempts_counts(tmp_path: Path) -> None:
    (tmp_path / "seconds.json").write_text("1000.0")
    assert Watched(tmp_path).loop.seconds >= 1000
    (tmp_path / "seconds.json").write_text("half a number")
    assert Watched(tmp_path).loop.seconds < 100


@pytest.mark.parametrize("name", ["eval/accuracy", "cost/parameters", "plan/seconds"])
def test_what_the_framework_writes_is_no_curve(name: str, tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=f"{name} belongs to ablate"):
        Watched(tmp_path).loop.log_metrics({name: 1.0})
    with pytest.raises(TaskError, match="'train/top@1' is no name"):
        Watched(tmp_path).loop.log_metrics({"top@1": 1.0})


def test_a_lost_lease_ends_the_loop(tmp_path: Path) -> None:
    def lost() -> None:
        raise LeaseLost("taken over")

    with pytest.raises(LeaseLost):
        train_own_loop(Regression(**CONFIG), seed=0, loop=Watched(tmp_path, lost).loop)


def test_generators_are_seeded() -> None:
    hardware = HardwareConfig(precision="float32", devices=None, compile="auto", onednn=True, threads=1)
    before = {name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    try:
        draws = []
        for seed in (1, 1, 2):
            facts = configure_own_loop(hardware, seed=seed)
            draws.append(np.random.random())  # noqa: NPY002 - what others draw from
        assert facts["threads"] == os.environ["OMP_NUM_THREADS"] == "1"
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    assert draws[0] == draws[1] != draws[2]
