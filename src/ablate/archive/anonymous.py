"""Anonymous copies of runs: without who ran them, on which machine, and in which folders."""

import json
import re
from collections.abc import Mapping

from ablate.tracking.names import CONFIG_FILE, PROVENANCE_FOLDER, SERVED_MODEL_FILE
from ablate.tracking.run_copy import RunCopy

_LEFT_OUT_TAGS = ("mlflow.user", "mlflow.source.name", "mlflow.source.git.repoURL", "mlflow.databricks", "ablate.host")
_WITH_PLACES = ("ablate.command", "ablate.error")
_ADDRESSES = ("tracking.uri",)
"""Params that say where a server is."""
_PATH = re.compile(r"(?<![\w.~/:<-])(?:(?:file|sqlite(?:\+\w+)?):/{1,3})?(?:/[\w.@+~%-]+)+/([\w.@+~%-]+)")
"""An absolute path, or the address of a file, of at least two parts."""
_TEXTS = (".txt", ".yaml", ".json", ".md")


def without_places(text: str) -> str:
    """Return a text in which only the last part of each absolute path is left.

    Example:
        >>> without_places("data.root=/home/me/photographs rate=1/2")
        'data.root=.../photographs rate=1/2'
    """
    return _PATH.sub(r".../\1", text)


def anonymous_run(run: RunCopy) -> RunCopy:
    """Return a run without who ran it, where, and in which folders."""
    return run.model_copy(
        update={
            "store": "a tracking server" if "://" in run.store else run.store,
            "tags": {
                name: without_places(value) if name in _WITH_PLACES else value
                for name, value in run.tags.items()
                if not name.startswith(_LEFT_OUT_TAGS)
            },
            "params": {
                key: "..." if key in _ADDRESSES and value != "None" else without_places(value)
                for key, value in run.params.items()
            },
            "datasets": [data.model_copy(update={"source": without_places(data.source)}) for data in run.datasets],
        }
    )


def anonymous_file(name: str, content: bytes) -> bytes | None:
    """Return the contents of an artifact without places; None where it is left out, as uncommitted changes are."""
    if name.endswith(".diff"):
        return None
    if not name.endswith(_TEXTS) or name == SERVED_MODEL_FILE:  # its example is base64, which may look like a path
        return content
    text = without_places(content.decode("utf-8", "replace"))
    if name.startswith(PROVENANCE_FOLDER) and name.endswith("environment.json"):
        text = _without_host(text)
    if name == CONFIG_FILE:
        text = re.sub(r"(?m)^(\s+uri:) .+$", r"\1 ...", text)
    return text.encode()


def _without_host(text: str) -> str:
    facts: Mapping[str, object] = json.loads(text)
    return json.dumps({name: value for name, value in facts.items() if name != "host"}, indent=2)
