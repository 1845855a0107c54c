"""A study as an experiment of MLflow, with its question, definition and aliases as tags."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.store import artifact_folder

LIMIT = 5000
"""Characters that MLflow takes in a tag of an experiment."""
NO_ALIASES = "none"


def experiment_id(study: str, project: Path) -> str:
    """Return a study's experiment in MLflow, made where there is none.

    Raises:
        TrackingError: It was deleted.
    """
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(study)
    if found is None:
        folder = artifact_folder(mlflow.get_tracking_uri(), project)
        try:
            location = (folder / study).as_uri() if folder else None
            return str(client.create_experiment(study, artifact_location=location))
        except MlflowException:
            # Another process was faster.
            found = client.get_experiment_by_name(study)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"study {study} was deleted in MLflow: restore it there (experiment {found.experiment_id}), "
            "or choose another study.name"
        )
    return str(found.experiment_id)


def record_study(name: str, definition: Mapping[str, Any], aliases: Sequence[str], project: Path) -> None:
    """Write a study's question, its definition and the effects that its design aliases to the open store.

    Args:
        name: Name of the study.
        definition: Its file, as plain values; `question` is shown in MLflow above its runs.
        aliases: A line for each set of aliased effects.
        project: Where artifacts are kept, see `run.track`.

    Raises:
        TrackingError: The store does not take it.
    """
    question = str(definition["question"])
    tags = {
        names.QUESTION_TAG: question if len(question) <= LIMIT else f"{question[: LIMIT - 4]} ...",
        **_in_pieces(names.DEFINITION_TAG, yaml.safe_dump(dict(definition), sort_keys=False)),
        **_in_pieces(names.ALIASES_TAG, "\n".join(aliases) or NO_ALIASES),
    }
    try:
        experiment, client = experiment_id(name, project), mlflow.MlflowClient()
        for tag, text in tags.items():
            client.set_experiment_tag(experiment, tag, text)
    except MlflowException as error:
        raise TrackingError(f"study {name} cannot be tracked: {str(error).splitlines()[0]}") from error


def _in_pieces(tag: str, text: str) -> dict[str, str]:
    """Split a text into as many tags as it needs, and one that is empty behind them."""
    pieces = [text[start : start + LIMIT] for start in range(0, len(text), LIMIT)]
    return {piece_tag(tag, place): piece for place, piece in enumerate([*pieces, ""])}


def piece_tag(tag: str, place: int) -> str:
    """Return the name of the tag that holds a piece of a long text."""
    return f"{tag}.{place}" if place else tag


def join_pieces(tags: Mapping[str, str], tag: str) -> str:
    """Return a text that was split into tags; empty where there is none."""
    text = ""
    for place in range(len(tags)):
        piece = tags.get(piece_tag(tag, place), "")
        if not piece:
            break
        text += piece
    return text
