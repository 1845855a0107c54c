"""The tracked models of a study: of each variant the run that stands for it, and what it is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ablate.config.schema import unknown_level
from ablate.errors import ConfigError, TrackingError
from ablate.report.comparability import check_names
from ablate.report.selection import newest_finished
from ablate.report.variants import in_order, shown_names
from ablate.tracking.study_record import StudyRecord
from ablate.tracking.tracked_model import TrackedModel, find_model


def names_of(record: StudyRecord) -> dict[str, str]:
    """Return what the report calls the variants of a study, in its order."""
    finished = newest_finished(record.runs, record.readable).runs["variant"]
    short = shown_names([str(variant) for variant in finished.unique()])[0]
    return {name: short.get(name, name) for name in in_order([str(variant) for variant in record.runs["variant"]])}


def runs_of_study(
    record: StudyRecord, variants: Sequence[str] = (), *, option: str = "variants"
) -> tuple[list[TrackedModel], list[str]]:
    """Choose of each variant the run with a model that has the lowest seed, and of several the newest.

    Args:
        record: The study.
        variants: Which variants, as the report or MLflow calls them; all where empty.
        option: The argument that named them.

    Returns:
        The runs, by variant; and a line for each variant that has no finished run.

    Raises:
        ConfigError: There is no such variant.
        NotComparable: Two configurations have the name of a variant and one seed.
        TrackingError: A variant has finished, and no run of it kept its model.
    """
    wanted = _wanted(variants, names_of(record), option)
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


def _wanted(variants: Sequence[str], names: Mapping[str, str], option: str) -> list[str]:
    """Return the variants that are meant, in order, given what each is called in short."""
    for variant in variants:
        if variant not in names and variant not in names.values():
            raise ConfigError(unknown_level(option, variant, names.values()))
    return [name for name, short in names.items() if not variants or name in variants or short in variants]


def _first_with_a_model(run_ids: Sequence[str]) -> TrackedModel | None:
    for run_id in run_ids:
        model = find_model(run_id)
        if model.files is not None:
            return model
    return None


def _without(runs: Sequence[str]) -> str:
    lines = [f"{len(runs)} run{'s' * (len(runs) > 1)} kept no model:"]
    lines += [f"  {run}" for run in runs[:12]]
    if len(runs) > 12:
        lines.append(f"  and {len(runs) - 12} more")
    return "\n".join(
        [
            *lines,
            "Train them with tracking.model=true, which is the default (rerun=all trains again what has finished), or",
            "choose other runs or variants.",
        ]
    )


def distinct_names(names: Sequence[str], models: Sequence[TrackedModel]) -> list[str]:
    """Add the seed to the names of runs that share theirs, and the run where they share that as well."""
    for ending in ("seed {0.seed}", "run {0.run_id}"):
        counts = Counter(names)
        names = [
            f"{name}, {ending.format(model)}" if counts[name] > 1 else name
            for name, model in zip(names, models, strict=True)
        ]
    return list(names)
