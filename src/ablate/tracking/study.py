"""A study as an experiment of MLflow, with its question, definition and aliases as tags."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import yaml
from mlflow.entities import Experiment, ViewType
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking import names
from ablate.tracking.notes import is_generated, note_tags
from ablate.tracking.retry import retry_taken
from ablate.tracking.store import artifact_folder
from ablate.tracking.stored_runs import OURS, search
from ablate.tracking.study_note import study_note

_MOST_PARTS = 100_000
"""Values in the definition of a study."""
LIMIT = 5000
"""Characters that MLflow takes in a tag of an experiment."""
NO_ALIASES = "none"
_MOST_STAMPS = 50


def study_experiment(study: str, project: Path) -> Experiment:
    """Return a study's experiment in MLflow, made where there is none, and shown as one of trained models.

    Raises:
        TrackingError: It was deleted.
    """
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(study)
    if found is None:
        folder = artifact_folder(mlflow.get_tracking_uri(), project)
        try:
            location = (folder / study).as_uri() if folder else None
            client.create_experiment(study, artifact_location=location, tags={names.KIND_TAG: names.TRAINING_KIND})
        except MlflowException:
            # Another process may have been faster.
            if client.get_experiment_by_name(study) is None:
                raise
        found = client.get_experiment_by_name(study)
        assert found is not None
    if found.lifecycle_stage != "active":
        raise TrackingError(
            f"study {study} was deleted in MLflow: restore it there (experiment {found.experiment_id}), "
            "or choose another study.name"
        )
    kind = found.tags.get(names.KIND_TAG, "")
    if not kind or kind.endswith("_inferred"):  # else a person has chosen it
        _set_experiment_tag(client, found, names.KIND_TAG, names.TRAINING_KIND)
    return found


def stamp(definition: Mapping[str, Any]) -> str:
    """Return eight digits that change with a study's definition, its name apart."""
    content = {key: value for key, value in definition.items() if key != "name"}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:8]


