"""Runs in a store, tracked without training."""

from pathlib import Path

import pandas as pd

from ablate.task import Evaluation, Metric
from ablate.tracking.run import track
from ablate.tracking.sqlite import sqlite_address
from ablate.tracking.store import open_store

TABLE = pd.DataFrame({"example": ["cat"], "digest": ["c"], "auc": [1.0]})

TAGS = {
    "ablate.variant": "baseline",
    "ablate.seed": "0",
    "ablate.identity": "i",
    "ablate.setting": "s",
    "ablate.data.fingerprint": "f",
}
"""What the reader of a store needs of a run."""


def add_run(home: Path, study: str = "own", identity: str = "i") -> str:
    """Track a finished run with a result."""
    tags = {"variant": "baseline", "seed": "0", "identity": identity, "data.fingerprint": "f"}
    with track(study=study, name="run", tags={f"ablate.{k}": v for k, v in tags.items()}, project=home) as run:
        run.log_config({"seed": 0})
        run.log_evaluation(Evaluation({"auc": 1.0}, {}, TABLE), [Metric("auc", "AuC", "%", True, "")])
    return run.run_id


def open_in(home: Path, *, to_read: bool = False) -> str:
    uri = sqlite_address(home / "mlflow.db")
    open_store(uri, to_read=to_read)
    return uri
