"""Plan and run from Python: the commands, as processes of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from textwrap import indent
from typing import Any

import numpy as np
import pytest
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig

import ablate
from ablate.errors import AblateError, ConfigError, SweepIncomplete
from ablate.notebook.process import EVENT, LOG, OUTPUT, run_command
from ablate.system.signals import INTERRUPTING
from tests.support.commands import TINY
from tests.support.processes import end, read_until

SMALL = [*TINY, "tracking.model=true", "study.name=small"]


def state() -> tuple[Any, ...]:
    """Return what a call must leave as it is."""
    handlers = [signal.getsignal(number) for number in INTERRUPTING]
    return dict(os.environ), list(sys.argv), handlers, Path.cwd(), list(sys.path), GlobalHydra().is_initialized()


@pytest.mark.slow
def test_a_sweep_is_planned_trained_once_and_read(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import_module("sklearn")  # which sets a variable when it is imported first
    before = state()
    plan = ablate.plan(*SMALL, seed=[3, 4])
    assert (plan.study, len(plan), plan.question) == ("small", 2, None)
    assert list(plan.runs["status"]) == ["to do"] * 2
    assert np.isnan(plan.seconds_left)
    assert "2 runs: 2 to do" in repr(plan)
    assert "<td>to do</td>" in plan._repr_html_()

    study = ablate.run(*SMALL, seed=[3])
    printed = capfd.readouterr()
    assert "Study small: 1 run: 1 done, 0 cached, 0 failed" in printed.out
    assert "Evaluated: " not in printed.out + printed.err
    assert list(study.runs["status"]) == ["done"]
    assert list(study.runs["optimizer"]) == ["adam"]
    assert study.uri == os.environ["MLFLOW_TRACKING_URI"]
    (found,) = ablate.plan(*SMALL, seed=[3]).runs.to_dict("records")
    assert (found["status"], found["run_id"]) == ("done", study.runs.index[0])
    assert state() == before
    assert not HydraConfig.initialized()

    model = study.model(variant=study.runs["variant"].iloc[0], seed=3)
    assert model.count_params() > 0
    assert {name: value for name, value in os.environ.items() if "MLFLOW" in name} == {
        name: value for name, value in before[0].items() if "MLFLOW" in name
    }


@pytest.mark.slow
def test_a_mistake_raises_what_the_command_says(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match=r"unknown level: optimizer=adm\. .* Did you mean optimizer=adam\?"):
        ablate.plan("optimizer=adm")  # Hydra's
    assert "Error: " not in capfd.readouterr().err
    with pytest.raises(SweepIncomplete, match="1 of 1 runs have no result"):
        ablate.run("task._target_=waits.Fails", progress=False)


SCRIPT = """
import ablate
try:
    ablate.run("task._target_=waits.Waits", "study.name=small", seed=[0], verbose=True)
except KeyboardInterrupt:
    print("interrupted:", *ablate.study("small").runs["status"])
print("continues")
"""


@pytest.mark.slow
@pytest.mark.parametrize("interrupt", [os.kill, os.killpg], ids=["alone", "with its group"])
def test_an_interrupt_ends_in_order_and_python_goes_on(home: Path, interrupt: Callable[[int, int], None]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", SCRIPT], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        read_until(process, "it waits now")
        interrupt(process.pid, signal.SIGINT)
        read_until(process, "interrupted: interrupted")
        read_until(process, "continues")
        assert process.wait(60) == 0
    finally:
        end(process)


@pytest.fixture
def write_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Write a module whose `main` has these lines."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))

    def write(name: str, body: str) -> None:
        (tmp_path / f"{name}.py").write_text(f"import signal, sys, time\ndef main():\n{indent(body, '    ')}")

    return write


@pytest.mark.slow
def test_output_log_and_errors_are_told_apart(write_command: Callable[[str, str], None]) -> None:
    write_command(
        "said",
        "print('ä', *sys.argv)\n"
        "print('careful', file=sys.stderr)\n"
        "print('Error: all of it', file=sys.stderr)\n"
        "raise SystemExit(3)\n",
    )
    heard = list[tuple[str, str]]()
    with pytest.raises(AblateError, match="`python -m said` ended with code 3\nError: all of it"):
        run_command("said", ["a b"], lambda *line: heard.append(line))
    assert sorted(heard) == sorted([(OUTPUT, "ä said a b"), (LOG, "careful")])
    assert EVENT not in dict(heard)


@pytest.mark.slow
def test_a_line_that_looks_like_an_error_is_no_end(write_command: Callable[[str, str], None]) -> None:
    write_command(
        "goes_on",
        "print('Error: of a library', file=sys.stderr)\nprint('goes on', file=sys.stderr)\nprint('done')\n",
    )
    heard = list[tuple[str, str]]()
    run_command("goes_on", [], lambda *line: heard.append(line))
    assert [line for kind, line in heard if kind == LOG] == ["Error: of a library", "goes on"]
    assert (OUTPUT, "done") in heard


@pytest.mark.slow
def test_a_command_ends_with_the_process_that_waits_for_it(
    tmp_path: Path, write_command: Callable[[str, str], None]
) -> None:
    ended = tmp_path / "ended"
    write_command(
        "waits",
        f"signal.signal(signal.SIGTERM, lambda *_: (open({str(ended)!r}, 'w').close(), sys.exit(1)))\n"
        "print('waits', flush=True)\n"
        "time.sleep(600)\n",
    )
    code = "from ablate.notebook.process import run_command; run_command('waits', [], print)"
    process = subprocess.Popen([sys.executable, "-uc", code], stdout=subprocess.PIPE, text=True)
    with process:
        read_until(process, "waits")
        process.kill()
    latest = time.monotonic() + 60
    while not ended.exists() and time.monotonic() < latest:
        time.sleep(0.05)
    assert ended.exists()


ORDERS = {
    "names": "import ablate",
    "modules": "import ablate.study.definition, ablate.run, ablate.plan, ablate.report; import ablate",
    "from": "from ablate import run, plan, study; import ablate",
}


@pytest.mark.slow
@pytest.mark.parametrize("first", ORDERS.values(), ids=list(ORDERS))
def test_functions_and_modules_of_one_name_are_both_there(first: str, tmp_path: Path) -> None:
    code = f"""
{first}
assert all(callable(each) for each in (ablate.run, ablate.plan, ablate.study))
import inspect
assert "experiment" in inspect.signature(ablate.run).parameters
assert "partial" in inspect.signature(ablate.study).parameters
try:
    print(ablate.plan("-m"))
except ablate.errors.ConfigError:
    pass
from ablate.run import main
import ablate.run as module, ablate.study.definition as definition, ablate.report.number_format
assert module.main is main and callable(module) and ablate.study.definition is definition
assert {{"run", "plan", "study", "Study", "Plan", "ArrayTask"}} <= {{*dir(ablate)}}
"""
    subprocess.run([sys.executable, "-W", "error::RuntimeWarning", "-c", code], check=True, cwd=tmp_path)
