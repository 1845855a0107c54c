"""Scenarios: a folder with a finished result, real commands in it, and what must hold afterwards.

A scenario is a function: it makes its surroundings hostile and runs commands, saying what each must end with. Whatever
it does, no command may print a stack trace or die of a signal, what hostile code would make must not exist, and the
result that was finished before must be there, the same.

    @scenario("photographs", "a JPEG that is cut off in its middle")
    def cut_off(place: Place) -> str:
        place.photographs()
        place.write("photographs/cut.jpg", jpeg()[:500])
        place.prepare(code=0, says="cut.jpg (")
        return "the other photographs are prepared"
"""

import hashlib
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path

import numpy as np
from PIL import Image

GROUPS = ("photographs", "names", "disk and store", "models and configuration", "surroundings")
QUICK = (
    "scale=smoke",
    "backbone.width=0.0625",
    "depth=shallow",
    "training.epochs=1",
    "training.steps_per_epoch=2",
    "tracking.model=false",
    "tracking.system_metrics=false",
)
"""The least that is a whole run."""
_OBEYING = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--")
"""Starts a command for which permissions hold even where it is root's."""
_OWN = ("MLFLOW_", "KERAS_", "HYDRA_", "TF_")
"""Starts of the variables that a scenario sets itself, and inherits from nobody."""


class Fault(Exception):
    """A command did what none may; the row says so, and the script fails."""


class Impossible(Exception):
    """This machine does not let the surroundings be made; the row says so."""


@dataclass(frozen=True)
class Scenario:
    """One thing that is tried.

    Attributes:
        group: One of `GROUPS`.
        tried: What is hostile, in a few words.
        act: Makes it so and runs commands; may return what is left afterwards, in a few words.
    """

    group: str
    tried: str
    act: Callable[["Place"], str | None]


SCENARIOS: list[Scenario] = []


