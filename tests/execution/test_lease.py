"""A run is trained by one process at a time, and can be taken once that process is gone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ablate.errors import LeaseLost, TrackingError
from ablate.execution import lease as leases
from ablate.execution.lease import Lease, LeaseOwner, acquire_lease, lease_owner

MINUTES = 5.0

HOLD = """
import sys
from pathlib import Path
from ablate.execution.lease import acquire_lease

with acquire_lease(Path(sys.argv[1]), timeout_minutes=5) as lease:
    if lease is not None:
        lease.report_progress({"step": 3, "steps": 10})
    print("refused" if lease is None else "held", flush=True)
    sys.stdin.readline()
"""
"""A process that holds a lease until it reads a line or is killed."""

RACE = """
import sys
from pathlib import Path
from ablate.execution.lease import acquire_lease

for line in sys.stdin:
    with acquire_lease(Path(line.strip()), timeout_minutes=5) as lease:
        print("refused" if lease is None else "won", flush=True)
        sys.stdin.readline()
    print("left", flush=True)
"""
"""A process that acquires the lease of each folder it reads, and lets go of it at the next line."""

Python = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def python() -> Iterator[Python]:
    """Start Python processes, which end with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(program: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "runs" / "f00d"


def tell(process: subprocess.Popen[str], line: object = "") -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def rewrite(folder: Path, *, minutes_ago: float = 0.0, **changes: object) -> None:
    """Write the lease as if another process had, some time ago."""
    path = folder / "lease.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    then = time.time() - 60 * minutes_ago
    os.utime(path, (then, then))


def test_a_run_without_a_lease_has_no_owner(folder: Path) -> None:
    assert lease_owner(folder, timeout_minutes=MINUTES) is None


def test_a_live_process_keeps_its_lease_and_a_killed_one_loses_it(folder: Path, python: Python) -> None:
    process = python(HOLD, folder)
    assert heard(process) == "held"
    found = lease_owner(folder, timeout_minutes=MINUTES)
    assert found is not None
    assert found.pid == process.pid
    assert found.progress == {"step": 3, "steps": 10}
    with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
        assert lease is None
    assert lease_owner(folder, timeout_minutes=MINUTES) == found
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lease_owner(folder, timeout_minutes=MINUTES) is None
    with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
        assert lease is not None
        lease.ensure_held()
        own = lease_owner(folder, timeout_minutes=MINUTES)
        assert own is not None
        assert (own.pid, own.progress) == (os.getpid(), {})


def test_a_killed_process_that_nobody_waited_for_holds_nothing(folder: Path, python: Python) -> None:
    process = python(HOLD, folder)
    assert heard(process) == "held"
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
    assert lease_owner(folder, timeout_minutes=MINUTES) is None


def test_a_silent_process_of_this_machine_is_not_taken_for_dead(folder: Path) -> None:
    with acquire_lease(folder, timeout_minutes=MINUTES):
        rewrite(folder, minutes_ago=1000)
        assert lease_owner(folder, timeout_minutes=MINUTES) is not None


def test_another_process_of_the_same_number_is_not_the_owner(folder: Path) -> None:
    with acquire_lease(folder, timeout_minutes=MINUTES):
        rewrite(folder, started=1.0)
        assert lease_owner(folder, timeout_minutes=MINUTES) is None


@pytest.mark.slow
def test_of_two_that_race_one_wins(tmp_path: Path, python: Python) -> None:
    both = [python(RACE), python(RACE)]
    for turn in range(10):
        for process in both:
            tell(process, tmp_path / "runs" / str(turn))
        assert sorted(heard(process) for process in both) == ["refused", "won"]
        for process in both:
            tell(process)
        assert [heard(process) for process in both] == ["left", "left"]
        assert not (tmp_path / "runs" / str(turn)).exists()


@pytest.mark.parametrize(("minutes_ago", "lives"), [(0, True), (4.9, True), (5.1, False), (1000, False)])
def test_a_process_elsewhere_lives_while_it_is_heard_of(folder: Path, minutes_ago: float, lives: bool) -> None:
    with acquire_lease(folder, timeout_minutes=MINUTES):
        rewrite(folder, minutes_ago=minutes_ago, machine="elsewhere", host="elsewhere", pid=7, token="its own")
        found = lease_owner(folder, timeout_minutes=MINUTES)
        assert (str(found) if found else None) == ("process 7 on elsewhere" if lives else None)
        with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
            assert (lease is None) == lives


def test_who_was_taken_over_is_told_and_leaves_the_run_alone(folder: Path) -> None:
    with acquire_lease(folder, timeout_minutes=MINUTES) as slow:
        assert slow is not None
        slow.ensure_held()
        rewrite(folder, minutes_ago=6, machine="elsewhere")
        with acquire_lease(folder, timeout_minutes=MINUTES) as quick:
            assert quick is not None
            with pytest.raises(LeaseLost, match=rf"taken over by process {os.getpid()} on "):
                slow.ensure_held()
            quick.ensure_held()
            quick.checkpoint.touch()
        assert quick.checkpoint.exists()
        rewritten = {"token": "a third's", "machine": "elsewhere", "host": "elsewhere", "pid": 7}
        (folder / "lease.json").write_text(json.dumps(rewritten))
    assert json.loads((folder / "lease.json").read_text()) == rewritten


@pytest.mark.parametrize("kept", [False, True])
def test_the_folder_stays_for_a_checkpoint_alone(folder: Path, kept: bool) -> None:
    with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
        assert lease is not None
        lease.report_progress({"step": 1})
        if kept:
            lease.checkpoint.touch()
    assert folder.exists() == kept
    assert lease_owner(folder, timeout_minutes=MINUTES) is None
    if kept:
        assert not (folder / "lease.json").exists()
        with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
            assert lease is not None
            assert lease.checkpoint.exists()
            assert not (folder / "progress.json").exists()


def test_an_error_ends_the_lease(folder: Path) -> None:
    with pytest.raises(ValueError, match="of training"), acquire_lease(folder, timeout_minutes=MINUTES):
        raise ValueError("of training")
    assert not folder.exists()


def test_a_run_that_is_done_needs_no_folder(folder: Path) -> None:
    with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
        assert lease is not None
        lease.report_progress({"step": 1})
        lease.checkpoint.touch()
        lease.discard_checkpoint()
        lease.discard_checkpoint()
    assert not folder.exists()


def test_progress_is_reported_at_most_every_few_seconds(folder: Path) -> None:
    def progress() -> object:
        found = lease_owner(folder, timeout_minutes=MINUTES)
        return found and found.progress

    with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
        assert lease is not None
        lease.report_progress({"step": 1}, seconds=0)
        assert progress() == {"step": 1}
        lease.report_progress({"step": 2}, seconds=3600)
        assert progress() == {"step": 1}
        lease.report_progress({"step": 3}, seconds=0)
        assert progress() == {"step": 3}


@pytest.mark.parametrize(
    "lease",
    [
        '{"host": "far", "pid": "abc", "since": "yesterday"}',
        '{"host": "far", "pid": -1, "since": 1e300}',
        '{"host": "far", "pid": NaN, "since": NaN}',
        '{"host": "far", "pid": [], "since": -Infinity}',
    ],
)
def test_of_a_damaged_lease_is_known_what_can_be(folder: Path, lease: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lease.json").write_text(lease)
    (folder / "progress.json").write_text(
        '{"step": 3, "steps": Infinity, "epochs": "two", "seconds_left": NaN, "rate": -1, "total": 1e300}'
    )
    assert lease_owner(folder, timeout_minutes=MINUTES) == LeaseOwner("far", 0, {"step": 3}, None)
    machine = {**json.loads(lease), "machine": leases._this_process()["machine"]}
    (folder / "lease.json").write_text(json.dumps(machine))
    assert lease_owner(folder, timeout_minutes=MINUTES) is None
    for text in ("garbage", "[" * 100_000):
        (folder / "lease.json").write_text(text)
        assert lease_owner(folder, timeout_minutes=MINUTES) == LeaseOwner("None", 0, {"step": 3}, None)


def test_progress_that_cannot_be_written_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with acquire_lease(folder, timeout_minutes=MINUTES) as lease:
        assert isinstance(lease, Lease)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", full)
            lease.report_progress({"step": 1}, seconds=0)
        assert sorted(path.name for path in folder.iterdir()) == ["lease.json"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [("file/checkpoints/run", "Not a directory"), ("folder/file/run", "Not a directory|File exists")],
)
def test_a_folder_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path, place: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    for file in (tmp_path / "file", tmp_path / "folder" / "file"):
        file.touch()
    with (
        pytest.raises(TrackingError, match=rf"{reason}.*\. Set checkpoint\.dir to a place that can") as error,
        acquire_lease(tmp_path / place, timeout_minutes=1),
    ):
        pass
    assert str((tmp_path / place).parent) in str(error.value)


def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, values: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(leases, "_write", full)
    with (
        pytest.raises(TrackingError, match=r"cannot be written: No space left on device\. Set checkpoint\.dir"),
        acquire_lease(tmp_path / "checkpoints" / "run", timeout_minutes=1),
    ):
        pass
