"""The number of a sweep's runs that train at a time: settled by who asks, known, or measured."""

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from ablate.config.optimizers import OptimizerConfig
from ablate.config.training import HardwareConfig, TrainingConfig
from ablate.errors import ConfigError
from ablate.estimate.packing import (
    ALONE,
    KEPT,
    MEASURED,
    NOT_MEASURED,
    ON_GPUS,
    SETTLED,
    SHORT,
    Packing,
    Throughput,
)
from ablate.estimate.throughput_cache import one_at_a_time
from ablate.execution.status import RunState, Status
from ablate.execution.throughput import MeasurementFailed
from ablate.study import measured_packing, side_by_side
from ablate.study.planning import PlannedRun
from ablate.study.side_by_side import AutoOptions, pack

TODO, DONE = RunState(Status.TODO), RunState(Status.DONE, run_id="a", study="own", threads=2)
LONG, UNKNOWN = 1000.0, math.nan
AS_SHIPPED = AutoOptions()
FAST = {(1, 2): 1500.0, (2, 1): 1930.0, (1, 1): 900.0}


class Digits:
    """Of a Keras task just what is asked."""

    def result_config(self) -> Mapping[str, Any]:
        return {"width": 1}


class OtherDigits(Digits): ...


class Loop(Digits):
    def train_and_evaluate(self) -> None: ...


def runs(
    count: int,
    *,
    threads: int | None = None,
    devices: int | str | None = None,
    task: Any = None,
    batch_size: int = 32,
    fingerprint: str = "digits",
    **section: Any,
) -> list[PlannedRun]:
    hardware = HardwareConfig(precision="float32", devices=devices, compile="auto", onednn=True, threads=threads)
    training = TrainingConfig(epochs=10, steps_per_epoch=None, batch_size=batch_size, deterministic=True, log_points=9)
    optimizer = OptimizerConfig.model_validate(
        {"name": "adam", "_target_": "keras.optimizers.Adam", "learning_rate": 0.1}
    )
    run = SimpleNamespace(
        hardware=hardware, training=training, rerun="never", optimizer=optimizer, validation_fraction=None
    )
    config = SimpleNamespace(run=run, task=task or Digits(), values={"task": section})
    data = SimpleNamespace(examples_per_epoch=50_000, fingerprint=fingerprint)
    each = {"config": config, "data": data, "study": "own", "label": "relu"}
    return [cast(PlannedRun, SimpleNamespace(identity=f"id{place}", **each)) for place in range(count)]


class Measure:
    """Measures what a table says."""

    def __init__(self, memory: int = 2**30, rates: Mapping[tuple[int, int], float] = FAST):
        self.memory, self.rates = memory, rates
        self.asked: list[tuple[int, int]] = []

    def __call__(self, values: Mapping[str, Any], at_a_time: int, threads: int) -> Throughput:
        self.asked.append((at_a_time, threads))
        return Throughput(self.rates[at_a_time, threads], self.memory)


