"""The command: how far studies are, what trains, what is orphaned; it changes nothing."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ablate.status.__main__ import main
from ablate.status.read import StoreStatus, StudyStatus, Training, Unseen
from ablate.status.text import format_status
from ablate.tracking.store import open_store
from tests.support.commands import Command, called_here
from tests.support.forked import Forked, ForkedProcess
from tests.support.mlflow_server import mlflow_server
from tests.support.stores import ODD, add_failed, add_run, record_hand_made
from tests.support.tracked_runs import open_in

HOLD = """
import sys
from pathlib import Path
from ablate.execution.lease import acquire_lease

with acquire_lease(Path(sys.argv[1]), timeout_minutes=5) as lease:
    lease.report_progress({"step": 30, "steps": 100, "epochs": 10, "seconds_left": 90.0})
    print("held", flush=True)
    sys.stdin.readline()
"""

Status = Callable[..., str]
Hold = Callable[[Path], subprocess.Popen[str]]


@pytest.fixture
def status(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Status:
    """Run `python -m ablate.status ARGUMENTS` here; return what it prints."""
    return called_here(main, "ablate.status", monkeypatch, capsys)


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start a process that holds the lease of a folder, and has reported progress."""
    started = list[subprocess.Popen[str]]()

    def start(folder: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(folder)]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        stream = started[-1].stdout
        assert stream is not None
        assert stream.readline() == "held\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def begin(home: Path, forked_m: Command) -> Callable[..., None]:
    """Leave a run that has begun, and has never ended, as kill -9 does."""
    code = (
        "import os, sys, json; from pathlib import Path; from ablate.tracking.run import track;"
        "from ablate.tracking.store import open_store; open_store(os.environ['MLFLOW_TRACKING_URI']);"
        "home, variant, seed, identity, config = sys.argv[1:];"
        "tags = {'variant': variant, 'seed': seed, 'identity': identity};"
        "named = {f'ablate.{k}': v for k, v in tags.items()};"
        "context = track(study='hand', name='x', tags=named, project=Path(home)); run = context.__enter__();"
        "run.log_config(json.loads(config)); os.kill(os.getpid(), 9)"
    )

    def call(variant: str, seed: int, identity: str, **params: object) -> None:
        done = forked_m("-c", code, str(home), variant, str(seed), identity, json.dumps(params))
        assert done.returncode == -signal.SIGKILL, done.stderr

    return call


def read(status: Status, *arguments: str) -> dict[str, Any]:
    return dict(json.loads(status("--json", *arguments)))


def counts(found: dict[str, Any], study: str = "hand") -> list[int | None]:
    (row,) = [row for row in found["studies"] if row["study"] == study]
    return [row[name] for name in ("done", "running", "interrupted", "failed", "todo", "runs")]


@pytest.mark.slow
def test_each_status_is_counted(hand_made: Path, status: Status, hold: Hold, begin: Callable[..., None]) -> None:
    assert counts(read(status)) == [6, 0, 0, 0, 0, 6]
    record_hand_made(hand_made, seeds=[0, 1, 2, 3, 4, 5])
    add_failed(hand_made, ODD, 3)  # of the machine: it is resumed
    begin("baseline", 3, "baseline3")
    begin("baseline", 4, "baseline4")
    process = hold(hand_made / "checkpoints" / "baseline4")
    found = read(status)
    assert counts(found) == [6, 1, 2, 0, 3, 12]
    (training,) = found["running"]
    assert (training["study"], training["variant"], training["seed"]) == ("hand", "baseline", 4)
    assert training["process"] == process.pid
    assert (training["step"], training["steps"], training["epoch"], training["epochs"]) == (30, 100, 4, 10)
    assert training["since"] is not None
    text = status()
    assert "epoch 4 of 10; step 30 of 100; 01:30 left" in text
    process.kill()
    process.wait()
    found = read(status)
    assert counts(found) == [6, 0, 3, 0, 3, 12]
    assert [one["identity"] for one in found["orphaned"]] == ["baseline4"]
    assert f"hand: baseline, seed 4; process {process.pid} on" in status()


def test_a_sweep_without_a_file_has_no_number_of_runs(home: Path, status: Status) -> None:
    open_in(home)
    add_run(home, "baseline", 0, study="adhoc")
    assert counts(read(status), "adhoc") == [1, 0, 0, 0, None, None]
    assert "a sweep without a study file" in status()


def test_a_run_that_has_just_begun_is_shown_before_it_is_tracked(home: Path, status: Status, hold: Hold) -> None:
    hold(home / "checkpoints" / "fresh")
    found = read(status)
    assert found["studies"] == []
    assert [(one["study"], one["identity"]) for one in found["running"]] == [(None, "fresh")]
    assert "not tracked yet, fresh" in status()


@pytest.mark.slow
def test_checkpoints_of_another_folder_are_found_by_the_run_s_configuration(
    hand_made: Path, tmp_path: Path, status: Status, hold: Hold, begin: Callable[..., None]
) -> None:
    own = tmp_path / "elsewhere"
    begin("baseline", 7, "baseline7", checkpoint={"dir": str(own), "lease_timeout_minutes": 5})
    assert counts(read(status))[:3] == [6, 0, 1]
    from ablate.tracking.store import checkpoint_folder

    hold(checkpoint_folder(os.environ["MLFLOW_TRACKING_URI"], hand_made, own) / "baseline7")
    assert counts(read(status))[:3] == [6, 1, 0]


