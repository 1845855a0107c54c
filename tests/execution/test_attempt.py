"""One attempt at a run: what it refuses. `tests/test_run.py` has whole ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ablate.config.validation import ValidConfig
from ablate.config.variant import Variant
from ablate.errors import DataError
from ablate.execution.attempt import _tags, run_attempt
from ablate.execution.identity import code
from ablate.execution.job import Job
from ablate.execution.lease import acquire_lease
from ablate.task import DataSummary
from ablate.tracking.names import PHASE_SECONDS
from ablate.tracking.study_record import StudyRecord
from ablate.training.hardware import Hardware
from tests.support.configs import valid_config


def new_job(config: ValidConfig, folder: Path) -> Job:
    return Job(
        values=config.values,
        variant=Variant(),
        uri=f"sqlite:///{folder / 'mlflow.db'}",
        project=folder,
        results=folder,
        code=code(config),
        trains_itself=False,
        hydra_job={},
    )


def test_the_store_is_told_what_an_example_is_called(tmp_path: Path) -> None:
    config = valid_config("scale=smoke")
    tags = _tags(new_job(config, tmp_path), config, "f" * 64)
    assert (tags["ablate.example"], tags["ablate.scale"]) == ("photograph", "smoke")


@pytest.mark.slow
def test_data_that_changed_while_it_was_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = valid_config("scale=smoke")
    job = new_job(config, tmp_path)
    monkeypatch.setattr("ablate.execution.attempt.configure", lambda *_, **__: Hardware({}))
    monkeypatch.setattr(config.task, "load_data", lambda: DataSummary("d", "s", "changed", {}, []))
    with acquire_lease(tmp_path / "checkpoints" / "f00d", timeout_minutes=1) as lease:
        assert lease is not None
        with pytest.raises(DataError, match="the data set has changed while it was read"):
            run_attempt(job, config, lease, resumed=None, started=lambda run_id: None)
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_a_loop_of_one_s_own_evaluates_itself_and_spends_no_time_on_evaluation(
    home: Path, run_here: Callable[..., None], study: Callable[[], StudyRecord]
) -> None:
    (home / "loop.py").write_text(
        "from ablate import FunctionTask, Measure\n"
        "class Loop(FunctionTask):\n"
        "    measures = {'accuracy': Measure('Accuracy', '%', 'higher')}\n"
        "    def train(self, config, seed, run):\n"
        "        return {'accuracy': 50.0}\n"
    )
    run_here("task._target_=loop.Loop")
    metrics = study().metrics.iloc[0]
    phases = [phase for phase, name in PHASE_SECONDS.items() if metrics.get(name, 0.0) > 0]
    assert phases == ["start", "data", "training", "tracking"]