Pack = Callable[..., Packing | None]


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pack:
    """Pack runs on a machine of two cores and 8 GiB without a GPU."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(side_by_side, "job_threads", lambda: 2)
    monkeypatch.setattr(measured_packing, "available_memory", lambda: 8 * 2**30)
    monkeypatch.setattr(side_by_side, "visible_gpus", list)

    def call(
        planned: list[PlannedRun],
        *states: RunState,
        seconds: float = LONG,
        options: AutoOptions = AS_SHIPPED,
        measure: Any = None,
        **others: Any,
    ) -> Packing | None:
        whole = [*states, *[TODO] * (len(planned) - len(states))]
        return pack(planned, whole, [seconds] * len(planned), options, measure, **others)

    return call


def test_the_fastest_is_measured_once(packed: Pack) -> None:
    measure = Measure()
    assert packed(runs(6)) is None
    found = packed(runs(6), measure=measure)
    assert found == Packing(2, 1, MEASURED, examples_per_second=1930.0)
    assert measure.asked == [(1, 2), (2, 1)]
    assert packed(runs(6)) == found  # as `plan` sees it
    assert packed(runs(6), measure=measure) == found
    assert len(measure.asked) == 2


def test_a_measurement_that_cannot_be_kept_counts_all_the_same(packed: Pack, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "calibration").write_text("a file where the folder would be")
    measured = Packing(2, 1, MEASURED, examples_per_second=1930.0)
    assert packed(runs(6), measure=Measure()) == measured
    assert packed(runs(6)) is None  # the next one measures again


@pytest.mark.parametrize(
    "other",
    [{"fingerprint": "more digits"}, {"memory_gib": 4}, {"batch_size": 64}, {"task": OtherDigits()}],
    ids=["data", "a key that changes no result", "batch size", "task"],
)
def test_what_was_measured_of_another_network_or_its_data_does_not_count(packed: Pack, other: dict[str, Any]) -> None:
    assert packed(runs(6), measure=Measure()) is not None
    assert packed(runs(6, **other)) is None


def test_nor_does_what_was_measured_of_other_code(packed: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    assert packed(runs(6), measure=Measure()) is not None
    edited = SimpleNamespace(version="edited")
    monkeypatch.setattr(measured_packing, "code", lambda config: edited)
    assert packed(runs(6)) is None


def test_the_largest_of_a_sweep_is_measured_by_its_batches_too(packed: Pack) -> None:
    asked = []

    def measure(values: Mapping[str, Any], at_a_time: int, threads: int) -> Throughput:
        asked.append(values["task"]["name"])
        return Throughput(FAST[at_a_time, threads], 2**30)

    mixed = [*runs(2, name="small"), *runs(2, batch_size=512, name="large"), *runs(2, name="small")]
    assert packed(mixed, measure=measure) is not None
    assert set(asked) == {"large"}


def test_of_two_sweeps_at_once_one_measures_and_the_other_waits(packed: Pack, tmp_path: Path) -> None:
    measure, found = Measure(), list[Packing | None]()
    sweeps = [threading.Thread(target=lambda: found.append(packed(runs(6), measure=measure))) for _ in range(2)]
    with one_at_a_time(tmp_path / "results"):
        for sweep in sweeps:
            sweep.start()
            sweep.join(0.2)
        assert measure.asked == []
    for sweep in sweeps:
        sweep.join()
    assert measure.asked == [(1, 2), (2, 1)]
    assert found == [Packing(2, 1, MEASURED, examples_per_second=1930.0)] * 2


def test_what_needs_much_memory_trains_alone(packed: Pack) -> None:
    assert packed(runs(6), measure=Measure(memory=5 * 2**30)) == Packing(1, 2, MEASURED, examples_per_second=1500.0)
    assert packed(runs(6), measure=Measure(memory=3 * 2**30)) == Packing(1, 2, MEASURED, examples_per_second=1500.0)


@pytest.mark.parametrize(
    ("seconds", "others"),
    [(19.0, {}), (UNKNOWN, {"step_seconds": 1e-4}), (UNKNOWN, {"measure": Measure(rates={(1, 2): 1e6})})],
)
def test_short_sweeps_take_a_core_a_run(packed: Pack, seconds: float, others: Mapping[str, Any]) -> None:
    assert packed(runs(6), seconds=seconds, **others) == Packing(2, 1, SHORT)


def test_the_user_s_threads_stay(packed: Pack) -> None:
    assert packed(runs(6, threads=2), measure=Measure()) == Packing(1, 2, SETTLED)
    assert packed(runs(6, threads=1), measure=Measure()) == Packing(2, 1, SETTLED)
    assert packed(runs(6, threads=1), measure=Measure(memory=5 * 2**30)) == Packing(2, 1, SETTLED)  # known by now
    assert packed(runs(6, threads=7)) == Packing(1, 7, SETTLED)


def test_so_do_those_of_the_study_s_finished_runs(packed: Pack) -> None:
    slow = replace(DONE, threads=1)
    measure = Measure(rates={**FAST, (2, 1): 1000.0})
    assert packed(runs(6), DONE, measure=measure) == Packing(1, 2, KEPT)
    assert packed(runs(6), slow, slow, DONE, measure=measure) == Packing(2, 1, KEPT)
    assert packed(runs(6), replace(slow, study="other"), measure=measure) == Packing(
        1, 2, MEASURED, examples_per_second=1500.0
    )
    assert packed(runs(6), replace(DONE, threads=64), measure=measure) == Packing(
        1, 2, MEASURED, examples_per_second=1500.0
    )


def test_so_does_the_number_of_runs_that_is_asked_for(packed: Pack) -> None:
    assert packed(runs(6), options=AutoOptions(runs_at_a_time=4)) == Packing(4, 1, SETTLED)
    assert packed(runs(6, threads=2), options=AutoOptions(runs_at_a_time=2)) == Packing(2, 2, SETTLED)


def test_one_run_has_all_cores(packed: Pack) -> None:
    assert packed(runs(1)) == Packing(1, None, ALONE)
    assert packed(runs(3), DONE, RunState(Status.FAILED)) == Packing(1, 2, KEPT)


def test_a_task_that_trains_itself_trains_alone_unless_its_threads_are_known(packed: Pack) -> None:
    assert packed(runs(6, task=Loop())) == Packing(1, None, ALONE)
    assert packed(runs(6, task=Loop(), threads=1)) == Packing(2, 1, SETTLED)


def test_where_nothing_can_be_measured_every_core_has_a_run(packed: Pack, caplog: pytest.LogCaptureFixture) -> None:
    def fail(*arguments: object) -> Throughput:
        raise MeasurementFailed("the process was killed")

    assert packed(runs(6), measure=fail) == Packing(2, 1, NOT_MEASURED)
    assert "cannot be measured: the process was killed" in caplog.text


@pytest.mark.parametrize(
    ("count", "devices", "options", "expected"),
    [
        (6, None, AutoOptions(), Packing(2, 1, ON_GPUS, (("0",), ("1",)))),
        (6, None, AutoOptions(runs_per_gpu=2), Packing(4, 1, ON_GPUS, (("0",), ("1",), ("0",), ("1",)))),
        (6, 2, AutoOptions(), Packing(1, None, ON_GPUS, (("0", "1"),))),
        (6, None, AutoOptions(runs_at_a_time=1), Packing(1, None, ON_GPUS, (("0",),))),
    ],
)
def test_on_gpus_every_run_has_one(
    packed: Pack,
    monkeypatch: pytest.MonkeyPatch,
    count: int,
    devices: int | None,
    options: AutoOptions,
    expected: Packing,
) -> None:
    monkeypatch.setattr(side_by_side, "visible_gpus", lambda: ["0", "1"])
    assert packed(runs(count, devices=devices), options=options) == expected
    assert packed(runs(count, devices="cpu"), measure=Measure()).gpus == ()


def test_one_run_on_many_gpus_has_all_cores(packed: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "visible_gpus", lambda: ["0", "1"])
    assert packed(runs(1)) == Packing(1, None, ON_GPUS, (("0",),))
    # Once the others are done it keeps what they had.
    done = replace(DONE, threads=1)
    assert packed(runs(3), done, done) == Packing(1, 1, ON_GPUS, (("0",),))


@pytest.mark.parametrize("options", [{"runs_at_a_time": 0}, {"runs_at_a_time": "two"}, {"runs_per_gpu": True}])
def test_a_wrong_option_is_one_line(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"hydra.launcher.runs_\w+ must be a number above 0. Received: "):
        AutoOptions(**options)


def test_times_are_divided_where_runs_had_as_many_threads() -> None:
    history = pd.DataFrame({"threads": ["2", "1"]})
    assert side_by_side.side_by_side(Packing(2, 1, MEASURED), history) == 2
    assert side_by_side.side_by_side(Packing(2, 1, MEASURED), history[:1]) == 1
    assert side_by_side.side_by_side(Packing(1, 2, MEASURED), history) == 1
    assert side_by_side.side_by_side(None, history) == 1
