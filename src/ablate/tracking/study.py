"""A study's own record: what it asks and how, as tags of its experiment in MLflow."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.run import experiment_id

LIMIT = 5000
"""Characters that MLflow takes in a tag of an experiment."""
DEFINITION, ALIASES, QUESTION = "ablate.definition", "ablate.aliases", "mlflow.note.content"
NO_ALIASES = "none"


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
    question = str(definition["question"])
    tags = {
        QUESTION: question if len(question) <= LIMIT else f"{question[: LIMIT - 4]} ...",
        **_in_pieces(DEFINITION, yaml.safe_dump(dict(definition), sort_keys=False)),
        **_in_pieces(ALIASES, "\n".join(aliases) or NO_ALIASES),
    }
    try:
        experiment, client = experiment_id(name, project), mlflow.MlflowClient()
        for tag, text in tags.items():
            client.set_experiment_tag(experiment, tag, text)
    except MlflowException as error:
        raise TrackingError(f"study {name} cannot be tracked: {str(error).splitlines()[0]}") from error


def _in_pieces(tag: str, text: str) -> dict[str, str]:
    """Spread a text over as many tags as it needs, and one that is empty behind them."""
    pieces = [text[start : start + LIMIT] for start in range(0, len(text), LIMIT)]
    return {piece_tag(tag, place): piece for place, piece in enumerate([*pieces, ""])}


def piece_tag(tag: str, place: int) -> str:
    """Return the name of the tag that holds a piece of a long text."""
    return f"{tag}.{place}" if place else tag


def joined(tags: Mapping[str, str], tag: str) -> str:
    """Return a text that was spread over tags; empty where there is none."""
    text = ""
    for place in range(len(tags)):
        piece = tags.get(piece_tag(tag, place), "")
        if not piece:
            break
        text += piece
    return text
