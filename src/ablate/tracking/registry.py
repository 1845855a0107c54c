"""Registered models: versions of MLflow's registry, each the model of a run, with what justifies it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import mlflow
from filelock import FileLock
from mlflow.exceptions import MlflowException

from ablate.errors import TrackingError
from ablate.tracking.store import store_lock

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

_LIMIT = 5000
"""Characters of a description that MLflow takes."""


@dataclass(frozen=True)
class Registered:
    """A version of a registered model.

    Attributes:
        version: Its number.
        new: Whether it was made now; else it was there, and got the tags, the description and the alias.
        before: The version that had the alias before, if it is another one.
    """

    version: int
    new: bool
    before: int | None


def register(model_id: str, *, name: str, alias: str, tags: Mapping[str, str], description: str) -> Registered:
    """Register a tracked model of the open store; one that is registered under this name gets no second version.

    Args:
        model_id: The model, as MLflow calls it.
        name: Of the registered model, which is made where there is none.
        alias: Of the version: `models:/NAME@ALIAS`.
        tags: Of the version.
        description: Of the version, in Markdown.

    Raises:
        TrackingError: The store does not take it.
    """
    client = mlflow.MlflowClient()
    try:
        # Two that register the same at once would make two versions.
        with FileLock(store_lock(mlflow.get_tracking_uri(), "registry")):
            source = f"models:/{model_id}"
            versions = _versions(client, name)
            found = [one for one in versions if one.source == source]
            made = [] if found else [client.create_model_version(name, source, tags=dict(tags), model_id=model_id)]
            (version, *_) = [*found, *made]
            for tag, value in tags.items():
                if version.tags.get(tag) != value:
                    client.set_model_version_tag(name, version.version, tag, value)
            client.update_model_version(name, version.version, description[:_LIMIT])
            before = next((int(one.version) for one in versions if alias in one.aliases), None)
            client.set_registered_model_alias(name, alias, version.version)
    except (MlflowException, OSError) as error:
        raise TrackingError(f"{name} cannot be registered: {str(error).splitlines()[0]}") from error
    number = int(version.version)
    return Registered(number, bool(made), None if before == number else before)


def _versions(client: mlflow.MlflowClient, name: str) -> list[ModelVersion]:
    """Return the versions of a registered model, which is made where there is none, with their aliases."""
    try:
        aliases = client.get_registered_model(name).aliases
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        client.create_registered_model(name)
        return []
    found: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(f"name='{name}'", page_token=token)
        found += page
        token = page.token
        if not token:
            break
    for version in found:
        version.aliases[:] = [alias for alias, number in aliases.items() if str(number) == str(version.version)]
    return found
