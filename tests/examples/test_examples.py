"""The projects in `examples/`: their studies are planned, small versions of them trained and reported."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from ablate.cli.command_line import CommandLine
from ablate.config.validation import validate_config
from tests.support.commands import Command

EXAMPLES = Path(__file__).parents[2] / "examples"
PROJECTS = sorted(path.parent.name for path in EXAMPLES.glob("*/pyproject.toml"))
SMALL = {
    "own_loop": ("network.width=64,16", "training.epochs=2"),
    "segmentation": ("skip=with,without", "training.epochs=1", "training.steps_per_epoch=2"),
}
"""Sweeps of seconds; that of digits is in test_your_own_model.py."""
torch_only = pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch: pip install torch")


@pytest.fixture
def project(request: pytest.FixtureRequest, home: Path) -> str:
    """A copy of an example in `home`."""
    shutil.copytree(EXAMPLES / request.param, home, dirs_exist_ok=True, ignore=shutil.ignore_patterns("results"))
    return str(request.param)


@pytest.mark.parametrize("project", PROJECTS, indirect=True)
def test_its_study_can_be_planned(project: str, forked_m: Command) -> None:
    planned = forked_m("ablate.plan", f"experiment={project}")
    assert planned.returncode == 0, planned.stderr
    assert "runs: " in planned.stdout
    assert "baseline" in planned.stdout


@pytest.mark.parametrize("project", SMALL, indirect=True)
def test_a_small_version_is_trained_and_reported(project: str, forked_m: Command, home: Path) -> None:
    trained = forked_m("ablate.run", "-m", *SMALL[project], "study.name=small")
    assert trained.returncode == 0, trained.stderr
    reported = forked_m("ablate.report", "study=small", f"out={home / 'out'}")
    assert reported.returncode == 0, reported.stderr
    assert len(pd.read_csv(home / "out" / "comparison.csv")) >= 1
    assert (home / "out" / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("project", SMALL, indirect=True)
def test_its_task_keeps_to_the_contract(project: str, forked_m: Command) -> None:
    tested = forked_m("pytest", "-q", "-p", "no:cacheprovider", ".", timeout=500)
    assert tested.returncode == 0, tested.stdout[-3000:]


class StoppedAfter:
    """A run that is interrupted after some epochs."""

    def __init__(self, folder: Path, epochs: int):
        self.folder, self.epochs, self.curves = folder, epochs, dict[int, dict[str, float]]()
        folder.mkdir(exist_ok=True)

    def log_metrics(self, metrics: dict[str, float], step: int = 0) -> None:
        self.curves[step] = metrics

    def report_progress(self, step: int, steps: int) -> None:
        self.epochs -= 1

    def should_stop(self) -> bool:
        return self.epochs == 0


@pytest.mark.slow
@pytest.mark.parametrize("library", ["sklearn", pytest.param("torch", marks=torch_only)])
@pytest.mark.parametrize("project", ["own_loop"], indirect=True)
def test_an_own_loop_resumes_to_the_same_bits(
    project: str, library: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(home)
    task = validate_config(CommandLine([f"library={library}", "training.epochs=5"]).compose()).task
    calm, first, rest = (
        StoppedAfter(home / "calm", 9),
        StoppedAfter(home / "stopped", 2),
        StoppedAfter(home / "stopped", 9),
    )
    expected = task.train(task.config, 3, calm)
    assert task.train(task.config, 3, first) is None
    pd.testing.assert_frame_equal(task.train(task.config, 3, rest), expected, check_exact=True)
    assert {**first.curves, **rest.curves} == calm.curves
    assert sorted(rest.curves) == [3, 4, 5]


@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed")
@pytest.mark.parametrize("project", ["own_loop"], indirect=True)
def test_a_level_whose_library_is_missing_says_what_to_install(project: str, forked_m: Command) -> None:
    run = forked_m("ablate.run", "library=torch")
    assert run.returncode != 0
    assert "library=torch needs PyTorch: pip install torch" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
