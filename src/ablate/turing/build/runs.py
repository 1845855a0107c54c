"""The tracked runs that colour the pictures, and the photographs that none of them has trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ablate.colorization.config import ColorConfig, DataConfig, EvaluationConfig
from ablate.colorization.data.held_out import evaluation_split
from ablate.colorization.data.photographs import EvaluationSplit
from ablate.colorization.data.preprocessing import preprocessing_of
from ablate.colorize.tracked_models import distinct_names
from ablate.config.schema import validate
from ablate.errors import DataError, TrackingError
from ablate.tracking.tracked_model import TrackedModel, evaluated_digests, read_config


@dataclass(frozen=True)
class ColorizingRun:
    """A run that colours.

    Attributes:
        name: Its variant, and more where that alone does not tell it from the others.
        model: Its model.
        color: How outputs are decoded.
        data: The photographs that it trained on.
        evaluation: How it was evaluated.
    """

    name: str
    model: TrackedModel
    color: ColorConfig
    data: DataConfig
    evaluation: EvaluationConfig


def colorizing_runs(models: Sequence[TrackedModel], names: Mapping[str, str]) -> list[ColorizingRun]:
    """Read how runs were configured.

    Args:
        models: The runs.
        names: What their variants are called, where not by their own name.

    Raises:
        DataError: They have trained on different data.
        TrackingError: One is no colourisation.
    """
    by_fingerprint = {model.fingerprint: model for model in reversed(models)}
    if len(by_fingerprint) > 1:
        said = "; ".join(f"{model} on {fingerprint[:12]}" for fingerprint, model in by_fingerprint.items())
        raise DataError(
            f"the runs have trained on different data, and what one has not seen another may have: {said}. "
            'Choose runs of one data set: variants="A;B" or runs=ID,ID'
        )
    named = distinct_names([names.get(model.variant, model.variant) for model in models], models)
    return [_colorizing_run(name, model) for name, model in zip(named, models, strict=True)]


def _colorizing_run(name: str, model: TrackedModel) -> ColorizingRun:
    config = read_config(model)
    if not {"color", "data", "evaluation"} <= config.keys():
        raise TrackingError(f"run {model.run_id} ({model}) colours no photographs: its task is another")
    return ColorizingRun(
        name=name,
        model=model,
        color=validate(ColorConfig, config["color"], prefix="color"),
        data=validate(DataConfig, config["data"], prefix="data"),
        evaluation=validate(EvaluationConfig, config["evaluation"], prefix="evaluation"),
    )


def held_out_photographs(runs: Sequence[ColorizingRun], moved: Mapping[str, Any]) -> EvaluationSplit:
    """Find the photographs of the runs' data set that all of them were evaluated on.

    Args:
        runs: At least one; of one data set.
        moved: Where the data set is now: `name` and `root` of the section `data`, where they are not the run's.

    Raises:
        DataError: The data set is not there, or is another now.
    """
    own = runs[0]
    config = validate(DataConfig, {**own.data.model_dump(), **moved}, prefix="data")
    preprocessing = preprocessing_of(config, evaluation_side=own.evaluation.side, grid_step=own.color.grid_step)
    try:
        found = evaluation_split(config, preprocessing)
    except DataError as error:
        raise DataError(f"{error}. data.root=DIR says where the photographs of the runs are now") from None
    if found.fingerprint != own.model.fingerprint:
        raise DataError(
            f"the photographs are not those of the runs: data={config.name} data.root={config.root} has the "
            f"fingerprint {found.fingerprint[:12]}, run {own.model.run_id} trained on {own.model.fingerprint[:12]}. "
            "data.root=DIR says where they are now"
        )
    # Where all photographs of a part are damaged, the others are split anew: only the run itself knows how.
    evaluated = frozenset.intersection(*(evaluated_digests(run.model) for run in runs))
    return EvaluationSplit(
        photographs=tuple(photograph for photograph in found.photographs if photograph.digest in evaluated),
        fingerprint=found.fingerprint,
        trained=found.trained,
        stored_side=found.stored_side,
    )