def test_it_makes_and_changes_nothing(hand_made: Path, tmp_path: Path, status: Status) -> None:
    before = {path: path.stat().st_mtime_ns for path in sorted(hand_made.rglob("*"))}
    content = (hand_made / "mlflow.db").read_bytes()
    status()
    assert {path: path.stat().st_mtime_ns for path in sorted(hand_made.rglob("*"))} == before
    assert (hand_made / "mlflow.db").read_bytes() == content
    said = status("uri=sqlite:///new/mlflow.db")
    assert said.startswith("Error: there are no runs yet: ")
    assert said.count("\n") == 1
    assert status("uri=new").startswith("Error: there are no runs yet: ")
    assert not (tmp_path / "new").exists()


def test_wrong_arguments_are_one_line(home: Path, status: Status) -> None:
    page = "See docs/runs.md#status\n"
    assert status("wach=true") == f"Error: unknown key: wach. Allowed: uri, watch. Did you mean watch? {page}"
    assert status("watch=true") == f"Error: watch=true needs a terminal; --json, once, is for programs. {page}"


@pytest.mark.slow
def test_it_imports_no_tensorflow(hand_made: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "ablate.status"], capture_output=True, text=True, check=True
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not {"tensorflow", "keras", "torch"} & imported


def test_of_hundreds_of_studies_the_oldest_make_room_for_what_trains() -> None:
    studies = [StudyStatus(f"s{place}", 1, 0, 0, 0, 0, 1, "2026-01-01T00:00:00+00:00") for place in range(300)]
    trains = Training("s0", "baseline", 0, "i", "host", 1, None, 1, 2, 1, 1, 5.0)
    status = StoreStatus("sqlite:///x.db", studies, [trains], [], [])
    lines = format_status(status, height=24).splitlines()
    assert len(lines) == 24
    assert lines[20:] == [
        "and 284 more studies",
        "",
        "Running",
        "  s0: baseline, seed 0; process 1 on host; step 1 of 2; 00:05 left",
    ]
    assert format_status(status, height=3).splitlines()[4].startswith("s0 ")
    assert "more stud" not in format_status(status)
    assert len(format_status(status).splitlines()) == 4 + 300 + 3


@pytest.mark.slow
def test_it_is_drawn_anew_until_ctrl_c(hand_made: Path, forked: Forked) -> None:
    terminal, own = pty.openpty()
    watch, streams = ["ablate.status", "watch=true"], [os.devnull, os.ttyname(own), os.ttyname(own)]
    process = forked.start(watch, folder=hand_made, env=os.environ, streams=streams, session=True)

    def shown(wanted: str) -> None:
        seen, latest = "", time.monotonic() + 120
        while wanted not in " ".join(seen.replace("\x1b[K", " ").split()):
            assert time.monotonic() < latest, seen
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 65536).decode()

    try:
        shown("hand 6 0 0 0 0 6")
        record_hand_made(hand_made, seeds=[0, 1, 2, 3])
        add_run(hand_made, ODD, 3)
        shown("hand 7 0 0 0 1 8")
    finally:
        os.kill(process, signal.SIGINT)
        code = forked.wait(process, timeout=60)
        os.close(own)
        os.close(terminal)
    assert code == 0


@pytest.mark.slow
def test_a_server_is_read_and_a_run_without_a_lease_here_is_named(
    home: Path, empty_store: Path, status: Status, begin: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with mlflow_server(home, empty_store) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        open_store(uri)
        add_run(home, "baseline", 0)
        begin("baseline", 1, "baseline1")
        found = read(status, f"uri={uri}")
        assert counts(found)[:4] == [1, 1, 0, 0]
        assert [(one["variant"], one["seed"]) for one in found["unseen"]] == [("baseline", 1)]
    assert "does not answer" in status(f"uri={uri}")


@pytest.mark.slow
@pytest.mark.database
def test_postgresql_is_read_and_never_made(
    home: Path, postgres: str, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgres)
    for _ in range(2):  # the first look has made no tables
        assert "there are no runs yet" in status()
    with psycopg.connect(postgres) as connection:
        connection.execute("CREATE TABLE letters (text TEXT)")  # another program's, beside which a store may be
    for _ in range(2):
        assert "there are no runs yet" in status()
    open_store(postgres)
    add_run(home, "baseline", 0)
    assert counts(read(status))[:4] == [1, 0, 0, 0]


@pytest.mark.slow
def test_a_store_is_read_while_it_is_written(
    hand_made: Path,
    status: Status,
    forked: Forked,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    uri = os.environ["MLFLOW_TRACKING_URI"]
    code = (
        "import sys; from itertools import count; from pathlib import Path;"
        "from ablate.tracking.store import open_store;"
        "from tests.support.stores import add_run; open_store(sys.argv[1]); print('open', flush=True);\n"
        "for seed in count(100): add_run(Path(sys.argv[2]), 'baseline', seed, study='other')"
    )
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ["PYTHONPATH"]])
    monkeypatch.setenv("PYTHONPATH", path)
    command = ["-c", code, uri, str(hand_made)]
    writer = ForkedProcess(forked, command, folder=hand_made, output=tmp_path_factory.mktemp("output") / "log.txt")
    try:
        writer.read_until("open")
        looks = [counts(read(status)) for _ in range(20)]
        assert writer.is_running()
    finally:
        writer.end()
    assert looks == [[6, 0, 0, 0, 0, 6]] * 20


def test_a_name_forges_no_line_and_commands_no_terminal() -> None:
    run = Unseen("s", "a\nStore forged", 0, "host\x1b[2J\u202e", "2026-01-01T00:00:00+00:00")
    lines = format_status(StoreStatus("here", [], [], [], [run])).splitlines()
    assert lines[-1].startswith(r"  s: a\nStore forged, seed 0; on host\x1b[2J\u202e; began ")
