"""Trained models of a study, by variant and seed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ablate.cli.import_path import project_importable
from ablate.config.environment import set_onednn
from ablate.config.level import level_text, same_level
from ablate.config.schema import unknown_level
from ablate.config.variant import Variant
from ablate.errors import ConfigError, TrackingError
from ablate.report.variants import shown_names
from ablate.study.definition import StudyFile
from ablate.tracking.study_record import StudyRecord

if TYPE_CHECKING:
    import keras

log = logging.getLogger(__name__)

Chosen = str | Mapping[str, Any]
"""A variant: its name, or the levels that differ from the baseline's."""


def load_trained_model(
    record: StudyRecord, definition: StudyFile | None, variant: Chosen, seed: int | None
) -> keras.Model:
    """Load the model of the newest finished run of a variant and seed; the store is open.

    Raises:
        ConfigError: There is no such variant or seed.
        TrackingError: The run kept no model, or it cannot be loaded.
    """
    from ablate.tracking.tracked_model import find_model, load_model, read_config

    found = find_model(find_run(record, definition, variant, seed))
    if found.files is None:
        raise TrackingError(
            f"run {found.run_id} ({found}) kept no model: tracking.model=true, the default, keeps one; rerun=all "
            "trains the run again"
        )
    config = read_config(found)
    set_onednn(bool(config.get("hardware", {}).get("onednn", True)))
    from ablate.training.hardware import import_tensorflow

    import_tensorflow()
    _import_task(str(config.get("task", {}).get("_target_", "")))
    return load_model(found)


def find_run(record: StudyRecord, definition: StudyFile | None, variant: Chosen, seed: int | None) -> str:
    """Return the id of the newest finished run of a variant and seed, None for its lowest one.

    Raises:
        ConfigError: There is none.
    """
    finished = record.runs[record.readable]
    if finished.empty:
        raise TrackingError(f"study {record.name} has no finished run yet")
    shown = shown_names([str(name) for name in record.runs["variant"].unique()])[0]
    known = {name: shown[name] for name in map(str, finished["variant"].unique())}
    wanted = variant if isinstance(variant, str) else _name_of(variant, definition)
    stored = [name for name, short in known.items() if wanted in (name, short)]
    if not stored:
        raise ConfigError(unknown_level("variant", wanted, known.values()))
    own = finished[finished["variant"].isin(stored)]
    seeds = sorted({int(one) for one in own["seed"]})
    if seed is not None and seed not in seeds:
        raise ConfigError(unknown_level("seed", str(seed), map(str, seeds)))
    return str(own.index[own["seed"] == (seeds[0] if seed is None else seed)][0])


def _name_of(levels: Mapping[str, Any], definition: StudyFile | None) -> str:
    """Return the name of the variant with these levels, and the baseline's of all other factors."""
    if definition is None:
        return Variant.from_texts({key: level_text(level) for key, level in levels.items()}).name
    for factor, level in levels.items():
        if factor not in definition.factors:
            raise ConfigError(f"{factor} is no factor of study {definition.name}: {', '.join(definition.factors)}")
        if not any(same_level(level, other) for other in definition.factors[factor]):
            raise ConfigError(unknown_level(factor, level_text(level), map(level_text, definition.factors[factor])))
    return definition.variant_of({**definition.baseline, **levels}).name


def _import_task(target: str) -> None:
    """Import the module of a task, which may register layers with Keras that its models have."""
    module = target.rpartition(".")[0]
    try:
        with project_importable():
            import_module(module)
    except Exception as error:  # whatever the code of a module raises
        log.warning("The task's module %s cannot be imported, should its model need it: %s", module, error)
