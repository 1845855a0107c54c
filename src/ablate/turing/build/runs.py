"""The tracked runs that colour the pictures, and the photographs that none of them has trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ablate.colorization.config import ColorConfig, DataConfig, EvaluationConfig
from ablate.colorization.data.held_out import evaluation_split
from ablate.colorization.data.photographs import EvaluationSplit
from ablate.colorization.data.preprocessing import preprocessing_of
from ablate.config.schema import unknown_level, validate
from ablate.errors import ConfigError, DataError, TrackingError
from ablate.report.comparability import check_names
from ablate.report.selection import newest_finished
from ablate.report.variants import in_order, shown_names
from ablate.tracking.study_record import StudyRecord
from ablate.tracking.tracked_model import TrackedModel, evaluated_digests, find_model, read_config


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


def names_of(record: StudyRecord) -> dict[str, str]:
    """Return what the report calls the variants of a study, in its order."""
    finished = newest_finished(record.runs, record.readable).runs["variant"]
    short = shown_names([str(variant) for variant in finished.unique()])[0]
    return {name: short.get(name, name) for name in in_order([str(variant) for variant in record.runs["variant"]])}


def runs_of_study(record: StudyRecord, variants: Sequence[str] = ()) -> tuple[list[TrackedModel], list[str]]:
    """Choose of each variant the run with a model that has the lowest seed, and of several the newest.

    Args:
        record: The study.
        variants: Which variants, as the report or MLflow calls them; all where empty.

    Returns:
        The runs, by variant; and a line for each variant that has no finished run.

    Raises:
        ConfigError: There is no such variant.
        NotComparable: Two configurations have the name of a variant and one seed.
        TrackingError: A variant has finished, and no run of it kept its model.
    """
    wanted = _wanted(variants, names_of(record))
    selection = newest_finished(record.runs, record.readable)
    own = selection.runs[selection.runs["variant"].isin(wanted)]
    check_names(replace(selection, runs=own), record.name, record.params)
    chosen, without = list[TrackedModel](), list[str]()
    finished = record.runs[record.readable]
    for variant in wanted:
        own = finished[finished["variant"] == variant].sort_values("seed", kind="stable")
        found = _first_with_a_model([str(run) for run in own.index])
        if found is not None:
            chosen.append(found)
        elif len(own):
            without += [f"{variant}, seed {seed}: run {run}" for run, seed in own["seed"].items()]
    if without:
        raise TrackingError(_without(without))
    gaps = selection.gaps
    there = {model.variant for model in chosen}
    missing = {gap.variant: str(gap) for gap in reversed(gaps) if gap.variant not in there}
    unfinished = [missing[variant] for variant in wanted if variant in missing]
    if not chosen:
        raise TrackingError(f"study {record.name} has no finished run yet: {'; '.join(unfinished)}")
    return chosen, unfinished


def runs_by_id(run_ids: Sequence[str], *, study: str | None) -> list[TrackedModel]:
    """Take the runs that were picked.

    Args:
        run_ids: Which.
        study: The study that they must belong to, if any.

    Raises:
        TrackingError: One is not there, has not finished, has no model, or belongs to another study.
    """
    found = [find_model(run_id) for run_id in dict.fromkeys(run_ids)]
    for model in found:
        if study is not None and model.study != study:
            raise TrackingError(f"run {model.run_id} belongs to study {model.study}, not to {study}")
    if without := [f"{model}: run {model.run_id}" for model in found if model.files is None]:
        raise TrackingError(_without(without))
    return found


def _wanted(variants: Sequence[str], names: Mapping[str, str]) -> list[str]:
    """Return the variants that are meant, in order, given what each is called in short."""
    for variant in variants:
        if variant not in names and variant not in names.values():
            raise ConfigError(unknown_level("variants", variant, names.values()))
    return [name for name, short in names.items() if not variants or name in variants or short in variants]


def _first_with_a_model(run_ids: Sequence[str]) -> TrackedModel | None:
    for run_id in run_ids:
        model = find_model(run_id)
        if model.files is not None:
            return model
    return None


def _without(runs: Sequence[str]) -> str:
    lines = [f"{len(runs)} run{'s' * (len(runs) > 1)} kept no model, and cannot colour anything:"]
    lines += [f"  {run}" for run in runs[:12]]
    if len(runs) > 12:
        lines.append(f"  and {len(runs) - 12} more")
    return "\n".join(
        [
            *lines,
            "Train them with tracking.model=true, which is the default (rerun=all trains again what has finished), or",
            'choose others: variants="A;B" or runs=ID,ID.',
        ]
    )


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


def distinct_names(names: Sequence[str], models: Sequence[TrackedModel]) -> list[str]:
    """Add the seed to the names of runs that share theirs, and the run where they share that as well."""
    for ending in ("seed {0.seed}", "run {0.run_id}"):
        counts = Counter(names)
        names = [
            f"{name}, {ending.format(model)}" if counts[name] > 1 else name
            for name, model in zip(names, models, strict=True)
        ]
    return list(names)


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
