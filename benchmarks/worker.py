"""A way that needs another environment or library: a process that works when it is told to, and says how long it took.

    worker = Worker("rivals.py", "keras", "case.npz", unset=["TF_ENABLE_ONEDNN_OPTS"])
    interleaved({"ablate": step, "Keras": worker})

In the process: `serve(prepare)`, with `prepare` returning what to call for one measurement, and facts about it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from side_by_side import NOT_INSTALLED, Seconds

Prepared = tuple[Callable[[], float], Mapping[str, Any]]


class Worker:
    """A script of this folder in a process of its own; a call lets it work once, while it sleeps it takes no time.

    Attributes:
        facts: What it says of itself once it is ready.
        missing: Why it cannot work here, or None.

    Raises:
        RuntimeError: The process has ended; its reason is on stderr.
    """

    def __init__(self, script: str, *arguments: str, unset: Sequence[str] = ()):
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(script)), *arguments],
            env={name: value for name, value in os.environ.items() if name not in unset},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.facts: dict[str, Any] = self._answer()
        self.missing: str | None = self.facts.get("missing")

    def __call__(self) -> Seconds:
        """Let it work once, and return what it says that took."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return Seconds(self._answer())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with code {self._process.wait()}")
        return json.loads(line)


def serve(prepare: Callable[[], Prepared]) -> None:
    """Prepare, say so, and then measure once for every line of stdin.

    Args:
        prepare: Returns a call that returns the seconds it took, and facts; an ImportError says what is not installed.
    """
    # What libraries print goes to stderr: stdout is the conversation.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value: Any) -> None:
        print(json.dumps(value), file=answers, flush=True)

    try:
        measure, facts = prepare()
    except ModuleNotFoundError as error:
        answer({"missing": f"{error.name} {NOT_INSTALLED}"})
        return
    answer(facts)
    for _ in sys.stdin:
        answer(measure())
