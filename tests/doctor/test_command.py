"""The whole command, on machines that are well and on broken ones: it reports, and leaves nothing behind."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from ablate.cli.command_line import parse_command_line
from ablate.config.paths import results_dir
from ablate.doctor import training
from ablate.doctor.finding import Finding, Mark
from ablate.doctor.hidden_modules import hidden_modules
from ablate.doctor.project import Project, examine_project
from ablate.doctor.tensorflow import Seen, examine_tensorflow, probing
from ablate.doctor.training import examine_training, step_findings
from ablate.estimate.packing import Throughput
from ablate.estimate.throughput_cache import write_measured
from ablate.execution.throughput import TookTooLong, measure_throughput
from ablate.study.measured_packing import MeasuredPacking
from ablate.system.threads import job_threads
from tests.support.commands import TINY, Command
from tests.tracking.test_database_schema import changed


def before_others(folder: Path, name: str, source: str) -> str:
    """Write a module that is found before the installed one of its name; return the path to search."""
    (folder / f"{name}.py").write_text(source)
    return os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))


def there(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder with their contents, and the folders."""
    return {str(path): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def found(groups: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    return {group["title"]: group["findings"] for group in groups["groups"]}


def texts(findings: list[Finding], mark: Mark) -> str:
    return "\n".join(finding.text for finding in findings if finding.mark == mark)


@pytest.mark.slow
def test_all_of_a_machine_is_examined_and_nothing_stays(home: Path, forked_m: Command) -> None:
    before = there(home)
    done = forked_m("ablate.doctor", *TINY, "hardware.threads=1", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    groups = found(json.loads(done.stdout))
    assert [*groups] == ["Installation", "Machine", "TensorFlow", "Project", "Store", "Disk", "Training"]
    said = " ".join(finding["text"] for finding in groups["Training"])
    assert "a step of 16 examples takes" in said
    assert "1 thread on " in said
    assert there(home) == before


@pytest.mark.slow
def test_what_is_broken_is_reported_with_what_to_do_and_the_rest_as_well(
    home: Path, forked_m: Command, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raising = "raise ImportError('libcuda is of another kind')\n"
    path = before_others(tmp_path_factory.mktemp("broken"), "tensorflow", raising)
    changed(home / "mlflow.db", "UPDATE alembic_version SET version_num = '0584bdc529eb'")
    before = there(home)
    done = forked_m(
        "ablate.doctor",
        *TINY,
        "data=folder",
        "data.root=nowhere",
        "checkpoint.dir=/proc/x",
        env={"PYTHONPATH": path},
    )
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    wrong = [place for place, line in enumerate(lines) if line.startswith("  problem")]
    for place, text in zip(
        wrong,
        ("TensorFlow cannot be imported: ImportError: libcuda", "nowhere", "by an older MLflow", "cannot be written"),
        strict=True,
    ):
        assert text in lines[place]
        assert lines[place + 1].strip().startswith("-> ")
    assert lines[-1].startswith("4 problems, ")
    assert "Traceback" not in done.stderr
    assert there(home) == before


@pytest.mark.parametrize(
    ("command", "module", "content", "said"),
    [
        (
            *(["ablate", "doctor"], "hydra", "raise ImportError('no hydra here')\n"),
            "  problem  ablate cannot be imported: no hydra here\n",
        ),
        (
            *(["ablate.doctor"], "random", ""),
            "Installation\n  problem  ablate cannot be imported: cannot import name 'Random'",
        ),
    ],
    ids=["a package that every command needs", "a module of Python"],
)
def test_what_hides_a_module_is_named(
    command: list[str],
    module: str,
    content: str,
    said: str,
    python_m: Command,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    done = python_m(*command, env={"PYTHONPATH": before_others(folder, module, content)})
    assert done.returncode == 1
    assert said in done.stdout
    advice = f"           -> rename {folder}/{module}.py, which Python takes for its own or an installed {module}\n"
    assert advice in done.stdout
    assert done.stdout.endswith("\n1 problem, no notes\n")
    assert done.stderr == ""


def test_modules_beside_each_other_hide_none_and_installed_ones_are_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, cluster = tmp_path / "own", tmp_path / "cluster"
    for folder in (own / "keras", own / "nets", cluster / "numpy", cluster / "numpy-1.0.dist-info"):
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
    (own / "mine.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(own), str(cluster), *sys.path])
    found = [(name, file) for name, file in hidden_modules() if file.startswith(str(tmp_path))]
    assert found == [("keras", str(own / "keras"))]


def test_an_import_that_kills_its_process_is_reported(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = before_others(tmp_path_factory.mktemp("broken"), "keras", "import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", path)
    with probing() as tensorflow:
        seen = tensorflow()
    assert seen == Seen("the process that imports it was killed by SIGABRT", killed=True)
    (finding,) = examine_tensorflow(seen, only_cpu=False).findings
    assert finding.mark == Mark.PROBLEM
    (late,) = examine_tensorflow(Seen("it took more than 120 s", late=True), only_cpu=False).findings
    assert late.advice.startswith("other programs or a slow disk keep it back: try again")
    project = examine_project(parse_command_line([*TINY, "tracking.uri=sqlite:///x.db"]), importable=False)
    assert project.uri == "sqlite:///x.db"
    assert not project.planned


def planned(*overrides: str) -> Project:
    project = examine_project(parse_command_line([*TINY, *overrides]), importable=True)
    assert [finding.mark for finding in project.group.findings] == [Mark.OK], project.group
    return project


def test_a_mistake_in_the_configuration_is_a_finding(home: Path) -> None:
    project = examine_project(parse_command_line(["optimizer=adm", "tracking.uri=sqlite:///x.db"]), importable=True)
    (finding,) = project.group.findings
    assert finding.text.startswith("unknown level: optimizer=adm. Allowed: ")
    assert (finding.mark, project.planned) == (Mark.PROBLEM, [])


def test_a_sweep_is_examined_as_its_runs(home: Path) -> None:
    project = planned("seed=0,1", "hardware.devices=cpu", "checkpoint.dir=kept", "tracking.uri=sqlite:///x.db")
    assert len(project.planned) == 2
    assert "2 runs of Tiny" in project.group.findings[0].text
    assert (project.uri, project.checkpoints, project.only_cpu) == ("sqlite:///x.db", home / "kept", True)


def test_a_step_that_a_sweep_has_timed_is_not_timed_again(home: Path) -> None:
    project = planned("hardware.threads=1", "hardware.precision=mixed_float16", "training.epochs=1000000")
    (run,) = project.planned
    cache = MeasuredPacking([run], 1, job_threads(), 1, 0.0, None)
    write_measured(cache.file, {(1, 1): Throughput(8.0, 10**6)})
    before = there(results_dir())
    findings = [*examine_training(project, []).findings]
    assert "a step of 16 examples takes 2 s, as measured before" in texts(findings, Mark.NOTE)  # of a long run
    assert "a run takes 1.00MB of memory" in texts(findings, Mark.OK)
    assert "mixed_float16 is slow" in texts(findings, Mark.NOTE)
    assert there(results_dir()) == before


def test_more_memory_than_there_is_is_a_problem(home: Path) -> None:
    (run,) = planned().planned
    short, memory = step_findings(run, Throughput(100.0, 2 * 10**9), before=False, available=10**9)
    assert (short.mark, memory.mark) == (Mark.OK, Mark.PROBLEM)
    assert memory.text == "a run takes 2.00GB of memory, and 1.00GB are free"


@pytest.mark.slow
def test_a_step_that_takes_too_long_is_a_note_and_one_that_fails_a_problem(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = planned("hardware.threads=1").planned
    with pytest.raises(TookTooLong, match="the first steps took more than 0 s"):
        measure_throughput(run.config.values, 1, 1, patience=0)
    monkeypatch.setattr(training, "SECONDS", 0.0)
    (slow,) = training._step(run, 1)
    assert (slow.mark, slow.text) == (Mark.NOTE, "a step is slow here: the first steps took more than 0 s")
    monkeypatch.setattr(training, "SECONDS", 60.0)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    (run,) = planned("hardware.threads=1", "hardware.devices=1").planned
    (failed,) = training._step(run, 1)
    assert failed.mark == Mark.PROBLEM
    assert "this machine has 0 GPUs" in failed.text
