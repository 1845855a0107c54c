"""`python -m ablate.prepare` as a user meets it: killed, out of room, interrupted, and then trained on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from ablate.cli.command_line import CommandLine
from ablate.config.interpolation import resolve_text
from ablate.errors import ConfigError
from tests.support.commands import TINY
from tests.support.forked import Forked, ForkedProcess

ARGUMENTS = ["data=folder", "data.root=many", "scale=smoke", "shard_mib=1", "workers=2"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 160 photographs, large enough for a process to be killed in their middle."""
    folder = tmp_path_factory.mktemp("many")
    generator = np.random.default_rng(0)
    for split, count in (("train", 150), ("val", 10)):
        (folder / split).mkdir(parents=True)
        for number in range(count):
            pixels = generator.integers(0, 256, (300, 400, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / split / f"{number}.jpg", quality=70)
    return folder


@pytest.fixture
def many(home: Path, made: Path) -> None:
    """The same folder in the current one, as `many`."""
    shutil.copytree(made, home / "many")


@pytest.fixture
def start(
    home: Path, forked: Forked, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], ForkedProcess]]:
    """Start the command."""
    started: list[ForkedProcess] = []

    def call() -> ForkedProcess:
        output = tmp_path_factory.mktemp("output") / "log.txt"
        started.append(ForkedProcess(forked, ["ablate.prepare", *ARGUMENTS, "out=set"], folder=home, output=output))
        return started[-1]

    yield call
    for process in started:
        process.end()


def finished_chunks(out: Path) -> int:
    return len(list((out / ".chunks").glob("*.json")))


def wait_for_a_chunk_more(process: ForkedProcess, out: Path, before: int) -> None:
    while finished_chunks(out) <= before and process.is_running():
        time.sleep(0.005)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


@pytest.mark.slow
def test_a_killed_command_resumes_and_ends_with_the_same_bytes(home, many, start, forked_m):
    out = home / "set"
    for round_ in range(2):
        process = start()
        wait_for_a_chunk_more(process, out, finished_chunks(out))
        children = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGKILL)
        process.finish()
        if round_ == 0:
            assert 0 < finished_chunks(out) < 6
            assert not (out / "manifest.json").exists()
        # Its workers end with it.
        assert not psutil.wait_procs(children, timeout=60)[1]
    resumed = forked_m("ablate.prepare", *ARGUMENTS, "out=set")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "150 photographs to train and 10 to evaluate" in resumed.stdout
    assert "Split: val evaluates (10), train trains (150)" in resumed.stdout
    again = forked_m("ablate.prepare", *ARGUMENTS, "out=set")
    assert "is prepared already: nothing to do" in again.stdout
    assert forked_m("ablate.prepare", *ARGUMENTS, "out=undisturbed").returncode == 0
    assert contents(out) == contents(home / "undisturbed")
    assert "manifest.json" in contents(out)


@pytest.mark.slow
def test_ctrl_c_and_a_full_disk_keep_what_is_done(home, many, start):
    out = home / "set"
    process = start()
    wait_for_a_chunk_more(process, out, 0)
    os.kill(process.pid, signal.SIGINT)
    said = process.finish(seconds=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Interrupted: the same command resumes"
    done = finished_chunks(out)
    assert 0 < done < 6
    # No file may become larger than 100 kB, as if there were no more room.
    command = f"ulimit -f 100; exec {sys.executable} -m ablate.prepare {' '.join(ARGUMENTS)} out=set"
    full = subprocess.run(["bash", "-c", command], cwd=home, capture_output=True, text=True, check=False)
    assert full.returncode == 1
    assert "File too large" in full.stderr
    assert "what is done is kept" in full.stderr
    assert "Traceback" not in full.stderr
    assert finished_chunks(out) == done
    assert not list(out.glob(".*.tfrecord.*"))


@pytest.mark.slow
def test_what_is_missing_or_misspelt_is_one_line(forked_m):
    for arguments, expected in (
        (["data=sample"], "out=DIR must be given"),
        (["data=sample", "out=set", "workers=none"], "workers must be a whole number from 1"),
        (["data=folder", "out=set"], "data.root must be given"),
        (["data=sample", "out=set", "data.imag_size=3"], "data.imag_size"),
    ):
        done = forked_m("ablate.prepare", *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert expected in done.stderr
        assert len(done.stderr.splitlines()) == 1
    help_ = forked_m("ablate.prepare", "--help").stdout
    assert "python -m ablate.run data=prepared data.root=SET" in help_


@pytest.mark.slow
@pytest.mark.parametrize("source", [["data=folder", "data.root=photographs"], ["data=sample"]])
def test_the_command_that_it_ends_with_gives_the_results_of_the_photographs(
    source, photographs, forked_m, run_here, study
):
    printed = forked_m("ablate.prepare", *source, "scale=smoke", "workers=1", "out=set").stdout
    last = printed.splitlines()[-1].removeprefix("Train on it:  python -m ablate.run ").split()
    assert last[:3] == ["data=prepared", "data.root=set", "scale=smoke"]
    run_here(*source, *TINY)
    run_here(*last, *TINY, "rerun=all")
    found = study()
    assert len(found.runs) == 2
    assert found.runs["identity"].nunique() == 1
    assert found.results.shape[1] > 5
    assert (found.results.nunique() == 1).all()


def test_where_it_goes_is_resolved_as_the_configuration_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "anna")
    config = CommandLine(["scale=smoke", "data=folder", "data.root=there"]).compose()
    assert resolve_text("${oc.env:WHO}/${scale.name}-${data.image_size}", config) == "anna/smoke-32"
    assert resolve_text("gs://a/b c=d", config) == "gs://a/b c=d"
    with pytest.raises(ConfigError, match="NOBODY"):
        resolve_text("${oc.env:NOBODY}", config)
