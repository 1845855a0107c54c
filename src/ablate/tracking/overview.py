"""The overview of a study in MLflow: descriptions, factors that runs lack, and views, brought up to date."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import mlflow
from mlflow.entities import Run, RunTag
from mlflow.exceptions import MlflowException

from ablate.config.variant import Variant
from ablate.errors import TrackingError
from ablate.task import Metric, ServedModel
from ablate.tracking import names
from ablate.tracking.factors import factor_levels, factor_params, recorded_levels
from ablate.tracking.keras_model import model_files
from ablate.tracking.model_card import model_card
from ablate.tracking.notes import note_tags
from ablate.tracking.run_note import run_note
from ablate.tracking.stored_runs import search, usable
from ablate.tracking.study import (
    LIMIT,
    definition_of,
    describe_study,
    in_pieces,
    question_of,
    set_experiment_tags,
)
from ablate.tracking.study_record import StudyRecord, read_study
from ablate.tracking.views import view_tags

log = logging.getLogger(__name__)

Spec = Mapping[str, Any]


def describe_run(
    run_id: str, metrics: Sequence[Metric], served: ServedModel | None = None, limitations: Sequence[str] = ()
) -> None:
    """Describe a run that has been evaluated, beside the baseline's of its seed where that has finished, twice.

    MLflow shows the description, which changes with what the study finds; the model card is an artifact, and stays.

    Args:
        run_id: The run, in the open store.
        metrics: What its metrics mean.
        served: How its model is served; None for Keras' arrays.
        limitations: What its task says of its model, for the card.
    """
    with _unless_it_fails(f"run {run_id}"):
        client = mlflow.MlflowClient()
        run = client.get_run(run_id)
        tags, experiment = run.data.tags, client.get_experiment(run.info.experiment_id)
        where = [
            f"tags.`{names.VARIANT_TAG}` = 'baseline'",
            f"tags.`{names.SEED_TAG}` = '{tags[names.SEED_TAG]}'",
            "attributes.status = 'FINISHED'",
        ]
        baseline = _matching(run, search([experiment], " and ".join(where), limit=5, client=client))
        specs = [asdict(metric) for metric in metrics]
        _set_tags(client, run, note_tags(tags, run_note(run, baseline, specs)))
        card = model_card(
            run,
            experiment.name,
            baseline,
            specs,
            question=question_of(experiment.tags),
            kept=model_files(client, run, mlflow.get_tracking_uri()) is not None,
            served=served,
            limitations=limitations,
        )
        client.log_text(run_id, card, names.CARD_FILE)
        if experiment.tags.keys().isdisjoint(view_tags([], [])):
            set_experiment_tags(experiment, _views(_recorded(run), specs, definition_of(experiment.tags)))


def update_study(study: str, *, add_factors: bool = True) -> None:
    """Bring the descriptions of a study and of its runs in the open store up to date, its factors and its views.

    Runs of an ad-hoc sweep that another command began get the factors that these vary. What a person has written
    stays.

    Args:
        study: Its name.
        add_factors: Whether runs get the factors that they lack.
    """
    with _unless_it_fails(f"study {study}"):
        client = mlflow.MlflowClient()
        experiment = client.get_experiment_by_name(study)
        runs = usable(search([experiment], client=client)) if experiment is not None else []
        if experiment is None or not runs:
            return
        record, definition = read_study(study, mlflow.get_tracking_uri()), definition_of(experiment.tags)
        specs, levels = _specs(record), _levels(runs, definition)
        shared = set[str]() if definition else _shared(runs)
        baselines = [run for run in runs if run.info.status == "FINISHED" and _differences(run) == shared]
        for run in runs if add_factors else []:
            _add_factors(client, run, levels[run.info.run_id])
        for run in runs:
            seed = run.data.tags[names.SEED_TAG]
            others = [other for other in baselines if other.data.tags[names.SEED_TAG] == seed]
            text = run_note(run, _matching(run, others), specs, shared)
            _set_tags(client, run, {names.TYPE_TAG: names.TRAINING, **note_tags(run.data.tags, text)})
        varied = _varied(levels[run.info.run_id] for run in reversed(runs))  # the baseline is trained first
        factors: Iterable[str] = definition["factors"] if definition else varied or levels[runs[0].info.run_id]
        described = note_tags(experiment.tags, describe_study(experiment, experiment.tags, varied))
        set_experiment_tags(experiment, {**_views(factors, specs, definition), **described})


def record_summary(study: str, text: str) -> None:
    """Add what the report on a study says to its description, and bring all of it up to date.

    Args:
        study: Its name.
        text: Markdown.
    """
    with _unless_it_fails(f"study {study}"):
        experiment = mlflow.MlflowClient().get_experiment_by_name(study)
        if experiment is None:
            return
        set_experiment_tags(experiment, in_pieces(names.SUMMARY_TAG, text[: LIMIT - 1]))
    update_study(study)


@contextmanager
def _unless_it_fails(what: str) -> Iterator[None]:
    """Log what the store does not take: a result does not depend on its description."""
    try:
        yield
    except (MlflowException, OSError, TrackingError) as error:
        log.warning("The description of %s cannot be tracked: %s", what, str(error).splitlines()[0])


def _set_tags(client: mlflow.MlflowClient, run: Run, tags: Mapping[str, str]) -> None:
    changed = [RunTag(name, value) for name, value in tags.items() if run.data.tags.get(name) != value]
    if changed:
        client.log_batch(run.info.run_id, tags=changed)


def _matching(run: Run, baselines: Sequence[Run]) -> Run | None:
    """Return the newest of some runs that may be compared with a run; None for one of them."""
    setting = run.data.tags.get(names.SETTING_TAG)
    same = [other for other in baselines if other.data.tags.get(names.SETTING_TAG) == setting]
    is_one = any(other.info.run_id == run.info.run_id for other in same)
    return same[0] if same and not is_one else None


def _shared(runs: Sequence[Run]) -> set[str]:
    """Return the differences from the defaults that all variants of an ad-hoc sweep have: those of its baseline."""
    several = len({run.data.tags[names.VARIANT_TAG] for run in runs}) > 1
    return set.intersection(*map(_differences, runs)) if several else set()


def _differences(run: Run) -> set[str]:
    return set(Variant.parse(run.data.tags[names.VARIANT_TAG]).differences)


def _levels(runs: Sequence[Run], definition: Spec | None) -> dict[str, dict[str, str]]:
    """Return by run the level of each factor; one that a run does not record is in its configuration, or a default."""
    baseline = definition["baseline"] if definition else None
    own = {run.info.run_id: factor_levels(_recorded(run), run.data.tags[names.VARIANT_TAG], baseline) for run in runs}
    if definition:
        return own
    unvaried: dict[str, str] = {}
    for run in runs:
        differs = factor_levels({}, run.data.tags[names.VARIANT_TAG], None)
        unvaried |= {factor: level for factor, level in _recorded(run).items() if factor not in differs}
    factors = dict.fromkeys(factor for levels in own.values() for factor in levels)
    return {
        run.info.run_id: {
            factor: level
            for factor in factors
            for level in [own[run.info.run_id].get(factor) or run.data.params.get(factor) or unvaried.get(factor)]
            if level is not None
        }
        for run in runs
    }


def _recorded(run: Run) -> dict[str, str]:
    return recorded_levels(run.data.params)


def _add_factors(client: mlflow.MlflowClient, run: Run, levels: Mapping[str, str]) -> None:
    missing = [param for param in factor_params(levels) if param.key not in run.data.params]
    if missing:
        client.log_batch(run.info.run_id, params=missing)
        run.data.params.update({param.key: param.value for param in missing})


def _varied(levels: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    """Return the levels of each factor that has several."""
    found: dict[str, dict[str, None]] = {}
    for own in levels:
        for factor, level in own.items():
            found.setdefault(factor, {})[level] = None
    return {factor: list(several) for factor, several in found.items() if len(several) > 1}


def _specs(record: StudyRecord) -> list[Spec]:
    """Return what the metrics of a study mean, by its newest result; nothing where there is none."""
    readable = record.readable.index[record.readable]
    if readable.empty:
        return []
    specs = record.metric_specs(str(readable[0])).reset_index().astype(object)
    return [{str(key): value for key, value in spec.items()} for spec in specs.to_dict("records")]


def _views(factors: Iterable[str], specs: Sequence[Spec], definition: Spec | None) -> dict[str, str]:
    """Return the tags of a study's views: first what varies, and the metric that answers."""
    answer = definition["metric"]["name"] if definition else None
    metrics = sorted((str(spec["name"]) for spec in specs), key=lambda name: name != answer)
    return view_tags(
        [names.factor_param(factor) for factor in factors],
        [*(names.metric_name(names.EVALUATION_GROUP, name) for name in metrics), names.PARAMETERS, names.WALL_SECONDS],
    )