def scenario(group: str, tried: str) -> Callable[[Callable[["Place"], str | None]], Callable[["Place"], str | None]]:
    """Make a function a scenario."""
    assert group in GROUPS, group

    def register(act: Callable[["Place"], str | None]) -> Callable[["Place"], str | None]:
        SCENARIOS.append(Scenario(group, tried, act))
        return act

    return register


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, all it printed, and the line that says what the scenario is about."""

    code: int
    output: str
    line: str


@dataclass
class Place:
    """The folder that a scenario happens in, `mlflow.db` in it with the finished study `before`.

    Attributes:
        folder: It; commands are given here.
        ended: The commands that have ended, in order.
    """

    folder: Path
    ended: list[Ended] = field(default_factory=list)

    @property
    def canary(self) -> Path:
        """The file that hostile code would make: it must not exist afterwards."""
        return self.folder / "canary"

    @property
    def uri(self) -> str:
        """Address of the store."""
        return f"sqlite:///{self.folder / 'mlflow.db'}"

    def write(self, name: str, content: bytes | str) -> Path:
        """Write a file below the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def photographs(self, folder: str = "photographs", count: int = 10) -> Path:
        """Make a folder of small colourful photographs; the same every time."""
        root = self.folder / folder
        root.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(0)
        for number in range(count):
            coarse = Image.fromarray(random.integers(0, 256, (4, 5, 3), dtype=np.uint8))
            coarse.resize((50, 40), Image.Resampling.BICUBIC).save(root / f"{number}.png")
        return root

    def run(
        self,
        module: str,
        *arguments: str,
        code: int = 0,
        says: str = "",
        env: Mapping[str, str] | None = None,
        obeying: bool = False,
        timeout: float = 600,
    ) -> Ended:
        """Run `python -m MODULE ARGUMENTS` in a process of its own.

        Args:
            module: The command.
            arguments: Its arguments.
            code: The exit code that it must have.
            says: What it must print: the row shows the first line that holds it.
            env: Variables to set.
            obeying: Whether permissions hold for it, as for any user but root.
            timeout: Seconds; a command that takes longer hangs.

        Raises:
            Fault: It prints a stack trace, hangs, dies of a signal, or ends otherwise than it must.
        """
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        quiet = {"MLFLOW_TRACKING_URI": self.uri, "MLFLOW_DISABLE_TELEMETRY": "true", "HOME": str(self.folder)}
        paths = [str(Path(path).absolute()) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        variables = {**inherited, **quiet, "PYTHONPATH": os.pathsep.join(paths), **(env or {})}
        before = _OBEYING if obeying and os.geteuid() == 0 else ()
        if before and not shutil.which(before[0]):
            raise Impossible(f"root obeys no permissions, and there is no {before[0]}")
        try:
            done = subprocess.run(
                [*before, sys.executable, "-m", module, *arguments],
                cwd=self.folder,
                env=variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Fault(f"{module} hangs: it has not ended after {timeout:g} s") from None
        output = done.stdout.decode("utf-8", "replace")
        lines = [line for line in output.splitlines() if says in line]
        ended = Ended(done.returncode, output, self._cleaned(lines[0]) if lines and says else "")
        self.ended.append(ended)
        said = f"{module} ended with {done.returncode}: {output[-2000:]}"
        if "Traceback (most recent call last)" in output:
            raise Fault(f"a stack trace: {said}")
        if done.returncode != code or not lines:
            raise Fault(f"exit code {code} and a line with {says!r} were expected; {said}")
        return ended

    def train(self, *arguments: str, **expected: object) -> Ended:
        """Run `python -m ablate.run`, small; options come first, as `-m`; `expected` as in `run`."""
        options = tuple(takewhile(lambda word: "=" not in word, arguments))
        return self.run("ablate.run", *options, *QUICK, *arguments[len(options) :], **expected)  # type: ignore[arg-type]

    def prepare(self, root: str = "photographs", *arguments: str, **expected: object) -> Ended:
        """Run `python -m ablate.prepare` on a folder or an archive, into `set`; `expected` as in `run`."""
        given = (
            "data=folder",
            f"data.root={root}",
            "out=set",
            "scale=smoke",
            "data.max_bad_fraction=0.5",
            "workers=1",
        )
        return self.run("ablate.prepare", *given, *arguments, **expected)  # type: ignore[arg-type]

    def left_out(self, name: str, content: bytes, why: str) -> str:
        """Put a file beside good photographs, prepare them, and make sure that it alone is left out, and why."""
        self.photographs()
        self.write(f"photographs/{name}", content)
        self.prepare(says=why)
        return "the ten photographs beside it are prepared"

    def taken(self, name: str, content: bytes) -> str:
        """Put a file beside good photographs, prepare them, and make sure that it is taken."""
        self.photographs()
        self.write(f"photographs/{name}", content)
        ended = self.prepare(says="photographs to train and")
        if "could not be used" in ended.output:
            raise Fault(ended.output[-2000:])
        return "all eleven photographs are prepared"

    @contextmanager
    def unchanged(self, name: str) -> Iterator[None]:
        """Make sure that commands do not change a file."""
        before = (self.folder / name).read_bytes()
        yield
        if (self.folder / name).read_bytes() != before:
            raise Fault(f"{name} has changed")

    @contextmanager
    def tmpfs(self, name: str, mib: int) -> Iterator[Path]:
        """Mount a file system of so many MiB below the folder."""
        path = self.folder / name
        path.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "none", str(path)], capture_output=True, check=False
        )
        if mounted.returncode:
            raise Impossible("file systems may not be mounted here")
        try:
            yield path
        finally:
            subprocess.run(["umount", "--lazy", str(path)], check=True)

    def _cleaned(self, line: str) -> str:
        """Return a line without what differs from one machine and run to the next."""
        line = re.sub(r"\x1b\[[0-9;]*[A-Za-z]|\r", "", line.replace(str(self.folder), "HOME"))
        line = re.sub(r"\b[0-9a-f]{32}\b", "ID", line)
        return re.sub(r"^(\[[^]]*\]\[[^]]*\]\[[^]]*\] - |[\d:]+ [A-Z]+ +)", "", line).strip()


def finished(folder: Path) -> dict[str, str]:
    """Return all that a folder's store holds of the study `before`, as digests: rows of the database, and artifacts.

    Read without the project's code and MLflow's: neither can make it look better than it is.
    """
    with closing(sqlite3.connect(f"file:{folder / 'mlflow.db'}?mode=ro", uri=True)) as store:
        # A report is a run as well, without an identity.
        (run,) = store.execute(
            "SELECT run_uuid, status, artifact_uri FROM runs JOIN experiments USING (experiment_id) "
            "JOIN tags USING (run_uuid) WHERE experiments.name = 'before' AND key = 'ablate.identity'"
        ).fetchall()
        found = {"run": repr(run)}
        for table in ("metrics", "latest_metrics", "params", "tags"):
            rows = store.execute(f"SELECT * FROM {table} WHERE run_uuid = ?", run[:1]).fetchall()
            found[table] = repr(sorted(map(repr, rows)))
    artifacts = folder / "mlartifacts" / "before"
    for path in sorted(artifacts.rglob("*")):
        if path.is_file() and (run[0] in path.parts or "models" in path.parts):
            found[str(path.relative_to(artifacts))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
