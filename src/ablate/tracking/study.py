"""A study's own record: what it asks and how, as tags of its experiment in MLflow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.run import experiment_id

_LIMIT = 5000
"""Characters that MLflow takes in a tag of an experiment."""


def record_study(name: str, definition: Mapping[str, Any], aliases: Sequence[str], project: Path) -> None:
    """Write what a study asks, and what its design cannot tell apart, to the open store.

    Args:
        name: Name of the study.
        definition: Its file, as plain values; `question` is shown in MLflow above its runs.
        aliases: A line for effects that cannot be told apart.
        project: Where artifacts are kept, see `run.track`.

    Raises:
        TrackingError: The store does not take it.
    """
    tags = {
        "mlflow.note.content": str(definition["question"]),
        "ablate.definition": yaml.safe_dump(dict(definition), sort_keys=False),
        "ablate.aliases": "\n".join(aliases) or "none",
    }
    try:
        experiment, client = experiment_id(name, project), mlflow.MlflowClient()
        for tag, text in tags.items():
            client.set_experiment_tag(experiment, tag, text if len(text) <= _LIMIT else f"{text[: _LIMIT - 4]} ...")
    except MlflowException as error:
        raise TrackingError(f"study {name} cannot be tracked: {str(error).splitlines()[0]}") from error