def stamp_tag(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag that tells a run the stamp of its study's definition; none where it has no definition.

    Args:
        tags: Of the study's experiment.
    """
    stamps = tags.get(names.STAMPS_TAG, "").split()
    return {names.STAMP_TAG: stamps[-1]} if stamps else {}


def question_of(tags: Mapping[str, str]) -> str | None:
    """Return the question that a study asks; None where none was recorded.

    Args:
        tags: Of the study's experiment.
    """
    if names.QUESTION_TAG in tags:
        return tags[names.QUESTION_TAG]
    # Of an older store, or what a person has written above an ad-hoc sweep.
    return None if is_generated(tags) else tags.get(names.NOTE_TAG)


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
        **in_pieces(names.DEFINITION_TAG, yaml.safe_dump(dict(definition), sort_keys=False)),
        **in_pieces(names.ALIASES_TAG, "\n".join(aliases) or NO_ALIASES),
    }
    try:
        experiment = study_experiment(name, project)
        tags |= _stamps(experiment.tags, stamp(definition))
        tags |= _registration(experiment, yaml.safe_dump(dict(definition), sort_keys=False))
        described = {**experiment.tags, **tags}
        if names.QUESTION_TAG not in experiment.tags and names.DEFINITION_TAG in experiment.tags:
            described.pop(names.NOTE_TAG, None)  # the question, in an older store
        tags |= note_tags(described, describe_study(experiment, described))
        set_experiment_tags(experiment, tags)
    except MlflowException as error:
        raise TrackingError(f"study {name} cannot be tracked: {str(error).splitlines()[0]}") from error


def record_question(name: str, question: str, project: Path) -> None:
    """Write the question of a study without a file to the open store.

    Args:
        name: Name of the study.
        question: The question.
        project: Where artifacts are kept, see `run.track`.

    Raises:
        TrackingError: The store does not take it.
    """
    _set_tags(name, {names.QUESTION_TAG: question}, project)


def record_tuning(name: str, tuning: Mapping[str, Any], project: Path) -> None:
    """Write what the search of a study tried and chose to the open store.

    Args:
        name: Name of the study.
        tuning: As plain values.
        project: Where artifacts are kept, see `run.track`.

    Raises:
        TrackingError: The store does not take it.
    """
    _set_tags(name, in_pieces(names.TUNING_TAG, yaml.safe_dump(dict(tuning), sort_keys=False)), project)


def _set_tags(name: str, tags: Mapping[str, str], project: Path) -> None:
    try:
        set_experiment_tags(study_experiment(name, project), tags)
    except MlflowException as error:
        raise TrackingError(f"study {name} cannot be tracked: {str(error).splitlines()[0]}") from error


def parse_yaml(text: str) -> Any:
    """Parse what a store or an archive has as YAML, which anybody may have written.

    Raises:
        YAMLError: It is none, it nests too deeply, or its aliases stand for more than any study has.
    """
    try:
        value = yaml.safe_load(text)
        parts = _parts(value, {})
    except RecursionError:
        raise yaml.YAMLError("it nests too deeply") from None
    if parts > _MOST_PARTS:
        raise yaml.YAMLError(f"its aliases stand for more than {_MOST_PARTS:,} values")
    return value


def _parts(value: Any, known: dict[int, int]) -> int:
    """Return the number of values in one, each as often as aliases name it; of one that contains itself too many."""
    if not isinstance(value, dict | list | tuple):
        return 1
    if id(value) not in known:
        known[id(value)] = _MOST_PARTS + 1
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_parts(each, known) for each in inner)
    return known[id(value)]


def tuning_of(tags: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return what `record_tuning` wrote; None where it wrote nothing, or it was edited in MLflow.

    Args:
        tags: Of the study's experiment.
    """
    try:
        tuning = parse_yaml(join_pieces(tags, names.TUNING_TAG))
    except yaml.YAMLError:
        return None
    return tuning if isinstance(tuning, dict) and "variants" in tuning else None


def describe_study(
    experiment: Experiment, tags: Mapping[str, str], varied: Mapping[str, Sequence[str]] | None = None
) -> str:
    """Return the description of a study, see `study_note`.

    Args:
        experiment: Its experiment.
        tags: The experiment's tags.
        varied: The levels of an ad-hoc sweep.
    """
    return study_note(
        definition_of(tags),
        name=experiment.name,
        experiment_id=experiment.experiment_id,
        stamps=tags.get(names.STAMPS_TAG, "").splitlines(),
        varied=varied,
        report=join_pieces(tags, names.SUMMARY_TAG),
        limit=LIMIT,
    )


def definition_of(tags: Mapping[str, str]) -> Mapping[str, Any] | None:
    """Return the definition of a study, as plain values; None where it has none, or one that was edited in MLflow."""
    try:
        definition = parse_yaml(join_pieces(tags, names.DEFINITION_TAG))
    except yaml.YAMLError:
        return None
    known = isinstance(definition, dict) and {"question", "baseline", "factors", "design", "seeds", "metric"}
    return definition if known and known <= definition.keys() else None


def study_definitions() -> dict[str, Mapping[str, Any] | None]:
    """Return by study of the open store its definition, see `definition_of`.

    Raises:
        TrackingError: The store cannot be read.
    """
    try:
        experiments = mlflow.MlflowClient().search_experiments()
    except MlflowException as error:
        raise TrackingError(f"the tracking store cannot be read: {str(error).splitlines()[0]}") from error
    return {experiment.name: definition_of(experiment.tags) for experiment in experiments}


def _stamps(tags: Mapping[str, str], newest: str) -> dict[str, str]:
    """Add the stamp of a definition to those of before, where it is another one."""
    before = tags.get(names.STAMPS_TAG, "").splitlines()
    if stamp_tag(tags).get(names.STAMP_TAG) == newest:
        return {}
    return {names.STAMPS_TAG: "\n".join([*before[-_MOST_STAMPS:], f"{datetime.now(UTC):%Y-%m-%d} {newest}"])}


def _registration(experiment: Experiment, definition: str) -> dict[str, str]:
    """Register a definition as long as the study has no result, not even one that was deleted."""
    registered = join_pieces(experiment.tags, names.REGISTERED_TAG)
    if registered == definition or search(
        [experiment], f"{OURS} and attributes.status = 'FINISHED'", limit=1, view=ViewType.ALL
    ):
        return {}
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"
    return {**in_pieces(names.REGISTERED_TAG, definition), names.REGISTERED_AT_TAG: now}


def set_experiment_tags(experiment: Experiment, tags: Mapping[str, str]) -> None:
    """Write those tags of an experiment that it does not have yet as they are."""
    client = mlflow.MlflowClient()
    for tag, text in tags.items():
        if experiment.tags.get(tag) != text:
            _set_experiment_tag(client, experiment, tag, text)


def _set_experiment_tag(client: mlflow.MlflowClient, experiment: Experiment, tag: str, text: str) -> None:
    retry_taken(lambda: client.set_experiment_tag(experiment.experiment_id, tag, text))


def in_pieces(tag: str, text: str) -> dict[str, str]:
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
