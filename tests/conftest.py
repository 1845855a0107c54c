"""Fixtures of all tests: a home of their own for every test that runs a command."""

import gc
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from absl import logging as absl_logging
from filelock import FileLock
from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from ablate.config.environment import fix_environment
from ablate.tracking.store import open_store
from ablate.tracking.study_record import StudyRecord, read_study
from tests.support.commands import Command
from tests.support.forked import COLLECTED, Forked

# A shell has what it starts in the background ignore Ctrl-C, and `nohup` a closed terminal; both are inherited, and
# the commands here are to answer them.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
fix_environment()
gc.set_threshold(*COLLECTED)
# Where logging is configured anew, absl's handler closes the stream that it was made with: it must not be pytest's.
absl_logging.get_absl_handler().python_handler.stream = sys.__stderr__
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# Files of the tests are kept in memory where it has room, and programs may run there: SQLite waits for a disk at every
# transaction.
MEMORY, ROOM = Path("/dev/shm"), 6 * 2**30
if (
    MEMORY.is_dir()
    and not os.statvfs(MEMORY).f_flag & (os.ST_NOEXEC | os.ST_RDONLY)
    and shutil.disk_usage(MEMORY).free > ROOM
    and psutil.virtual_memory().available > 2 * ROOM
):
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
# Tasks of the tests, for what they start too.
TASKS = str(Path(__file__).parent / "support" / "tasks")
sys.path.append(TASKS)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), TASKS]))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a browser or forks commands; begin with what is slow: the rest divides well at the end."""
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
        if "forked" in getattr(item, "fixturenames", ()):
            item.add_marker("slow")
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in ("slow", "browser")))


def pytest_collection_finish() -> None:
    """Take what the tests have imported for no garbage: Keras collects it before each training, half a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_log_of_another_test() -> Iterator[None]:
    """Close the log files that Hydra opens for a job: later tests would write to a folder that is gone."""
    yield
    for handler in [each for each in logging.root.handlers if isinstance(each, logging.FileHandler)]:
        logging.root.removeHandler(handler)
        handler.close()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without runs, the same for all workers: making its schema takes seconds, copying it none."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "empty_store"
    path = folder / "mlflow.db"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.exists():
            folder.mkdir()
            open_store(f"sqlite:///{path}")
    return path


@pytest.fixture
def home(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with nothing but an empty tracking store, which the environment names."""
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    return tmp_path


@pytest.fixture
def study(home: Path) -> Callable[[], StudyRecord]:
    """Read the study `adhoc` back from the store in `home`."""

    def read() -> StudyRecord:
        uri = f"sqlite:///{home / 'mlflow.db'}"
        open_store(uri)
        return read_study("adhoc", uri)

    return read


@pytest.fixture
def python_m(home: Path) -> Command:
    """Run `python -m MODULE ARGUMENTS` in `home` as a user would."""

    def call(
        *arguments: str, env: dict[str, str] | None = None, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=home,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    return call


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked]:
    """The process that has imported what commands need."""
    process = Forked()
    yield process
    process.end()


@pytest.fixture
def forked_m(home: Path, forked: Forked, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Run `python -m MODULE ARGUMENTS` in `home`, forked off a process that spares it the imports."""
    output = tmp_path_factory.mktemp("output")

    def call(
        *arguments: str, env: dict[str, str] | None = None, timeout: float = 240
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, **(env or {})}
        return forked.run(arguments, folder=home, env=environment, output=output, timeout=timeout)

    return call


@pytest.fixture
def run_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Run `python -m ablate.run ARGUMENTS` inside the test's process, which spares the imports."""
    from ablate.run import main

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")

    def call(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["ablate.run", *arguments])
        main()

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium: apt-get install chromium")
    expect.set_options(timeout=60_000)  # a busy machine takes longer than Playwright's 5 s
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    """A folder of ten small colourful photographs."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for number in range(10):
        coarse = Image.fromarray(generator.integers(0, 256, (4, 5, 3), dtype=np.uint8))
        coarse.resize((50, 40), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    return folder
