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

from ablate.errors import ClaimLost, TrackingError
from ablate.execution import lease as claims
from ablate.execution.lease import Claim, claimed, holder

MINUTES = 5.0

HOLD = """
import sys
from pathlib import Path
from ablate.execution.lease import claimed

with claimed(Path(sys.argv[1]), takeover_minutes=5) as claim:
    if claim is not None:
        claim.say({"step": 3, "steps": 10})
    print("refused" if claim is None else "held", flush=True)
    sys.stdin.readline()
"""
"""A process that holds a claim until it reads a line or is killed."""

RACE = """
import sys
from pathlib import Path
from ablate.execution.lease import claimed

for line in sys.stdin:
    with claimed(Path(line.strip()), takeover_minutes=5) as claim:
        print("refused" if claim is None else "won", flush=True)
        sys.stdin.readline()
    print("left", flush=True)
"""
"""A process that claims each folder it reads, and lets go of it at the next line."""

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
    """Write the claim as if another process had, some time ago."""
    path = folder / "claim.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    then = time.time() - 60 * minutes_ago
    os.utime(path, (then, then))


def test_nobody_holds_what_was_never_claimed(folder: Path) -> None:
    assert holder(folder, takeover_minutes=MINUTES) is None


def test_a_live_process_keeps_its_claim_and_a_killed_one_loses_it(folder: Path, python: Python) -> None:
    process = python(HOLD, folder)
    assert heard(process) == "held"
    found = holder(folder, takeover_minutes=MINUTES)
    assert found is not None
    assert found.pid == process.pid
    assert found.progress == {"step": 3, "steps": 10}
    with claimed(folder, takeover_minutes=MINUTES) as claim:
        assert claim is None
    assert holder(folder, takeover_minutes=MINUTES) == found
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert holder(folder, takeover_minutes=MINUTES) is None
    with claimed(folder, takeover_minutes=MINUTES) as claim:
        assert claim is not None
        claim.check()
        own = holder(folder, takeover_minutes=MINUTES)
        assert own is not None
        assert (own.pid, own.progress) == (os.getpid(), {})


def test_a_killed_process_that_nobody_waited_for_holds_nothing(folder: Path, python: Python) -> None:
    process = python(HOLD, folder)
    assert heard(process) == "held"
    process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and still a zombie
    assert holder(folder, takeover_minutes=MINUTES) is None


def test_a_silent_process_of_this_machine_is_not_taken_for_dead(folder: Path) -> None:
    with claimed(folder, takeover_minutes=MINUTES):
        rewrite(folder, minutes_ago=1000)
        assert holder(folder, takeover_minutes=MINUTES) is not None


def test_another_process_of_the_same_number_is_not_the_holder(folder: Path) -> None:
    with claimed(folder, takeover_minutes=MINUTES):
        rewrite(folder, started=1.0)
        assert holder(folder, takeover_minutes=MINUTES) is None


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
    with claimed(folder, takeover_minutes=MINUTES):
        rewrite(folder, minutes_ago=minutes_ago, place="elsewhere", host="elsewhere", pid=7, token="its own")
        found = holder(folder, takeover_minutes=MINUTES)
        assert (str(found) if found else None) == ("process 7 on elsewhere" if lives else None)
        with claimed(folder, takeover_minutes=MINUTES) as claim:
            assert (claim is None) == lives


def test_who_was_taken_over_is_told_and_leaves_the_run_alone(folder: Path) -> None:
    with claimed(folder, takeover_minutes=MINUTES) as slow:
        assert slow is not None
        slow.check()
        rewrite(folder, minutes_ago=6, place="elsewhere")
        with claimed(folder, takeover_minutes=MINUTES) as quick:
            assert quick is not None
            with pytest.raises(ClaimLost, match=rf"taken over by process {os.getpid()} on "):
                slow.check()
            quick.check()
            quick.checkpoint.touch()
        assert quick.checkpoint.exists()
        rewritten = {"token": "a third's", "place": "elsewhere", "host": "elsewhere", "pid": 7}
        (folder / "claim.json").write_text(json.dumps(rewritten))
    assert json.loads((folder / "claim.json").read_text()) == rewritten


@pytest.mark.parametrize("kept", [False, True])
def test_the_folder_stays_for_a_checkpoint_alone(folder: Path, kept: bool) -> None:
    with claimed(folder, takeover_minutes=MINUTES) as claim:
        assert claim is not None
        claim.say({"step": 1})
        if kept:
            claim.checkpoint.touch()
    assert folder.exists() == kept
    assert holder(folder, takeover_minutes=MINUTES) is None
    if kept:
        assert not (folder / "claim.json").exists()
        with claimed(folder, takeover_minutes=MINUTES) as claim:
            assert claim is not None
            assert claim.checkpoint.exists()
            assert not (folder / "progress.json").exists()


def test_an_error_ends_the_claim(folder: Path) -> None:
    with pytest.raises(ValueError, match="of training"), claimed(folder, takeover_minutes=MINUTES):
        raise ValueError("of training")
    assert not folder.exists()


def test_a_run_that_is_done_needs_no_folder(folder: Path) -> None:
    with claimed(folder, takeover_minutes=MINUTES) as claim:
        assert claim is not None
        claim.say({"step": 1})
        claim.checkpoint.touch()
        claim.clear()
        claim.clear()
    assert not folder.exists()


def test_progress_is_said_at_most_every_few_seconds(folder: Path) -> None:
    def progress() -> object:
        found = holder(folder, takeover_minutes=MINUTES)
        return found and found.progress

    with claimed(folder, takeover_minutes=MINUTES) as claim:
        assert claim is not None
        claim.say({"step": 1}, seconds=0)
        assert progress() == {"step": 1}
        claim.say({"step": 2}, seconds=3600)
        assert progress() == {"step": 1}
        claim.say({"step": 3}, seconds=0)
        assert progress() == {"step": 3}


def test_progress_that_cannot_be_written_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with claimed(folder, takeover_minutes=MINUTES) as claim:
        assert isinstance(claim, Claim)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", full)
            claim.say({"step": 1}, seconds=0)
        assert sorted(path.name for path in folder.iterdir()) == ["claim.json"]


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
        claimed(tmp_path / place, takeover_minutes=1),
    ):
        pass
    assert str((tmp_path / place).parent) in str(error.value)


def test_a_full_disk_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, values: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(claims, "_write", full)
    with (
        pytest.raises(TrackingError, match=r"cannot be written: No space left on device\. Set checkpoint\.dir"),
        claimed(tmp_path / "checkpoints" / "run", takeover_minutes=1),
    ):
        pass
